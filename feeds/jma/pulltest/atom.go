package pulltest

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// atom writes a feed in the form of JMA's, newest entry first, and says when it was written.
func (s *Server) atom(name string, f *feed, long bool) (body []byte, modified string) {
	entries, updated, kind := f.entries, f.updated, "short"
	if long {
		entries, updated, kind, name = f.long, f.renewed, "long", name+"_l"
	} else if f.short > 0 {
		entries = entries[max(len(entries)-f.short, 0):]
	}
	entries = slices.Clone(entries)
	slices.Reverse(entries)
	self := s.Base() + "feed/" + name + ".xml"
	var b bytes.Buffer
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" lang="ja">
  <title>%s</title>
  <subtitle>JMAXML publishing feed</subtitle>
  <updated>%s</updated>
  <id>%s#%s_%d</id>
  <link rel="related" href="https://www.jma.go.jp/"/>
  <link rel="self" href="%s"/>
`, name, updated.In(time.FixedZone("JST", 9*60*60)).Format(time.RFC3339), self, kind, updated.Unix(), self)
	for _, e := range entries {
		s.entry(&b, e)
		if s.twice {
			s.entry(&b, e)
		}
	}
	b.WriteString("</feed>\n")
	return b.Bytes(), updated.UTC().Format(http.TimeFormat)
}

func (s *Server) entry(b *bytes.Buffer, e entry) {
	address := s.Base() + "data/" + e.name
	fmt.Fprintf(b, `  <entry>
    <title>%s</title>
    <id>%s</id>
    <updated>%s</updated>
    <author>
      <name>%s</name>
    </author>
    <link type="application/xml" href="%s"/>
    <content type="text">%s</content>
  </entry>
`, escaped(e.title), address, e.press.UTC().Format(time.RFC3339), escaped(e.office), address, escaped(e.headline))
}

func escaped(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a buffer does not fail
	return b.String()
}
