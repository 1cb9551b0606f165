package desk

import (
	"slices"
	"time"
)

// BulletinKind is 自動情報の種別: what a person may be designated for. // F3-1-l F3-1-m F3-1-n
type BulletinKind string

const (
	BulletinQuick     BulletinKind = "quick"     // 地震速報: EEW and 震度速報 // F3-1-l
	BulletinConfirmed BulletinKind = "confirmed" // 地震確定: 震源・震度 // F3-1-m
	BulletinTsunami   BulletinKind = "tsunami"   // 津波 // F3-1-n, and the kinds below
	BulletinWeather   BulletinKind = "weather"   // 気象警報
	BulletinTyphoon   BulletinKind = "typhoon"   // 台風
	BulletinVolcano   BulletinKind = "volcano"   // 火山
	BulletinGiant     BulletinKind = "giant"     // 巨大地震に関する臨時情報
	BulletinOther     BulletinKind = "other"     // その他
	BulletinDigest    BulletinKind = "digest"    // まとめ: several of the others in one mail; nobody is designated for it
)

// BulletinKinds lists the kinds a person may be designated for.
func BulletinKinds() []BulletinKind {
	return []BulletinKind{
		BulletinQuick, BulletinConfirmed, BulletinTsunami, BulletinWeather, BulletinTyphoon, BulletinVolcano, BulletinGiant, BulletinOther,
	}
}

// Japanese is the kind on screens and in subjects.
func (k BulletinKind) Japanese() string {
	switch k {
	case BulletinQuick:
		return "地震速報"
	case BulletinConfirmed:
		return "地震確定"
	case BulletinTsunami:
		return "津波情報"
	case BulletinWeather:
		return "気象情報"
	case BulletinTyphoon:
		return "台風情報"
	case BulletinVolcano:
		return "火山情報"
	case BulletinGiant:
		return "巨大地震情報"
	case BulletinDigest:
		return "情報まとめ"
	}
	return "防災情報"
}

// ByIntensity reports whether the kind is graded by 震度; the others are graded by Level.
func (k BulletinKind) ByIntensity() bool { return k == BulletinQuick || k == BulletinConfirmed }

// BulletinStep is 自動情報の区分.
type BulletinStep string

const (
	BulletinNew       BulletinStep = "new"       // 新規
	BulletinChanged   BulletinStep = "changed"   // 更新
	BulletinCorrected BulletinStep = "corrected" // 訂正
	BulletinWithdrawn BulletinStep = "withdrawn" // 取消: what was told was wrong
	BulletinLifted    BulletinStep = "lifted"    // 解除: it is over
	BulletinGathered  BulletinStep = "digest"    // まとめ
)

// Japanese is the step on screens.
func (s BulletinStep) Japanese() string {
	switch s {
	case BulletinNew:
		return "新規"
	case BulletinChanged:
		return "更新"
	case BulletinCorrected:
		return "訂正"
	case BulletinWithdrawn:
		return "取消"
	case BulletinLifted:
		return "解除"
	case BulletinGathered:
		return "まとめ"
	}
	return "区分不明"
}

// Ends reports whether nothing of the thread stands after it.
func (s BulletinStep) Ends() bool { return s == BulletinWithdrawn || s == BulletinLifted }

// Bulletin is 自動情報配信: a mail sent without judgement to designated people, live only (laws 2 and 4). It shares its numbers with
// the dispatches, so that mails, results and stops name either.
type Bulletin struct {
	ID           DispatchID
	Kind         BulletinKind
	Thread       string // what is told of: an EventID, a prefecture, a typhoon, a volcano
	Number       int    // 1, 2, 3 … within the thread
	Mode         Mode   // always Live
	TelegramID   TelegramID
	EventID      EventID // 0 when the telegram belongs to none
	Step         BulletinStep
	Level        Level     // highest in force; LevelNone for the kinds by intensity
	MaxIntensity Intensity // for the kinds by intensity
	Prefectures  []Prefecture
	Subject      string
	Body         string
	Facts        BulletinFacts
	OccurredAt   time.Time
	IssuedAt     time.Time // by the telegram
	ReceivedAt   time.Time // by the feed
	ReadAt       time.Time // database clock
	At           time.Time // database clock: decided and queued
	State        DispatchState
	Recipients   int // people told at once; those of a digest are not counted here
	Mails        int
	Supersedes   DispatchID // the one before it in the thread; 0 = none

	Change Change // whom it concerns; not kept
}

