package jma

import (
	"encoding/xml"
	"errors"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"yagura/store/desk"
)

const (
	atomOp         = "jma.readAtom"
	atomNamespace  = "http://www.w3.org/2005/Atom"
	maxAtomEntries = 20_000 // several days of the busiest long feed are some thousands
)

// atomFeed is what the pull needs of one Atom feed (feeds.md 2).
type atomFeed struct {
	Updated time.Time // when JMA wrote it; zero when unreadable
	Entries []atomEntry
}

// atomEntry is one telegram file that stands in a feed.
type atomEntry struct {
	Name  string    // file name, e.g. 20260311094824_0_VXSE53_010000.xml; never a path
	Type  string    // data type code by the name; "" for a name of another form
	Press time.Time // atom:updated (Control/DateTime), else the time in the name; zero when neither can be read
}

// fileName is the form of the names since 2021: UTC press time, number, data type code, office (feeds.md 2).
var fileName = regexp.MustCompile(`^([0-9]{14})_[0-9]+_([A-Z]{4}[0-9]{2})_[0-9A-Za-z]+\.xml$`)

// safeName is what may stand behind the last slash of an address that is asked for. UUIDs before 2021 have this form, too.
var safeName = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z_-]{0,115}\.xml$`)

// readAtom reads a feed. Entries that were complete before an error come with it, so that a feed that was cut off still gives
// what it gave; an entry that names no telegram file is left out. The order is that of press time, then name, each name once.
func readAtom(r io.Reader) (atomFeed, error) {
	d := xml.NewDecoder(r)
	d.CharsetReader = utf8Only
	var feed atomFeed
	err := readAtomRoot(d, &feed)
	slices.SortStableFunc(feed.Entries, func(a, b atomEntry) int {
		if c := a.Press.Compare(b.Press); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	seen := make(map[string]bool, len(feed.Entries))
	feed.Entries = slices.DeleteFunc(feed.Entries, func(e atomEntry) bool {
		again := seen[e.Name]
		seen[e.Name] = true
		return again
	})
	return feed, err
}

func readAtomRoot(d *xml.Decoder, feed *atomFeed) error {
	depth := 0
	for {
		token, err := d.Token()
		if err != nil {
			return atomError(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			depth++
			if depth == 1 && (token.Name.Local != "feed" || token.Name.Space != atomNamespace) {
				return desk.Errorf(desk.Invalid, atomOp, "Atomフィードではない応答です。")
			}
			if depth == 2 {
				if err := readAtomChild(d, token, feed); err != nil {
					return atomError(err)
				}
				depth--
			}
		case xml.EndElement:
			return nil // the root's: all others are consumed with their start
		}
	}
}

func readAtomChild(d *xml.Decoder, start xml.StartElement, feed *atomFeed) error {
	switch start.Name.Local {
	case "updated":
		var text string
		if err := d.DecodeElement(&text, &start); err != nil {
			return err
		}
		feed.Updated = optionalTime(text)
	case "entry":
		var raw struct {
			ID      string `xml:"id"`
			Updated string `xml:"updated"`
			Links   []struct {
				Href string `xml:"href,attr"`
			} `xml:"link"`
		}
		if err := d.DecodeElement(&raw, &start); err != nil {
			return err
		}
		addresses := []string{raw.ID}
		for _, l := range raw.Links {
			addresses = append(addresses, l.Href)
		}
		if e, ok := entryOf(addresses, raw.Updated); ok {
			feed.Entries = append(feed.Entries, e)
		}
		if len(feed.Entries) > maxAtomEntries {
			return desk.Errorf(desk.Invalid, atomOp, "Atomフィードの項目が%d件を超えています。", maxAtomEntries)
		}
	default:
		return d.Skip()
	}
	return nil
}

// entryOf takes the file name alone from the first address that has one: which host is asked is for the options, not for the feed.
func entryOf(addresses []string, updated string) (atomEntry, bool) {
	for _, address := range addresses {
		name := path.Base(trim(address))
		if !safeName.MatchString(name) {
			continue
		}
		e := atomEntry{Name: name, Press: optionalTime(updated)}
		if m := fileName.FindStringSubmatch(name); m != nil {
			e.Type = m[2]
			if when, err := time.Parse("20060102150405", m[1]); err == nil && e.Press.IsZero() {
				e.Press = when
			}
		}
		return e, true
	}
	return atomEntry{}, false
}

func atomError(err error) error {
	var known *desk.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, io.EOF), strings.Contains(err.Error(), "unexpected EOF"):
		return &desk.Error{Kind: desk.Invalid, Op: atomOp, Msg: "Atomフィードが途中で切れています。", Err: err}
	}
	return &desk.Error{Kind: desk.Invalid, Op: atomOp, Msg: "Atomフィードが壊れています。", Err: err}
}

// routine are data type codes, or their first letters, of scheduled products the desk never acts on: daily and weekly forecasts,
// charts, seasonal and coastal ones. Everything else is wanted, a code this build does not know above all (law 1).
var routine = []string{
	"VPFD50", "VPFD51", "VPFG50", "VPFW50", "VPCW50", "VPZW50", "VPCY", "VPCK", "VPZK", "VZSA", "VZSF", "VGSK",
}

// Wanted is the filter of types a pull has by default.
func Wanted(code string) bool {
	return !slices.ContainsFunc(routine, func(p string) bool { return strings.HasPrefix(code, p) })
}
