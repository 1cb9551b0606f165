package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"yagura/store/desk"
)

// MissileChecks runs every aid to judgement of a missile event and lists contradictions first. What forbids the one-key send: words of
// drill in a live notice, a part of a prefecture where only the whole can be asked, an area that a correction took out, a place nobody
// named (law 3).
func MissileChecks(c Case) []desk.Check {
	all := missileNotices(c.Telegrams)
	s := missileStateOf(all)
	checks := []desk.Check{
		missileMode(&c, all), missilePhase(&c, all, &s), missileKind(&s, all), missileAreas(&s), missileSources(all), checkClock(&c.New),
	}
	slices.SortStableFunc(checks, func(a, b desk.Check) int { return resultRank(a.Result) - resultRank(b.Result) })
	return checks
}

func missileMode(c *Case, all []*desk.Telegram) desk.Check {
	if c.New.Mode != desk.Live {
		return checkMode(c.New.Mode)
	}
	for _, n := range all {
		words := "「" + strings.Join(n.Missile.DrillWords, "」「") + "」"
		switch {
		case n.Missile.DeclaresDrill():
			return check(desk.CheckMode, desk.Contradicts, "本番として届きましたが、本文に%sとあります。訓練の可能性があるため、対象者は用意していません。", words)
		case len(n.Missile.DrillWords) > 0:
			return check(desk.CheckMode, desk.Contradicts, "本番として届きましたが、本文に%sの語があります。発信元に確かめてください。", words)
		}
	}
	return check(desk.CheckMode, desk.Passed, "本番の情報です。訓練・試験の語はありません。")
}

func missilePhase(c *Case, all []*desk.Telegram, s *missileState) desk.Check {
	const code = desk.CheckPhase
	changes := changesOf(all)
	var last *MissileChange
	if len(changes) > 0 {
		last = &changes[len(changes)-1]
	}
	switch {
	case s.standing == 0 && s.taken > 0:
		return check(code, desk.Contradicts, "この事象の情報は取り消されています（%d通）。", s.taken)
	case last != nil && (last.Target || c.New.Phase == desk.Cancelled):
		return desk.Check{Code: code, Result: desk.Contradicts, Text: last.Text, Detail: last.Detail()}
	case last != nil:
		return desk.Check{Code: code, Result: desk.Undetermined, Text: last.Text, Detail: last.Detail()}
	case c.New.Phase == desk.Delayed:
		return check(code, desk.Undetermined, "遅延として届きました。")
	}
	return check(code, desk.Passed, "発表です。取消・訂正はありません。")
}

// missileKind says whether anybody is concerned, and if not, why. // F3-1-o
func missileKind(s *missileState, all []*desk.Telegram) desk.Check {
	const code = desk.CheckMissile
	switch {
	case len(s.impact) > 0:
		return check(code, desk.Passed, "落下の情報です（%s）。%s", areaNames(s.impact), expected(all, desk.MissileImpact))
	case len(s.forecast) > 0:
		return check(code, desk.Passed, "落下の予測です（%s）。%s", areaNames(s.forecast), expected(all, desk.MissileForecast))
	}
	switch s.kind {
	case desk.MissileLaunch:
		return check(code, desk.Undetermined, "発射と避難の呼びかけです。落下の情報ではないため、安否確認の対象者は用意していません。")
	case desk.MissilePass:
		return check(code, desk.Undetermined, "通過の情報です。落下の情報ではないため、安否確認の対象者は用意していません。")
	case desk.MissileSeaFall:
		return check(code, desk.Undetermined, "領海の外に落下した情報です。安否確認の対象者は用意していません。")
	case desk.MissileLifted:
		return check(code, desk.Undetermined, "避難の呼びかけは解除されました。安否確認の対象者は用意していません。")
	case desk.MissileCorrected:
		return check(code, desk.Undetermined, "訂正により、落下・落下予測の地域はなくなっています。安否確認の対象者は用意していません。")
	case desk.MissileImpact, desk.MissileForecast:
		return check(code, desk.Contradicts, "落下または落下予測の情報ですが、都道府県が読み取れません。本文を見て対象を決めてください。")
	case desk.MissileAttack:
		return check(code, desk.Undetermined, "ミサイル以外の武力攻撃・テロの情報です。対象者は自動では用意しません。")
	case "":
		return check(code, desk.Undetermined, "有効な情報が残っていません。安否確認の対象者は用意していません。")
	}
	return check(code, desk.Undetermined, "種別の分からない情報です。本文を直接確かめてください。")
}

