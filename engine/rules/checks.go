package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"yagura/store/desk"
)

// Case is what the checks look at: the event as folded, all its telegrams with the one that occasioned the advice among them,
// and bulletins of other events of the last day. The clock of a case is New.ReceivedAt, so that a replay is judged in its own time.
type Case struct {
	Event     desk.Event
	Telegrams []desk.Telegram
	New       desk.Telegram
	Earlier   []desk.Telegram // 震度速報 and 震源・震度情報 of other events within RepeatWindow
	Second    []desk.Telegram // what the second source said near the event's time (SecondTypes)
	EEWHeard  bool            // an EEW, or its line test VXSE42, came by any path within EEWSilence before New: the path is alive
}

// EEWSilence is how long the path of early warnings may be silent and still be believed: its line test comes every hour.
const EEWSilence = 24 * time.Hour

// Checks runs every aid to judgement and lists contradictions first, then what is not known, then what speaks for genuine.
// Each says what was found in one plain sentence with its figures; none of them decides (law 3).
func Checks(c Case) []desk.Check {
	all := settle(c.Telegrams)
	checks := []desk.Check{checkMode(c.New.Mode), checkPhase(&c, all)}
	switch {
	case c.Event.Hazard == desk.Missile:
		checks = merged(checks, MissileChecks(c))
	case c.Event.Hazard == desk.Earthquake && !isGiant(all):
		checks = append(
			checks, checkEEW(&c, all), checkRepeat(&c, all), checkAreas(&c), checkStations(&c, all),
			checkPlausible(&c), checkComment(&c, all), checkSecond(&c))
		checks = append(checks, checkForecast(&c, all)...)
		checks = append(checks, checkTsunami(&c, all)...)
	}
	checks = append(checks, checkReach(&c.Event, all)...)
	checks = append(checks, checkHazard(all)...)
	checks = append(checks, checkSameKey(c.Telegrams)...)
	if c.Event.Hazard != desk.Missile || !slices.ContainsFunc(checks, func(k desk.Check) bool { return k.Code == desk.CheckClock }) {
		checks = append(checks, checkClock(&c.New))
	}
	slices.SortStableFunc(checks, func(a, b desk.Check) int { return resultRank(a.Result) - resultRank(b.Result) })
	return checks
}

// merged adds checks; one of the same code replaces the earlier.
func merged(checks, more []desk.Check) []desk.Check {
	for _, m := range more {
		if i := slices.IndexFunc(checks, func(c desk.Check) bool { return c.Code == m.Code }); i >= 0 {
			checks[i] = m
			continue
		}
		checks = append(checks, m)
	}
	return checks
}

func resultRank(r desk.Result) int {
	switch r {
	case desk.Contradicts:
		return 0
	case desk.Undetermined:
		return 1
	}
	return 2
}

func check(code desk.CheckCode, r desk.Result, format string, args ...any) desk.Check {
	return desk.Check{Code: code, Result: r, Text: fmt.Sprintf(format, args...)}
}

// checkMode: anything but 通常 is not a real happening (feeds.md 1.1), also where a drill is judged on purpose.
func checkMode(m desk.Mode) desk.Check {
	switch m {
	case desk.Live:
		return check(desk.CheckMode, desk.Passed, "運用種別は通常です。")
	case desk.Drill:
		return check(desk.CheckMode, desk.Contradicts, "訓練の電文です。実際の災害ではありません。")
	case desk.Test:
		return check(desk.CheckMode, desk.Contradicts, "試験の電文です。実際の災害ではありません。")
	}
	return check(desk.CheckMode, desk.Contradicts, "運用種別が分からない電文です。")
}

func checkPhase(c *Case, all []bulletin) desk.Check {
	const code = desk.CheckPhase
	cancelled := 0
	for _, b := range all {
		if b.standing == retracts {
			cancelled++
		}
	}
	name := firstText(strings.TrimSuffix(c.New.Title, "a"), "電文") // 津波情報a: the letter is the format's
	switch {
	case c.New.Phase == desk.Cancelled:
		ck := check(code, desk.Contradicts, "%sの%sが%sに取り消されました。", clock(c.Event.OccurredAt), name, clock(c.New.PressTime))
		ck.Detail = desk.CleanText(firstText(c.New.Text, c.New.Headline), false)
		return ck
	case c.Event.Status == desk.EventRetracted:
		return check(code, desk.Contradicts, "この事象の情報は取り消されています（取消%d通）。", cancelled)
	case cancelled > 0:
		return check(code, desk.Undetermined, "取消が%d通ありましたが、取り消されていない情報が残っています。内容を見比べてください。", cancelled)
	case c.New.Phase == desk.Corrected:
		return check(code, desk.Undetermined, "%sの訂正です（%s）。前の内容と見比べてください。", name, clock(c.New.PressTime))
	case c.New.Phase == desk.Delayed:
		return check(code, desk.Undetermined, "%sは遅延として届きました（%s）。", name, clock(c.New.PressTime))
	}
	return check(code, desk.Passed, "%sは発表です（%s）。取消・訂正はありません。", name, clock(c.New.PressTime))
}

