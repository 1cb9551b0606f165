package intake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"yagura/engine/rules"
	"yagura/feeds/replay"
	"yagura/store/desk"
	"yagura/store/storetest"
)

// TestRealReportsOfTheSecondSourceConfirmRealShakings: what P2PQuake's own converter made of the real telegrams confirms the same
// shakings, contradicts none and opens no event.
func TestRealReportsOfTheSecondSourceConfirmRealShakings(t *testing.T) {
	envs, err := replay.Files(sharedFolder(t, "real"))
	if err != nil {
		t.Fatal(err)
	}
	clean, _ := playAll(t, storetest.New(t), envs)
	before, err := clean.Inbox(t.Context(), 500)
	if err != nil {
		t.Fatal(err)
	}
	second := convertedReports(t)
	all := slices.Concat(envs, second)
	st, in := playAll(t, storetest.New(t), all)
	items, err := st.Inbox(t.Context(), 500)
	if err != nil || len(items) != len(before) || in.Counts().Unreadable != 0 {
		t.Fatalf("%d events, %d without the second source, %+v, %v", len(items), len(before), in.Counts(), err)
	}
	found := map[desk.Result]int{}
	for _, item := range items {
		if item.Event.Hazard != desk.Earthquake || item.Event.MaxIntensity == desk.IntensityUnknown {
			continue
		}
		for _, c := range item.Advice.Checks {
			if c.Code == desk.CheckSecondSource {
				found[c.Result]++
				if c.Result == desk.Contradicts {
					t.Errorf("%s: %s", item.Event.Title, c.Text)
				}
			}
		}
	}
	t.Logf("%d reports of the second source, shakings felt: %v", len(second), found)
	if found[desk.Passed] < 30 {
		t.Errorf("only %d shakings are confirmed", found[desk.Passed])
	}
}

// convertedReports are the 551s of the folder with the outer members that the stream adds.
func convertedReports(t *testing.T) (out []desk.Envelope) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(sharedFolder(t, "p2pquake"), "converted", "*.json"))
	if err != nil || len(files) == 0 {
		t.Skip("no converted reports here")
	}
	for i, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var r struct {
			Issue struct{ Time string }
		}
		if err := json.Unmarshal(raw, &r); err != nil || !bytes.Contains(raw, []byte(`"earthquake"`)) || bytes.Contains(raw, []byte(`"originTime"`)) {
			continue
		}
		at, err := time.ParseInLocation("2006/01/02 15:04:05", r.Issue.Time, desk.JST)
		if err != nil {
			continue
		}
		whole := append(fmt.Appendf(nil, `{"code":551,"id":"%d","time":"%s.000",`, i, r.Issue.Time), bytes.TrimSpace(raw)[1:]...)
		out = append(out, desk.Envelope{Feed: secondFeed, Name: fmt.Sprint(i), Raw: whole, ReceivedAt: at.Add(2 * time.Second)})
	}
	return out
}

// TestRealEarlyWarningsEnd: a line of real early warnings is over after three minutes of silence.
func TestRealEarlyWarningsEnd(t *testing.T) {
	envs, err := replay.Files(sharedFolder(t, filepath.Join("samples", "VXSE45")))
	if err != nil {
		t.Fatal(err)
	}
	ended := 0
	var ts []desk.Telegram
	for _, env := range envs {
		tg, err := (&Options{}).parse(desk.Telegram{Envelope: env})
		if err != nil {
			t.Fatal(err)
		}
		if tg.Final || tg.Phase == desk.Cancelled {
			ended++
		}
		ts = append(ts, tg)
	}
	last := slices.MaxFunc(ts, func(a, b desk.Telegram) int { return a.ReceivedAt.Compare(b.ReceivedAt) }).ReceivedAt
	if over, why := rules.EEWEnded(ts, last.Add(rules.EEWSettles)); !over || why == "" {
		t.Errorf("%d telegrams, %d final: not ended after three minutes of silence", len(ts), ended)
	}
}
