package desk

// NewlyConcerned is 追加・超過の都道府県: of the triggered prefectures, those an incident has not yet asked (added) and those shaken
// harder than when they were asked (raised, with that reason). Whoever was asked at the same level or above is in neither: no needless
// mail for an aftershock. // F3-1-k.4
func NewlyConcerned(triggered []TriggeredBy, notified []Notified) (added, raised []TriggeredBy) {
	level := make(map[Prefecture]Intensity, len(notified))
	asked := make(map[Prefecture]bool, len(notified))
	for _, n := range notified {
		asked[n.Prefecture] = true
		level[n.Prefecture] = max(level[n.Prefecture], n.Intensity)
	}
	for _, t := range triggered {
		switch {
		case !asked[t.Prefecture]:
			added = append(added, t)
		case t.Intensity > level[t.Prefecture]:
			t.Reason = ReasonRaised
			raised = append(raised, t)
		}
	}
	return added, raised
}
