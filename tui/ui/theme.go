package ui

import (
	"charm.land/lipgloss/v2"

	"yagura/store/desk"
)

// Theme is the look of one world. Colour is never the only sign: every meaning is a word or a digit as well, so NO_COLOR loses nothing.
type Theme struct {
	Mode    desk.Mode
	Base    lipgloss.Style // ordinary text
	Dim     lipgloss.Style // what may be overlooked
	Strong  lipgloss.Style // headings
	Select  lipgloss.Style // the one focus accent
	Header  lipgloss.Style // header lines: the frame colour of the world
	Alarm   lipgloss.Style // grade 1 and contradictions
	Watch   lipgloss.Style // grade 2 and what is undetermined
	Good    lipgloss.Style // passed, accepted
	Stale   lipgloss.Style // old data
	Count   lipgloss.Style // the count-down line
	Rule    string         // the pattern of separating lines; names the world in a drill
	Subject string         // what compose stamps on the subject in this world
}

// ThemeFor gives the look: live is a calm grey where red and amber mean live grades and nothing else; drill and test wear blue,
// never red, and their separating lines say so (law 4, field.md 5.2-5 and -27).
func ThemeFor(m desk.Mode) Theme {
	st := lipgloss.NewStyle
	col := lipgloss.Color
	t := Theme{
		Mode:   m,
		Base:   st().Foreground(col("252")),
		Dim:    st().Foreground(col("245")),
		Strong: st().Foreground(col("255")).Bold(true),
		Select: st().Foreground(col("16")).Background(col("152")).Bold(true),
		Header: st().Foreground(col("253")).Background(col("237")),
		Alarm:  st().Foreground(col("231")).Background(col("160")).Bold(true),
		Watch:  st().Foreground(col("214")).Bold(true),
		Good:   st().Foreground(col("252")),
		Stale:  st().Foreground(col("240")),
		Count:  st().Foreground(col("16")).Background(col("214")).Bold(true),
		Rule:   "-",
	}
	if m == desk.Live {
		return t
	}
	t.Base = st().Foreground(col("153"))
	t.Dim = st().Foreground(col("110"))
	t.Strong = st().Foreground(col("159")).Bold(true)
	t.Select = st().Foreground(col("16")).Background(col("159")).Bold(true)
	t.Header = st().Foreground(col("231")).Background(col("25")).Bold(true)
	t.Alarm = st().Foreground(col("231")).Background(col("61")).Bold(true)
	t.Watch = st().Foreground(col("183")).Bold(true)
	t.Good = t.Base
	t.Count = st().Foreground(col("16")).Background(col("117")).Bold(true)
	t.Rule, t.Subject = "==== 訓練 ", "【訓練】"
	if m != desk.Drill {
		t.Rule, t.Subject = "==== 試験 ", "【試験】"
	}
	return t
}

// Plain is the theme for a terminal without colour: header, selection and alarms are reversed, which needs none.
func (t Theme) Plain() Theme {
	none, reverse := lipgloss.NewStyle(), lipgloss.NewStyle().Reverse(true)
	t.Base, t.Dim, t.Good, t.Stale = none, none, none, none
	t.Strong, t.Watch = none.Bold(true), none.Bold(true)
	t.Header, t.Select, t.Count, t.Alarm = reverse, reverse.Bold(true), reverse.Bold(true), reverse.Bold(true)
	return t
}

// Grade is the colour of a grade.
func (t Theme) Grade(g desk.Grade) lipgloss.Style {
	switch g {
	case desk.GradeAlarm:
		return t.Alarm
	case desk.GradeWatch:
		return t.Watch
	}
	return t.Dim
}
