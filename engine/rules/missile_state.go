package rules

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"yagura/store/desk"
)

// missileState is what the notices of a series say together, as they stand.
type missileState struct {
	kind      desk.MissileKind   // of the latest notice that stands
	called    []desk.MissileArea // told to take shelter
	forecast  []desk.MissileArea // where something is forecast to fall
	impact    []desk.MissileArea // where something fell
	guessed   bool               // an impact without a place: the areas are those told to take shelter
	standing  int                // notices that nothing took back
	taken     int                // notices withdrawn
	corrected bool
	endedAt   time.Time // of the last passage, fall into the sea or lifting; zero while under way
}

// missileTime orders notices: what they say themselves, unless it lies far from when they came; then that.
func missileTime(t *desk.Telegram) time.Time {
	said := t.PressTime
	if said.IsZero() || !t.ReceivedAt.IsZero() && said.Sub(t.ReceivedAt).Abs() > MissileSpan {
		return t.ReceivedAt
	}
	return said
}

// missileHappened is when the launch, passage or impact took place as told, else when it was told.
func missileHappened(t *desk.Telegram) time.Time {
	at := missileTime(t)
	if !t.TargetTime.IsZero() && t.TargetTime.Before(at) && at.Sub(t.TargetTime) <= missileSeries {
		return t.TargetTime
	}
	return at
}

// missileNotices puts the notices of one event in their own order, which is never that of arrival. Of several revisions of one
// document the highest counts.
func missileNotices(telegrams []desk.Telegram) []*desk.Telegram {
	var all []*desk.Telegram
	for i := range telegrams {
		if t := &telegrams[i]; t.Missile != nil && !revised(t, telegrams) {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b *desk.Telegram) int {
		return cmp.Or(missileTime(a).Compare(missileTime(b)), phaseRank(a.Phase)-phaseRank(b.Phase), bytes.Compare(a.Digest[:], b.Digest[:]))
	})
	return all
}

func phaseRank(p desk.Phase) int {
	switch p {
	case desk.Cancelled:
		return 2
	case desk.Corrected:
		return 1
	}
	return 0
}

// revised reports whether a later revision of the same document is there. A withdrawal is no revision: it takes back.
func revised(t *desk.Telegram, telegrams []desk.Telegram) bool {
	if len(t.EventIDs) != 1 || t.Serial == "" {
		return false
	}
	return slices.ContainsFunc(telegrams, func(o desk.Telegram) bool {
		return o.Missile != nil && o.Type == t.Type && slices.Equal(o.EventIDs, t.EventIDs) && o.Phase != desk.Cancelled && number(o.Serial) > number(t.Serial)
	})
}

// missileStateOf folds notices in their order.
func missileStateOf(all []*desk.Telegram) missileState {
	var s missileState
	gone := superseded(all)
	for _, n := range all {
		switch {
		case n.Phase == desk.Cancelled:
			s.cancel(n)
		case gone[n.ID] && n.ID != 0:
			s.taken++
		case n.Mode == desk.Live && n.Missile.DeclaresDrill():
			// It is shown and contradicts; it moves nobody. // law 4
		case n.Phase == desk.Corrected:
			s.correct(n)
		default:
			s.tell(n)
		}
	}
	return s
}

// superseded are the notices that a typed-in correction or withdrawal names by their id, and those a withdrawal names by their document.
func superseded(all []*desk.Telegram) map[desk.TelegramID]bool {
	gone := map[desk.TelegramID]bool{}
	for _, by := range all {
		for _, n := range all {
			named := n.ID != 0 && by.Missile.Supersedes == fmt.Sprintf("telegram:%d", n.ID)
			document := by.Phase == desk.Cancelled && by != n && n.Phase != desk.Cancelled && shareID(by.EventIDs, n.EventIDs)
			if named || document {
				gone[n.ID] = true
			}
		}
	}
	return gone
}

// cancel takes back every notice before it, unless it names one; that one is not told at all.
func (s *missileState) cancel(n *desk.Telegram) {
	if strings.HasPrefix(n.Missile.Supersedes, "telegram:") || len(n.EventIDs) > 0 {
		return
	}
	*s = missileState{taken: s.taken + s.standing}
}

// correct applies a 訂正: areas named as wrong go, areas named as right take the place of those of the same kind; one that names no
// area takes back the forecast alone. An impact goes only where it is named as wrong: nobody is missed by a vague word (law 5).
func (s *missileState) correct(n *desk.Telegram) {
	s.standing++
	s.corrected = true
	wrong, right := wrongAreas(n), n.Missile.Areas
	s.kind = n.Missile.Kind
	s.called, s.forecast, s.impact = outside(s.called, wrong), outside(s.forecast, wrong), outside(s.impact, wrong)
	switch n.Missile.Kind {
	case desk.MissileLaunch:
		s.called = right
	case desk.MissileForecast:
		s.forecast, s.called = right, together(s.called, right)
	case desk.MissileImpact:
		s.impact, s.forecast, s.guessed = right, nil, false
	case desk.MissilePass, desk.MissileSeaFall, desk.MissileLifted:
		s.end(n)
	default:
		switch {
		case len(right) > 0:
			s.called, s.forecast = right, within(s.forecast, right)
		case len(wrong) == 0:
			s.forecast = nil
		}
	}
}

