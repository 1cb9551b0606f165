package jma

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"yagura/store/desk"
)

func atomOf(entries string) string {
	return `<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" lang="ja"><title>高頻度（地震火山）</title>` +
		`<updated>2026-03-11T18:50:00+09:00</updated><id>urn:x#short_1</id>` + entries + `</feed>`
}

func entryXML(id, href, updated string) string {
	return `<entry><title>震度速報</title><id>` + id + `</id><updated>` + updated + `</updated><author><name>気象庁</name></author>` +
		`<link type="application/xml" href="` + href + `"/><content type="text">【１１日】</content></entry>`
}

func TestReadAtomEntries(t *testing.T) {
	const at = "2026-03-11T09:48:31Z"
	press := time.Date(2026, 3, 11, 9, 48, 31, 0, time.UTC)
	byName := time.Date(2026, 3, 11, 9, 48, 33, 0, time.UTC)
	const name = "20260311094833_0_VXSE51_010000.xml"
	for what, c := range map[string]struct {
		entries string
		want    []atomEntry
	}{
		"as JMA writes it": {entryXML("https://www.data.jma.go.jp/developer/xml/data/"+name, "https://www.data.jma.go.jp/developer/xml/data/"+name, at), []atomEntry{{name, "VXSE51", press}}},
		"twice": {
			entryXML("x/"+name, "y/"+name, at) + entryXML("x/"+name, "y/"+name, at),
			[]atomEntry{{name, "VXSE51", press}},
		},
		"the name from the link alone": {entryXML("urn:uuid:1", "/data/"+name, at), []atomEntry{{name, "VXSE51", press}}},
		"time from the name":           {entryXML(name, "", "yesterday"), []atomEntry{{name, "VXSE51", byName}}},
		"a UUID, as before 2021":       {entryXML("data/0341a170-82bb-32bd-88a9-a8d18596752c.xml", "", at), []atomEntry{{"0341a170-82bb-32bd-88a9-a8d18596752c.xml", "", press}}},
		"another form and no time":     {entryXML("data/new_form.xml", "", ""), []atomEntry{{Name: "new_form.xml"}}},
		"in order of press time": {
			entryXML("20260311094833_0_VXSE53_010000.xml", "", "2026-03-11T09:55:00Z") + entryXML("20260311094900_0_VXSE52_010000.xml", "", at),
			[]atomEntry{{"20260311094900_0_VXSE52_010000.xml", "VXSE52", press}, {"20260311094833_0_VXSE53_010000.xml", "VXSE53", time.Date(2026, 3, 11, 9, 55, 0, 0, time.UTC)}},
		},
		"a way out of the folder": {entryXML("https://localhost/..", "../../etc/passwd", at), nil},
		"hidden, odd or no name":  {entryXML(".xml", "a b.xml", at) + entryXML("a?.xml", "%2e.xml", at) + `<entry/>`, nil},
	} {
		t.Run(what, func(t *testing.T) {
			feed, err := readAtom(strings.NewReader(atomOf(c.entries)))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.EqualFunc(feed.Entries, c.want, func(a, b atomEntry) bool {
				return a.Name == b.Name && a.Type == b.Type && a.Press.Equal(b.Press)
			}) {
				t.Errorf("got %v\nwant %v", feed.Entries, c.want)
			}
			if !feed.Updated.Equal(time.Date(2026, 3, 11, 9, 50, 0, 0, time.UTC)) {
				t.Errorf("updated %v", feed.Updated)
			}
		})
	}
}

func TestReadAtomThatBreaksOff(t *testing.T) {
	text := atomOf(entryXML("20260311094833_0_VXSE51_010000.xml", "", "2026-03-11T09:48:31Z"))
	end := strings.Index(text, "</entry>") + len("</entry>")
	for i := range len(text) {
		feed, err := readAtom(strings.NewReader(text[:i]))
		if desk.KindOf(err) != desk.Invalid {
			t.Fatalf("cut at %d: %v", i, err)
		}
		if got := len(feed.Entries); got != 0 && i < end || got != 1 && i >= end {
			t.Fatalf("cut at %d of %d: %d entries", i, end, got)
		}
	}
}

func TestReadAtomIsBounded(t *testing.T) {
	var b strings.Builder
	for i := range maxAtomEntries + 2 {
		fmt.Fprintf(&b, "<entry><id>%d.xml</id></entry>", i)
	}
	if feed, err := readAtom(strings.NewReader(atomOf(b.String()))); desk.KindOf(err) != desk.Invalid || len(feed.Entries) > maxAtomEntries+1 {
		t.Errorf("%d entries, %v", len(feed.Entries), err)
	}
}

func TestWanted(t *testing.T) {
	for code, want := range map[string]bool{
		"VXSE51": true, "VTSE41": true, "VPWW55": true, "VPBS50": true, "VZZZ99": true, "": true, "VPTW62": true, "VPFD60": true,
		"VPFD51": false, "VPFW50": false, "VZSA50": false,
	} {
		if Wanted(code) != want {
			t.Errorf("Wanted(%q) = %v", code, !want)
		}
	}
}

// TestReadAtomOfRealFeeds reads the recorded feeds of the reference data.
func TestReadAtomOfRealFeeds(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(sharedFolder(t), "jma", "feeds", "*", "*.xml"))
	if err != nil || len(files) == 0 {
		t.Skip("no recorded feeds")
	}
	typed := 0
	for _, path := range files {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		feed, err := readAtom(bytes.NewReader(raw))
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(path), err)
			continue
		}
		var told int // the file says in its name how many entries it has
		if _, after, ok := strings.Cut(filepath.Base(path), "entries_"); ok && after != "" {
			parts := strings.Split(filepath.Base(path), "_")
			for _, p := range parts {
				if n, ok := strings.CutSuffix(p, "entries"); ok {
					_, _ = fmt.Sscan(n, &told)
				}
			}
		}
		if strings.Contains(path, "/real/") && len(feed.Entries) != told {
			t.Errorf("%s: %d entries", filepath.Base(path), len(feed.Entries))
		}
		for _, e := range feed.Entries {
			if e.Type != "" {
				typed++
			}
			if e.Press.IsZero() {
				t.Errorf("%s: %s has no time", filepath.Base(path), e.Name)
			}
		}
	}
	if typed == 0 {
		t.Error("no file name told a type")
	}
}

func FuzzReadAtom(f *testing.F) {
	f.Add([]byte(atomOf(entryXML("20260311094833_0_VXSE51_010000.xml", "https://localhost/a.xml", "2026-03-11T09:48:31Z"))))
	f.Add([]byte(`<feed xmlns="http://www.w3.org/2005/Atom"><entry><entry/></entry>`))
	f.Add([]byte(`<!DOCTYPE x [<!ENTITY a "b">]><feed xmlns="http://www.w3.org/2005/Atom">&a;</feed>`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		feed, err := readAtom(bytes.NewReader(raw))
		if err != nil && desk.KindOf(err) != desk.Invalid {
			t.Errorf("kind %s: %v", desk.KindOf(err), err)
		}
		names := map[string]bool{}
		for i, e := range feed.Entries {
			if strings.ContainsAny(e.Name, "/\\%?#: ") || strings.HasPrefix(e.Name, ".") || len(e.Name) > 120 {
				t.Errorf("name %q", e.Name)
			}
			if names[e.Name] {
				t.Errorf("%q twice", e.Name)
			}
			names[e.Name] = true
			if i > 0 && e.Press.Before(feed.Entries[i-1].Press) {
				t.Error("not in order of press time")
			}
		}
	})
}
