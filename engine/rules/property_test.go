package rules

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yagura/store/desk"
)

// drawTelegrams makes an arbitrary bundle of bulletins of one happening.
func drawTelegrams(r *rapid.T) []desk.Telegram {
	kinds := rapid.SampledFrom([]string{"VXSE43", "VXSE45", "VXSE51", "VXSE52", "VXSE53", "VXSE62", "VTSE41"})
	phases := rapid.SampledFrom([]desk.Phase{desk.Issued, desk.Issued, desk.Issued, desk.Corrected, desk.Cancelled, desk.Delayed})
	n := rapid.IntRange(1, 8).Draw(r, "n")
	ts := make([]desk.Telegram, n)
	for i := range ts {
		kind := kinds.Draw(r, "kind")
		areas := map[string]desk.Intensity{}
		for _, code := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"390", "391", "371", "380", "300"}), 0, 4, rapid.ID).Draw(r, "areas") {
			areas[code] = desk.Intensity(rapid.IntRange(2, 10).Draw(r, "intensity"))
		}
		changes := []change{
			serial(rapid.SampledFrom([]string{"", "1", "2", "10"}).Draw(r, "serial")), phase(phases.Draw(r, "phase")),
			id(rapid.SampledFrom([]string{noto, "20240101161050"}).Draw(r, "id")),
		}
		if kind != "VTSE41" {
			changes = append(changes, felt(areas))
		}
		ts[i] = telegram(kind, time.Duration(rapid.IntRange(0, 20).Draw(r, "minute"))*time.Minute, changes...)
		ts[i].Digest = [32]byte{byte(i + 1)}
		if isEarlyWarning(&ts[i]) {
			ts[i].ForecastIntensity = &desk.IntensityRange{From: ts[i].MaxIntensity, To: ts[i].MaxIntensity}
			ts[i].MaxIntensity = desk.IntensityUnknown
		}
	}
	return ts
}

func TestFoldDoesNotDependOnArrival(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		ts := drawTelegrams(r)
		other := rapid.Permutation(ts).Draw(r, "order")
		if a, b := Fold(desk.Event{}, ts), Fold(desk.Event{}, other); !reflect.DeepEqual(a, b) {
			r.Fatalf("%+v\n%+v", a, b)
		}
	})
}

func TestEarlyWarningNeverTriggers(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var ts []desk.Telegram
		for _, b := range drawTelegrams(r) {
			if isEarlyWarning(&b) {
				ts = append(ts, b)
			}
		}
		if e := Fold(desk.Event{}, ts); len(Triggered(e, policy)) != 0 || e.MaxIntensity != desk.IntensityUnknown {
			r.Fatalf("%+v triggers %v", e, Triggered(e, policy))
		}
	})
}

func TestAddingAnEarlyWarningChangesNothingObserved(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		ts := drawTelegrams(r)
		eew := telegram("VXSE43", 5*time.Second, id(noto), forecast(desk.Intensity7))
		a, b := Fold(desk.Event{}, ts), Fold(desk.Event{}, append(ts, eew))
		if a.MaxIntensity != b.MaxIntensity || !reflect.DeepEqual(a.Areas, b.Areas) || !reflect.DeepEqual(a.Prefectures, b.Prefectures) {
			r.Fatalf("%v became %v", a.MaxIntensity, b.MaxIntensity)
		}
	})
}

func TestWorldsNeverMeet(t *testing.T) { // law 4
	modes := rapid.SampledFrom([]desk.Mode{desk.Live, desk.Drill, desk.Test})
	rapid.Check(t, func(r *rapid.T) {
		ts := drawTelegrams(r)
		e := Fold(desk.Event{}, ts)
		e.ID, e.Mode = 1, modes.Draw(r, "event")
		one := ts[0]
		one.Mode = modes.Draw(r, "telegram")
		if got := Correlate(one, []desk.Event{e}); one.Mode != e.Mode && len(got) != 0 {
			r.Fatalf("a %s telegram joins a %s event", one.Mode, e.Mode)
		}
		inc := desk.Incident{Hazard: desk.Earthquake, Mode: modes.Draw(r, "incident"), LastOccurred: e.OccurredAt, Events: []desk.EventID{1}}
		if m := Merge(e, Triggered(e, policy), inc, policy); inc.Mode != e.Mode && m != nil {
			r.Fatalf("a %s event may join a %s incident", e.Mode, inc.Mode)
		}
	})
}

func TestNobodyIsAskedTwiceAboutOneShaking(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		e := Fold(desk.Event{}, drawTelegrams(r))
		e.ID = 1
		inc := desk.Incident{Hazard: desk.Earthquake, Mode: desk.Live, Events: []desk.EventID{1}}
		asked := map[desk.Prefecture]bool{}
		for _, p := range rapid.SliceOfDistinct(rapid.IntRange(1, 47), rapid.ID).Draw(r, "asked") {
			asked[desk.Prefecture(p)] = true
			inc.Notified = append(inc.Notified, desk.Notified{Prefecture: desk.Prefecture(p), Intensity: desk.Intensity1, EventIDs: []desk.EventID{1}})
		}
		m := Merge(e, Triggered(e, policy), inc, policy)
		if len(m.Raised) != 0 {
			r.Fatalf("raised within one shaking: %v", m.Raised)
		}
		for _, a := range m.Added {
			if asked[a.Prefecture] {
				r.Fatalf("%s is asked twice", a.Prefecture.Name())
			}
		}
	})
}

func TestChecksAlwaysSpeak(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		ts := drawTelegrams(r)
		a := Advise(Case{Event: Fold(desk.Event{}, ts), Telegrams: ts, New: ts[len(ts)-1], Earlier: drawTelegrams(r)}, nil, policy)
		seen := map[desk.CheckCode]bool{}
		for _, c := range a.Checks {
			if c.Text == "" || seen[c.Code] {
				r.Fatalf("check %s: %q", c.Code, c.Text)
			}
			seen[c.Code] = true
		}
		if len(seen) < 10 || a.Grade < desk.GradeAlarm || a.Grade > desk.GradeInfo {
			r.Fatalf("%d checks, grade %d", len(seen), a.Grade)
		}
	})
}
