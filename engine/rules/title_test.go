package rules

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"yagura/store/desk"
)

// TestATitleFitsASubject: the title goes into the subject of the mail, and the store refuses a subject with control characters or
// without end. A foreign name must never keep a mail from leaving.
func TestATitleFitsASubject(t *testing.T) {
	for _, name := range []string{"石川県\u009b2J能登\u202e地方", "石川県\n能登地方", strings.Repeat("石川県能登地方", 100), "石川県能登地方"} {
		at := time.Date(2024, 1, 1, 7, 10, 0, 0, time.UTC)
		e := Fold(desk.Event{}, []desk.Telegram{{
			Envelope: desk.Envelope{ReceivedAt: at}, Type: "VXSE53", Title: "震源・震度に関する情報", Mode: desk.Live, Phase: desk.Issued,
			Hazard: desk.Earthquake, EventIDs: []string{"20240101161010"}, Serial: "1", PressTime: at, MaxIntensity: desk.Intensity7,
			Hypocenters: []desk.Hypocenter{{Name: name, OriginTime: at}}, Headline: "\u009b31m強い揺れ\u2066",
		}})
		if !strings.Contains(e.Title, "石川県") || e.Title != desk.CleanText(e.Title, false) || utf8.RuneCountInString(e.Title) > longestTitle {
			t.Errorf("title %q of %q", e.Title, name)
		}
		if e.Headline != desk.CleanText(e.Headline, true) {
			t.Errorf("headline %q", e.Headline)
		}
	}
}
