package ui

import (
	"fmt"
	"strconv"
	"time"

	"yagura/store/desk"
)

// Lang is the language of the labels: plain Japanese first, English too.
type Lang uint8

const (
	JA Lang = iota
	EN
)

// Text is a label in both languages. What the rules and the store say stays Japanese.
type Text struct{ JA, EN string }

// T picks the label.
func (l Lang) T(t Text) string {
	if l == EN && t.EN != "" {
		return t.EN
	}
	return t.JA
}

// F picks the label as a format and fills it.
func (l Lang) F(t Text, args ...any) string { return fmt.Sprintf(l.T(t), args...) }

// When shows a time of the world in JST as short as it stays clear: "16:10" today, "01-01 16:10" this year, else with the year.
func When(t, now time.Time) string {
	if t.IsZero() {
		return "--:--"
	}
	t, now = t.In(desk.JST), now.In(desk.JST)
	switch {
	case t.Year() != now.Year():
		return t.Format("2006-01-02 15:04")
	case t.YearDay() != now.YearDay():
		return t.Format("01-02 15:04")
	}
	return t.Format("15:04")
}

// Clock shows a time of day in JST to the second.
func Clock(t time.Time) string {
	if t.IsZero() {
		return "--:--:--"
	}
	return t.In(desk.JST).Format("15:04:05")
}

// Elapsed shows a length of time in the two units that matter, e.g. "1時間20分", "45秒". Negative is taken as zero.
func (l Lang) Elapsed(d time.Duration) string {
	d = max(0, d).Round(time.Second)
	s := int(d / time.Second)
	switch {
	case s < 60:
		return l.F(Text{"%d秒", "%ds"}, s)
	case s < 3600:
		return l.F(Text{"%d分%02d秒", "%dm%02ds"}, s/60, s%60)
	case s < 86400:
		return l.F(Text{"%d時間%02d分", "%dh%02dm"}, s/3600, s/60%60)
	}
	return l.F(Text{"%d日%d時間", "%dd%dh"}, s/86400, s/3600%24)
}

// Count writes a number with thousands separators: 11,500.
func Count(n int) string {
	s := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Percent is a of b in whole per cent, rounded down so that 100 % means all; 0 when b is 0.
func Percent(a, b int) int {
	if b <= 0 {
		return 0
	}
	return a * 100 / b
}

// ModeMark is the word that begins every header line and every row: 本番, 訓練 or 試験. Always four cells.
func (l Lang) ModeMark(m desk.Mode) string {
	switch m {
	case desk.Live:
		return l.T(Text{"本番", "LIVE"})
	case desk.Drill:
		return l.T(Text{"訓練", "DRIL"})
	case desk.Test:
		return l.T(Text{"試験", "TEST"})
	}
	return l.T(Text{"不明", "????"})
}

// GradeMark is the grade as a word of four cells.
func (l Lang) GradeMark(g desk.Grade) string {
	switch g {
	case desk.GradeAlarm:
		return l.T(Text{"警報", "ALRM"})
	case desk.GradeWatch:
		return l.T(Text{"注意", "WTCH"})
	case desk.GradeInfo:
		return l.T(Text{"情報", "INFO"})
	}
	return "----"
}

// Finding is 真偽判断 in the chosen language; "" reads 未判断.
func (l Lang) Finding(f desk.Finding) string {
	if l == JA {
		return f.Japanese()
	}
	switch f {
	case desk.Genuine:
		return "genuine"
	case desk.False:
		return "false"
	case desk.Held:
		return "held"
	}
	return "open"
}

// State is 代行送信の状態 in the chosen language.
func (l Lang) State(s desk.DispatchState) string {
	if l == EN {
		return string(s)
	}
	return s.Japanese()
}

// Tsunami is 津波の等級 in words; "" when nothing is in force.
func (l Lang) Tsunami(g desk.TsunamiGrade) string {
	switch g {
	case desk.TsunamiMajorWarning:
		return l.T(Text{"大津波警報", "MAJOR WARNING"})
	case desk.TsunamiWarning:
		return l.T(Text{"津波警報", "warning"})
	case desk.TsunamiAdvisory:
		return l.T(Text{"津波注意報", "advisory"})
	case desk.TsunamiSlight:
		return l.T(Text{"海面変動", "slight"})
	case desk.TsunamiLifted:
		return l.T(Text{"津波解除", "lifted"})
	case desk.TsunamiUnknownGrade:
		return l.T(Text{"津波等級不明", "unknown grade"})
	}
	return ""
}

// TitleOf is the event in plain words, also where the store has none yet.
func TitleOf(e desk.Event) string {
	if e.Title != "" {
		return e.Title
	}
	t := e.Hazard.Japanese()
	if len(e.Prefectures) > 0 {
		t = e.Prefectures[0].Name + " " + t
	}
	if e.MaxIntensity != desk.IntensityUnknown {
		t += " 震度" + e.MaxIntensity.Japanese()
	}
	return t
}

// Urgent reports whether an item still shouts: nobody has judged it.
func Urgent(it desk.InboxItem) bool { return it.Verification == nil }

// Reason is 対象理由 in the chosen language.
func (l Lang) Reason(r desk.TriggerReason) string {
	if l == JA {
		return r.Japanese()
	}
	switch r {
	case desk.ReasonIntensity:
		return "at or above the threshold"
	case desk.ReasonNationwide:
		return "nationwide level reached"
	case desk.ReasonRaised:
		return "stronger than when asked"
	case desk.ReasonMissile:
		return "missile impact or forecast"
	}
	return "unknown"
}
