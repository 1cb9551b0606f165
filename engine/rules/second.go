package rules

import (
	"fmt"
	"slices"
	"time"

	"yagura/store/desk"
)

// Types of the free second path (feeds.md 3.2). It has no EventID and drops retractions, so it may confirm a shaking and
// nothing else: it never opens, raises or retracts an event.
const (
	secondQuake   = "P2P551"
	secondTsunami = "P2P552"
	secondSound   = "P2P554"
	secondWarning = "P2P556"
)

// SecondTypes are the types to be looked for with the store's ReadingsNear.
func SecondTypes() []string { return []string{secondQuake, secondTsunami, secondWarning} }

// SecondSpan is how far apart the times of one shaking may be told by two sources; SecondLate how long after it the second
// source still reports.
const (
	SecondSpan = 3 * time.Minute
	SecondLate = 30 * time.Minute
)

// IsSecondSource recognises telegrams that are evidence alone.
func IsSecondSource(t desk.Telegram) bool { return isSecondType(t.Type) }

func isSecondType(kind string) bool {
	switch kind {
	case secondQuake, secondTsunami, secondSound, secondWarning:
		return true
	}
	return false
}

// Confirms reports whether a telegram of the second source speaks of an event: near in time, and not of another place.
func Confirms(second desk.Telegram, e desk.Event) bool {
	told := second.Type == secondQuake || second.Type == secondWarning && second.Warning // a cancelled warning tells nothing
	if !told || second.Mode != e.Mode || e.Hazard != desk.Earthquake {
		return false
	}
	if OccurredAt(&second).Sub(e.OccurredAt).Abs() > SecondSpan || second.PressTime.After(e.OccurredAt.Add(SecondLate)) {
		return false
	}
	if km, ok := distanceKM(firstHypocenter(&second), e.Hypocenter); ok {
		return km <= sameRegionKM
	}
	if len(second.Prefectures) == 0 || len(e.Prefectures) == 0 {
		return true
	}
	return slices.ContainsFunc(second.Prefectures, func(p desk.PrefectureIntensity) bool {
		return slices.ContainsFunc(e.Prefectures, func(q desk.PrefectureIntensity) bool { return p.Code == q.Code })
	})
}

const farClasses = 2 // so many classes apart are more than a report that is not complete yet

// checkSecond holds what the second source said against the event. Silence says nothing: the path is free and without promise.
func checkSecond(c *Case) desk.Check {
	const code = desk.CheckSecondSource
	quake, warning := latestSecond(c, secondQuake), latestSecond(c, secondWarning)
	felt := c.Event.MaxIntensity
	switch {
	case quake == nil && warning == nil:
		return check(code, desk.Undetermined, "別経路の情報はまだありません。")
	case quake == nil && c.Event.EEWWarning && felt == desk.IntensityUnknown:
		return check(code, desk.Passed, "P2PQuake も %s に緊急地震速報（警報）を伝えています。", clock(warning.PressTime))
	case quake == nil:
		return check(code, desk.Undetermined, "P2PQuake が %s に伝えたのは緊急地震速報（警報）だけで、震度はまだです。", clock(warning.PressTime))
	}
	ck := secondIntensity(c, quake)
	ck.Detail = secondAge(c, quake)
	return ck
}

func secondIntensity(c *Case, quake *desk.Telegram) desk.Check {
	const code = desk.CheckSecondSource
	felt, told := c.Event.MaxIntensity, quake.MaxIntensity
	at := clock(quake.PressTime)
	switch {
	case told == desk.IntensityUnknown:
		return check(code, desk.Undetermined, "P2PQuake は %s に地震を伝えていますが、震度はありません。", at)
	case felt == desk.IntensityUnknown:
		return check(code, desk.Undetermined, "P2PQuake は %s に最大震度%sを伝えています。気象庁の震度はまだありません。", at, told.Japanese())
	case classesApart(felt, told) < farClasses:
		return check(code, desk.Passed, "P2PQuake も %s に最大震度%sを伝えています。", at, told.Japanese())
	case quake.PressTime.Before(c.New.PressTime.Add(-time.Minute)):
		return check(code, desk.Undetermined, "P2PQuake が %s に伝えたのは最大震度%sです（この事象は%s）。続報を待っています。", at, told.Japanese(), felt.Japanese())
	}
	return check(code, desk.Contradicts, "P2PQuake が %s に伝えた最大震度は%sで、この事象の%sと大きく違います。", at, told.Japanese(), felt.Japanese())
}

func classesApart(a, b desk.Intensity) int {
	if a > b {
		return int(a - b)
	}
	return int(b - a)
}

func secondAge(c *Case, t *desk.Telegram) string {
	text := fmt.Sprintf("%s（震源時 %s）。", firstText(t.Title, t.Type), clock(OccurredAt(t)))
	if lag := t.ReceivedAt.Sub(t.PressTime); !t.ReceivedAt.IsZero() && !t.PressTime.IsZero() && lag >= 0 && lag < time.Hour {
		text += fmt.Sprintf("発表から%sで届きました。", span(lag))
	}
	if n := countSecond(c); n > 1 {
		text += fmt.Sprintf("別経路の情報は%d通です。", n)
	}
	return text
}

func countSecond(c *Case) (n int) {
	for i := range c.Second {
		if Confirms(c.Second[i], c.Event) {
			n++
		}
	}
	return n
}

// latestSecond is the newest telegram of a type that speaks of the event; of two events near each other the time decides.
func latestSecond(c *Case, kind string) *desk.Telegram {
	var best *desk.Telegram
	for i := range c.Second {
		t := &c.Second[i]
		if t.Type != kind || !Confirms(*t, c.Event) {
			continue
		}
		if best == nil {
			best = t
			continue
		}
		gap, bestGap := minuteGap(t, &c.Event), minuteGap(best, &c.Event)
		if gap < bestGap || gap == bestGap && (t.PressTime.After(best.PressTime) || t.PressTime.Equal(best.PressTime) && t.MaxIntensity > best.MaxIntensity) {
			best = t
		}
	}
	return best
}

// minuteGap compares in whole minutes, as finely as the second source tells its times.
func minuteGap(t *desk.Telegram, e *desk.Event) time.Duration {
	return OccurredAt(t).Sub(e.OccurredAt).Abs().Truncate(time.Minute)
}

// Attest gives an advice anew when the second source has spoken: its check alone is replaced, everything else stands. changed is
// false when it says what was known.
func Attest(a desk.Advice, c Case) (again desk.Advice, changed bool) {
	ck := checkSecond(&c)
	i := slices.IndexFunc(a.Checks, func(k desk.Check) bool { return k.Code == desk.CheckSecondSource })
	if i < 0 || a.Checks[i].Result == ck.Result && a.Checks[i].Text == ck.Text {
		return a, false
	}
	a.Checks = slices.Clone(a.Checks)
	a.Checks[i] = ck
	slices.SortStableFunc(a.Checks, func(x, y desk.Check) int { return resultRank(x.Result) - resultRank(y.Result) })
	return a, true
}

// SecondContradicts reports whether the second source speaks against the event.
func SecondContradicts(a desk.Advice) bool {
	return slices.ContainsFunc(a.Checks, func(k desk.Check) bool {
		return k.Code == desk.CheckSecondSource && k.Result == desk.Contradicts
	})
}
