package jma_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yagura/feeds/jma"
)

// TestPullNeverExceedsItsBudget: whatever the sizes are and wherever files stand, the server never sends more than the budget.
func TestPullNeverExceedsItsBudget(t *testing.T) {
	rapid.Check(t, func(draw *rapid.T) {
		const fileBytes, feedBytes = 40_000, 60_000
		r := newRig(t, func(o *jma.PullOptions) {
			o.FileBytes, o.FeedBytes = fileBytes, feedBytes
			o.DayBytes = rapid.Int64Range(feedBytes, 600_000).Draw(draw, "budget")
			o.Feeds, o.Every = []string{"extra", "eqvol"}, 2*time.Millisecond
		})
		for i, size := range rapid.SliceOfN(rapid.IntRange(400, fileBytes), 1, 40).Draw(draw, "sizes") {
			feed := "eqvol"
			if rapid.Bool().Draw(draw, "extra") {
				feed = "extra"
			}
			r.server.Publish(feed, r.clock.now(), r.telegram("VXSE53", -time.Hour+time.Duration(i)*time.Second, size))
		}
		if rapid.Bool().Draw(draw, "lengths are lost") {
			for i := range 40 {
				r.server.CutQuietly("data/"+r.telegram("VXSE53", -time.Hour+time.Duration(i)*time.Second, 0).Name, 1)
			}
		}
		stop := r.run(t)
		until(t, "a poll", func() bool { return r.server.Requests("feed/eqvol.xml")+r.server.Requests("feed/extra.xml") > 0 })
		end := time.After(30 * time.Millisecond)
		for done := false; !done; {
			select {
			case <-r.news:
			case <-end:
				done = true
			}
		}
		stop()
		if sent := r.server.Bytes(); sent > r.opt.DayBytes {
			t.Fatalf("%d bytes were sent, the budget is %d", sent, r.opt.DayBytes)
		}
	})
}

func TestPullThatHasUsedItsBudgetStopsUntilMidnight(t *testing.T) {
	r := newRig(t, func(o *jma.PullOptions) {
		o.FileBytes, o.FeedBytes, o.DayBytes = 20_000, 40_000, 1_000_000
		o.Feeds = []string{"extra", "eqvol"}
	})
	for i := range 55 {
		r.server.Publish("extra", r.clock.now(), r.telegram("VPWW55", -time.Hour+time.Duration(i)*time.Second, 19_000))
	}
	r.run(t)
	until(t, "the first step", func() bool { return strings.Contains(r.pull.Health().Trouble, "地震火山のフィードだけ") })
	extra := r.server.Requests("feed/extra.xml")
	// What comes by eqvol still comes.
	urgent := r.telegram("VXSE51", time.Minute, 500)
	r.server.Publish("eqvol", r.clock.now(), urgent)
	until(t, "the urgent one", func() bool { return slices.Contains(r.names(), urgent.Name) })
	r.polls(t, "feed/eqvol.xml", 5)
	if n := r.server.Requests("feed/extra.xml"); n > extra+1 {
		t.Errorf("extra was still polled %d times", n-extra)
	}
	for i := range 10 {
		r.server.Publish("eqvol", r.clock.now(), r.telegram("VXSE53", 2*time.Minute+time.Duration(i)*time.Second, 9_000))
	}
	until(t, "the end", func() bool { return strings.Contains(r.pull.Health().Trouble, "0時まで") })
	last := r.server.Bytes()
	if last > r.opt.DayBytes {
		t.Errorf("%d bytes of %d", last, r.opt.DayBytes)
	}
	r.clock.forward(15 * time.Hour) // 10:00 JST and 15 hours: the next day
	until(t, "the next day", func() bool { return r.server.Bytes() > last })
	until(t, "nothing is lost over midnight", func() bool { return len(r.names()) == 66 })
}

func TestPullTellsAFileThatIsTooLarge(t *testing.T) {
	r := newRig(t, func(o *jma.PullOptions) { o.FileBytes = 5_000 })
	for i, quiet := range []bool{false, true} {
		e := r.telegram("VXSE53", -time.Hour+time.Duration(i)*time.Second, 20_000)
		r.server.Publish("eqvol", r.clock.now(), e)
		if quiet {
			r.server.CutQuietly("data/"+e.Name, 1)
		}
	}
	r.server.Publish("eqvol", r.clock.now(), r.telegram("VXSE53", 0, 0))
	r.run(t)
	until(t, "the small one", func() bool { return len(r.names()) == 1 })
	until(t, "the desk is told", func() bool { return strings.Contains(r.pull.Health().Trouble, "大きすぎて") })
	r.polls(t, "feed/eqvol.xml", 5)
	if n := r.server.Requests("data/" + r.telegram("VXSE53", -time.Hour, 0).Name); n != 1 {
		t.Errorf("fetched %d times", n)
	}
}