// checkEEW: a shaking of 5弱 or more without an EEW before it is what made JMA's own staff suspicious on 2024-01-01 (field.md 0-2).
func checkEEW(c *Case, all []bulletin) desk.Check {
	const code = desk.CheckEEW
	var first *bulletin
	cancelled := false
	for i := range all {
		if !isEarlyWarning(all[i].Telegram) {
			continue
		}
		if all[i].standing == retracts {
			cancelled = true
		}
		if first == nil && (all[i].standing == holds || all[i].standing == replaced) {
			first = &all[i]
		}
	}
	felt := c.Event.MaxIntensity
	switch {
	case first != nil:
		return check(code, desk.Passed, "緊急地震速報（%s）が%sに出ています（%s）。", warningWord(c.Event.EEWWarning),
			clockSeconds(first.PressTime), firstText(forecastText(&c.Event), "予測震度なし"))
	case felt >= desk.Intensity5Lower && cancelled:
		return check(code, desk.Contradicts, "緊急地震速報は取り消されています（観測は震度%s）。", felt.Japanese())
	case felt >= desk.Intensity5Lower && !c.EEWHeard:
		// A feed that carries no EEW at all (the public one) would make every shaking look false, and the word contradiction cheap.
		return check(code, desk.Undetermined, "緊急地震速報はどの経路からも24時間届いておらず、出たかどうか分かりません。")
	case felt >= desk.Intensity5Lower:
		return check(code, desk.Contradicts, "緊急地震速報なし（震度%sの揺れの前に届いていません）。", felt.Japanese())
	case felt > desk.IntensityUnknown:
		return check(code, desk.Undetermined, "緊急地震速報はありません。震度%sでは出ないことがあります。", felt.Japanese())
	}
	return check(code, desk.Undetermined, "緊急地震速報も震度の観測もまだありません。")
}

func warningWord(warning bool) string {
	if warning {
		return "警報"
	}
	return "予報"
}

const (
	repeatAreas     = 10  // smaller sets coincide among real aftershocks of one place; the false bulletin named far more
	repeatShare     = 0.9 // Jaccard share of equal (area, intensity) pairs
	repeatWide      = 30  // no two real shocks agree in so many areas even roughly,
	repeatWideShare = 0.8 // so that a list amended in a few places is still recognised
)

// checkRepeat compares sets of (area, intensity) of 3 and over: the false 23:05 bulletin of 2024-01-01 carried the content of 16:10.
func checkRepeat(c *Case, all []bulletin) desk.Check {
	const code = desk.CheckRepeat
	var now, like *desk.Telegram
	most, best := 0, 0.0
	for _, b := range all {
		if b.standing != holds || b.Type != "VXSE51" && b.Type != "VXSE53" {
			continue
		}
		mine := feltAreas(b.Areas)
		most = max(most, len(mine))
		for i := range c.Earlier {
			old := &c.Earlier[i]
			if share := sameShare(mine, feltAreas(old.Areas)); isRepeat(len(mine), share) && share > best && isPriorOfOther(b.Telegram, old) {
				now, like, best = b.Telegram, old, share
			}
		}
	}
	switch {
	case like != nil:
		ck := check(code, desk.Contradicts, "%sの電文と同一内容です（%d都道府県 %d地域、一致%.0f％）。",
			clock(OccurredAt(like)), feltPrefectures(now.Prefectures), len(feltAreas(now.Areas)), best*100)
		ck.Detail = fmt.Sprintf("%sの%s（%s発表）と比べました。", clock(OccurredAt(like)), like.Title, clockSeconds(like.PressTime))
		return ck
	case most == 0:
		return check(code, desk.Undetermined, "過去の電文と比べられる震度の情報がまだありません。")
	case most < repeatAreas:
		return check(code, desk.Undetermined, "震度3以上の地域が%dか所と少ないため、過去の電文との一致は判断できません。", most)
	}
	return check(code, desk.Passed, "過去24時間の電文に同じ内容のものはありません（%d地域、比較%d通）。", most, len(c.Earlier))
}

func isRepeat(areas int, share float64) bool {
	return areas >= repeatAreas && share >= repeatShare || areas >= repeatWide && share >= repeatWideShare
}

