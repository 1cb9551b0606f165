package intake

import (
	"context"
	"slices"

	"yagura/engine/rules"
	"yagura/store/desk"
)

// second reads what the second source has said near an event's time, also what came before the event was known.
func (r *reader) second(ctx context.Context, e desk.Event) ([]desk.Telegram, error) {
	if e.Hazard != desk.Earthquake {
		return nil, nil
	}
	return r.Store.ReadingsNear(ctx, rules.SecondTypes(), e.OccurredAt.Add(-rules.SecondSpan), e.OccurredAt.Add(rules.SecondLate))
}

// attest lets a telegram of the second source speak for or against the events of its time. It never opens one; what comes before
// its event waits in the store and is found when the event is advised.
func (r *reader) attest(ctx context.Context, t desk.Telegram) error {
	at := rules.OccurredAt(&t)
	near, err := r.Store.EventsNear(ctx, nil, t.Mode, desk.Earthquake, at, rules.SecondSpan)
	if err != nil {
		return err
	}
	near = slices.DeleteFunc(near, func(e desk.Event) bool { return !rules.Confirms(t, e) })
	if len(near) == 0 {
		return nil
	}
	items, err := r.Store.Inbox(ctx, reviewed)
	if err != nil {
		return err
	}
	for _, e := range near {
		i := slices.IndexFunc(items, func(item desk.InboxItem) bool { return item.Event.ID == e.ID })
		if i < 0 || items[i].Advice == nil {
			continue // an event of long ago, replayed: nobody decides on it
		}
		if err := r.attestOne(ctx, t, items[i]); err != nil {
			return err
		}
	}
	return nil
}

// attestOne appends an advice that differs in the second source alone. An event somebody has judged or is about to ask people
// about is left alone, because newer advice makes his key stale; what contradicts is told in any case.
func (r *reader) attestOne(ctx context.Context, t desk.Telegram, item desk.InboxItem) error {
	telegrams, err := r.Store.TelegramsOf(ctx, item.Event.ID)
	if err != nil || len(telegrams) == 0 {
		return err
	}
	i := slices.IndexFunc(telegrams, func(b desk.Telegram) bool { return b.ID == item.Advice.TelegramID })
	if i < 0 { // the latest advice was occasioned by the second source
		i = len(telegrams) - 1
	}
	second, err := r.second(ctx, item.Event)
	if err != nil {
		return err
	}
	second = append(second, withoutRaw(t)) // its own reading is recorded after this
	advice, changed := rules.Attest(*item.Advice, rules.Case{Event: item.Event, Telegrams: telegrams, New: telegrams[i], Second: second})
	if !changed || (item.IncidentID != 0 || item.Verification != nil) && !rules.SecondContradicts(advice) {
		return nil
	}
	advice.TelegramID = t.ID
	// Conflict: a telegram brought newer advice meanwhile; it is tried again with that one.
	_, err = r.Store.Readvise(ctx, advice)
	return err
}
