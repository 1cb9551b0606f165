package rules

import (
	"slices"
	"time"

	"yagura/store/desk"
)

// Correlate says to which of the candidate events a telegram belongs: usually one, none for a new happening, several only
// for a tsunami bulletin that names several earthquakes.
//
// The JMA EventID joins, but it is only a hint: one shaking can carry two (feeds.md 1.4). Without a shared EventID two
// reports are one shaking when they lie within 120 s of each other AND their hypocentres within 100 km, or, while a
// hypocentre is unknown, their felt areas overlap. Time alone never merges (feeds.md 6.4: 2011-03-12 23:34, two shakings
// 0.4 s and 316 km apart), and nothing ever merges across modes (law 4).
func Correlate(t desk.Telegram, candidates []desk.Event) []desk.EventID {
	if IsSecondSource(t) {
		return nil // evidence never belongs to an event (feeds.md 3.2)
	}
	if t.Hazard == desk.Missile {
		return MissileBelongs(t, candidates)
	}
	if th, ok := threadOf(&t); ok {
		if id := inThread(&t, th, candidates); id != 0 {
			return []desk.EventID{id}
		}
		return nil
	}
	if Family(t.Hazard) != desk.Earthquake {
		return nil // without a thread each is shown by itself
	}
	var found []desk.EventID
	for _, e := range candidates {
		if sameWorld(&t, &e) && shareID(t.EventIDs, e.EventIDs) {
			found = append(found, e.ID)
		}
	}
	if len(found) > 0 {
		slices.Sort(found)
		if len(t.EventIDs) == 1 {
			found = found[:1]
		}
		return found
	}
	if id := nearest(&t, candidates); id != 0 {
		return []desk.EventID{id}
	}
	return nil
}

func sameWorld(t *desk.Telegram, e *desk.Event) bool {
	return t.Mode == e.Mode && Family(t.Hazard) == Family(e.Hazard)
}

func shareID(a, b []string) bool {
	return slices.ContainsFunc(a, func(id string) bool { return slices.Contains(b, id) })
}

// nearest finds the event of the same shaking under another EventID; of several the one nearest in time.
func nearest(t *desk.Telegram, candidates []desk.Event) desk.EventID {
	if !isObserved(t) && !isEarlyWarning(t) && t.Type != "VXSE52" {
		return 0
	}
	var best desk.EventID
	bestGap := sameShaking + 1
	for i := range candidates {
		e := &candidates[i]
		if !sameWorld(t, e) {
			continue
		}
		gap := timeGap(t, e)
		if gap > sameShaking || gap >= bestGap || !samePlace(t, e) {
			continue
		}
		best, bestGap = e.ID, gap
	}
	return best
}

// timeGap is the distance in time. EventIDs count to the second and are compared with each other where both sides have one;
// the times told in bulletins are cut to the minute, which would bring two shocks nearer than they were.
func timeGap(t *desk.Telegram, e *desk.Event) time.Duration {
	least := time.Duration(1<<63 - 1)
	for _, ours := range t.EventIDs {
		for _, theirs := range e.EventIDs {
			a, okA := eventIDTime(ours)
			b, okB := eventIDTime(theirs)
			if okA && okB {
				least = min(least, a.Sub(b).Abs())
			}
		}
	}
	if least < time.Duration(1<<63-1) {
		return least
	}
	return OccurredAt(t).Sub(e.OccurredAt).Abs()
}

// samePlace compares hypocentres when both are known, else felt areas, else the prefecture in the name of the place.
func samePlace(t *desk.Telegram, e *desk.Event) bool {
	h := firstHypocenter(t)
	if km, ok := distanceKM(h, e.Hypocenter); ok {
		return km <= sameRegionKM
	}
	if isObserved(t) && len(t.Areas) > 0 && len(e.Areas) > 0 {
		return overlapShare(feltAreas(t.Areas), feltAreas(e.Areas)) >= 0.5
	}
	if h != nil {
		return feltIn(prefectureOfPlace(h.Name), e.Prefectures)
	}
	if e.Hypocenter != nil && isObserved(t) {
		return feltIn(prefectureOfPlace(e.Hypocenter.Name), t.Prefectures)
	}
	return false
}

func firstHypocenter(t *desk.Telegram) *desk.Hypocenter {
	if t.Assumed || len(t.Hypocenters) == 0 { // 仮定震源要素: the place means nothing (feeds.md 1.10)
		return nil
	}
	return &t.Hypocenters[0]
}

// feltAreas keeps areas of intensity 3 and over, which 震度速報 and 震源・震度情報 both name.
func feltAreas(areas []desk.AreaIntensity) map[string]desk.Intensity {
	m := make(map[string]desk.Intensity, len(areas))
	for _, a := range areas {
		if a.Intensity >= desk.Intensity3 {
			m[a.Code] = max(m[a.Code], a.Intensity)
		}
	}
	return m
}

// overlapShare is the part of the smaller set that lies in the other, 0 when a set is empty.
func overlapShare(a, b map[string]desk.Intensity) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	both := 0
	for code := range a {
		if _, ok := b[code]; ok {
			both++
		}
	}
	return float64(both) / float64(min(len(a), len(b)))
}

// feltIn reports whether the strongest shaking of the list was in p: the one place where a hypocentre on land can be.
func feltIn(p desk.Prefecture, list []desk.PrefectureIntensity) bool {
	var strongest desk.Intensity
	for _, f := range list {
		strongest = max(strongest, f.Intensity)
	}
	return slices.ContainsFunc(list, func(f desk.PrefectureIntensity) bool {
		return f.Code == p && f.Intensity >= desk.Intensity3 && f.Intensity == strongest
	})
}
