package line

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"yagura/feeds/jma"
	"yagura/store/desk"
)

const telegramText = `<?xml version="1.0" encoding="UTF-8"?><Report><Control><Title>震度速報</Title></Control></Report>`

func gzipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func zipped(t testing.TB, texts ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, text := range texts {
		w, err := z.Create(string(rune('a' + i)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func wrapped(t testing.TB, fields map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestUnpack(t *testing.T) {
	plain64 := base64.StdEncoding.EncodeToString([]byte(telegramText))
	bomb := gzipped(t, strings.Repeat("\x00", jma.MaxBytes+1))
	for what, c := range map[string]struct {
		raw  string
		name string
		body string // "" = verbatim
	}{
		"a raw telegram":         {telegramText, "", ""},
		"a text":                 {"ミサイル発射情報", "", ""},
		"JSON of another form":   {`{"code":551,"id":"x"}`, "", ""},
		"a body that is no text": {`{"body":{"a":1},"name":"x"}`, "", ""},
		"not JSON after all":     {`{"body":"x"`, "", ""},
		"as text":                {wrapped(t, map[string]any{"name": "a.xml", "type": "VXSE51", "body": telegramText}), "VXSE51_a.xml", telegramText},
		"the name has the type":  {wrapped(t, map[string]any{"name": "1_VXSE51.xml", "type": "VXSE51", "body": telegramText, "encoding": "utf-8"}), "1_VXSE51.xml", telegramText},
		"base64":                 {wrapped(t, map[string]any{"name": "a", "body": plain64, "encoding": "base64", "compression": nil}), "a", telegramText},
		"gzip":                   {wrapped(t, map[string]any{"body": gzipped(t, telegramText), "encoding": "base64", "compression": "gzip"}), "", telegramText},
		"zip":                    {wrapped(t, map[string]any{"body": zipped(t, telegramText), "encoding": "base64", "compression": "zip"}), "", telegramText},
		"a frame of DMDATA": {
			wrapped(t, map[string]any{"type": "data", "id": "ab12", "head": map[string]any{"type": "VXSE53", "test": false}, "body": gzipped(t, telegramText), "encoding": "base64", "compression": "gzip"}),
			"VXSE53_ab12", telegramText,
		},
		"wrong base64":      {wrapped(t, map[string]any{"name": "a", "body": "%%%", "encoding": "base64"}), "a", ""},
		"wrong gzip":        {wrapped(t, map[string]any{"name": "a", "body": plain64, "encoding": "base64", "compression": "gzip"}), "a", ""},
		"wrong zip":         {wrapped(t, map[string]any{"name": "a", "body": plain64, "encoding": "base64", "compression": "zip"}), "a", ""},
		"two files in zip":  {wrapped(t, map[string]any{"name": "a", "body": zipped(t, "a", "b"), "encoding": "base64", "compression": "zip"}), "a", ""},
		"an empty body":     {wrapped(t, map[string]any{"name": "a", "body": ""}), "a", ""},
		"unknown encoding":  {wrapped(t, map[string]any{"name": "a", "body": "x", "encoding": "uu"}), "a", ""},
		"unknown packing":   {wrapped(t, map[string]any{"name": "a", "body": "x", "compression": "xz"}), "a", ""},
		"a bomb":            {wrapped(t, map[string]any{"name": "a", "body": bomb, "encoding": "base64", "compression": "gzip"}), "a", ""},
		"an unseemly name":  {wrapped(t, map[string]any{"name": "a\x1b[2J\r\nb\u202e", "body": telegramText}), "a[2Jb", telegramText},
		"a very long name":  {wrapped(t, map[string]any{"name": strings.Repeat("長", 500), "body": telegramText}), strings.Repeat("長", 120), telegramText},
		"a byte order mark": {"\xef\xbb\xbf" + wrapped(t, map[string]any{"name": "a", "body": telegramText}), "a", telegramText},
	} {
		want := c.body
		if want == "" {
			want = c.raw
		}
		if name, got := unpack([]byte(c.raw)); name != c.name || string(got) != want {
			t.Errorf("%s: %q, %.80q", what, name, got)
		}
	}
}

// TestUnpackOfRealFrames takes the telegrams out of recorded frames of DMDATA.
func TestUnpackOfRealFrames(t *testing.T) {
	dir := os.Getenv("YAGURA_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	files, err := filepath.Glob(filepath.Join(dir, "jma", "dmdata", "ws_real", "*.json"))
	if err != nil || len(files) == 0 {
		t.Skip("the shared reference data is absent; set YAGURA_SHARED")
	}
	for _, path := range files {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name, body := unpack(raw)
		if !strings.HasPrefix(name, "VXSE") || len(body) == 0 || bytes.Equal(body, raw) || !utf8.Valid(body) {
			t.Errorf("%s: %q, %.60q", filepath.Base(path), name, body)
		}
	}
}

// FuzzUnpack: whatever comes, there is a telegram to store, of bounded size, under a name that can be shown.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte(telegramText))
	f.Add([]byte(wrapped(f, map[string]any{"name": "a", "type": "VXSE51", "body": gzipped(f, telegramText), "encoding": "base64", "compression": "gzip"})))
	f.Add([]byte(wrapped(f, map[string]any{"body": zipped(f, telegramText), "encoding": "base64", "compression": "zip"})))
	f.Fuzz(func(t *testing.T, raw []byte) {
		name, body := unpack(raw)
		if len(body) == 0 && len(raw) > 0 {
			t.Error("the telegram is lost")
		}
		if len(body) > max(jma.MaxBytes, len(raw)) {
			t.Errorf("%d bytes from %d", len(body), len(raw))
		}
		if !utf8.ValidString(name) || utf8.RuneCountInString(name) > nameRunes || strings.ContainsAny(name, "\x00\x1b\r\n\t") {
			t.Errorf("name %q", name)
		}
		if _, err := jma.Parse(desk.Envelope{Name: name, Raw: body}); err != nil && desk.KindOf(err) != desk.Invalid {
			t.Errorf("the reader says %v", err)
		}
	})
}
