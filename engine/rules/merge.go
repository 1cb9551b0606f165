package rules

import (
	"fmt"
	"slices"
	"strings"

	"yagura/store/desk"
)

// Merge says whether an open incident might own an event, with the inputs of the rule (feeds.md 6.5). It is nil across modes
// (law 4), across hazards and for a closed incident.
//
// Join is advised within the window since the incident's latest event, which each joined event prolongs, when triggered
// prefectures overlap or a hypocentre of the incident lies within the policy's distance. Raised names prefectures asked
// about another shaking at a lower intensity; Added those not asked at all. The people of one prefecture are never asked
// twice about the same shaking, however its bulletins rise.
func Merge(e desk.Event, triggered []desk.TriggeredBy, inc desk.Incident, p desk.Policy) *desk.MergeAdvice {
	if e.Hazard == desk.Missile {
		return MissileMerge(e, triggered, inc)
	}
	if e.Mode != inc.Mode || Family(e.Hazard) != Family(inc.Hazard) || !inc.ClosedAt.IsZero() {
		return nil
	}
	m := &desk.MergeAdvice{IncidentID: inc.ID, WithinHours: p.MergeWindow.Hours()}
	if !inc.LastOccurred.IsZero() {
		m.Elapsed = e.OccurredAt.Sub(inc.LastOccurred)
	}
	for i := range inc.Hypocenters {
		if km, ok := distanceKM(e.Hypocenter, &inc.Hypocenters[i]); ok && (m.DistanceKM == nil || km < *m.DistanceKM) {
			m.DistanceKM = &km
		}
	}
	compareNotified(m, e.ID, triggered, inc.Notified, p)
	if len(triggered) == 0 { // nobody is asked, so any shaking where the incident was felt shows the region
		m.Overlap = feltTogether(e, inc, p)
	}
	member := slices.Contains(inc.Events, e.ID) && e.ID != 0
	near := len(m.Overlap) > 0 || m.DistanceKM != nil && *m.DistanceKM <= p.MergeKM
	m.Join = member || near && m.Elapsed.Abs() <= p.MergeWindow
	m.Text = mergeText(m, member, near, p)
	return m
}

func compareNotified(m *desk.MergeAdvice, id desk.EventID, triggered []desk.TriggeredBy, notified []desk.Notified, p desk.Policy) {
	m.Added, m.Raised = desk.NewlyConcerned(id, p.PrefectureFrom, triggered, notified)
	for _, t := range triggered {
		// All staff are asked at a nationwide level: only prefectures that were really shaken tell the region.
		if t.Reason != desk.ReasonNationwide && slices.ContainsFunc(notified, func(n desk.Notified) bool {
			return n.Prefecture == t.Prefecture && n.Intensity >= p.PrefectureFrom
		}) {
			m.Overlap = append(m.Overlap, t.Prefecture)
		}
	}
}

// feltTogether lists prefectures where the event was felt with 3 or more and the incident's people were asked about a shaking.
func feltTogether(e desk.Event, inc desk.Incident, p desk.Policy) []desk.Prefecture {
	var out []desk.Prefecture
	for _, f := range e.Prefectures {
		if f.Intensity < desk.Intensity3 {
			continue
		}
		if slices.ContainsFunc(inc.Notified, func(n desk.Notified) bool {
			return n.Prefecture == f.Code && p.PrefectureFrom > desk.IntensityUnknown && n.Intensity >= p.PrefectureFrom
		}) {
			out = append(out, f.Code)
		}
	}
	return out
}

// mergeText speaks of 一連の地震, as JMA does since 2016, never of 余震 (feeds.md 6.2).
func mergeText(m *desk.MergeAdvice, member, near bool, p desk.Policy) string {
	figures := mergeFigures(m)
	switch {
	case member && len(m.Added) > 0:
		return fmt.Sprintf("同じ揺れの続報です。まだ通知していない%sが加わりました。", prefectureNames(triggeredCodes(m.Added)))
	case member:
		return "この災害事象に含まれる地震です。新たに通知する都道府県はありません。"
	case m.Join && len(m.Raised)+len(m.Added) > 0:
		return fmt.Sprintf("一連の地震とみられます（%s）。震度が上がった・新しい%sへの通知を検討してください。", figures,
			prefectureNames(append(triggeredCodes(m.Raised), triggeredCodes(m.Added)...)))
	case m.Join:
		return fmt.Sprintf("一連の地震とみられます（%s）。新たに通知する都道府県はありません。", figures)
	case near:
		return fmt.Sprintf("場所は近いものの、時間が%s離れています（基準は%g時間）。", span(m.Elapsed.Abs()), m.WithinHours)
	case m.DistanceKM == nil:
		return fmt.Sprintf("震源が分からず、重なる都道府県もありません（%s）。", figures)
	}
	return fmt.Sprintf("場所が離れています（%s、基準は%.0fkm）。", figures, p.MergeKM)
}

func mergeFigures(m *desk.MergeAdvice) string {
	parts := []string{"前の地震との間隔" + span(m.Elapsed.Abs())}
	if m.DistanceKM != nil {
		parts = append(parts, fmt.Sprintf("震源の距離%.0fkm", *m.DistanceKM))
	}
	if len(m.Overlap) > 0 {
		parts = append(parts, "重なる都道府県は"+prefectureNames(m.Overlap))
	}
	return strings.Join(parts, "、")
}

func triggeredCodes(list []desk.TriggeredBy) []desk.Prefecture {
	codes := make([]desk.Prefecture, len(list))
	for i, t := range list {
		codes[i] = t.Prefecture
	}
	return codes
}

// prefectureNames lists at most five, then says how many.
func prefectureNames(codes []desk.Prefecture) string {
	names := make([]string, 0, 5)
	for _, c := range codes {
		if len(names) == 5 {
			return strings.Join(names, "・") + fmt.Sprintf("など%d都道府県", len(codes))
		}
		names = append(names, c.Name())
	}
	return strings.Join(names, "・")
}

// BestMerge gives the advice for the open incident that fits best: the one that holds the event, else one to join, else the
// latest. It is nil when none is of the same mode and hazard.
func BestMerge(e desk.Event, triggered []desk.TriggeredBy, open []desk.Incident, p desk.Policy) *desk.MergeAdvice {
	var best *desk.MergeAdvice
	for _, inc := range open {
		m := Merge(e, triggered, inc, p)
		if m == nil {
			continue
		}
		if e.ID != 0 && slices.Contains(inc.Events, e.ID) {
			return m
		}
		if best == nil || m.Join && !best.Join || m.Join == best.Join && m.Elapsed.Abs() < best.Elapsed.Abs() {
			best = m
		}
	}
	return best
}
