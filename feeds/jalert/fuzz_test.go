package jalert

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"yagura/store/desk"
)

// sound is what holds for every reading, whatever came in.
func sound(t *testing.T, raw []byte, tg desk.Telegram, err error) {
	t.Helper()
	if string(tg.Raw) != string(raw) {
		t.Fatal("the bytes were altered")
	}
	if err != nil {
		if desk.KindOf(err) != desk.Invalid || desk.Message(err) == "" {
			t.Fatalf("error %v", err)
		}
		return
	}
	if tg.Mode != desk.Live && tg.Mode != desk.Drill && tg.Mode != desk.Test || tg.Phase == "" || tg.Title == "" {
		t.Fatalf("mode %q, phase %q, title %q", tg.Mode, tg.Phase, tg.Title)
	}
	if tg.Missile == nil {
		return
	}
	for _, a := range tg.Missile.Areas {
		if !a.Prefecture.Valid() || len(a.Part) > 200 {
			t.Fatalf("area %+v", a)
		}
	}
	for _, s := range []string{tg.Headline, tg.HeadTitle, tg.Surprise, tg.Missile.Place} {
		if !utf8.ValidString(s) || utf8.RuneCountInString(s) > 200 {
			t.Fatalf("text %q", s)
		}
	}
	if _, err := json.Marshal(tg); err != nil {
		t.Fatal(err)
	}
}

func seeds(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.txt")
	if err != nil || len(files) < 40 {
		f.Fatalf("%d texts, %v", len(files), err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
}

func FuzzParseText(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		tg, err := ParseText(desk.Envelope{Raw: raw, ReceivedAt: jst("2023-04-13 07:57")})
		sound(t, raw, tg, err)
	})
}

func FuzzParseEDXL(f *testing.F) {
	f.Add([]byte(envelopeXML("Actual", "doc", "1", "発表", impactText, "010006")))
	f.Add([]byte(`<alert><status>Test</status><msgType>Cancel</msgType><info><event>ミサイル</event></info></alert>`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		tg, err := ParseEDXL(desk.Envelope{Raw: raw, ReceivedAt: jst("2023-04-13 07:57")})
		sound(t, raw, tg, err)
	})
}

func FuzzParseEntry(f *testing.F) {
	f.Add([]byte(`{"mode":"live","phase":"corrected","kind":"impact","source":"NHK","areas":[{"Prefecture":13,"Part":"島しょ部"}],"supersedes":4,"issued_at":"2023-04-13T07:55:00+09:00"}`))
	f.Add([]byte(`{"mode":"drill","phase":"issued","source":"NHK","text":"ミサイル発射。"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		tg, err := ParseEntry(desk.Envelope{Raw: raw, ReceivedAt: jst("2023-04-13 07:57")})
		sound(t, raw, tg, err)
	})
}

func FuzzSniff(f *testing.F) {
	seeds(f)
	f.Add([]byte("<?xml?><!--><a:Report"))
	f.Add([]byte(`{"code":551}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		switch Sniff(raw) {
		case FormatJMA, FormatEDXL, FormatP2P, FormatEntry, FormatText, FormatUnknown:
		default:
			t.Fatal("a format that is none")
		}
	})
}
