package story

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode"

	"yagura/feeds/jma"
	"yagura/feeds/replay"
	"yagura/store/desk"
)

// Garbage between good telegrams: the good ones are judged, what cannot be read is kept and shown in words, nothing is sent. // law 1
func TestBadTelegramsAreShownAndHoldUpNobody(t *testing.T) {
	t.Parallel()
	tw := raise(t, plan{})
	s := must[replay.Scenario](t)(replay.ParseScenario(strings.NewReader(strongQuake)))
	good := must[[]desk.Envelope](t)(s.Envelopes())
	report := good[len(good)-1].Raw
	files := map[string][]byte{
		"truncated-20260901010010": report[:len(report)/2],
		"empty-20260901010011":     {},
		"huge-20260901010012":      append(bytes.Clone(report), bytes.Repeat([]byte("<!-- 大きい -->\n"), 100<<20/18)...),
		"sjis-20260901010013":      bytes.Replace(report, []byte("石川県"), []byte{0x90, 0xce, 0x90, 0xec, 0x8c, 0xa7}, 1),
		"bomb-20260901010014":      []byte(entityBomb),
		"binary-20260901010015":    {0x00, 0xff, 0xfe, 0x1f, 0x8b, 0x08},
	}
	random := rand.New(rand.NewPCG(2026, 9))
	for i := range 50 {
		raw := bytes.Clone(report)
		raw[random.IntN(len(raw))] ^= 1 << random.IntN(8)
		files[fmt.Sprintf("flipped%02d-202609010101%02d", i, i)] = raw
	}
	for i, e := range good {
		files[fmt.Sprintf("good%d", i)] = e.Raw
	}
	different, unreadable := map[[32]byte]bool{}, 0
	for name, raw := range files {
		tw.write("mixed/"+name+".xml", raw)
		if sum := digest(raw); !different[sum] {
			different[sum] = true
			if _, err := jma.Parse(desk.Envelope{Name: name, Raw: raw}); err != nil {
				unreadable++
			}
		}
	}
	engine := tw.engine("east", playing(tw.path("mixed"))...)
	tw.hasRead(60*time.Second, len(different))
	_, _, bad, err := tw.owner.TelegramCounts(t.Context())
	if err != nil || bad != unreadable || bad < 5 {
		t.Errorf("%d telegrams count as unreadable, the parser refuses %d (%v)", bad, unreadable, err)
	}
	t.Logf("%d files, %d different telegrams, %d unreadable", len(files), len(different), bad)
	shown := 0
	for _, item := range must[[]desk.InboxItem](t)(tw.one.store.Inbox(t.Context(), 500)) {
		if !item.Unreadable {
			continue
		}
		shown++
		if !strings.ContainsFunc(item.Event.Headline, func(r rune) bool { return unicode.In(r, unicode.Hiragana, unicode.Han) }) {
			t.Errorf("an unreadable telegram is shown without a sentence: %q", item.Event.Headline)
		}
		tw.keep("the inbox", item.Event.Headline)
	}
	if shown != bad {
		t.Errorf("the inbox shows %d of %d unreadable telegrams", shown, bad)
	}
	tw.one.sees(5*time.Second, "the good earthquake", strongest(desk.Intensity6Upper))
	if n := tw.mails(); n != 0 || tw.seen().Total.Accepted != 0 {
		t.Errorf("%d mails were written", n)
	}
	if !engine.alive() {
		t.Error("the engine has ended")
	}
}

const entityBomb = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE Report [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]>
<Report xmlns="http://xml.kishou.go.jp/jmaxml1/"><Control><Title>&d;</Title></Control></Report>
`