// Grade is the figure that thresholds are compared with: the intensity or the level, as the kind says.
func (b *Bulletin) Grade() int {
	if b.Kind.ByIntensity() {
		return int(b.MaxIntensity)
	}
	return int(b.Level)
}

// Change is 変化の範囲 of a bulletin against the one before it: people who asked for changes only are told by it.
type Change struct {
	Everybody bool         // new, or the highest grade is another: all who are concerned
	Grown     []Prefecture // prefectures newly concerned or graded higher
}

// BulletinFacts is 配信した内容: what a bulletin told, so that the next one can say what is different.
type BulletinFacts struct {
	Type      string         `json:"type"`             // data type code of the telegram
	Series    string         `json:"series,omitempty"` // EventID within which Serial counts
	Serial    string         `json:"serial,omitempty"`
	PressTime time.Time      `json:"press_time"`
	Areas     []BulletinArea `json:"areas,omitempty"`
	Lines     []BulletinLine `json:"lines,omitempty"`
	Peak      int            `json:"peak,omitempty"`    // the highest grade told since the thread began anew
	Carries   []DispatchID   `json:"carries,omitempty"` // of a digest: the bulletins in it
}

// BulletinArea is 対象の一行: one area and what holds there.
type BulletinArea struct {
	Key        string       `json:"key"` // area code, with the phenomenon where a telegram tells several
	Name       string       `json:"name"`
	What       string       `json:"what"` // in words, e.g. 震度6強, 大津波警報
	Grade      int          `json:"grade"`
	Prefecture []Prefecture `json:"prefecture,omitempty"`
	Source     string       `json:"source,omitempty"` // type of the telegram that said so, where several speak of one thread
}

// BulletinLine is 項目: one named value as the mail shows it, e.g. 規模: Ｍ７．６.
type BulletinLine struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Cadence is 配信の頻度.
type Cadence string

const (
	EveryIssue  Cadence = "every"   // every issue, changed or not
	ChangesOnly Cadence = "changes" // a new mail only when the grade changes or the area grows
	AsDigest    Cadence = "digest"  // gathered, one mail in so many minutes
)

// Japanese is the cadence on screens.
func (c Cadence) Japanese() string {
	switch c {
	case EveryIssue:
		return "毎回"
	case ChangesOnly:
		return "変化時のみ"
	case AsDigest:
		return "まとめて"
	}
	return "不明"
}

// Subscription is 配信先の指定: one person, one kind. // F3-1-l F3-1-n
type Subscription struct {
	PersonID      PersonID
	Code          string // 職員番号; names the person where PersonID is 0
	Kind          BulletinKind
	Prefectures   []Prefecture // none = the whole country
	FromIntensity Intensity    // for the kinds by intensity
	FromLevel     Level        // for the others
	Cadence       Cadence
}

// NewSubscription checks a designation and puts its prefectures in order. from is the lowest grade of interest: a 震度 code ("4",
// "5-") or a Level from 0 to 5, as the kind says; "" = whatever the rule lets through. cadence "" is ChangesOnly.
func NewSubscription(code string, kind BulletinKind, prefectures []Prefecture, from string, cadence Cadence) (Subscription, error) {
	const op = "NewSubscription"
	s := Subscription{Code: code, Kind: kind, Prefectures: slices.Clone(prefectures), Cadence: cadence}
	if s.Cadence == "" {
		s.Cadence = ChangesOnly
	}
	switch {
	case from == "":
	case kind.ByIntensity():
		if s.FromIntensity = ParseIntensity(from); s.FromIntensity == IntensityUnknown {
			return s, Errorf(Invalid, op, "震度 %q は読めません。1 2 3 4 5- 5+ 6- 6+ 7 のどれかです。", from)
		}
	case len(from) != 1 || from[0] < '0' || from[0] > '5':
		return s, Errorf(Invalid, op, "警戒の段階 %q は読めません。0 から 5 です。", from)
	default:
		s.FromLevel = Level(from[0] - '0')
	}
	slices.Sort(s.Prefectures)
	s.Prefectures = slices.Compact(s.Prefectures)
	return s, s.Validate()
}

// DesignateAll designates everybody of a list of staff codes for each of the kinds, for the whole country, on changes only: the list an
// installation begins with. // CAP11-D5-7
func DesignateAll(codes []string, kinds ...BulletinKind) []Subscription {
	list := make([]Subscription, 0, len(codes)*len(kinds))
	for _, k := range kinds {
		for _, c := range codes {
			list = append(list, Subscription{Code: c, Kind: k, Cadence: ChangesOnly})
		}
	}
	return list
}

