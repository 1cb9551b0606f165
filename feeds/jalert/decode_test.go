package jalert

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"

	"yagura/feeds"
	"yagura/store/desk"
)

// One text says the same whatever its bytes, line ends and widths.
func TestEncodingsAgree(t *testing.T) {
	plain, err := os.ReadFile("testdata/2023-04-13/0755.txt")
	if err != nil {
		t.Fatal(err)
	}
	received := jst("2023-04-13 07:57")
	want, err := ParseText(desk.Envelope{Raw: plain, ReceivedAt: received})
	if err != nil {
		t.Fatal(err)
	}
	variants := map[string][]byte{
		"BOM":  append([]byte("\xef\xbb\xbf"), plain...),
		"CRLF": []byte(strings.ReplaceAll(string(plain), "\n", "\r\n")),
		"NFKC": []byte(fold(string(plain))),
	}
	for name, e := range map[string]encoding.Encoding{"Shift_JIS": japanese.ShiftJIS, "EUC-JP": japanese.EUCJP, "ISO-2022-JP": japanese.ISO2022JP} {
		if variants[name], err = e.NewEncoder().Bytes(plain); err != nil {
			t.Fatal(err)
		}
	}
	for name, raw := range variants {
		got, err := ParseText(desk.Envelope{Raw: raw, ReceivedAt: received})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !reflect.DeepEqual(got.Missile, want.Missile) || got.Mode != want.Mode || got.Headline != want.Headline || !reflect.DeepEqual(got.Place, want.Place) {
			t.Errorf("%s: %+v\nwant %+v", name, got.Missile, want.Missile)
		}
	}
}

func TestWhatIsNoNotice(t *testing.T) {
	for name, raw := range map[string]string{
		"empty": " \n", "another subject": "本日の会議は中止です。", "NUL": "ミサイル\x00", "no encoding": "\xff\xfe\xfd\x80\x81\xa0",
		"too large": strings.Repeat("ミサイル発射。", MaxBytes/20), "too long": strings.Repeat("避", maxRunes+1),
	} {
		tg, err := ParseText(desk.Envelope{Raw: []byte(raw)})
		if desk.KindOf(err) != desk.Invalid || desk.Message(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
		if string(tg.Raw) != raw || tg.Digest == [32]byte{} {
			t.Errorf("%s: the envelope is lost", name)
		}
	}
}

func TestSniff(t *testing.T) {
	for raw, want := range map[string]Format{
		"":   FormatUnknown,
		"  ": FormatUnknown,
		"<?xml version=\"1.0\"?>\n<!-- note -->\n<Report xmlns=\"http://xml.kishou.go.jp/jmaxml1/\">": FormatJMA,
		"\xef\xbb\xbf<jmx:Report>":                                                               FormatJMA,
		"<edxlde:EDXLDistribution xmlns:edxlde=\"urn\">":                                         FormatEDXL,
		"<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">":                                 FormatEDXL,
		"<s:Envelope><s:Body><publish xmlns=\"urn:soap.publiccommons.ne.jp\"><EDXLDistribution>": FormatEDXL,
		"<s:Envelope><s:Body/></s:Envelope>":                                                     FormatUnknown,
		"<html><body>":                                                                           FormatUnknown,
		"<!-- never closed":                                                                      FormatUnknown,
		`{"code":551,"issue":{"source":"気象庁"}}`:                                                  FormatP2P,
		"{\n  \"expire\": null, \"code\": 556}":                                                  FormatP2P,
		`{"mode":"live","phase":"issued","source":"エムネット端末"}`:                                    FormatEntry,
		`{"type":"ping"}`:                                                                        FormatUnknown,
		`[1,2]`:                                                                                  FormatText,
		`[{"code":551}]`:                                                                         FormatUnknown,
		"[訓練] 国民保護に関する情報":                                                                        FormatText,
		"国民保護に関する情報":                                                                             FormatText,
		"\x1b$B9qL1":                                                                             FormatText,
		"abc\x00":                                                                                FormatUnknown,
	} {
		if got := Sniff([]byte(raw)); got != want {
			t.Errorf("%q: %s, want %s", raw, got, want)
		}
	}
}

// TestTheNextLaunchIsNotAnEcho: fixed wording without a time comes word for word again with the next launch.
func TestTheNextLaunchIsNotAnEcho(t *testing.T) {
	const call = "ミサイル発射。ミサイル発射。建物の中、又は地下に避難してください。"
	at := func(raw, when string) [32]byte {
		return Digest(desk.Envelope{Raw: []byte(raw), ReceivedAt: jst(when)})
	}
	if at(call, "2022-11-03 07:52") != at(call, "2022-11-03 07:55") {
		t.Error("the same words three minutes later are another notice")
	}
	for _, when := range []string{"2022-11-03 08:01", "2022-11-03 08:39", "2023-05-31 07:52"} {
		if at(call, "2022-11-03 07:52") == at(call, when) {
			t.Errorf("the call of %s is lost", when)
		}
	}
	const numbered = `<alert><identifier>1</identifier></alert>`
	if at(numbered, "2022-11-03 07:52") != at(numbered, "2022-11-03 09:52") || at(numbered, "2022-11-03 07:52") != feeds.Digest([]byte(numbered)) {
		t.Error("an envelope with a number has two digests")
	}
}
