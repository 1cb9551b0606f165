package watch

import (
	"fmt"
	"strings"
	"time"

	"yagura/engine/rules"
	"yagura/store/desk"
)

// addressees are the two offices to which P5-6 makes the contractor report without delay.
const (
	secretariat = "大臣官房秘書課"
	systems     = "大臣官房業務改革課情報システム室"
)

// document is the report in a form from which the text and the OpenDocument are both made.
type document struct {
	title    string
	preface  []string
	sections []section
}

type section struct {
	heading string
	lines   []string
	table   [][]string // the first row is the heading
}

// report drafts the report of a breach. While the mailing runs it holds nothing that changes with each second, so that it is
// drafted anew only when there is something to say. // P5-6
func report(b desk.Breach) document {
	c := b.Clock
	until := "送信中（この案は送信の完了後に改めて作られます）"
	if c.Finished {
		until = "完了"
	}
	if c.Stopped {
		until = "当直者が停止"
	}
	return document{
		title: "遅延報告書（案）",
		preface: []string{
			"報告番号　遅延 " + fmt.Sprint(b.ID),
			"作成の契機　" + moment(b.OpenedAt) + " に期限の大幅な超過を記録",
			"宛先　" + secretariat + " 御中",
			"宛先　" + systems + " 御中",
		},
		sections: []section{
			{heading: "１　概要", lines: []string{
				"対象　" + b.Subject.Kind.Japanese() + " 第" + fmt.Sprint(b.Subject.ID) + "号（" + b.Clause.Japanese() + "、仕様書 " + string(b.Clause) + "）",
				"件名　" + desk.CleanText(c.Title, false),
				"期限　" + b.From.Japanese() + "から" + b.Until.Japanese() + "まで " + length(b.Limit),
				"実績　" + achieved(b),
				"送信の状態　" + until,
			}},
			{heading: "２　経過（日本標準時）", table: timeline(c)},
			{heading: "３　送信の結果", lines: results(c)},
			{heading: "４　原因", lines: cause(b)},
			{heading: "５　再発防止策", lines: paragraphs(desk.CleanText(b.Measures, true), "（未記入。yagura-ctl breach cause で記入してください）")},
		},
	}
}

// achieved is how long it took, by the beginning of the clause.
func achieved(b desk.Breach) string {
	v := measured(b)
	what := v.Since.Japanese() + "から" + b.Until.Japanese() + "まで "
	if v.Running {
		what = v.Since.Japanese() + "から記録の時点まで "
	}
	return fmt.Sprintf("%s%s（期限の %.1f 倍）", what, length(v.Elapsed), v.Ratio)
}

// measured is the verdict as the report tells it: to the last acceptance, or to the opening of the record while mails still leave.
func measured(b desk.Breach) desk.ClockVerdict {
	return rules.Judge(b.Clock, desk.ClockRule{Clause: b.Clause, From: b.From, Until: b.Until, Limit: b.Limit, Warn: 1}, b.OpenedAt)
}

// timeline is the stages with the time each took. The last acceptance stands only when there is none after it.
func timeline(c desk.StageClock) [][]string {
	rows := [][]string{{"段階", "時刻", "前の段階から", "通算"}}
	var first, previous time.Time
	for _, s := range desk.ClockStages() {
		at := c.At(s)
		if s == desk.StageLastAccepted && !c.Finished {
			at = time.Time{}
		}
		row := []string{s.Japanese(), "未了または不明", "", ""}
		if !at.IsZero() {
			row[1] = moment(at)
			if !previous.IsZero() {
				row[2], row[3] = length(at.Sub(previous)), length(at.Sub(first))
			} else {
				first = at
			}
			previous = at
		}
		rows = append(rows, row)
	}
	return rows
}

func results(c desk.StageClock) []string {
	lines := []string{fmt.Sprintf("メール %d 通", c.Mails), "受信系統　" + orDash(c.Feed)}
	if c.Finished {
		lines[0] += fmt.Sprintf("（受理 %d 通、拒否 %d 通）", c.Accepted, c.Refused)
	}
	return lines
}

// cause is what a person wrote; until then, where the time went.
func cause(b desk.Breach) []string {
	if b.Cause != "" {
		return paragraphs(desk.CleanText(b.Cause, true), "")
	}
	from, to, took := rules.Longest(b.Clock, measured(b).Since, b.OpenedAt)
	hint := "時間の内訳からは、遅れた段階を特定できません。"
	if took > 0 {
		hint = fmt.Sprintf("最も長くかかった段階は「%s」から「%s」までの%sです。", from.Japanese(), to.Japanese(), length(took))
	}
	return []string{hint, "（自動の下書き。原因は未記入です。yagura-ctl breach cause で記入してください）"}
}

func paragraphs(text, empty string) []string {
	if text == "" {
		return []string{empty}
	}
	return strings.Split(text, "\n")
}

func orDash(s string) string {
	if s == "" {
		return "不明"
	}
	return s
}

func moment(t time.Time) string { return t.In(desk.JST).Format("2006-01-02 15:04:05") }

// length is a duration in Japanese words, to the tenth of a second below a minute.
func length(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	switch {
	case d < time.Minute:
		return sign + strings.TrimSuffix(fmt.Sprintf("%.1f", d.Seconds()), ".0") + "秒"
	case d < time.Hour:
		d = d.Round(time.Second)
		return fmt.Sprintf("%s%d分%02d秒", sign, d/time.Minute, d%time.Minute/time.Second)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%s%d時間%02d分", sign, d/time.Hour, d%time.Hour/time.Minute)
}

// text is the report as plain text.
func (d document) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", d.title)
	for _, line := range d.preface {
		fmt.Fprintln(&b, line)
	}
	for _, s := range d.sections {
		fmt.Fprintf(&b, "\n%s\n", s.heading)
		for _, line := range s.lines {
			fmt.Fprintf(&b, "　%s\n", line)
		}
		for _, row := range s.table {
			fmt.Fprintf(&b, "　%s\n", strings.TrimRight(strings.Join(row, "\t"), "\t"))
		}
	}
	return b.String()
}
