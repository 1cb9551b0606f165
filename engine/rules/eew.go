package rules

import (
	"fmt"
	"strings"
	"time"

	"yagura/store/desk"
)

// EEWSettles is how long a line of early warnings must be silent to be thought final: a stream may simply stop (feeds.md 1.10).
const EEWSettles = 3 * time.Minute

// unsure reports an early warning that one station made, or whose hypocentre is assumed: it triggers nothing (the false M9 of
// 2016-08-01 was one). A public warning needs two stations, so VXSE43 is told aloud even when PLUM assumed its place.
func unsure(t *desk.Telegram) bool {
	return isEarlyWarning(t) && !t.Warning && (t.Assumed || t.EEW != nil && t.EEW.OneStation)
}

// newestEEW keeps of each line of early warnings the report with the highest Serial that holds, whatever order they arrived in:
// an older one says nothing any more.
func newestEEW(all []bulletin) []bulletin {
	best := map[string]bulletin{}
	for _, b := range all {
		if b.standing != holds || !isEarlyWarning(b.Telegram) {
			continue
		}
		key := b.Type + strings.Join(b.EventIDs, " ")
		if had, ok := best[key]; !ok || inLine(had, b) < 0 {
			best[key] = b
		}
	}
	var out []bulletin
	for _, b := range all { // in the order of all, so that the result never depends on the map
		if had, ok := best[b.Type+strings.Join(b.EventIDs, " ")]; ok && had.Telegram == b.Telegram {
			out = append(out, b)
		}
	}
	return out
}

// onlyUnsure reports that early warnings were seen and every newest one is unsure.
func onlyUnsure(all []bulletin) bool {
	newest := newestEEW(all)
	for _, b := range newest {
		if !unsure(b.Telegram) {
			return false
		}
	}
	return len(newest) > 0
}

// neverSure reports that an event consists of unsure early warnings and their retractions alone.
func neverSure(all []bulletin) bool {
	for _, b := range all {
		if b.Warning || b.Phase != desk.Cancelled && !unsure(b.Telegram) || !isEarlyWarning(b.Telegram) {
			return false
		}
	}
	return true
}

// EEWEnded reports whether nothing more is to be expected of an event's early warnings: a last report (NextAdvisory), a 取消, or
// three minutes of silence. ended is false while none was seen. The clock is the caller's.
func EEWEnded(telegrams []desk.Telegram, now time.Time) (ended bool, why string) {
	lines := map[string][]bulletin{}
	for _, b := range settle(telegrams) {
		if isEarlyWarning(b.Telegram) && b.Type != "VXSE43" { // the line of warnings never says that it ends, except by 取消
			key := strings.Join(b.EventIDs, " ")
			lines[key] = append(lines[key], b)
		}
	}
	last, any := lastEEW(telegrams)
	if !any {
		return false, ""
	}
	final := len(lines) > 0
	for _, line := range lines {
		done := false
		for _, b := range line {
			done = done || b.Final || b.Phase == desk.Cancelled
		}
		final = final && done
	}
	switch {
	case final:
		return true, "最終報です。"
	case !now.Before(last.Add(EEWSettles)):
		return true, "続報が3分ないため、終わったとみなします。"
	}
	return false, "続報を待っています。"
}

func lastEEW(telegrams []desk.Telegram) (last time.Time, any bool) {
	for i := range telegrams {
		if t := &telegrams[i]; isEarlyWarning(t) {
			any = true
			if t.ReceivedAt.After(last) {
				last = t.ReceivedAt
			}
		}
	}
	return last, any
}

// checkForecast says how the early warning was made, and whether more is to be expected. It is left out where none was seen.
func checkForecast(c *Case, all []bulletin) []desk.Check {
	newest := newestEEW(all)
	if len(newest) == 0 {
		return nil
	}
	plum, single, assumed, number := false, false, false, 0
	for _, b := range newest {
		assumed = assumed || b.Assumed
		number = max(number, b.serial)
		if b.EEW != nil {
			plum = plum || b.EEW.PLUM
			single = single || b.EEW.OneStation && !b.Assumed
		}
	}
	_, why := EEWEnded(c.Telegrams, c.New.ReceivedAt)
	var notes []string
	if single {
		notes = append(notes, "単独観測点の処理結果です。これだけでは何も送りません。")
	}
	if assumed {
		notes = append(notes, "仮定震源要素のため、震源と規模に意味はありません。")
	}
	if plum {
		notes = append(notes, "PLUM法による予測を含みます。")
	}
	result := desk.Passed
	if onlyUnsure(all) {
		result = desk.Undetermined
	}
	if len(notes) == 0 {
		notes = append(notes, "2点以上の観測による震源です。")
	}
	ck := check(desk.CheckForecast, result, "緊急地震速報は%s", strings.Join(notes, ""))
	ck.Detail = fmt.Sprintf("第%d報まで届いています。%s", number, why)
	return []desk.Check{ck}
}
