package jma

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"yagura/store/desk"
)

// sharedTelegrams parses every official sample and real telegram whose type begins with the prefix.
func sharedTelegrams(t *testing.T, prefix string) map[string]desk.Telegram {
	t.Helper()
	root := filepath.Join(sharedFolder(t), "jma")
	found := make(map[string]desk.Telegram)
	for _, kind := range []string{"samples", "real"} {
		files, err := filepath.Glob(filepath.Join(root, kind, prefix+"*", "*.xml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Parse(desk.Envelope{Name: filepath.Base(file), Raw: raw})
			if err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			found[kind+"/"+filepath.Base(file)] = got
		}
	}
	if len(found) == 0 {
		t.Fatalf("no telegram of %s", prefix)
	}
	return found
}

// TestNothingSeismicIsUnknown: no official or real telegram of these kinds holds a code that the tables lack.
func TestNothingSeismicIsUnknown(t *testing.T) {
	for _, prefix := range []string{"VXSE", "VTSE", "VYSE", "VZSE"} {
		for name, got := range sharedTelegrams(t, prefix) {
			if got.Surprise != "" {
				t.Errorf("%s: %s", name, got.Surprise)
			}
			if named := len(got.Prefectures); named != len(got.Place) {
				t.Errorf("%s: %d prefectures, places %v", name, named, got.Place)
			}
		}
	}
}

func TestOfficialEarlyWarnings(t *testing.T) {
	var oneStation, plum, lingering int
	for name, got := range sharedTelegrams(t, "VXSE4") {
		e := got.EEW
		switch {
		case got.Title == "震源に関する情報": // one sample is filed under an early-warning code
			continue
		case e == nil:
			t.Errorf("%s has no report", name)
			continue
		case got.Type == "VXSE42" || got.Phase == desk.Cancelled:
			if got.Final != (got.Phase == desk.Cancelled) || e.EpicenterRank != 0 || len(got.Hypocenters) != 0 {
				t.Errorf("%s: %+v", name, got)
			}
			continue
		}
		if e.EpicenterRank == 0 || e.DepthRank == 0 || e.MagnitudeRank == 0 || got.Final {
			t.Errorf("%s: ranks %+v, final %v", name, e, got.Final)
		}
		if got.Warning != strings.Contains(got.Title, "警報") || got.Warning && (len(e.WarnedAreas) == 0 || len(e.NewlyWarned) == 0 || e.OneStation) {
			t.Errorf("%s: warning %v %+v", name, got.Warning, e)
		}
		if len(got.Areas) > 0 && (got.ForecastIntensity == nil || len(got.Prefectures) == 0) {
			t.Errorf("%s: areas without a forecast", name)
		}
		for _, list := range [][]string{e.Arrived, e.WarnedAreas, e.NewlyWarned} {
			for _, code := range list {
				if _, ok := desk.LocalArea(code); !ok {
					t.Errorf("%s: area %q", name, code)
				}
			}
		}
		for _, code := range e.NewlyWarned {
			if !slices.Contains(e.WarnedAreas, code) {
				t.Errorf("%s: %s is newly warned and not warned", name, code)
			}
		}
		for _, code := range e.WarnedAreas {
			if !slices.ContainsFunc(got.Areas, func(a desk.AreaIntensity) bool { return a.Code == code }) {
				lingering++
			}
		}
		oneStation += one(e.OneStation)
		plum += one(e.PLUM)
	}
	if oneStation != 2 || plum < 40 || lingering != 1 {
		t.Errorf("%d one-station results, %d with PLUM, %d areas warned without a forecast", oneStation, plum, lingering)
	}
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func TestOfficialTsunamis(t *testing.T) {
	for name, got := range sharedTelegrams(t, "VTSE") {
		if got.Phase == desk.Cancelled {
			if len(got.Tsunami) != 0 || got.Level != desk.LevelNone {
				t.Errorf("%s: a withdrawal holds %+v", name, got.Tsunami)
			}
			continue
		}
		if got.Level != desk.HighestTsunami(got.Tsunami).Level() || len(got.Place) == 0 {
			t.Errorf("%s: level %s, places %v", name, got.Level, got.Place)
		}
		for _, a := range got.Tsunami {
			if _, ok := desk.TsunamiForecastArea(a.Code); !ok || a.Grade == desk.TsunamiUnknownGrade || a.LastKind == "" && got.Type == "VTSE41" {
				t.Errorf("%s: %+v", name, a)
			}
		}
		// 失効時刻 stands where slight changes are all that is left (feeds.md 1.9).
		if got.Type == "VTSE41" && !got.ValidUntil.IsZero() && got.Level != desk.LevelNotice {
			t.Errorf("%s: valid until %v at level %s", name, got.ValidUntil, got.Level)
		}
		for _, s := range append(slices.Clone(got.TsunamiObserved), got.TsunamiExpected...) {
			if s.Code == "" || s.Name == "" || s.ArrivalAt.IsZero() && s.Arrival == "" {
				t.Errorf("%s: %+v", name, s)
			}
		}
		for _, s := range got.TsunamiEstimated {
			if s.Name == "" || s.ArrivalAt.IsZero() && s.Arrival == "" || s.Height == "" {
				t.Errorf("%s: %+v", name, s)
			}
		}
		if got.Type == "VTSE52" && (len(got.TsunamiObserved) == 0 || len(got.TsunamiEstimated) == 0) {
			t.Errorf("%s: %d observed, %d estimated", name, len(got.TsunamiObserved), len(got.TsunamiEstimated))
		}
	}
}

func TestOfficialEarthquakeInformation(t *testing.T) {
	eruptions := 0
	for name, got := range sharedTelegrams(t, "VXSE5") {
		if got.Level != desk.LevelNone && got.Hazard == desk.Earthquake {
			t.Errorf("%s: an earthquake has no level, have %s", name, got.Level)
		}
		if got.Hazard == desk.Volcano {
			eruptions++
			if got.Volcano == nil || got.Volcano.Name == "" || got.Volcano.OccurredAt.IsZero() || got.Hypocenters[0].Magnitude != nil {
				t.Errorf("%s: %+v", name, got.Volcano)
			}
		}
		if got.Type == "VXSE56" && got.Text == "" {
			t.Errorf("%s has no text", name)
		}
	}
	if eruptions != 10 {
		t.Errorf("%d eruptions abroad", eruptions)
	}
	counts := 0
	for name, got := range sharedTelegrams(t, "VXSE60") {
		for _, c := range got.Counts {
			counts++
			if c.Kind == "" || c.All == nil || c.Felt == nil || !c.From.Before(c.To) {
				t.Errorf("%s: %+v", name, c)
			}
		}
	}
	if counts != 5 {
		t.Errorf("%d counts", counts)
	}
	for name, got := range sharedTelegrams(t, "VXSE62") {
		l := got.LongPeriod
		if l == nil || l.Max == 0 || len(l.Areas) != len(got.Areas) || len(l.Prefectures) != len(got.Prefectures) {
			t.Fatalf("%s: %+v", name, l)
		}
		highest := 0
		for _, p := range l.Prefectures {
			highest = max(highest, p.Class)
		}
		if highest != l.Max {
			t.Errorf("%s: class %d, highest prefecture %d", name, l.Max, highest)
		}
	}
}

func TestOfficialGiantQuakesAndNotices(t *testing.T) {
	have := make(map[string]int)
	for name, got := range sharedTelegrams(t, "VYSE") {
		if strings.HasPrefix(got.Type, "VYSE4") {
			if got.Giant != nil || got.Text == "" {
				t.Errorf("%s: %+v", name, got.Giant)
			}
			continue
		}
		if got.Giant == nil || got.Text == "" {
			t.Errorf("%s has no report or text", name)
			continue
		}
		have[got.Giant.Code+"/"+got.Level.String()]++
	}
	want := map[string]int{"111/notice": 1, "113/notice": 1, "120/warning": 1, "130/advisory": 2, "190/none": 1, "219/notice": 1, "/advisory": 1, "/none": 1}
	for code, n := range want {
		if have[code] != n {
			t.Errorf("%s: %d, want %d (%v)", code, have[code], n, have)
		}
	}
	for name, got := range sharedTelegrams(t, "VZSE40") {
		if got.Notice == nil || got.Notice.AnnouncesDrill {
			t.Errorf("%s: %+v", name, got.Notice)
		}
	}
}
