package rules_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"yagura/engine/rules"
	"yagura/store/desk"
)

var clockZero = time.Date(2024, 1, 1, 7, 10, 10, 0, time.UTC)

// quickClock is a 地震速報 with real delays, of which the last of 250 mails is accepted after total; 0 = still leaving.
func quickClock(total time.Duration) desk.StageClock {
	at := func(s float64) time.Time { return clockZero.Add(time.Duration(s * float64(time.Second))) }
	c := desk.StageClock{
		Subject: desk.ClockSubject{Kind: desk.SubjectBulletin, ID: 7}, Clause: desk.ClauseQuick, Mode: desk.Live, Mails: 250,
		OccurredAt: at(0), IssuedAt: at(90), ReceivedAt: at(92), ReadAt: at(92.1), JudgedAt: at(92.2), QueuedAt: at(92.2), FirstAccepted: at(92.5),
	}
	if total > 0 {
		c.LastAccepted, c.Finished, c.Accepted = clockZero.Add(total), true, 250
	}
	return c
}

func quickRule() desk.ClockRule {
	return desk.ClockRule{Version: 1, Clause: desk.ClauseQuick, From: desk.StageOccurred, Until: desk.StageLastAccepted, Limit: 3 * time.Minute, Warn: 1, Breach: 1.5}
}

func TestJudgeClock(t *testing.T) { // P5-2 P5-3 P5-4 P5-5 P5-6
	for _, c := range []struct {
		name    string
		clock   func() desk.StageClock
		rule    func(*desk.ClockRule)
		now     time.Duration // after the occurrence
		want    desk.ClockState
		elapsed time.Duration
		running bool
	}{
		{"in time", func() desk.StageClock { return quickClock(100 * time.Second) }, nil, time.Hour, desk.ClockOK, 100 * time.Second, false},
		{"at the limit", func() desk.StageClock { return quickClock(3 * time.Minute) }, nil, time.Hour, desk.ClockWarn, 3 * time.Minute, false},
		{"just below a breach", func() desk.StageClock { return quickClock(4*time.Minute + 29*time.Second) }, nil, time.Hour, desk.ClockWarn, 4*time.Minute + 29*time.Second, false},
		{"a breach", func() desk.StageClock { return quickClock(4*time.Minute + 30*time.Second) }, nil, time.Hour, desk.ClockBreach, 4*time.Minute + 30*time.Second, false},
		{"running, in time", func() desk.StageClock { return quickClock(0) }, nil, 2 * time.Minute, desk.ClockOK, 2 * time.Minute, true},
		{"running into a breach", func() desk.StageClock { return quickClock(0) }, nil, 271 * time.Second, desk.ClockBreach, 271 * time.Second, true},
		{"stopped by a person", func() desk.StageClock { c := quickClock(0); c.Stopped = true; return c }, nil, time.Hour, desk.ClockOK, 0, false},
		{"nobody designated", func() desk.StageClock { c := quickClock(10 * time.Minute); c.Mails = 0; return c }, nil, time.Hour, desk.ClockOK, 0, false},
		{"an update counts from its issue", func() desk.StageClock { c := quickClock(100 * time.Second); c.Renewal = true; return c }, nil, time.Hour, desk.ClockOK, 10 * time.Second, false},
		{"no origin time: from the issue", func() desk.StageClock { c := quickClock(100 * time.Second); c.OccurredAt = time.Time{}; return c }, nil, time.Hour, desk.ClockOK, 10 * time.Second, false},
		{"nothing known", func() desk.StageClock { return desk.StageClock{Mails: 1} }, nil, time.Hour, desk.ClockOK, 0, false},
		{"every mail refused", func() desk.StageClock {
			c := quickClock(time.Hour)
			c.LastAccepted, c.FirstAccepted = time.Time{}, time.Time{}
			return c
		}, nil, time.Hour, desk.ClockOK, 92200 * time.Millisecond, false},
		{"the first acceptance", func() desk.StageClock { return quickClock(0) }, func(r *desk.ClockRule) { r.Until = desk.StageFirstAccepted }, time.Hour, desk.ClockOK, 92500 * time.Millisecond, false},
		{"a target is never a breach", func() desk.StageClock { return quickClock(time.Hour) }, func(r *desk.ClockRule) { r.Breach = 0 }, 2 * time.Hour, desk.ClockWarn, time.Hour, false},
		{"a clock ahead of ours", func() desk.StageClock { return quickClock(0) }, nil, -time.Minute, desk.ClockOK, 0, true},
	} {
		r := quickRule()
		if c.rule != nil {
			c.rule(&r)
		}
		v := rules.Judge(c.clock(), r, clockZero.Add(c.now))
		if v.State != c.want || v.Elapsed != c.elapsed || v.Running != c.running {
			t.Errorf("%s: %+v, want %s after %s, running %v", c.name, v, c.want, c.elapsed, c.running)
		}
	}
}

