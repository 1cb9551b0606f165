package compose_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-msgauth/dkim"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"yagura/engine/compose"
	"yagura/store/desk"
)

var opts = compose.Options{
	From: "anpi@desk.example", FromName: "○○省当直室", LinkBase: "https://anpi.desk.example/r/", MessageIDHost: "desk.example",
	ReturnPath: "b-{id}@bounce.desk.example",
}

var letter = desk.Letter{
	DispatchID: 12, Mode: desk.Drill, Subject: "【安否確認】石川県能登地方 震度7",
	Body: "石川県能登地方で震度7の地震がありました。\n下のリンクを開いて、安否を答えてください。\n",
}

var one = desk.Mail{ID: 345, DispatchID: 12, PersonID: 6, CreatedAt: time.Date(2024, 1, 1, 7, 12, 3, 0, time.UTC)}

var token = strings.Repeat("aB3-_x", 6)

func composed(t testing.TB, l desk.Letter, o compose.Options, to, token string) []byte {
	t.Helper()
	c, err := compose.New(l, o)
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Compose(nil, one, to, token)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parse(t interface{ Fatal(...any) }, raw []byte) (*mail.Header, string) {
	r, err := mail.CreateReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	part, err := r.NextPart()
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(part.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &r.Header, string(body)
}

func TestComposeReadsBack(t *testing.T) {
	raw := composed(t, letter, opts, "taro@docomo.example", token)
	h, body := parse(t, raw)
	subject, err := h.Subject()
	if err != nil || subject != "【訓練】【安否確認】石川県能登地方 震度7" {
		t.Errorf("subject %q %v", subject, err)
	}
	from, err := h.AddressList("From")
	if err != nil || len(from) != 1 || from[0].Address != opts.From || from[0].Name != opts.FromName {
		t.Errorf("from %v %v", from, err)
	}
	to, err := h.AddressList("To")
	if err != nil || len(to) != 1 || to[0].Address != "taro@docomo.example" {
		t.Errorf("to %v %v", to, err)
	}
	for name, want := range map[string]string{
		"Message-Id": "<12.345@desk.example>", "Date": "Mon, 01 Jan 2024 16:12:03 +0900", "Auto-Submitted": "auto-generated",
		"Content-Language": "ja", "Content-Transfer-Encoding": "base64", "Content-Type": "text/plain; charset=UTF-8",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	lines := strings.Split(body, "\r\n")
	if !strings.HasPrefix(lines[0], "【訓練】○○省当直室から安否の確認") {
		t.Errorf("first line %q", lines[0])
	}
	link := "https://anpi.desk.example/r/" + token
	found := false
	for _, l := range lines {
		found = found || (l == link && len(l) < 70)
	}
	if !found {
		t.Errorf("no line %q in %q", link, body)
	}
	if last := lines[len(lines)-2]; !strings.HasPrefix(last, "THIS IS A DRILL. Safety check") {
		t.Errorf("last line %q", last)
	}
	for i, l := range bytes.Split(raw, []byte("\r\n")) {
		if len(l) > 76 || bytes.ContainsAny(l, "\r\n\x00") {
			t.Errorf("line %d is %d long", i, len(l))
		}
	}
}

func TestModes(t *testing.T) {
	for mode, want := range map[desk.Mode]string{desk.Live: "急ぎ", desk.Drill: "【訓練】急ぎ", desk.Test: "【試験】急ぎ", "": "【訓練】急ぎ"} {
		l := letter
		l.Mode, l.Subject = mode, "急ぎ"
		h, body := parse(t, composed(t, l, opts, "a@b.example", token))
		if got, _ := h.Subject(); got != want {
			t.Errorf("%q: %q", mode, got)
		}
		if live := !strings.Contains(body, "実際の災害ではありません"); live != (mode == desk.Live) {
			t.Errorf("%q reads %q", mode, body)
		}
	}
	l := letter
	l.Subject = "【訓練】もう付いている"
	h, _ := parse(t, composed(t, l, opts, "a@b.example", token))
	if got, _ := h.Subject(); got != "【訓練】もう付いている" {
		t.Errorf("stamped twice: %q", got)
	}
}

func TestOldCarrierMailboxes(t *testing.T) {
	for to, want := range map[string]string{
		"a..b@docomo.example": `To: "a..b"@docomo.example`, "a.@au.example": `To: "a."@au.example`,
		".a@au.example": `To: ".a"@au.example`, "-a-@docomo.example": "To: -a-@docomo.example",
	} {
		raw := composed(t, letter, opts, to, token)
		if !bytes.Contains(raw, []byte("\r\n"+want+"\r\n")) {
			t.Errorf("%s: want %s in %.400s", to, want, raw)
		}
		h, _ := parse(t, raw)
		if list, err := h.AddressList("To"); err != nil || len(list) != 1 || list[0].Address != to {
			t.Errorf("%s reads back as %v %v", to, list, err)
		}
	}
}

func TestNothingIsInjected(t *testing.T) {
	for name, change := range map[string]func(*desk.Letter, *compose.Options){
		"subject CRLF":  func(l *desk.Letter, _ *compose.Options) { l.Subject = "x\r\nBcc: a@b.example" },
		"subject NUL":   func(l *desk.Letter, _ *compose.Options) { l.Subject = "x\x00" },
		"subject LS":    func(l *desk.Letter, _ *compose.Options) { l.Subject = "x\u2028y" },
		"subject empty": func(l *desk.Letter, _ *compose.Options) { l.Subject = " " },
		"body NUL":      func(l *desk.Letter, _ *compose.Options) { l.Body = "x\x00" },
		"body encoding": func(l *desk.Letter, _ *compose.Options) { l.Body = "x\xff" },
		"name":          func(_ *desk.Letter, o *compose.Options) { o.FromName = "x\ny" },
		"from":          func(_ *desk.Letter, o *compose.Options) { o.From = "x@y\r\n" },
		"host":          func(_ *desk.Letter, o *compose.Options) { o.MessageIDHost = "x>\r\n" },
		"return path":   func(_ *desk.Letter, o *compose.Options) { o.ReturnPath = "x\r\n@y" },
		"http link":     func(_ *desk.Letter, o *compose.Options) { o.LinkBase = "http://anpi.example/r/" },
		"long link":     func(_ *desk.Letter, o *compose.Options) { o.LinkBase = "https://anpi.a-very-long-name.desk.example/r/" },
		"key missing":   func(_ *desk.Letter, o *compose.Options) { o.Signers = []compose.Signer{{Domain: "a", Selector: "b"}} },
	} {
		l, o := letter, opts
		change(&l, &o)
		if _, err := compose.New(l, o); desk.KindOf(err) != desk.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	c, err := compose.New(letter, opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"", "a", "a@", "@b", "a@b.example\r\nBcc: x@y", "a b@c", "a@b,c@d.example\n", "a<x>@b.example", "あ@b.example"} {
		if _, err := c.Compose(nil, one, to, token); desk.KindOf(err) != desk.Invalid {
			t.Errorf("to %q: %v", to, err)
		}
	}
	for _, bad := range []string{"", "a b", "a\r\nb", "a/b", strings.Repeat("a", 101)} {
		if _, err := c.Compose(nil, one, "a@b.example", bad); desk.KindOf(err) != desk.Invalid {
			t.Errorf("token %q: %v", bad, err)
		}
	}
}

func TestReturnPath(t *testing.T) {
	c, err := compose.New(letter, opts)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.ReturnPath(one); got != "b-12.345@bounce.desk.example" {
		t.Errorf("got %q", got)
	}
}

func keys(t testing.TB) (compose.Signer, compose.Signer, *dkim.VerifyOptions) {
	t.Helper()
	edPublic, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rsPublic, err := x509.MarshalPKIXPublicKey(&rs.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	records := map[string]string{
		"ed._domainkey.desk.example": "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(edPublic),
		"rs._domainkey.desk.example": "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(rsPublic),
	}
	verify := &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) { return []string{records[name]}, nil }}
	return compose.Signer{Domain: "desk.example", Selector: "ed", Key: ed}, compose.Signer{Domain: "desk.example", Selector: "rs", Key: rs}, verify
}

func TestSignaturesVerifyAndRepeat(t *testing.T) {
	ed, rs, verify := keys(t)
	o := opts
	o.Signers = []compose.Signer{ed, rs}
	for _, to := range []string{"taro@docomo.example", "a..b@docomo.example"} {
		for _, tok := range []string{token, "short"} {
			raw := composed(t, letter, o, to, tok)
			if again := composed(t, letter, o, to, tok); !bytes.Equal(raw, again) {
				t.Fatal("composed twice, two different mails (law 5)")
			}
			found, err := dkim.VerifyWithOptions(bytes.NewReader(raw), verify)
			if err != nil || len(found) != 2 {
				t.Fatalf("%v %v", found, err)
			}
			for _, v := range found {
				if v.Err != nil {
					t.Errorf("signature of %s: %v\n%s", v.Domain, v.Err, raw)
				}
				if !v.Time.Equal(one.CreatedAt) {
					t.Errorf("signed at %v, not at the mail's own time", v.Time)
				}
			}
			for _, changed := range [][]byte{
				bytes.Replace(raw, []byte("To: "), []byte("To: x"), 1),
				bytes.Replace(raw, []byte("\r\nDate: Mon"), []byte("\r\nSubject: more\r\nDate: Mon"), 1),
				append(bytes.Clone(raw), "more\r\n"...),
			} {
				found, err := dkim.VerifyWithOptions(bytes.NewReader(changed), verify)
				if err != nil || len(found) != 2 || found[0].Err == nil || found[1].Err == nil {
					t.Errorf("a changed mail still verifies: %v %v", found, err)
				}
			}
		}
	}
}

// TestAnyLetter composes arbitrary letters: one To, one Subject, the stamp first, the text and the link whole, the signature good.
func TestAnyLetter(t *testing.T) {
	ed, _, verify := keys(t)
	rapid.Check(t, func(t *rapid.T) {
		l, o := letter, opts
		l.Mode = rapid.SampledFrom([]desk.Mode{desk.Live, desk.Drill, desk.Test}).Draw(t, "mode")
		l.Subject = rapid.String().Draw(t, "subject")
		l.Body = rapid.String().Draw(t, "body")
		tok := rapid.StringMatching("[A-Za-z0-9_-]{1,40}|[A-Za-z0-9_-]{36}").Draw(t, "token")
		o.Signers = []compose.Signer{ed}
		c, err := compose.New(l, o)
		if err != nil {
			return
		}
		raw, err := c.Compose([]byte("x"), one, "a@b.example", tok)
		if err != nil {
			t.Fatal(err)
		}
		whole(t, l, raw[1:], tok)
		found, err := dkim.VerifyWithOptions(bytes.NewReader(raw[1:]), verify)
		if err != nil || len(found) != 1 || found[0].Err != nil {
			t.Fatalf("%v %v", found, err)
		}
	})
}

func whole(t interface {
	Fatal(...any)
	Fatalf(string, ...any)
}, l desk.Letter, raw []byte, tok string,
) {
	h, body := parse(t, raw)
	for _, name := range []string{"To", "Subject", "From", "Date", "Message-Id"} {
		if n := len(h.Values(name)); n != 1 {
			t.Fatalf("%d of %s", n, name)
		}
	}
	stamp := compose.Stamp(l.Mode)
	subject, err := h.Subject()
	// Blanks at the ends of a header value are nobody's promise.
	if want := stamp + strings.TrimPrefix(norm.NFC.String(l.Subject), stamp); err != nil || strings.TrimSpace(subject) != strings.TrimSpace(want) {
		t.Fatalf("subject %q, want %q (%v)", subject, want, err)
	}
	if !strings.HasPrefix(subject, stamp) || !strings.HasPrefix(body, stamp) {
		t.Fatalf("not stamped: %q", subject)
	}
	if !utf8.ValidString(body) || !strings.Contains(body, "\r\n"+opts.LinkBase+tok+"\r\n") {
		t.Fatalf("no link in %q", body)
	}
}

func FuzzCompose(f *testing.F) {
	f.Add("件名", "本文", "a@b.example", token)
	f.Add("=?UTF-8?B?44GC?=", "\r\n.\r\n", `"a b"@c.example`, "x")
	f.Fuzz(func(t *testing.T, subject, body, to, tok string) {
		l := letter
		l.Subject, l.Body = subject, body
		c, err := compose.New(l, opts)
		if err != nil {
			return
		}
		raw, err := c.Compose(nil, one, to, tok)
		if err != nil {
			return
		}
		whole(t, l, raw, tok)
	})
}

func BenchmarkCompose(b *testing.B) {
	ed, rs, _ := keys(b)
	for name, signers := range map[string][]compose.Signer{"unsigned": nil, "ed25519": {ed}, "rsa2048": {rs}} {
		o := opts
		o.Signers = signers
		c, err := compose.New(letter, o)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				if buf, err = c.Compose(buf[:0], one, "taro.yamada@docomo.example", token); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(len(buf)))
		})
	}
}
