package desk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestIntensityOrderAndText(t *testing.T) {
	codes := []string{"0", "1", "2", "3", "4", "5-", "5+", "6-", "6+", "7"}
	for i, code := range codes {
		got := ParseIntensity(code)
		if got.String() != code {
			t.Errorf("%s became %s", code, got)
		}
		if i > 0 && got <= ParseIntensity(codes[i-1]) {
			t.Errorf("%s is not stronger than %s", code, codes[i-1])
		}
		text, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		var back Intensity
		if err := json.Unmarshal(text, &back); err != nil || back != got {
			t.Errorf("%s: JSON round trip gave %v, %v", code, back, err)
		}
	}
	for _, foreign := range []string{"", "8", "５弱", "5", "-1", "NaN", "over"} {
		if got := ParseIntensity(foreign); got != IntensityUnknown {
			t.Errorf("%q was read as %s", foreign, got)
		}
	}
	if text, _ := json.Marshal(IntensityUnknown); string(text) != "null" {
		t.Errorf("unknown is written as %s", text)
	}
	var i Intensity
	if err := json.Unmarshal([]byte(`"9"`), &i); KindOf(err) != Invalid {
		t.Errorf("a foreign intensity in JSON: %v", err)
	}
}

func TestPrefectureNames(t *testing.T) {
	for code, name := range map[Prefecture]string{1: "北海道", 13: "東京都", 17: "石川県", 26: "京都府", 27: "大阪府", 47: "沖縄県", 0: "不明", 48: "不明"} {
		if code.Name() != name {
			t.Errorf("%d is called %s, not %s", code, code.Name(), name)
		}
	}
}

func TestDispatchSteps(t *testing.T) {
	legal := map[string]bool{
		"proposed>approved": true, "proposed>withdrawn": true,
		"approved>expanded": true, "approved>stopped": true, "approved>expired": true, "approved>withdrawn": true,
		"expanded>sending": true, "expanded>sent": true, "expanded>stopped": true,
		"sending>sent": true, "sending>stopped": true,
	}
	for _, from := range DispatchStates() {
		for _, to := range DispatchStates() {
			if step := string(from + ">" + to); from.May(to) != legal[step] {
				t.Errorf("%s: May = %v", step, from.May(to))
			}
		}
		if ended := from == Sent || from == Stopped || from == Expired || from == Withdrawn; from.Ended() != ended {
			t.Errorf("%s: Ended = %v", from, from.Ended())
		}
		if strings.Contains(from.Japanese(), "不明") {
			t.Errorf("%s has no word", from)
		}
	}
}