// Validate checks what the schema would refuse, in plain words.
func (s *Subscription) Validate() error {
	const op = "Subscription.Validate"
	switch {
	case s.Code == "" && s.PersonID == 0:
		return Errorf(Invalid, op, "職員番号がありません。")
	case !slices.Contains(BulletinKinds(), s.Kind):
		return Errorf(Invalid, op, "職員番号 %s: 種別 %q はありません。", s.Code, string(s.Kind))
	case s.Cadence != EveryIssue && s.Cadence != ChangesOnly && s.Cadence != AsDigest:
		return Errorf(Invalid, op, "職員番号 %s: 頻度 %q はありません。every、changes、digest のどれかです。", s.Code, string(s.Cadence))
	case s.Kind == BulletinQuick && s.Cadence == AsDigest:
		return Errorf(Invalid, op, "職員番号 %s: 地震速報はまとめて送れません。", s.Code) // P5-2
	case s.FromIntensity > Intensity7 || s.FromLevel > LevelSpecial:
		return Errorf(Invalid, op, "職員番号 %s: 震度または段階が正しくありません。", s.Code)
	case slices.ContainsFunc(s.Prefectures, func(p Prefecture) bool { return !p.Valid() }):
		return Errorf(Invalid, op, "職員番号 %s: 都道府県は 1 から 47 です。", s.Code)
	}
	return nil
}

// BulletinRule is 自動配信の基準 of one kind, as data with history; the highest version counts.
type BulletinRule struct {
	Version       int
	At            time.Time
	Kind          BulletinKind
	Enabled       bool
	FromIntensity Intensity     // for the kinds by intensity
	FromLevel     Level         // for the others
	RepeatAfter   time.Duration // an unchanged state is told again after so long; 0 = never
	StaleAfter    time.Duration // older news are passed over: no stale alarm after an outage
	DigestEvery   time.Duration
}

// From is the lowest grade that is told, on the scale of the kind.
func (r *BulletinRule) From() int {
	if r.Kind.ByIntensity() {
		return int(r.FromIntensity)
	}
	return int(r.FromLevel)
}

// Validate checks the rule in plain words.
func (r *BulletinRule) Validate() error {
	const op = "BulletinRule.Validate"
	switch {
	case !slices.Contains(BulletinKinds(), r.Kind):
		return Errorf(Invalid, op, "種別 %q はありません。", string(r.Kind))
	case r.FromIntensity > Intensity7 || r.FromLevel > LevelSpecial:
		return Errorf(Invalid, op, "震度または段階が正しくありません。")
	case r.Kind.ByIntensity() && r.FromIntensity == IntensityUnknown:
		return Errorf(Invalid, op, "%sには設定震度が要ります。", r.Kind.Japanese())
	case r.RepeatAfter < 0 || r.RepeatAfter > 7*24*time.Hour:
		return Errorf(Invalid, op, "再通知までの時間は 7 日までです。")
	case r.StaleAfter < time.Minute || r.StaleAfter > 7*24*time.Hour:
		return Errorf(Invalid, op, "古い情報とみなすまでの時間は 1 分から 7 日です。")
	case r.DigestEvery < time.Minute || r.DigestEvery > 24*time.Hour:
		return Errorf(Invalid, op, "まとめ配信の間隔は 1 分から 24 時間です。")
	}
	return nil
}

// BulletinCase is 配信の検討材料: a telegram that was read and not yet considered, with what was told before.
type BulletinCase struct {
	Telegram  Telegram
	EventID   EventID  // the event it was put to; 0 when none
	Threads   []string // other names of the same happening: the EventIDs of its event
	ReadAt    time.Time
	Problem   string        // why it could not be read; "" when it was
	Retracted bool          // a 取消 of the same line came before it
	Age       time.Duration // from its issue to now, without the time a replay stood still
}

// BulletinDecision is 配信の判断 on one telegram.
type BulletinDecision struct {
	TelegramID TelegramID
	Bulletins  []Bulletin // to be sent; ID, Number, Recipients and times of the store are empty
	Why        string     // why none, in plain Japanese
}

// BulletinLease is リースの名前 of the automatic path. Correctness does not need it.
const BulletinLease = "bulletin"
