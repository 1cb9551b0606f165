package desk

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// ReasonMissile is 対象理由 of a missile: the prefecture was named as the place of an impact or of a forecast of one. // F3-1-o
const ReasonMissile TriggerReason = "missile"

// CheckMissile is 国民保護情報の種別: whether the notices tell of an impact at all. A launch or a passage is for the desk alone. // F3-1-o
const CheckMissile CheckCode = "missile"

// MissileTitle is 情報名称 of every civil-protection notice, from whichever door it came.
const MissileTitle = "国民保護に関する情報"

// ManualFeed is the feed of what an operator typed in at the desk.
const ManualFeed = "manual"

// MissileKinds lists every kind, in the order a form offers them.
func MissileKinds() []MissileKind {
	return []MissileKind{
		MissileLaunch, MissileForecast, MissileImpact, MissilePass, MissileSeaFall, MissileLifted, MissileCorrected, MissileAttack, MissileOther,
	}
}

// Japanese is the kind in the words the notices use.
func (k MissileKind) Japanese() string {
	switch k {
	case MissileLaunch:
		return "発射・避難の呼びかけ"
	case MissileForecast:
		return "直ちに避難（落下予測）"
	case MissileImpact:
		return "落下"
	case MissilePass:
		return "通過"
	case MissileSeaFall:
		return "領海外に落下"
	case MissileLifted:
		return "避難の呼びかけの解除"
	case MissileCorrected:
		return "訂正"
	case MissileAttack:
		return "武力攻撃・テロ"
	}
	return "種別不明"
}

// Level puts the kind on the scale of every hazard: an impact and its forecast are special, a launch and a notice this build
// does not know are danger, a passage and a correction warning, a fall into the high sea a notice; a lifting leaves nothing.
func (k MissileKind) Level() Level {
	switch k {
	case MissileForecast, MissileImpact, MissileAttack:
		return LevelSpecial
	case MissileLaunch, MissileOther:
		return LevelDanger
	case MissilePass, MissileCorrected:
		return LevelWarning
	case MissileSeaFall:
		return LevelNotice
	}
	return LevelNone
}

// Name is the area as read on screens, e.g. "東京都（島しょ部）", "北海道".
func (a MissileArea) Name() string {
	if a.Part == "" {
		return a.Prefecture.Name()
	}
	return a.Prefecture.Name() + "（" + a.Part + "）"
}

// drillOf are the bare words of drill and test; anything longer found in a text is a declaration.
var drillOf = [...]string{"訓練", "試験", "テスト", "演習", "リハーサル"}

// DeclaresDrill reports whether the drill words of a notice say that the notice itself is a drill (これは訓練です, 【訓練】, 試験放送), not
// only that a drill is spoken of. Such a notice concerns nobody, whatever else it says. // law 4
func (m *MissileReport) DeclaresDrill() bool {
	return m != nil && slices.ContainsFunc(m.DrillWords, func(w string) bool { return !slices.Contains(drillOf[:], w) })
}

// MissileEntry is 手入力: what an operator types in at the desk from the ministry's own terminal, a call or the television. It is
// kept as a telegram like any other: verbatim first, read after. // F3-1-o P5-5
type MissileEntry struct {
	Mode       Mode          `json:"mode"`
	Phase      Phase         `json:"phase"`                // Issued, Corrected or Cancelled
	Kind       MissileKind   `json:"kind,omitempty"`       // "" = read it from Text
	Source     string        `json:"source"`               // where it was seen, e.g. エムネット端末, 内閣官房からの電話, NHK
	IssuedAt   time.Time     `json:"issued_at,omitzero"`   // as told; zero when unknown
	ExpectedAt time.Time     `json:"expected_at,omitzero"` // of impact or passage; zero when unknown
	Areas      []MissileArea `json:"areas,omitempty"`      // empty = read them from Text
	Place      string        `json:"place,omitempty"`      // place words as told, e.g. 北海道周辺
	Text       string        `json:"text,omitempty"`       // the notice word for word, when there is one
	Supersedes TelegramID    `json:"supersedes,omitempty"` // the notice it corrects or withdraws; 0 = all before it
	Operator   string        `json:"operator,omitempty"`   // log-in name; the store fills it in
	EnteredAt  time.Time     `json:"entered_at,omitzero"`  // database clock; the store fills it in
}

