package rules

import "yagura/store/desk"

// Advise puts everything the rules find about a case into one advice. At, ID and EventID are left to the store.
func Advise(c Case, open []desk.Incident, p desk.Policy) desk.Advice {
	triggered := Triggered(c.Event, p)
	a := desk.Advice{
		EventID: c.Event.ID, TelegramID: c.New.ID, Grade: Grade(c.Event, c.Telegrams, p),
		Checks: Checks(c), Triggered: triggered,
	}
	if len(triggered) > 0 { // nothing to ask, nothing to merge
		a.Merge = BestMerge(c.Event, triggered, open, p)
	}
	return a
}