// MayRepeat says whether the bulletins of another event are worth reading for the repeat check of an event, judged by the
// folded areas alone. It never says no where the check would find a repeat among bulletins that still hold.
func MayRepeat(e, other desk.Event) bool {
	if e.ID == other.ID && e.ID != 0 || e.Mode != other.Mode {
		return false
	}
	mine, theirs := feltAreas(e.Areas), feltAreas(other.Areas)
	return len(mine) >= repeatAreas && len(theirs) >= repeatAreas && overlapShare(mine, theirs) >= 0.5
}

func isPriorOfOther(now, old *desk.Telegram) bool {
	return old.Mode == now.Mode && (old.Type == "VXSE51" || old.Type == "VXSE53") && old.Phase != desk.Cancelled &&
		old.PressTime.Before(now.PressTime) && now.PressTime.Sub(old.PressTime) <= RepeatWindow && !shareID(now.EventIDs, old.EventIDs)
}

// sameShare is the Jaccard share of two sets of (area, intensity).
func sameShare(a, b map[string]desk.Intensity) float64 {
	same := 0
	for code, i := range a {
		if b[code] == i {
			same++
		}
	}
	if union := len(a) + len(b) - same; union > 0 {
		return float64(same) / float64(union)
	}
	return 0
}

func feltPrefectures(list []desk.PrefectureIntensity) int {
	n := 0
	for _, p := range list {
		if p.Intensity >= desk.Intensity3 {
			n++
		}
	}
	return n
}

const (
	clockAhead = 30 * time.Second
	clockLate  = 15 * time.Minute
)

// checkClock holds the telegram's own times against the receiving clock.
func checkClock(t *desk.Telegram) desk.Check {
	const code = desk.CheckClock
	if t.PressTime.IsZero() || t.ReceivedAt.IsZero() {
		return check(code, desk.Undetermined, "電文の発表時刻が分かりません。")
	}
	age := t.ReceivedAt.Sub(t.PressTime)
	switch {
	case age < -clockAhead:
		return check(code, desk.Contradicts, "発表時刻%sが受信時刻%sより%s先です。", clockSeconds(t.PressTime), clockSeconds(t.ReceivedAt), span(-age))
	case age > clockLate:
		return check(code, desk.Contradicts, "発表時刻%sから%s過ぎて届きました（受信%s）。", clockSeconds(t.PressTime), span(age), clockSeconds(t.ReceivedAt))
	}
	if t.Type == "VXSE51" && !t.TargetTime.IsZero() {
		switch lag := t.PressTime.Sub(t.TargetTime); {
		case lag < -clockAhead:
			return check(code, desk.Contradicts, "揺れの時刻%sが発表時刻%sより後です。", clock(t.TargetTime), clockSeconds(t.PressTime))
		case lag > clockLate:
			return check(code, desk.Contradicts, "揺れの時刻%sから%s過ぎて発表されました。", clock(t.TargetTime), span(lag))
		}
	}
	return check(code, desk.Passed, "発表%s、受信%sで時刻に矛盾はありません。", clockSeconds(t.PressTime), clockSeconds(t.ReceivedAt))
}

func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d秒", int(d/time.Second))
	case d < time.Hour:
		return fmt.Sprintf("%d分", int(d/time.Minute))
	case d < 72*time.Hour:
		return fmt.Sprintf("%d時間%02d分", int(d/time.Hour), int(d/time.Minute)%60)
	}
	return fmt.Sprintf("%d日", int(d/(24*time.Hour)))
}

// strongCodes are the comment codes by which JMA says that an EEW's shaking stayed small (codes/s62).
var strongCodes = map[string]string{
	"0242": "最大震度は2", "0243": "最大震度は1", "0244": "揺れは観測されていない", "0245": "強い揺れは観測されていない",
}

func checkComment(c *Case, all []bulletin) desk.Check {
	const code = desk.CheckComment
	seen := false
	var said []string
	for _, b := range all {
		if b.standing != holds || len(b.Comments) == 0 {
			continue
		}
		seen = true
		for _, k := range []string{"0242", "0243", "0244", "0245"} {
			if text := strongCodes[k]; b.HasComment(k) && !slices.Contains(said, text) {
				said = append(said, text)
			}
		}
	}
	switch {
	case len(said) > 0 && c.Event.MaxIntensity >= desk.Intensity5Lower:
		return check(code, desk.Contradicts, "気象庁の付加文は「%s」で、震度%sと合いません。", strings.Join(said, "・"), c.Event.MaxIntensity.Japanese())
	case len(said) > 0:
		return check(code, desk.Undetermined, "気象庁の付加文は「%s」です。", strings.Join(said, "・"))
	case !seen:
		return check(code, desk.Undetermined, "気象庁の付加文はまだありません。")
	}
	return check(code, desk.Passed, "気象庁の付加文に、揺れを否定するものはありません。")
}