// Longest texts of an entry, in characters.
const (
	maxEntryText   = 4000
	maxEntrySource = 60
	maxEntryPlace  = 100
	maxEntryPart   = 40
	maxEntryAreas  = 200
)

// Validate says in plain Japanese what must be put right before the entry can be kept; nil when nothing.
func (e MissileEntry) Validate() error {
	const op = "desk.MissileEntry"
	if problem := e.problem(); problem != "" {
		return Errorf(Invalid, op, "%s", problem)
	}
	return nil
}

func (e MissileEntry) problem() string {
	switch {
	case e.Mode != Live && e.Mode != Drill && e.Mode != Test:
		return "運用種別（本番・訓練・試験）を選んでください。"
	case e.Phase != Issued && e.Phase != Corrected && e.Phase != Cancelled:
		return "情報形態（発表・訂正・取消）を選んでください。"
	case e.Kind == "" && strings.TrimSpace(e.Text) == "":
		return "情報の種別を選ぶか、本文を貼り付けてください。"
	case e.Kind != "" && !slices.Contains(MissileKinds(), e.Kind):
		return "情報の種別が正しくありません。選び直してください。"
	case e.Supersedes < 0, e.Supersedes > 0 && e.Phase == Issued:
		return "訂正・取消の対象は、情報形態が訂正か取消のときだけ選べます。"
	case e.Kind == MissileImpact && len(e.Areas) == 0 && strings.TrimSpace(e.Place) == "" && strings.TrimSpace(e.Text) == "":
		return "落下した場所（都道府県）を選んでください。分からないときは場所の欄に「不明」と入れてください。"
	}
	if problem := e.textProblem(); problem != "" {
		return problem
	}
	return e.areaProblem()
}

func (e MissileEntry) textProblem() string {
	if strings.TrimSpace(e.Source) == "" {
		return "情報源を入れてください（例: エムネット端末、内閣官房からの電話）。"
	}
	for _, f := range []struct {
		name, text string
		most       int
		lines      bool
	}{
		{"情報源", e.Source, maxEntrySource, false},
		{"場所", e.Place, maxEntryPlace, false},
		{"本文", e.Text, maxEntryText, true},
		{"入力者", e.Operator, maxEntrySource, false},
	} {
		switch {
		case utf8.RuneCountInString(f.text) > f.most:
			return fmt.Sprintf("%sは%d文字までです。短くしてください。", f.name, f.most)
		case f.text != CleanText(f.text, f.lines):
			return fmt.Sprintf("%sに使えない文字（制御文字など）が入っています。取り除いてください。", f.name)
		}
	}
	for _, at := range []time.Time{e.IssuedAt, e.ExpectedAt, e.EnteredAt} {
		if !at.IsZero() && (at.Year() < 2000 || at.Year() > 2199) {
			return "時刻の年が正しくありません。"
		}
	}
	return ""
}

func (e MissileEntry) areaProblem() string {
	if len(e.Areas) > maxEntryAreas {
		return fmt.Sprintf("対象地域は%dまでです。", maxEntryAreas)
	}
	for i, a := range e.Areas {
		switch {
		case !a.Prefecture.Valid():
			return "対象地域に正しくない都道府県があります。選び直してください。"
		case utf8.RuneCountInString(a.Part) > maxEntryPart || a.Part != CleanText(a.Part, false) || a.Part != strings.TrimSpace(a.Part):
			return fmt.Sprintf("%sの地域名が正しくありません（%d文字まで）。", a.Prefecture.Name(), maxEntryPart)
		case slices.Contains(e.Areas[:i], a):
			return a.Name() + "が二度入っています。"
		}
	}
	return ""
}
