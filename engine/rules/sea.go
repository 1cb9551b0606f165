package rules

import (
	"slices"
	"strings"
	"time"

	"yagura/store/desk"
)

// forecasts are the tsunami forecasts of an event that hold, oldest first: VTSE41 where there is one, else what VTSE51 repeats. 40 and
// 50 are their former shape; a source that still sends it must not be heard less.
func forecasts(all []bulletin) []bulletin {
	for _, kinds := range [][2]string{{"VTSE41", "VTSE40"}, {"VTSE51", "VTSE50"}} {
		var out []bulletin
		for _, b := range all {
			if (b.Type == kinds[0] || b.Type == kinds[1]) && b.standing == holds && len(b.Tsunami) > 0 {
				out = append(out, b)
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// vanished lists areas that stood under an advisory or a warning and are missing from a later forecast without a lifting code.
// JMA states such areas in full and lifts them in words (feeds.md 1.9), so the omission is a fault somewhere. An area that is
// named again is forgiven.
func vanished(all []bulletin) []desk.TsunamiArea {
	missing := map[string]desk.TsunamiArea{}
	standing := map[string]desk.TsunamiArea{}
	for _, b := range forecasts(all) {
		named := map[string]bool{}
		for _, a := range b.Tsunami {
			named[a.Code] = true
			delete(missing, a.Code)
			delete(standing, a.Code)
		}
		for code, a := range standing {
			missing[code] = a
		}
		for _, a := range b.Tsunami {
			if tsunamiRank(a.Grade) >= tsunamiRank(desk.TsunamiAdvisory) {
				standing[a.Code] = a
			}
		}
	}
	out := make([]desk.TsunamiArea, 0, len(missing))
	for _, a := range missing {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b desk.TsunamiArea) int { return strings.Compare(a.Code, b.Code) })
	return out
}

// Settled says when the tsunami of an event is over: at once when everything is lifted, at ValidDateTime when only 若干の海面変動
// is left, which has no lifting telegram (feeds.md 1.9). at is zero when no end is known. The clock is the caller's.
func Settled(telegrams []desk.Telegram, now time.Time) (settled bool, at time.Time) {
	list := forecasts(settle(telegrams))
	if len(list) == 0 {
		return true, time.Time{}
	}
	last := list[len(list)-1]
	highest := 0
	for _, a := range last.Tsunami {
		highest = max(highest, tsunamiRank(a.Grade))
	}
	switch {
	case highest == 0:
		return true, last.PressTime
	case highest <= tsunamiRank(desk.TsunamiSlight) && !last.ValidUntil.IsZero():
		return !now.Before(last.ValidUntil), last.ValidUntil
	}
	return false, time.Time{}
}

// checkTsunami is left out where no tsunami was spoken of.
func checkTsunami(c *Case, all []bulletin) []desk.Check {
	const code = desk.CheckTsunami
	if len(forecasts(all)) == 0 {
		return nil
	}
	if gone := vanished(all); len(gone) > 0 {
		names, result := make([]string, 0, len(gone)), desk.Undetermined
		for _, a := range gone {
			names = append(names, a.Name+"（"+firstText(tsunamiText(a.Grade), "津波")+"）")
			if tsunamiRank(a.Grade) >= tsunamiRank(desk.TsunamiWarning) {
				result = desk.Contradicts
			}
		}
		return []desk.Check{check(code, result, "解除されないまま電文から消えた津波予報区があります: %s。気象庁の発表を確かめてください。", someNames(names))}
	}
	settled, at := Settled(c.Telegrams, c.New.ReceivedAt)
	switch {
	case settled:
		return []desk.Check{check(code, desk.Passed, "津波の警報・注意報はすべて解除されています。")}
	case !at.IsZero():
		return []desk.Check{check(code, desk.Passed, "若干の海面変動の予報だけで、%sに終わります。", clockDay(at))}
	}
	return []desk.Check{check(code, desk.Passed, "%s。消えた予報区はありません。", tsunamiAreas(forecasts(all)))}
}

// tsunamiAreas names the areas of each grade in force, the highest first.
func tsunamiAreas(list []bulletin) string {
	var parts []string
	for _, grade := range []desk.TsunamiGrade{desk.TsunamiMajorWarning, desk.TsunamiWarning, desk.TsunamiAdvisory} {
		var names []string
		for _, a := range list[len(list)-1].Tsunami {
			if a.Grade == grade {
				names = append(names, a.Name)
			}
		}
		if len(names) > 0 {
			parts = append(parts, tsunamiText(grade)+"は"+someNames(names))
		}
	}
	return firstText(strings.Join(parts, "、"), "津波予報区は続けて発表されています")
}

// someNames lists at most five, then says how many.
func someNames(names []string) string {
	if len(names) > 5 {
		return strings.Join(names[:5], "・") + "など" + countText(len(names)) + "か所"
	}
	return strings.Join(names, "・")
}
