package rules

import (
	"time"

	"yagura/store/desk"
)

// Judge measures a clock by a rule. It counts while the mailing still runs, so that a breach is seen when it happens and not
// when the last mail has gone. A mailing that was stopped, that nobody was to get, or
// of which no beginning is known, is in order. // P5-6
func Judge(c desk.StageClock, r desk.ClockRule, now time.Time) desk.ClockVerdict {
	v := desk.ClockVerdict{State: desk.ClockOK}
	var start time.Time
	if v.Since, start = begins(c, r.From); start.IsZero() || r.Limit <= 0 || c.Finished && c.Mails == 0 {
		return v
	}
	end := ends(c, r.Until)
	if v.Running = end.IsZero(); v.Running {
		if c.Stopped {
			v.Running = false
			return v
		}
		end = now
	}
	v.Elapsed = max(0, end.Sub(start))
	v.Ratio = float64(v.Elapsed) / float64(r.Limit)
	switch {
	case r.Breach > 0 && v.Ratio >= r.Breach:
		v.State = desk.ClockBreach
	case v.Ratio >= r.Warn:
		v.State = desk.ClockWarn
	}
	return v
}

// begins finds where the limit counts from: the rule's stage, or the next one that is known. An update or correction is
// counted from its own issue at the earliest: the happening may be hours old.
func begins(c desk.StageClock, from desk.ClockStage) (desk.ClockStage, time.Time) {
	if c.Renewal && from == desk.StageOccurred {
		from = desk.StageIssued
	}
	reached := false
	for _, s := range desk.ClockStages() {
		reached = reached || s == from
		if at := c.At(s); reached && !at.IsZero() {
			return s, at
		}
	}
	return from, time.Time{}
}

// ends is the moment of the target stage; zero while it has not come. Where every mail was refused there is nobody left to
// wait for: the queueing ends the clock.
func ends(c desk.StageClock, until desk.ClockStage) time.Time {
	switch {
	case until == desk.StageFirstAccepted && !c.FirstAccepted.IsZero():
		return c.FirstAccepted
	case !c.Finished:
		return time.Time{}
	case c.LastAccepted.IsZero():
		return c.QueuedAt
	}
	return c.LastAccepted
}

// Worst measures a clock by every rule of its clause and gives the worst verdict with its rule; ok is false when no rule is meant.
func Worst(c desk.StageClock, all []desk.ClockRule, now time.Time) (v desk.ClockVerdict, r desk.ClockRule, ok bool) {
	weight := map[desk.ClockState]int{desk.ClockOK: 0, desk.ClockWarn: 1, desk.ClockBreach: 2}
	for _, rule := range all {
		if rule.Clause != c.Clause {
			continue
		}
		found := Judge(c, rule, now)
		if !ok || weight[found.State] > weight[v.State] || weight[found.State] == weight[v.State] && found.Ratio > v.Ratio {
			v, r, ok = found, rule, true
		}
	}
	return v, r, ok
}

// Owed finds the worst rule under which a breach record is owed: a real mailing beyond its limit. A drill owes nobody a report (law 4).
func Owed(c desk.StageClock, all []desk.ClockRule, now time.Time) (v desk.ClockVerdict, r desk.ClockRule, ok bool) {
	if c.Mode != desk.Live {
		return v, r, false
	}
	for _, rule := range all {
		if rule.Clause != c.Clause || rule.Breach == 0 {
			continue
		}
		if found := Judge(c, rule, now); found.State == desk.ClockBreach && found.Ratio > v.Ratio {
			v, r, ok = found, rule, true
		}
	}
	return v, r, ok
}

// Longest is the step that took most of the time between the beginning and the end of a clock, counted to now where it still
// lasts: the first thing to look at when the cause is written.
func Longest(c desk.StageClock, from desk.ClockStage, now time.Time) (a, b desk.ClockStage, took time.Duration) {
	since, at := begins(c, from)
	if at.IsZero() {
		return since, since, 0
	}
	reached := false
	previous, a, b := since, since, since
	for _, s := range desk.ClockStages() {
		reached = reached || s == since
		next := c.At(s)
		if s == desk.StageLastAccepted && !c.Finished {
			next = now
		}
		if !reached || s == since || next.IsZero() {
			continue
		}
		if d := next.Sub(at); d > took {
			a, b, took = previous, s, d
		}
		previous, at = s, next
	}
	return a, b, took
}
