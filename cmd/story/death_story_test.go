package story

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"yagura/store/desk"
	"yagura/store/storetest"
)

// slow are carriers that take some seconds for a dispatch, so that it can be interrupted.
func slow(endDelayMS int) []lane {
	return []lane{
		carrier("docomo", 8, behaviour{EndDelayMS: endDelayMS}), carrier("au", 8, behaviour{EndDelayMS: endDelayMS}),
		carrier("other", 8, behaviour{EndDelayMS: endDelayMS}),
	}
}

// kill -9 at ten random moments of one dispatch: every mailbox has its mail in the end, and no kill costs more than W
// duplicates. // law 5, law 9, issue 2
func TestEngineKilledTenTimesLosesNothing(t *testing.T) {
	const people, kills = 2500, 10
	tw := raise(t, plan{People: people, Lanes: slow(45)})
	engine, item := tw.happened()
	points := make([]int, kills)
	for i := range points {
		points[i] = rand.IntN(people * 9 / 10)
	}
	slices.Sort(points)
	d := tw.one.orders(item)
	var costs []int
	before := 0
	for _, at := range points {
		within(t, 30*time.Second, fmt.Sprintf("%d mails are accepted", at), func() bool { return tw.seen().Total.Accepted >= at })
		engine.kill()
		twice := tw.seen().Total.Duplicates
		costs, before = append(costs, twice-before), twice
		tw.forgetLeases()
		engine = tw.engine("east")
	}
	p := tw.settles(60*time.Second, d.ID)
	total := tw.seen().Total
	costs = append(costs, total.Duplicates-before)[1:] // what a kill costs is seen after it
	t.Logf("killed at %v of %d mails: lost %d, duplicates after each kill %v, the most allowed %d",
		points, people, people-total.Mailboxes, costs, desk.Window)
	if total.Mailboxes != people || p.Accepted != people || p.Pending != 0 {
		t.Errorf("%d mailboxes have a mail, the desk counts %d, of %d", total.Mailboxes, p.Accepted, people)
	}
	if most := slices.Max(costs); most > desk.Window {
		t.Errorf("one kill cost %d duplicates", most)
	}
	if total.Mails != people {
		t.Errorf("%d Message-IDs for %d mails: a repeated mail must keep its own", total.Mails, people)
	}
}

// forgetLeases ends the leases of an engine that is certainly dead; waiting them out ten times is the takeover's story, not this one's.
func (tw *tower) forgetLeases() {
	tw.db.(*storetest.DB).Exec(`UPDATE lease SET expires_at = now() - interval '1 second'`)
}

// Two engines, one killed: the other has all its lanes within 6 s. // law 9, issue 2
func TestSecondEngineTakesOverEveryLane(t *testing.T) {
	const people, lanes = 2500, 3
	tw := raise(t, plan{People: people, Lanes: slow(90)})
	first, item := tw.happened()
	owned := func(by string) (n int) {
		tw.db.(*storetest.DB).Scan(fmt.Sprintf(`SELECT count(*) FROM lease WHERE name LIKE 'lane:%%' AND holder LIKE '%s/%%' AND expires_at > now()`, by), &n)
		return n
	}
	within(t, 10*time.Second, "the first engine owns every lane", func() bool { return owned("east") == lanes })
	second := tw.engine("west")
	d := tw.one.orders(item)
	within(t, 30*time.Second, "a third is accepted", func() bool { return tw.seen().Total.Accepted >= people/3 })
	if owned("west") != 0 {
		t.Fatal("two engines share lanes that the first one owned")
	}
	first.kill()
	killed := time.Now()
	had := tw.seen().Total.Accepted
	within(t, 20*time.Second, "the second engine owns every lane", func() bool { return owned("west") == lanes })
	leases := time.Since(killed)
	within(t, 20*time.Second, "mails leave again", func() bool { return tw.seen().Total.Accepted > had })
	flowing := time.Since(killed)
	t.Logf("kill -9 at %d of %d mails: all %d lanes taken over after %s, mails leave again after %s", had, people, lanes,
		leases.Round(10*time.Millisecond), flowing.Round(10*time.Millisecond))
	if flowing > 8*time.Second || leases > 8*time.Second { // 6 s, and 2 s for a machine that does other things too
		t.Errorf("the takeover took %s", max(leases, flowing))
	}
	p := tw.settles(60*time.Second, d.ID)
	total := tw.seen().Total
	if total.Mailboxes != people || p.Accepted != people {
		t.Errorf("%d mailboxes have a mail, the desk counts %d, of %d", total.Mailboxes, p.Accepted, people)
	}
	if total.Duplicates > desk.Window {
		t.Errorf("%d duplicates, at most %d allowed", total.Duplicates, desk.Window)
	}
	t.Logf("%d duplicates", total.Duplicates)
	if !second.alive() {
		t.Error("the second engine has ended")
	}
}

// An order that nobody carried out in time is not carried out later. // law 6
func TestOrderOlderThanItsLimitExpires(t *testing.T) {
	t.Parallel()
	tw := raise(t, plan{NotAfter: 30 * time.Second})
	engine, item := tw.happened()
	engine.kill()
	d := tw.one.orders(item)
	limit := must[desk.DispatchProgress](t)(tw.one.store.Progress(t.Context(), d.ID)).Dispatch.Approval.NotAfter
	within(t, 40*time.Second, "the order is older than its limit", func() bool { return time.Now().After(limit.Add(200 * time.Millisecond)) })
	second := tw.engine("east")
	within(t, 15*time.Second, "the order is marked expired", func() bool { return tw.progress(d.ID).Dispatch.State == desk.Expired })
	always(t, time.Second, "no mail leaves", func() bool { return tw.seen().Total.Accepted == 0 })
	if n := tw.mails(); n != 0 {
		t.Errorf("%d mails were written for an expired order", n)
	}
	if !second.alive() || strings.Contains(second.said.String(), "level=ERROR") {
		t.Error("the engine took the expired order badly")
	}
	if _, err := tw.one.tries(item, d, desk.OneKey); desk.KindOf(err) != desk.Conflict {
		t.Errorf("the expired order was approved again: %v", err)
	}
	again := tw.one.proposes(item, d.IncidentID) // ordered again, it goes
	tw.one.approves(item, again)
	if p := tw.settles(20*time.Second, again.ID); p.Accepted == 0 {
		t.Error("the order given again did not leave")
	}
}