// A drill is measured and owes nobody a report (law 4); a target never owes one.
func TestOwed(t *testing.T) {
	c, now := quickClock(10*time.Minute), clockZero.Add(time.Hour)
	target := quickRule()
	target.Until, target.Limit, target.Breach = desk.StageFirstAccepted, time.Second, 0
	other := quickRule()
	other.Clause, other.Limit = desk.ClauseOther, time.Second
	all := []desk.ClockRule{target, other, quickRule()}
	if v, r, ok := rules.Owed(c, all, now); !ok || r != quickRule() || v.State != desk.ClockBreach {
		t.Errorf("%+v %+v %v", v, r, ok)
	}
	if v, r, ok := rules.Worst(c, all, now); !ok || v.State != desk.ClockBreach || r != quickRule() {
		t.Errorf("worst: %+v %+v %v", v, r, ok)
	}
	for _, mode := range []desk.Mode{desk.Drill, desk.Test} {
		c.Mode = mode
		if _, _, ok := rules.Owed(c, all, now); ok {
			t.Errorf("a %s owes a report", mode)
		}
		if v, _, ok := rules.Worst(c, all, now); !ok || v.State != desk.ClockBreach {
			t.Errorf("a %s is not measured: %+v", mode, v)
		}
	}
	if _, _, ok := rules.Worst(quickClock(0), []desk.ClockRule{other}, now); ok {
		t.Error("measured by the limit of another clause")
	}
}

func TestLongestNamesTheStageToLookAt(t *testing.T) {
	late := quickClock(0)
	late.ReadAt = late.ReceivedAt.Add(5 * time.Minute)
	late.JudgedAt, late.QueuedAt, late.FirstAccepted = late.ReadAt, late.ReadAt, late.ReadAt.Add(time.Second)
	for _, c := range []struct {
		clock    desk.StageClock
		from     desk.ClockStage
		a, b     desk.ClockStage
		took     time.Duration
		nowAfter time.Duration
	}{
		{quickClock(100 * time.Second), desk.StageOccurred, desk.StageOccurred, desk.StageIssued, 90 * time.Second, time.Hour},
		{late, desk.StageOccurred, desk.StageReceived, desk.StageRead, 5 * time.Minute, 400 * time.Second},
		{quickClock(0), desk.StageOccurred, desk.StageFirstAccepted, desk.StageLastAccepted, 207500 * time.Millisecond, 300 * time.Second},
		{desk.StageClock{}, desk.StageOccurred, desk.StageOccurred, desk.StageOccurred, 0, time.Hour},
	} {
		a, b, took := rules.Longest(c.clock, c.from, clockZero.Add(c.nowAfter))
		if a != c.a || b != c.b || took != c.took {
			t.Errorf("%s to %s took %s, want %s to %s, %s", a, b, took, c.a, c.b, c.took)
		}
	}
}

// A running clock never gets better by waiting, and a later end is never a better verdict.
func TestClocksOnlyGetWorse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weight := map[desk.ClockState]int{desk.ClockOK: 0, desk.ClockWarn: 1, desk.ClockBreach: 2}
		a := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "a"))
		b := a + time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "later"))
		early, late := rules.Judge(quickClock(0), quickRule(), clockZero.Add(a)), rules.Judge(quickClock(0), quickRule(), clockZero.Add(b))
		if weight[late.State] < weight[early.State] || late.Ratio < early.Ratio {
			t.Fatalf("running: %+v then %+v", early, late)
		}
		if a > 0 {
			ended := rules.Judge(quickClock(a), quickRule(), clockZero.Add(b))
			if ended.State != early.State || ended.Ratio != early.Ratio {
				t.Fatalf("ended after %s: %+v, while running it was %+v", a, ended, early)
			}
		}
	})
}
