package rules

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"yagura/store/desk"
)

// sharedFile finds a file of the folder with the catalogue, which is no part of the project.
func sharedFile(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("YAGURA_SHARED")
	for dir, _ := os.Getwd(); root == "" && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "shared", "jma", "eqdb")); err == nil {
			root = filepath.Join(dir, "shared")
		}
	}
	path := filepath.Join(root, "jma", "eqdb", name)
	if _, err := os.Stat(path); root == "" || err != nil {
		t.Skipf("the earthquake catalogue is not here (set YAGURA_SHARED): %s", name)
	}
	return path
}

type felt5 struct {
	at    time.Time
	place desk.Hypocenter
	max   desk.Intensity
}

// catalogue reads 1997-2024 events of 4 or more (気象庁震度データベース).
func catalogue(t *testing.T) []felt5 {
	t.Helper()
	f, err := os.Open(sharedFile(t, "maxint4plus_1997_2024.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma = '\t'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []felt5
	for _, row := range rows[1:] {
		at, err := time.ParseInLocation("2006-01-02T15:04:05.999", row[0], desk.JST)
		if err != nil {
			t.Fatal(err)
		}
		e := felt5{at: at, max: desk.ParseIntensity(row[6]), place: desk.Hypocenter{Name: row[1]}}
		e.place.Lat, e.place.Lon, e.place.DepthKM, e.place.Magnitude = figure(row[2]), figure(row[3]), figure(row[4]), figure(row[5])
		out = append(out, e)
	}
	return out
}

func figure(s string) *float64 {
	if v, err := strconv.ParseFloat(s, 64); err == nil {
		return &v
	}
	return nil
}

// TestPlausibleCallsNoRealShockImpossible: 28 years of real shocks of 5弱 and more against the bound.
func TestPlausibleCallsNoRealShockImpossible(t *testing.T) {
	n, refused := 0, 0
	for _, e := range catalogue(t) {
		if e.max < desk.Intensity5Lower || e.place.Magnitude == nil {
			continue
		}
		n++
		if bound := strongestPossible(*e.place.Magnitude, e.place.DepthKM); lowerEdge(e.max) > bound {
			refused++
			t.Logf("%s %s M%.1f %s: %s over %.2f", e.at, e.place.Name, *e.place.Magnitude, depthText(e.place.DepthKM), e.max.Japanese(), bound)
		}
	}
	t.Logf("%d real shocks of 5弱 or more, %d called impossible", n, refused)
	if n < 200 || refused > 0 {
		t.Errorf("%d of %d real shocks are called impossible", refused, n)
	}
}

// TestGroupsOfRealSequences counts what the merge advice would open and raise on the sequences of feeds.md 6.4. The rule there counts
// the window from the group's first event and knows distance alone; ours counts from the latest event, which each joined
// shock prolongs, so it can only open fewer groups.
func TestGroupsOfRealSequences(t *testing.T) {
	all := catalogue(t)
	for _, s := range []struct {
		name        string
		from        string
		days        int
		events      int
		fixedGroups int // of feeds.md 6.4: 6 h, 100 km, 5弱
		fixedRaised int
	}{
		{"2004 Chuetsu", "2004-10-23", 14, 17, 5, 1},
		{"2011 Tohoku", "2011-03-09", 14, 25, 14, 2},
		{"2022 Fukushima", "2022-03-16", 3, 3, 2, 1},
		{"2024 Noto", "2024-01-01", 14, 17, 8, 1},
	} {
		from, err := time.ParseInLocation("2006-01-02", s.from, desk.JST)
		if err != nil {
			t.Fatal(err)
		}
		var shocks []felt5
		for _, e := range all {
			if e.max >= desk.Intensity5Lower && !e.at.Before(from) && e.at.Before(from.AddDate(0, 0, s.days)) {
				shocks = append(shocks, e)
			}
		}
		if len(shocks) != s.events {
			t.Errorf("%s: %d events, feeds.md says %d", s.name, len(shocks), s.events)
		}
		groups, raised := groupsFixed(shocks)
		if groups != s.fixedGroups || raised != s.fixedRaised {
			t.Errorf("%s: the rule of feeds.md gives %d+%d, the table says %d+%d", s.name, groups, raised, s.fixedGroups, s.fixedRaised)
		}
		ours := groupsAdvised(shocks)
		t.Logf("%s: %d events, from the first %d+%d, ours from the latest %d", s.name, len(shocks), groups, raised, ours)
		if ours > groups || ours < 1 {
			t.Errorf("%s: ours opens %d groups, the stricter window %d", s.name, ours, groups)
		}
	}
}

// groupsFixed is the rule of the table: within 6 h of the first event of a group and 100 km of it, by Merge on an incident that
// is never prolonged.
func groupsFixed(shocks []felt5) (groups, raised int) {
	var open []desk.Incident
	for i, e := range shocks {
		m := BestMerge(eventOf(i, e), nil, open, policy)
		if m == nil || !m.Join {
			groups++
			open = append(open, incidentOf(len(open), e))
			continue
		}
		if inc := &open[m.IncidentID-1]; e.max > inc.MaxIntensity {
			inc.MaxIntensity = e.max
			raised++
		}
	}
	return groups, raised
}

// groupsAdvised follows the advice: every joined event prolongs the incident and adds its place.
func groupsAdvised(shocks []felt5) (groups int) {
	var open []desk.Incident
	for i, e := range shocks {
		m := BestMerge(eventOf(i, e), nil, open, policy)
		if m == nil || !m.Join {
			groups++
			open = append(open, incidentOf(len(open), e))
			continue
		}
		inc := &open[m.IncidentID-1]
		inc.LastOccurred, inc.Hypocenters = e.at, append(inc.Hypocenters, e.place)
	}
	return groups
}

func eventOf(i int, e felt5) desk.Event {
	return desk.Event{ID: desk.EventID(i + 1), Hazard: desk.Earthquake, Mode: desk.Live, OccurredAt: e.at, Hypocenter: &e.place, MaxIntensity: e.max}
}

func incidentOf(n int, e felt5) desk.Incident {
	return desk.Incident{
		ID: desk.IncidentID(n + 1), Hazard: desk.Earthquake, Mode: desk.Live, LastOccurred: e.at, MaxIntensity: e.max, Hypocenters: []desk.Hypocenter{e.place},
	}
}
