package rules

import (
	"slices"
	"strings"
	"time"

	"yagura/store/desk"
)

// MissileChange is what a 訂正 or 取消 changed: the areas in force before and after it. // F3-1-o
type MissileChange struct {
	Telegram desk.TelegramID
	Phase    desk.Phase
	At       time.Time
	Before   []desk.MissileArea
	After    []desk.MissileArea
	Removed  []desk.MissileArea
	Added    []desk.MissileArea
	Target   bool   // the prefectures to be asked changed: whoever was asked already must be told
	Text     string // one plain Japanese sentence
}

// MissileChanges lists the corrections and withdrawals of an event, oldest first.
func MissileChanges(telegrams []desk.Telegram) []MissileChange {
	return changesOf(missileNotices(telegrams))
}

func changesOf(all []*desk.Telegram) []MissileChange {
	var out []MissileChange
	for i, n := range all {
		if n.Phase != desk.Corrected && n.Phase != desk.Cancelled {
			continue
		}
		before, after := missileStateOf(all[:i]), missileStateOf(all[:i+1])
		c := MissileChange{Telegram: n.ID, Phase: n.Phase, At: missileTime(n), Before: before.areas(), After: after.areas()}
		c.Removed, c.Added = outside(c.Before, c.After), outside(c.After, c.Before)
		c.Target = !slices.Equal(before.triggered(), after.triggered())
		c.Text = changeText(&c, &before, &after)
		out = append(out, c)
	}
	return out
}

// areas are all areas in force, of whatever kind.
func (s *missileState) areas() []desk.MissileArea {
	return together(s.called, together(s.forecast, s.impact))
}

func changeText(c *MissileChange, before, after *missileState) string {
	word := clock(c.At) + "の" + c.Phase.Japanese() + "で、"
	var parts []string
	if len(c.Removed) > 0 {
		parts = append(parts, areaNames(c.Removed)+"が対象から外れました")
	}
	if len(c.Added) > 0 {
		parts = append(parts, areaNames(c.Added)+"が加わりました")
	}
	if c.Target && len(parts) == 0 {
		parts = append(parts, "落下・落下予測の地域が"+orNone(areaNames(together(before.impact, before.forecast)))+"から"+
			orNone(areaNames(together(after.impact, after.forecast)))+"に変わりました")
	}
	if len(parts) == 0 {
		return word + "対象地域は変わりません。内容を見比べてください。"
	}
	return word + strings.Join(parts, "、") + "。"
}

func orNone(s string) string {
	if s == "" {
		return "なし"
	}
	return s
}

// Detail is the areas before and after, for the evidence pane.
func (c *MissileChange) Detail() string {
	return "前: " + orNone(allNames(c.Before)) + " / 後: " + orNone(allNames(c.After))
}

func allNames(areas []desk.MissileArea) string {
	names := make([]string, 0, len(areas))
	for _, a := range areas {
		names = append(names, a.Name())
	}
	return strings.Join(names, "・")
}

// Draft is a 訂正 to those who were asked already: what was said, what holds now. A person reads and sends it (law 2).
func (c *MissileChange) Draft() (subject, body string) {
	word := "訂正"
	if c.Phase == desk.Cancelled {
		word = "取消"
	}
	subject = "【" + word + "】ミサイルに関する安否確認について"
	lines := []string{
		"先にお送りした安否確認の元になった情報が、" + clock(c.At) + "に" + word + "されました。", "",
		"前の対象地域: " + orNone(allNames(c.Before)), "今の対象地域: " + orNone(allNames(c.After)),
	}
	if len(c.Removed) > 0 {
		lines = append(lines, "対象から外れた地域: "+allNames(c.Removed))
	}
	lines = append(lines, "", "すでに回答された方は、あらためて回答する必要はありません。")
	return subject, strings.Join(lines, "\n")
}
