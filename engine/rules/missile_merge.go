package rules

import (
	"fmt"
	"slices"
	"time"

	"yagura/store/desk"
)

// MissileMerge says whether an open incident might own a missile event. There is no hypocentre and no felt area: what counts is the time
// since the incident's latest event, within MissileSpan, and whether it holds the event already. It is nil across modes (law 4),
// across hazards and for a closed incident. Nobody is asked twice about one event; a second impact in a prefecture that was asked
// about the first is for a person to put into an incident of its own. // F3-1-k.4
func MissileMerge(e desk.Event, triggered []desk.TriggeredBy, inc desk.Incident) *desk.MergeAdvice {
	if e.Hazard != desk.Missile || inc.Hazard != desk.Missile || e.Mode != inc.Mode || !inc.ClosedAt.IsZero() {
		return nil
	}
	m := &desk.MergeAdvice{IncidentID: inc.ID, WithinHours: MissileSpan.Hours()}
	if !inc.LastOccurred.IsZero() {
		m.Elapsed = e.OccurredAt.Sub(inc.LastOccurred)
	}
	m.Added, m.Raised = desk.NewlyConcerned(e.ID, desk.IntensityUnknown, triggered, inc.Notified)
	for _, t := range triggered {
		if slices.ContainsFunc(inc.Notified, func(n desk.Notified) bool { return n.Prefecture == t.Prefecture }) {
			m.Overlap = append(m.Overlap, t.Prefecture)
		}
	}
	member := e.ID != 0 && slices.Contains(inc.Events, e.ID)
	m.Join = member || m.Elapsed.Abs() <= MissileSpan
	m.Text = missileMergeText(m, member)
	return m
}

func missileMergeText(m *desk.MergeAdvice, member bool) string {
	gap := span(m.Elapsed.Abs().Truncate(time.Second))
	switch {
	case member && len(m.Added) > 0:
		return fmt.Sprintf("同じミサイルの続報です。まだ通知していない%sが加わりました。", prefectureNames(triggeredCodes(m.Added)))
	case member:
		return "この災害事象に含まれるミサイルです。新たに通知する都道府県はありません。"
	case m.Join && len(m.Overlap) > 0:
		return fmt.Sprintf("前の発射から%sです。%sにはすでに通知しています。別の落下であれば、新しい災害事象にしてください。", gap, prefectureNames(m.Overlap))
	case m.Join:
		return fmt.Sprintf("前の発射から%sで、一連の発射とみられます。", gap)
	}
	return fmt.Sprintf("前の発射から%s離れています（基準は%g時間）。", gap, m.WithinHours)
}
