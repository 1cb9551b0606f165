package story

import (
	"testing"
	"time"

	"yagura/store/desk"
)

// The whole path once: telegrams come in, a person judges and orders, carriers that misbehave take the mails, staff open their
// links, and the tally is the staff's own count. // F3-1-a F3-1-j F3-1-k.3, issue 2
func TestFromTelegramToCountedAnswer(t *testing.T) {
	tw := raise(t, plan{
		People: 300, PerPerson: 2, Staff: time.Second, Share: 0.85,
		Lanes: []lane{
			carrier("docomo", 8, behaviour{Unknown: 0.2, EndDelayMS: 1}),
			carrier("softbank", 6, behaviour{RefuseData: 0.2, SilentDrop: 0.05}),
			carrier("other", 4, behaviour{GreylistMS: 500}),
		},
	})
	_, item := tw.happened()
	if n := item.Advice.Contradictions(); n != 0 {
		t.Fatalf("a plain earthquake contradicts in %d checks: %+v", n, item.Advice.Checks)
	}
	if tw.mails() != 0 {
		t.Fatal("mails exist before anybody ordered any") // law 2
	}
	d := tw.one.orders(item)
	if d.HeadCount != 300 || d.Addresses != 600 {
		t.Errorf("%d people, %d mailboxes; want 300 and 600", d.HeadCount, d.Addresses)
	}
	p := tw.settles(60*time.Second, d.ID)
	within(t, 30*time.Second, "everybody who wants to has answered", func() bool { return tw.seen().Staff.Waiting == 0 })
	own := tw.seen()
	if own.Total.Mailboxes != p.Accepted || p.Accepted+p.Refused != p.Mails || p.Mails != 600 {
		t.Errorf("carriers took %d mailboxes, the desk counts %d accepted + %d refused of %d", own.Total.Mailboxes, p.Accepted, p.Refused, p.Mails)
	}
	if own.Total.Duplicates != 0 {
		t.Errorf("%d duplicates without any crash", own.Total.Duplicates)
	}
	if own.Staff.Failed != 0 || own.Staff.Answered < 150 {
		t.Errorf("%d answered, %d gave up (%s)", own.Staff.Answered, own.Staff.Failed, own.Staff.LastErr)
	}
	var tally desk.Tally
	within(t, 10*time.Second, "the published tally is the staff's own count", func() bool {
		var err error
		tally, err = tw.one.store.Tally(t.Context(), d.ID)
		return err == nil && tally.Answered == own.Staff.Answered
	})
	if err := tally.Check(); err != nil {
		t.Error(err)
	}
	if tally.Sent != 300 || tally.Withdrawn != 0 || tally.Undeliverable == 0 {
		t.Errorf("tally: sent %d, undeliverable %d, withdrawn %d", tally.Sent, tally.Undeliverable, tally.Withdrawn)
	}
	for _, s := range desk.Safeties() {
		if tally.Safety[s] != own.Staff.Safety[s] {
			t.Errorf("%s: the tally says %d, the staff %d", s, tally.Safety[s], own.Staff.Safety[s])
		}
	}
	if sum := tally.Safety[desk.SafetyWell] + tally.Safety[desk.SafetyInjured] + tally.Safety[desk.SafetySerious]; sum != tally.Answered {
		t.Errorf("%d answers, %d people answered", sum, tally.Answered)
	}
	if rows, bad, err := tw.owner.VerifyAudit(t.Context()); err != nil || bad != 0 || rows == 0 {
		t.Errorf("operation log: %d rows, first bad %d, %v", rows, bad, err)
	}
}
