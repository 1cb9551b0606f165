package rules

import (
	"slices"

	"yagura/store/desk"
)

// Advise puts everything the rules find about a case into one advice. At, ID and EventID are left to the store.
func Advise(c Case, open []desk.Incident, p desk.Policy) desk.Advice {
	triggered := Triggered(c.Event, p)
	if c.Event.Hazard == desk.Missile {
		triggered = MissileTriggered(c.Event, c.Telegrams)
	}
	a := desk.Advice{
		EventID: c.Event.ID, TelegramID: c.New.ID, Grade: Grade(c.Event, c.Telegrams, p),
		Checks: Checks(c), Triggered: triggered,
	}
	a.Merge = BestMerge(c.Event, triggered, open, p)
	return a
}

// Review gives the advice anew when what surrounds an event has changed: an incident was opened or closed, people were asked.
// What the rules found about the event itself stands. ok is false when nothing changed. An event whose own people have not
// been asked since it was put into its incident is left alone: its operator is about to decide on the advice as it stands.
func Review(item desk.InboxItem, open []desk.Incident, p desk.Policy) (a desk.Advice, ok bool) {
	if item.Advice == nil || item.Event.Status != desk.EventOpen {
		return a, false
	}
	if item.IncidentID != 0 && !wasAsked(item, open) {
		return a, false
	}
	a = *item.Advice
	a.Merge = BestMerge(item.Event, a.Triggered, open, p)
	return a, !sameDecision(a.Merge, item.Advice.Merge)
}

// sameDecision compares what a person would decide on; minutes and kilometres that moved with a new event are not news.
func sameDecision(a, b *desk.MergeAdvice) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.IncidentID == b.IncidentID && a.Join == b.Join && slices.Equal(a.Added, b.Added) && slices.Equal(a.Raised, b.Raised)
}

func wasAsked(item desk.InboxItem, open []desk.Incident) bool {
	for _, inc := range open {
		for _, n := range inc.Notified {
			if inc.ID == item.IncidentID && slices.Contains(n.EventIDs, item.Event.ID) {
				return true
			}
		}
	}
	return false
}
