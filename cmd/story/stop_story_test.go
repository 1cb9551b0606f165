package story

import (
	"testing"
	"time"

	"yagura/store/desk"
)

// A stop in the middle of the sending: what was handed over stays handed over and is said so, the rest never leaves, and the
// tally has every person in exactly one place. // law 7, F3-1-j
func TestStopInTheMiddleOfTheSending(t *testing.T) {
	t.Parallel()
	const people = 1500
	tw := raise(t, plan{People: people, Lanes: slow(90), Staff: 300 * time.Millisecond, Share: 0.5})
	_, item := tw.happened()
	d := tw.one.orders(item)
	within(t, 30*time.Second, "some mails have left", func() bool { return tw.seen().Total.Accepted > people/5 })
	must[desk.Stop](t)(tw.two.store.StopDispatch(t.Context(), tw.two.id, d.ID, "対象の誤り"))
	atStop := tw.seen().Total.Accepted
	within(t, 30*time.Second, "the dispatch is stopped", func() bool { return tw.progress(d.ID).Dispatch.State == desk.Stopped })
	p, total := tw.progress(d.ID), tw.seen().Total
	t.Logf("stopped at %d of %d mails: %d more were handed over, %d never left", atStop, people, total.Accepted-atStop, people-total.Mailboxes)
	if more := total.Accepted - atStop; more > desk.StopBatch { // over all lanes together
		t.Errorf("%d mails left after the stop, at most %d may", more, desk.StopBatch)
	}
	if p.Accepted != total.Mailboxes || p.Mails-p.Accepted-p.Refused <= 0 {
		t.Errorf("the desk says %d of %d were handed over, the carriers have %d", p.Accepted, p.Mails, total.Mailboxes)
	}
	always(t, time.Second, "nothing leaves after that", func() bool { return tw.seen().Total.Accepted == total.Accepted })
	within(t, 20*time.Second, "who has the mail and wants to has answered", func() bool { return tw.seen().Staff.Waiting == 0 })
	answered := tw.seen().Staff.Answered
	within(t, 10*time.Second, "the tally is settled", func() bool {
		tally, err := tw.one.store.Tally(t.Context(), d.ID)
		return err == nil && tally.Check() == nil && tally.Sent == people && tally.Answered == answered &&
			tally.Withdrawn == people-total.Mailboxes && tally.Unanswered == total.Mailboxes-answered
	})
	if _, err := tw.one.store.StopDispatch(t.Context(), tw.one.id, d.ID, ""); desk.KindOf(err) != desk.Conflict {
		t.Errorf("a second stop: %v", err)
	}
}
