package intake

import (
	"context"
	"fmt"

	"yagura/engine/rules"
	"yagura/store/desk"
)

// attempts is how often a telegram is tried again on the spot: after a Conflict, because another reader was faster, and after
// a fault of ours, before it is shown as unreadable so that it cannot hold up the ones behind it.
const attempts = 5

// judge reads one stored telegram and records it in this order: event and advice first, the reading last. A crash in between
// leaves the telegram unread; doing it again changes nothing that was written.
func (r *reader) judge(ctx context.Context, stored desk.Telegram) error {
	t, err := r.parse(stored)
	if err != nil {
		return r.showUnreadable(ctx, t, desk.Message(err), err)
	}
	for try := 1; ; try++ {
		if err = r.place(ctx, t); err == nil {
			err = r.Store.RecordReading(ctx, t, "")
		}
		switch kind := desk.KindOf(err); {
		case err == nil:
			r.judgedOne(t)
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case kind == desk.Unavailable && !r.stuck(t.ID):
			return err // the telegram stays unread and is tried again from the start
		case kind == desk.Unavailable, try >= attempts:
			return r.showUnreadable(ctx, t, "電文は読めましたが、事象として記録できませんでした。内容を直接確かめてください。", err)
		}
	}
}

// stuckAfter is how often in a row the store may have no time for a telegram, though it has for the queue, before the ones behind
// it are let past.
const stuckAfter = 6

func (r *reader) stuck(id desk.TelegramID) bool {
	if r.late != id {
		r.late, r.lateTries = id, 0
	}
	r.lateTries++
	return r.lateTries >= stuckAfter
}

// parse reads a telegram; a panic of the parser is a telegram that cannot be read, not the end of the engine.
func (o *Options) parse(stored desk.Telegram) (t desk.Telegram, err error) {
	defer func() {
		if p := recover(); p != nil {
			t, err = stored, desk.Errorf(desk.Invalid, "intake.parse", "電文を読む途中で内部の誤りが起きました。")
		}
	}()
	t, err = o.parserFor(stored.Envelope)(stored.Envelope)
	t.ID, t.StoredAt, t.Digest = stored.ID, stored.StoredAt, stored.Digest
	return t, err
}

func (r *reader) showUnreadable(ctx context.Context, t desk.Telegram, problem string, cause error) error {
	r.Log.Error("telegram is shown as unreadable", "telegram", t.ID, "feed", t.Feed, "err", cause)
	err := r.Store.RecordReading(ctx, t, problem)
	if err != nil && desk.KindOf(err) != desk.Unavailable { // something in it the store refuses: without that it is shown all the same
		err = r.Store.RecordReading(ctx, desk.Telegram{ID: t.ID, Type: t.Type, Mode: t.Mode, Phase: t.Phase, Hazard: t.Hazard, PressTime: t.PressTime, ReportTime: t.ReportTime}, problem)
	}
	if err != nil {
		return err
	}
	r.bad.Add(1)
	r.garbage.note(t.Feed, r.Now())
	return nil
}

func (r *reader) judgedOne(t desk.Telegram) {
	r.judged.Add(1)
	r.noteLag(&t)
	took := r.Now().Sub(t.StoredAt)
	if int64(took) > r.slowest.Load() { // one reader writes it
		r.slowest.Store(int64(took))
	}
	r.Log.Debug("telegram judged", "telegram", t.ID, "type", t.Type, "stored_to_advice", took)
}

// place puts a telegram to its events, or to a new one, and saves each with fresh advice. A panic of a rule is a failure of this
// telegram alone.
func (r *reader) place(ctx context.Context, t desk.Telegram) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = desk.Wrap(desk.Internal, "intake.place", fmt.Errorf("panic: %v", p))
		}
	}()
	if rules.IsSecondSource(t) {
		return r.attest(ctx, t)
	}
	quiet := rules.Quiet(t)
	if quiet && !rules.Follows(t) {
		return nil
	}
	near, err := r.Store.EventsNear(ctx, rules.Keys(t), t.Mode, rules.Family(t.Hazard), rules.OccurredAt(&t), rules.SpanOf(t))
	if err != nil {
		return err
	}
	belongs := rules.Correlate(t, near)
	switch {
	case len(belongs) == 0 && quiet:
		return nil // it stays readable in the store; the desk is spared a line
	case len(belongs) == 0:
		return r.save(ctx, t, 0)
	}
	for _, id := range belongs {
		if err := r.save(ctx, t, id); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) save(ctx context.Context, t desk.Telegram, id desk.EventID) error {
	telegrams := []desk.Telegram{withoutRaw(t)}
	if id != 0 {
		before, err := r.Store.TelegramsOf(ctx, id)
		if err != nil {
			return err
		}
		for _, b := range before {
			if b.ID != t.ID {
				telegrams = append(telegrams, b)
			}
		}
	}
	e := rules.Fold(desk.Event{ID: id}, telegrams)
	a, err := r.advise(ctx, e, telegrams, t)
	if err != nil {
		return err
	}
	if _, _, err := r.Store.SaveEvent(ctx, e, t.ID, a); err != nil {
		return fmt.Errorf("telegram %d: %w", t.ID, err)
	}
	return nil
}

func withoutRaw(t desk.Telegram) desk.Telegram {
	t.Raw = nil
	return t
}

// advise gathers what the rules look at. Their clock is the telegram's received time, so a replay is judged in its own time.
func (r *reader) advise(ctx context.Context, e desk.Event, telegrams []desk.Telegram, t desk.Telegram) (desk.Advice, error) {
	policy, err := r.Store.Policy(ctx)
	if err != nil {
		return desk.Advice{}, err
	}
	open, err := r.Store.OpenIncidents(ctx, e.Mode)
	if err != nil {
		return desk.Advice{}, err
	}
	earlier, err := r.earlier(ctx, e, t)
	if err != nil {
		return desk.Advice{}, err
	}
	heard, err := r.Store.EEWHeard(ctx, t.ReceivedAt.Add(-rules.EEWSilence), t.ReceivedAt)
	if err != nil {
		return desk.Advice{}, err
	}
	second, err := r.second(ctx, e)
	if err != nil {
		return desk.Advice{}, err
	}
	return rules.Advise(rules.Case{
		Event: e, Telegrams: telegrams, New: withoutRaw(t), Earlier: earlier, Second: second, EEWHeard: heard,
	}, open, policy), nil
}

// earlier reads bulletins of other events with a similar area list; most events are too small to need any.
func (r *reader) earlier(ctx context.Context, e desk.Event, t desk.Telegram) ([]desk.Telegram, error) {
	if !rules.MayRepeat(e, desk.Event{Mode: e.Mode, Areas: e.Areas}) {
		return nil, nil
	}
	recent, err := r.Store.RecentEvents(ctx, t.ReceivedAt.Add(-rules.RepeatWindow))
	if err != nil {
		return nil, err
	}
	var out []desk.Telegram
	for _, other := range recent {
		if !rules.MayRepeat(e, other) {
			continue
		}
		theirs, err := r.Store.TelegramsOf(ctx, other.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, theirs...)
	}
	return out, nil
}
