package route

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"

	"yagura/store/desk"
)

func TestNewItemRefusesWhatBreaksTheDialogue(t *testing.T) {
	good := []byte("Subject: x\r\n\r\nbody\r\n")
	for _, c := range []struct {
		name, to, from string
		data           []byte
		ok             bool
	}{
		{"good", "a@b.example", "", good, true},
		{"old docomo", "a..b.@docomo.example", "x@y.example", good, true},
		{"no recipient", "", "", good, false},
		{"CRLF in recipient", "a@b.example>\r\nRSET", "", good, false},
		{"bracket", "a>@b.example", "", good, false},
		{"CRLF in sender", "a@b.example", "x\r\n@y", good, false},
		{"bare LF", "a@b.example", "", []byte("a\nb\r\n"), false},
		{"bare CR", "a@b.example", "", []byte("a\rb\r\n"), false},
		{"swapped", "a@b.example", "", []byte("a\n\rb"), false},
		{"NUL", "a@b.example", "", []byte("a\x00\r\n"), false},
	} {
		if _, err := NewItem(desk.Mail{}, c.to, c.from, c.data); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestItemNeverShowsItsMailbox(t *testing.T) {
	i, err := NewItem(desk.Mail{ID: 5}, "taro@b.example", "", []byte("secret\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "item", i)
	for _, shown := range []string{fmt.Sprintf("%v", i), fmt.Sprintf("%+v", i), fmt.Sprintf("%#v", i), fmt.Sprintf("%s", i), log.String()} {
		if strings.Contains(shown, "taro") || strings.Contains(shown, "secret") {
			t.Errorf("shows %q", shown)
		}
	}
}

func TestOpenerPrepares(t *testing.T) {
	key, err := desk.NewAddressKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	address, err := key.Seal("taro..x@docomo.example")
	if err != nil {
		t.Fatal(err)
	}
	opener, err := NewOpener(key)
	if err != nil {
		t.Fatal(err)
	}
	i, err := opener.Prepare(desk.Mail{ID: 1, Address: address}, func(to string) ([]byte, error) { return []byte("To: " + to + "\r\n"), nil })
	if err != nil || i.to != "taro..x@docomo.example" {
		t.Fatalf("%v %q", err, i.to)
	}
	_, err = opener.Prepare(desk.Mail{Address: address}, func(to string) ([]byte, error) {
		return nil, desk.Errorf(desk.Invalid, "x", "%s はだめ", to)
	})
	if err == nil || strings.Contains(err.Error(), "taro") || desk.KindOf(err) != desk.Invalid {
		t.Errorf("got %v", err)
	}
	address.Sealed[20] ^= 1
	if _, err = opener.Prepare(desk.Mail{Address: address}, nil); err == nil {
		t.Error("a damaged address was opened")
	}
}

func TestShowable(t *testing.T) {
	for _, c := range []struct{ text, to, want string }{
		{"2.0.0 Ok: queued as 4F2", "a@b.example", "2.0.0 Ok: queued as 4F2"},
		{"<taro@docomo.example> unknown", "taro@docomo.example", "<…@docomo.example> unknown"},
		{"user TARO.x unknown", "taro.x@docomo.example", "user … unknown"},
		{"see b=foo@x and bar@y, ok", "zzz@b.example", "see …@x and …@y, ok"},
		{"a\x1b[31mred\x07\u202e", "zzz@b.example", "a[31mred"},
		{strings.Repeat("あ", 100), "zzz@b.example", strings.Repeat("あ", 66)},
	} {
		if got := showable(c.text, c.to); got != c.want {
			t.Errorf("showable(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}

func TestReadReply(t *testing.T) {
	for _, c := range []struct {
		in, text string
		code     int
		ok       bool
	}{
		{"250 ok\r\n", "ok", 250, true},
		{"250\r\n", "", 250, true},
		{"250 ok\n", "ok", 250, true},
		{"250-a\r\n250-b\r\n250 c\r\n", "a b c", 250, true},
		{"250-a\r\n550 c\r\n", "", 0, false},
		{"hello\r\n", "", 0, false},
		{"999 x\r\n", "", 0, false},
		{"25", "", 0, false},
		{"250?x\r\n", "", 0, false},
		{"550 " + strings.Repeat("x", 10_000) + "\r\n", strings.Repeat("x", 508), 550, true},
		{"550 " + strings.Repeat("x", 100_000) + "\r\n", "", 0, false},
		{strings.Repeat("250-"+strings.Repeat("y", 900)+"\r\n", 100), "", 0, false},
	} {
		p, err := readReply(bufio.NewReader(strings.NewReader(c.in)), nil)
		if (err == nil) != c.ok || (c.ok && (p.code != c.code || p.text != c.text)) {
			t.Errorf("%.30q: %d %.40q %v", c.in, p.code, p.text, err)
		}
	}
}

func FuzzReadReply(f *testing.F) {
	f.Add("250-a\r\n250 b\r\n", "taro@b.example")
	f.Add("550 taro@b.example\r\n", "taro@b.example")
	f.Fuzz(func(t *testing.T, in, to string) {
		p, err := readReply(bufio.NewReaderSize(strings.NewReader(in), 4096), nil)
		if err != nil {
			return
		}
		text := showable(p.text, to)
		if len(text) > maxText || !utf8.ValidString(text) || strings.ContainsAny(text, "\r\n\x00\x1b") || p.code < 200 || p.code > 599 {
			t.Errorf("%d %q", p.code, text)
		}
	})
}

// FuzzMessage proves that what a server unstuffs is what was given, and that no line but the last is a lone dot.
func FuzzMessage(f *testing.F) {
	for _, s := range []string{"", ".", "..\r\n", "a\r\n.\r\nb", "\r\n.", ".\r\n.\r\n", "x\r\n..y\r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !cleanLines(data) {
			return
		}
		in := bufio.NewReader(bytes.NewReader(appendMessage(nil, data)))
		var got bytes.Buffer
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				t.Fatalf("no final dot: %v", err)
			}
			if line == ".\r\n" {
				break
			}
			got.WriteString(strings.TrimPrefix(line, "."))
		}
		if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
			t.Fatal("something follows the final dot")
		}
		want := string(data)
		if !strings.HasSuffix(want, "\r\n") {
			want += "\r\n"
		}
		if got.String() != want {
			t.Errorf("%q became %q", want, got.String())
		}
	})
}