func (s *missileState) tell(n *desk.Telegram) {
	s.standing++
	s.kind = n.Missile.Kind
	areas := n.Missile.Areas
	switch n.Missile.Kind {
	case desk.MissileLaunch, desk.MissileOther, desk.MissileAttack:
		s.called, s.endedAt = together(s.called, areas), time.Time{}
	case desk.MissileForecast:
		if len(areas) == 0 {
			areas, s.guessed = s.called, len(s.called) > 0
		}
		s.called, s.forecast, s.endedAt = together(s.called, areas), together(s.forecast, areas), time.Time{}
	case desk.MissileImpact:
		if len(areas) == 0 {
			areas, s.guessed = s.called, len(s.called) > 0
		}
		s.impact, s.endedAt = together(s.impact, areas), time.Time{}
	case desk.MissilePass, desk.MissileSeaFall, desk.MissileLifted:
		s.end(n)
	}
}

// end closes a series: what was forecast will not come. What fell stays.
func (s *missileState) end(n *desk.Telegram) {
	s.forecast, s.endedAt = nil, missileTime(n)
	if len(s.impact) == 0 {
		s.guessed = false
	}
	if len(s.called) == 0 {
		s.called = n.Missile.Areas
	}
}

func (s *missileState) triggered() []desk.TriggeredBy {
	var out []desk.TriggeredBy
	for _, p := range missilePrefectures(together(s.impact, s.forecast)) {
		out = append(out, desk.TriggeredBy{Prefecture: p, Reason: desk.ReasonMissile})
	}
	return out
}

// wrongAreas are the areas a notice takes out: its Warned areas whose kinds are lifted.
func wrongAreas(n *desk.Telegram) []desk.MissileArea {
	var out []desk.MissileArea
	for _, w := range n.Warned {
		if len(w.Prefectures) != 1 || len(w.Kinds) == 0 || slices.ContainsFunc(w.Kinds, func(k desk.WarnedKind) bool { return !k.Lifted }) {
			continue
		}
		part, found := strings.CutPrefix(w.Name, w.Prefectures[0].Name()+"（")
		if part = strings.TrimSuffix(part, "）"); !found {
			part = ""
		}
		out = append(out, desk.MissileArea{Prefecture: w.Prefectures[0], Part: part})
	}
	return out
}

// covers reports whether an area is or holds another. The words for the islands of Tokyo hold each of their nine municipalities, one
// by one or together (feeds.md 4.3: 2022-10-04).
func covers(a, b desk.MissileArea) bool {
	if a.Prefecture != b.Prefecture {
		return false
	}
	return a.Part == "" || a.Part == b.Part || isIslands(a) && (isIslands(b) || isIsland(b))
}

func isIslands(a desk.MissileArea) bool {
	return strings.Contains(a.Part, "島しょ") || strings.Contains(a.Part, "島嶼")
}

func isIsland(a desk.MissileArea) bool {
	switch a.Part {
	case "大島町", "利島村", "新島村", "神津島村", "三宅村", "御蔵島村", "八丈町", "青ヶ島村", "小笠原村", "伊豆諸島", "小笠原諸島":
		return a.Prefecture == tokyo
	}
	return false
}

const tokyo desk.Prefecture = 13

// outside lists the areas that no wrong one covers.
func outside(areas, wrong []desk.MissileArea) []desk.MissileArea {
	var out []desk.MissileArea
	for _, a := range areas {
		if !slices.ContainsFunc(wrong, func(w desk.MissileArea) bool { return covers(w, a) }) {
			out = append(out, a)
		}
	}
	return out
}

// within lists the areas that lie in the prefecture of a right one.
func within(areas, right []desk.MissileArea) []desk.MissileArea {
	var out []desk.MissileArea
	for _, a := range areas {
		if slices.ContainsFunc(right, func(r desk.MissileArea) bool { return covers(r, a) || covers(a, r) }) {
			out = append(out, a)
		}
	}
	return out
}

// together joins two lists, by prefecture and then in the order told; a whole prefecture hides its parts.
func together(a, b []desk.MissileArea) []desk.MissileArea {
	all := slices.Concat(a, b)
	var out []desk.MissileArea
	for _, area := range all {
		whole := desk.MissileArea{Prefecture: area.Prefecture}
		if slices.Contains(out, area) || area.Part != "" && slices.Contains(all, whole) {
			continue
		}
		out = append(out, area)
	}
	slices.SortStableFunc(out, func(x, y desk.MissileArea) int { return cmp.Compare(x.Prefecture, y.Prefecture) })
	return out
}