// expected is when it falls or fell, as the latest notice of the kind says.
func expected(all []*desk.Telegram, kind desk.MissileKind) string {
	for _, n := range slices.Backward(all) {
		if m := n.Missile; m.Kind == kind && !m.ExpectedAt.IsZero() {
			return fmt.Sprintf("時刻は%s頃とされています。", clock(m.ExpectedAt))
		}
	}
	return ""
}

// missileAreas speaks up where only a part of a prefecture is named: people are kept by prefecture, so the dispatch asks more than the
// notice meant. On 2022-10-04 such a widening reached all of Tokyo (feeds.md 4.5). A municipality where something fell is asked about by
// its prefecture, as the contract says (F3-1-o).
func missileAreas(s *missileState) desk.Check {
	const code = desk.CheckAreas
	concerned := together(s.impact, s.forecast)
	if len(concerned) == 0 {
		if len(s.called) == 0 {
			return check(code, desk.Undetermined, "対象地域は書かれていません。")
		}
		return check(code, desk.Passed, "避難の呼びかけは%sです。", areaNames(s.called))
	}
	if s.guessed {
		return check(code, desk.Contradicts, "場所が書かれていないため、避難を呼びかけた%sを対象にしています。", areaNames(concerned))
	}
	var islands, towns []string
	for _, p := range missilePrefectures(concerned) {
		parts := onlyParts(concerned, p)
		if len(parts) == 0 {
			continue
		}
		if slices.ContainsFunc(parts, func(part string) bool { return !isTown(desk.MissileArea{Prefecture: p, Part: part}) }) {
			islands = append(islands, fmt.Sprintf("%sは%sだけが対象です。", p.Name(), strings.Join(parts, "・")))
			continue
		}
		towns = append(towns, fmt.Sprintf("%sは%sが名指しされています。", p.Name(), strings.Join(parts, "・")))
	}
	switch {
	case len(islands) > 0:
		return check(code, desk.Contradicts, "%s送信の対象は都道府県全体に広がります。", strings.Join(append(islands, towns...), ""))
	case len(towns) > 0:
		return check(code, desk.Undetermined, "%s送信の対象は都道府県全体です。", strings.Join(towns, ""))
	}
	return check(code, desk.Passed, "対象は%sの全域です。", areaNames(concerned))
}

// isTown is a municipality of the mainland of its prefecture; an island or district apart from it is none.
func isTown(a desk.MissileArea) bool {
	if isIsland(a) || isIslands(a) || strings.Contains(a.Part, "諸島") || strings.Contains(a.Part, "離島") {
		return false
	}
	return strings.HasSuffix(a.Part, "市") || strings.HasSuffix(a.Part, "町") || strings.HasSuffix(a.Part, "村") || strings.HasSuffix(a.Part, "区")
}

// missileSources counts independent ways by which notices came. Em-Net read by a machine and typed in by hand is one.
func missileSources(all []*desk.Telegram) desk.Check {
	const code = desk.CheckSecondSource
	var names []string
	var first, last time.Time
	for _, n := range all {
		if name := missileSource(n); !slices.Contains(names, name) && n.Phase != desk.Cancelled {
			names = append(names, name)
			if first.IsZero() {
				first = n.ReceivedAt
			}
			last = n.ReceivedAt
		}
	}
	if len(names) < 2 {
		return check(code, desk.Undetermined, "情報源は%sだけです。別の経路（内閣官房・消防庁への電話、放送）で確かめてください。", strings.Join(names, ""))
	}
	return check(code, desk.Passed, "%sの%d系統で届いています（間隔%s）。", strings.Join(names, "・"), len(names), span(last.Sub(first).Abs()))
}

func missileSource(t *desk.Telegram) string {
	low := strings.ToLower(t.Office)
	switch {
	case t.Type == "EMNET", strings.Contains(low, "エムネット"), strings.Contains(low, "em-net"), strings.Contains(low, "emnet"), strings.Contains(t.Office, "Ｅｍ"):
		return "エムネット"
	case t.Type == "EDXL" && t.Office == "":
		return "Lアラート"
	}
	return firstText(desk.CleanText(t.Office, false), t.Feed, "不明")
}
