package desk

import "slices"

// NewlyConcerned is 追加・超過の都道府県: of the prefectures an event triggers, those an incident has not asked yet (added), and those
// shaken harder than when they were asked about a different shaking, at or over the threshold (raised, with that reason). The
// people of one prefecture are never asked twice about the same shaking, however its bulletins rise. // F3-1-k.4
func NewlyConcerned(event EventID, threshold Intensity, triggered []TriggeredBy, notified []Notified) (added, raised []TriggeredBy) {
	for _, t := range triggered {
		i := slices.IndexFunc(notified, func(n Notified) bool { return n.Prefecture == t.Prefecture })
		switch {
		case i < 0:
			added = append(added, t)
		case threshold == IntensityUnknown, t.Intensity < threshold, t.Intensity <= notified[i].Intensity, slices.Contains(notified[i].EventIDs, event):
		default:
			raised = append(raised, TriggeredBy{Prefecture: t.Prefecture, Intensity: t.Intensity, Reason: ReasonRaised})
		}
	}
	return added, raised
}