func addressKey(t *testing.T, b byte) AddressKey {
	t.Helper()
	k, err := NewAddressKey(bytes.Repeat([]byte{b}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestAddressIsSealedAndMasked(t *testing.T) { // F3-2-m, law 11
	key := addressKey(t, 7)
	a, err := key.Seal("..taro-.@DOCOMO.example")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "address", a, "key", key, "err", fmt.Errorf("to %v", a))
	asJSON, _ := json.Marshal(a)
	for _, shown := range []string{fmt.Sprint(a), fmt.Sprintf("%+v %#v %s %q %x", a, a, a, a, a), fmt.Sprintf("%v", struct{ A Address }{a}), log.String(), string(asJSON)} {
		if strings.Contains(shown, "taro") {
			t.Errorf("the local part is shown: %s", shown)
		}
	}
	if a.String() != "…@docomo.example" {
		t.Errorf("masked form = %s", a)
	}
	opener, err := key.Opener()
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := a.Reveal(opener); err != nil || plain != "..taro-.@docomo.example" {
		t.Errorf("revealed %q, %v", plain, err)
	}
	moved := a
	moved.Domain = "evil.example"
	if _, err := moved.Reveal(opener); err == nil {
		t.Error("an address moved to another domain was opened")
	}
	other, _ := addressKey(t, 8).Opener()
	if _, err := a.Reveal(other); err == nil {
		t.Error("a foreign key opened the address")
	}
	if _, err := (Address{Domain: "x"}).Reveal(opener); err == nil {
		t.Error("an empty address was opened")
	}
}

func TestSealRefusesWhatIsNoMailbox(t *testing.T) {
	key := addressKey(t, 1)
	for _, bad := range []string{"", "a", "@b", "a@", "a b@c", "a\r\nTo: x@y", "a@b>", "<a@b", "a@日本.example", strings.Repeat("a", 250) + "@b.example"} {
		if _, err := key.Seal(bad); KindOf(err) != Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := NewAddressKey([]byte("short")); KindOf(err) != Invalid {
		t.Errorf("short key: %v", err)
	}
}

func TestFingerprintFoldsCase(t *testing.T) {
	key := addressKey(t, 1)
	if !bytes.Equal(key.Fingerprint("A@b.example"), key.Fingerprint("a@B.example")) {
		t.Error("case changes the fingerprint")
	}
	if bytes.Equal(key.Fingerprint("a@b.example"), addressKey(t, 2).Fingerprint("a@b.example")) {
		t.Error("the key does not matter")
	}
}

func TestToken(t *testing.T) { // law 14
	old, _ := NewTokenKey(1, bytes.Repeat([]byte{1}, 32))
	current, _ := NewTokenKey(2, bytes.Repeat([]byte{2}, 32))
	keys := TokenKeys{current, old}
	issued := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	want := Token{DispatchID: 12, PersonID: 11500, IssuedOn: issued.Truncate(24 * time.Hour)}
	for _, k := range keys {
		text, err := k.Sign(Token{DispatchID: 12, PersonID: 11500, IssuedOn: issued})
		if err != nil || len(text) != TokenLength {
			t.Fatalf("Sign = %q (%d), %v", text, len(text), err)
		}
		if got, err := keys.Verify(text, issued); err != nil || got != want {
			t.Errorf("Verify = %v, %v", got, err)
		}
		if _, err := keys.Verify(text, issued.Add(TokenLife+48*time.Hour)); KindOf(err) != Stale {
			t.Errorf("expired token: %v", err)
		}
		for i := range text { // every single changed character is found
			changed := []byte(text)
			changed[i] ^= 1
			if _, err := keys.Verify(string(changed), issued); KindOf(err) != Forbidden {
				t.Errorf("changed at %d: %v", i, err)
			}
		}
	}
	foreign, _ := NewTokenKey(2, bytes.Repeat([]byte{9}, 32))
	forged, _ := foreign.Sign(want)
	for _, bad := range []string{"", "x", forged, forged[:35], forged + "A", strings.Repeat("=", TokenLength), strings.Repeat("あ", 12)} {
		if _, err := keys.Verify(bad, issued); KindOf(err) != Forbidden {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := current.Sign(Token{DispatchID: 1 << 33, PersonID: 1}); KindOf(err) != Invalid {
		t.Errorf("a too large number: %v", err)
	}
	if shown := fmt.Sprintf("%v %+v %#v", current, keys, current); strings.Contains(shown, "2 2 2") || strings.Contains(shown, "0x2") {
		t.Errorf("the key is shown: %s", shown)
	}
}

func TestErrors(t *testing.T) {
	secret := errors.New("pq: password of user x")
	err := Wrap(Unavailable, "store.Inbox", secret)
	if KindOf(err) != Unavailable || strings.Contains(Message(err), "pq") || !errors.Is(err, secret) {
		t.Errorf("%v / %s", err, Message(err))
	}
	if KindOf(secret) != Internal || strings.Contains(Message(secret), "pq") {
		t.Errorf("unknown error: %v / %s", KindOf(secret), Message(secret))
	}
	told := Errorf(Stale, "a", "人数が %d 人に変わりました。", 3)
	if again := Wrap(Internal, "b", told); KindOf(again) != Stale || Message(again) != "人数が 3 人に変わりました。" {
		t.Errorf("a wrapped error lost its kind or words: %v", again)
	}
	if Wrap(Internal, "x", nil) != nil || KindOf(nil) != "" {
		t.Error("nil is an error")
	}
	for _, k := range []Kind{Invalid, NotFound, Conflict, Forbidden, Stale, Unavailable, Internal} {
		if Message(&Error{Kind: k}) == "" {
			t.Errorf("%s says nothing", k)
		}
	}
}

func TestResponseValidate(t *testing.T) {
	good := Response{DispatchID: 1, PersonID: 1, Safety: SafetyWell, Attendance: AttendNow}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Response){
		"no safety":     func(r *Response) { r.Safety = "" },
		"no attendance": func(r *Response) { r.Attendance = "maybe" },
		"long comment":  func(r *Response) { r.Comment = strings.Repeat("髙", MaxComment+1) },
		"not UTF-8":     func(r *Response) { r.Comment = "\xff" },
		"nobody":        func(r *Response) { r.PersonID = 0 },
	} {
		r := good
		change(&r)
		if err := r.Validate(); KindOf(err) != Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	good.Comment = strings.Repeat("髙", MaxComment)
	if err := good.Validate(); err != nil {
		t.Errorf("a comment of exactly the limit: %v", err)
	}
}

func TestTallyCheck(t *testing.T) { // F3-1-j
	good := Tally{
		Sent: 10, Answered: 5, Unanswered: 3, Undeliverable: 1, Withdrawn: 1,
		ByPrefecture: []TallyLine{{Sent: 10, Answered: 5, Unanswered: 3, Undeliverable: 1, Withdrawn: 1}},
	}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	bad := good
	bad.Answered++
	if bad.Check() == nil {
		t.Error("a wrong sum passed")
	}
	bad = good
	bad.ByPrefecture = []TallyLine{{Sent: 9, Answered: 5, Unanswered: 3, Undeliverable: 1}}
	if bad.Check() == nil {
		t.Error("a breakdown that misses a person passed")
	}
}

func TestCleanText(t *testing.T) {
	for in, want := range map[string]string{
		"髙﨑𠮷":                  "髙﨑𠮷",
		"a\x1b[31mb":           "a[31mb",
		"a\u202eb\u2066c":      "abc",
		"a\tb\rc\nd\x00\u009b": "a bcd",
		"bad\xffutf":           "badutf",
	} {
		if got := CleanText(in, false); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	if got := CleanText("a\nb", true); got != "a\nb" {
		t.Errorf("lines were lost: %q", got)
	}
}
