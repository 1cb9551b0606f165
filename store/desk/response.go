package desk

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Safety is 安否.
type Safety string

const (
	SafetyWell    Safety = "well"    // 無事
	SafetyInjured Safety = "injured" // 軽傷
	SafetySerious Safety = "serious" // 重傷・救助が必要
)

// Attendance is 登庁可否.
type Attendance string

const (
	AttendNow    Attendance = "now"    // 登庁できる
	AttendLater  Attendance = "later"  // 時間がかかるが登庁できる
	AttendCannot Attendance = "cannot" // 登庁できない
)

// Safeties lists the answers in the order of the page.
func Safeties() []Safety { return []Safety{SafetyWell, SafetyInjured, SafetySerious} }

// Attendances lists the answers in the order of the page.
func Attendances() []Attendance { return []Attendance{AttendNow, AttendLater, AttendCannot} }

// Japanese is the answer as printed on the page.
func (s Safety) Japanese() string {
	switch s {
	case SafetyWell:
		return "無事です"
	case SafetyInjured:
		return "けがをしました（軽傷）"
	case SafetySerious:
		return "重傷・救助が必要です"
	}
	return "不明"
}

// English is the answer on the English page.
func (s Safety) English() string {
	switch s {
	case SafetyWell:
		return "I am safe"
	case SafetyInjured:
		return "Slightly injured"
	case SafetySerious:
		return "Seriously injured / need rescue"
	}
	return "unknown"
}

// Japanese is the answer as printed on the page.
func (a Attendance) Japanese() string {
	switch a {
	case AttendNow:
		return "登庁できます"
	case AttendLater:
		return "時間はかかりますが登庁できます"
	case AttendCannot:
		return "登庁できません"
	}
	return "不明"
}

// English is the answer on the English page.
func (a Attendance) English() string {
	switch a {
	case AttendNow:
		return "I can come to the office"
	case AttendLater:
		return "I can come, but it will take time"
	case AttendCannot:
		return "I cannot come"
	}
	return "unknown"
}

// Response is 回答: one answer. Every answer is kept, the latest counts, late ones are never refused. // F3-1-a.1
type Response struct {
	ID         ResponseID
	Nonce      [16]byte // made when the answer was received; makes draining a journal twice harmless
	DispatchID DispatchID
	PersonID   PersonID
	ReceivedAt time.Time // when the page took it (before any journal)
	Safety     Safety
	Attendance Attendance
	Comment    string // at most MaxComment characters
	Channel    string // "link"
}

// MaxComment is the longest comment in characters.
const MaxComment = 200

// Validate says in plain words what is missing. Safety and attendance are both required.
func (r *Response) Validate() error {
	const op = "Response.Validate"
	switch r.Safety {
	case SafetyWell, SafetyInjured, SafetySerious:
	default:
		return Errorf(Invalid, op, "「安否」を選んでください。")
	}
	switch r.Attendance {
	case AttendNow, AttendLater, AttendCannot:
	default:
		return Errorf(Invalid, op, "「登庁できるか」を選んでください。")
	}
	if !utf8.ValidString(r.Comment) {
		return Errorf(Invalid, op, "連絡事項の文字が読めません。書き直してください。")
	}
	if utf8.RuneCountInString(r.Comment) > MaxComment {
		return Errorf(Invalid, op, "連絡事項は %d 文字までです。短くしてください。", MaxComment)
	}
	if r.DispatchID <= 0 || r.PersonID <= 0 {
		return Errorf(Invalid, op, "このリンクからは回答できません。届いたメールのリンクを開き直してください。")
	}
	return nil
}

// Tally is 集計: every recipient of a dispatch in exactly one place. // F3-1-j
type Tally struct {
	DispatchID    DispatchID         `json:"dispatch_id"`
	AsOf          time.Time          `json:"as_of"` // database clock of the count
	Sent          int                `json:"sent"`  // recipients of the dispatch
	Answered      int                `json:"answered"`
	Unanswered    int                `json:"unanswered"`
	Undeliverable int                `json:"undeliverable"` // no answer, and every address was refused
	Withdrawn     int                `json:"withdrawn"`     // no answer, and a stop kept every address from being sent
	Safety        map[Safety]int     `json:"safety"`
	Attendance    map[Attendance]int `json:"attendance"`
	Late          int                `json:"late"`    // answers after the incident was closed; they count as answered
	Changed       int                `json:"changed"` // people who answered more than once
	ByPrefecture  []TallyLine        `json:"by_prefecture"`
	ByGroup       []TallyLine        `json:"by_group"` // first level of the tree
	FirstAnswer   time.Time          `json:"first_answer"`
	LastAnswer    time.Time          `json:"last_answer"`
}

// TallyLine is one row of a Tally. A person counts once: by the prefecture and the unit recorded with the recipient.
type TallyLine struct {
	Name          string `json:"name"`
	Sent          int    `json:"sent"`
	Answered      int    `json:"answered"`
	Unanswered    int    `json:"unanswered"`
	Undeliverable int    `json:"undeliverable"`
	Withdrawn     int    `json:"withdrawn"`
	NeedHelp      int    `json:"need_help"` // 軽傷 and 重傷
}

// Check proves the sum: answered + unanswered + undeliverable + withdrawn = sent, in total and in every breakdown.
func (t *Tally) Check() error {
	const op = "Tally.Check"
	if t.Answered+t.Unanswered+t.Undeliverable+t.Withdrawn != t.Sent {
		return Errorf(Internal, op, "集計が合いません: %d+%d+%d+%d≠%d", t.Answered, t.Unanswered, t.Undeliverable, t.Withdrawn, t.Sent)
	}
	for _, lines := range [][]TallyLine{t.ByPrefecture, t.ByGroup} {
		sent := 0
		for _, l := range lines {
			if l.Answered+l.Unanswered+l.Undeliverable+l.Withdrawn != l.Sent {
				return Errorf(Internal, op, "集計が合いません: %s", l.Name)
			}
			sent += l.Sent
		}
		if len(lines) > 0 && sent != t.Sent {
			return Errorf(Internal, op, "内訳の合計 %d が送信数 %d と合いません", sent, t.Sent)
		}
	}
	return nil
}

// CleanText makes foreign text safe to show in a terminal or a page: control characters (but for \n when keepLines),
// bidirectional overrides and invalid UTF-8 are removed.
func CleanText(s string, keepLines bool) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' && keepLines:
			return r
		case r == '\t':
			return ' '
		case r < 0x20, r >= 0x7f && r < 0xa0, r == utf8.RuneError:
			return -1
		case r == 0x061c, r == 0x200e, r == 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0xfeff, r == 0x2028, r == 0x2029:
			return -1
		}
		return r
	}, s)
}
