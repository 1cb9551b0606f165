package dmdata

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"yagura/feeds/jma"
	"yagura/store/desk"
)

func gz(b []byte) string {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(b)
	z.Close()
	return base64.StdEncoding.EncodeToString(out.Bytes())
}

func zipped(bodies ...[]byte) string {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for range bodies {
		w, _ := z.Create("body.xml")
		w.Write(bodies[0])
	}
	z.Close()
	return base64.StdEncoding.EncodeToString(out.Bytes())
}

func TestBodies(t *testing.T) {
	body := []byte("<Report>櫓</Report>")
	largest := bytes.Repeat([]byte("x"), jma.MaxBytes)
	for name, c := range map[string]struct {
		f    frame
		want []byte // nil = refused
	}{
		"gzip and base64":         {frame{Compression: "gzip", Encoding: "base64", Body: gz(body)}, body},
		"zip and base64":          {frame{Compression: "zip", Encoding: "base64", Body: zipped(body)}, body},
		"plain":                   {frame{Body: string(body)}, body},
		"utf-8":                   {frame{Encoding: "utf-8", Body: string(body)}, body},
		"the largest":             {frame{Compression: "gzip", Encoding: "base64", Body: gz(largest)}, largest},
		"one byte over":           {frame{Compression: "gzip", Encoding: "base64", Body: gz(append(largest, 'x'))}, nil},
		"plain, one byte over":    {frame{Body: string(append(largest, 'x'))}, nil},
		"zip bomb":                {frame{Compression: "zip", Encoding: "base64", Body: zipped(make([]byte, 50<<20))}, nil},
		"zip of two":              {frame{Compression: "zip", Encoding: "base64", Body: zipped(body, body)}, nil},
		"zip of none":             {frame{Compression: "zip", Encoding: "base64", Body: zipped()}, nil},
		"not base64":              {frame{Compression: "gzip", Encoding: "base64", Body: "櫓"}, nil},
		"not gzip":                {frame{Compression: "gzip", Encoding: "base64", Body: "AAAA"}, nil},
		"gzip cut off":            {frame{Compression: "gzip", Encoding: "base64", Body: gz(body)[:24]}, nil},
		"empty":                   {frame{Compression: "gzip", Encoding: "base64", Body: gz(nil)}, nil},
		"blank":                   {frame{Body: " \n"}, nil},
		"unheard-of compression":  {frame{Compression: "zstd", Encoding: "base64", Body: gz(body)}, nil},
		"unheard-of encoding":     {frame{Encoding: "base32", Body: "AAAA"}, nil},
		"gzip that is not base64": {frame{Compression: "gzip", Body: "x"}, nil},
	} {
		got, err := c.f.telegram()
		if !bytes.Equal(got, c.want) || (err == nil) != (c.want != nil) || err != nil && desk.KindOf(err) != desk.Invalid {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

func TestFrames(t *testing.T) {
	for raw, want := range map[string]frame{
		`{"type":"start","socketId":"12","types":null}`:                                {Type: "start", SocketID: "12"},
		`{"type":"start","socketId":12}`:                                               {Type: "start", SocketID: "12"},
		`{"type":"error","error":"x","code":4503,"close":true}`:                        {Type: "error", Message: "x", Code: "4503", Close: true},
		`{"type":"error","code":"server.end"}`:                                         {Type: "error"},
		`{"type":"error","code":-1.5}`:                                                 {Type: "error"},
		`{"type":"ping","pingId":"nBglV1","new":{"field":1}}`:                          {Type: "ping", PingID: "nBglV1"},
		`{"type":"data","id":"a","originalId":"b","compression":null,"encoding":null}`: {Type: "data", ID: "a", OriginalID: "b"},
		`{"type":"data","id":"a","originalId":null,"head":{"test":true}}`:              {Type: "data", ID: "a"},
	} {
		got, err := decodeFrame([]byte(raw))
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", raw, got, err)
		}
	}
	for _, raw := range []string{"", "x", "[]", "null", "{}", `{"type":1}`, `{"type":"data","id":7}`} {
		if _, err := decodeFrame([]byte(raw)); desk.KindOf(err) != desk.Invalid {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

func TestKeyIsThatOfTheXML(t *testing.T) { // feeds.md 3.1
	if k := (&frame{ID: "json", OriginalID: "xml"}).key(); k != "xml" {
		t.Error(k)
	}
	if k := (&frame{ID: "xml"}).key(); k != "xml" {
		t.Error(k)
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ kind, id, want string }{
		{"VPTW62", "abc", "VPTW62_abc"},
		{"VXKOii", "abc", "VXKOii_abc"},
		{"", "abc", "abc"},
		{"VXSE53\x1b[31m", "abc", "abc"},
		{"震度速報", "a\x1bb\u202e", "ab"},
		{"VXSE53", strings.Repeat("x", 500), "VXSE53_" + strings.Repeat("x", 128)},
	} {
		if got := nameOf(c.kind, c.id); got != c.want {
			t.Errorf("%q %q: %q", c.kind, c.id, got)
		}
	}
	if got := jma.TypeOf("南海トラフ地震関連解説情報", nameOf("VYSE52", "68a3")); got != "VYSE52" {
		t.Error(got)
	}
}

// shared finds a path of the folder of real frames, or skips.
func shared(t testing.TB, path string) string {
	t.Helper()
	dir := os.Getenv("YAGURA_SHARED")
	for at, err := filepath.Abs("."); dir == "" && err == nil && at != filepath.Dir(at); at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "shared", "jma")); err == nil {
			dir = filepath.Join(at, "shared")
		}
	}
	path = filepath.Join(dir, path)
	if _, err := os.Stat(path); dir == "" || err != nil {
		t.Skip("the folder shared is not here: ", path)
	}
	return path
}

func TestRealFrames(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared(t, "jma/dmdata/ws_real"), "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f, err := decodeFrame(raw)
		if err != nil {
			t.Fatal(err)
		}
		body, err := f.telegram()
		if err != nil || f.Type != "data" || f.Format != "json" || f.key() != f.OriginalID || !bytes.HasPrefix(body, []byte("{")) {
			t.Errorf("%s: %v %+.80v", filepath.Base(file), err, f)
		}
		if f.altered() {
			t.Errorf("%s: the id is not SHA-384 of the body", filepath.Base(file))
		}
		f.Body = strings.Replace(f.Body, f.Body[40:44], "AAAA", 1)
		if !f.altered() {
			t.Errorf("%s: an altered body passed", filepath.Base(file))
		}
	}
}

func TestSyntheticFrames(t *testing.T) {
	for name, want := range map[string]string{"ws_start": "start", "ws_ping": "ping", "ws_error": "error", "ws_data": "data"} {
		raw, err := os.ReadFile(shared(t, "jma/dmdata/ws_synthetic/"+name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		f, err := decodeFrame(raw)
		if err != nil || f.Type != want {
			t.Errorf("%s: %q, %v", name, f.Type, err)
		}
		if want == "data" {
			if body, err := f.telegram(); err != nil || !bytes.HasPrefix(body, []byte("<?xml")) || f.altered() {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// FuzzFrame checks that no frame of the far side breaks the reader or its bound.
func FuzzFrame(f *testing.F) {
	body := gz([]byte("<Report/>"))
	f.Add([]byte(`{"type":"data","id":"a","format":"xml","compression":"gzip","encoding":"base64","body":"` + body + `"}`))
	f.Add([]byte(`{"type":"data","id":"a","format":"xml","compression":"zip","encoding":"base64","body":"` + zipped([]byte("<Report/>")) + `"}`))
	f.Add([]byte(`{"type":"error","error":"x","code":4503,"close":true}`))
	f.Add([]byte(`{"type":"ping","pingId":"nBglV1"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := decodeFrame(raw)
		if err != nil {
			if desk.KindOf(err) != desk.Invalid {
				t.Fatal(err)
			}
			return
		}
		if strings.Trim(string(got.Code), "0123456789") != "" {
			t.Fatalf("code %q", got.Code)
		}
		(&connection{s: New(Options{})}).fault(&got)
		got.altered()
		body, err := got.telegram()
		if err == nil && (len(body) == 0 || len(body) > jma.MaxBytes) || err != nil && desk.KindOf(err) != desk.Invalid {
			t.Fatalf("%d bytes, %v", len(body), err)
		}
	})
}
