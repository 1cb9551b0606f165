package desk

import "time"

// Event is 事象: the telegrams that describe one happening, as understood so far. The JMA EventID is a hint, not the key:
// one shaking can carry two (feeds.md 1.4).
type Event struct {
	ID           EventID
	Hazard       Hazard
	Mode         Mode
	EventIDs     []string  // JMA EventIDs seen for this happening
	OccurredAt   time.Time // shaking or origin time, the best known (telegram time, not ours)
	FirstSeenAt  time.Time // received-at of the first telegram
	UpdatedAt    time.Time // received-at of the latest telegram
	StoredAt     time.Time // database clock of the first fact
	Status       EventStatus
	Title        string    // e.g. "石川県能登地方 震度7 Ｍ７．６"
	Headline     string    // of the latest telegram
	MaxIntensity Intensity // observed, never lowered by a later 震度速報 (only by 訂正 or 取消)
	Forecast     Intensity // highest EEW forecast, Unknown when no EEW was seen
	EEWWarning   bool      // an EEW warning (VXSE43) was seen
	Hypocenter   *Hypocenter
	Tsunami      TsunamiGrade // highest grade in force, TsunamiNone when none
	Prefectures  []PrefectureIntensity
	Areas        []AreaIntensity
	Telegrams    int // how many telegrams belong to it
}

// EventStatus is 事象の状態.
type EventStatus string

const (
	EventOpen      EventStatus = "open"
	EventRetracted EventStatus = "retracted" // every telegram that triggered was cancelled (取消)
)

// Grade is 警報度: how loudly the desk is told. 1 rings until acknowledged, 2 is shown, 3 is kept.
type Grade uint8

const (
	GradeAlarm Grade = 1 // at or above the dispatch threshold, or a retraction of such
	GradeWatch Grade = 2 // felt strongly, tsunami advisory, EEW
	GradeInfo  Grade = 3
)

// Check is one aid to judgement inside an Advice: what was looked at, what was found, the figures. Never a decision.
type Check struct {
	Code   CheckCode `json:"code"`
	Result Result    `json:"result"`
	Text   string    `json:"text"`             // one plain Japanese sentence, figures included
	Detail string    `json:"detail,omitempty"` // more figures, for the evidence pane
}

// Result is 判定: what a check found.
type Result string

const (
	Passed       Result = "passed"       // speaks for genuine
	Contradicts  Result = "contradicts"  // speaks against; one of these forbids the one-key send (law 3)
	Undetermined Result = "undetermined" // not known (yet)
)

// CheckCode names a check, so that tests, screens and reports mean the same.
type CheckCode string

const (
	CheckMode         CheckCode = "mode"          // 運用種別: 通常 or not
	CheckPhase        CheckCode = "phase"         // 情報形態: 発表 or not; a 取消 contradicts
	CheckEEW          CheckCode = "eew"           // 緊急地震速報 seen before
	CheckRepeat       CheckCode = "repeat"        // same content as an earlier bulletin of another event
	CheckAreas        CheckCode = "areas"         // number of areas reporting
	CheckStations     CheckCode = "stations"      // number of stations at the maximum
	CheckClock        CheckCode = "clock"         // telegram times against the receiving clock
	CheckSecondSource CheckCode = "second_source" // another independent source
	CheckPlausible    CheckCode = "plausible"     // magnitude, depth, distance against intensity
	CheckComment      CheckCode = "comment"       // JMA comment codes 0242 to 0245
)

// Advice is 判定参考: what the rules found about an event after a telegram. Append-only; the latest counts.
type Advice struct {
	ID         AdviceID
	EventID    EventID
	TelegramID TelegramID // the telegram that occasioned it
	At         time.Time
	Grade      Grade
	Checks     []Check       // contradictions first
	Triggered  []TriggeredBy // prefectures at or over the threshold, with the reason; empty when none
	Merge      *MergeAdvice  // set when an open incident might own this event
}

// Contradictions counts the checks that speak against the event.
func (a *Advice) Contradictions() int {
	n := 0
	for _, c := range a.Checks {
		if c.Result == Contradicts {
			n++
		}
	}
	return n
}

// TriggeredBy is 発動した都道府県: a prefecture whose people are concerned, and why.
type TriggeredBy struct {
	Prefecture Prefecture    `json:"prefecture"`
	Intensity  Intensity     `json:"intensity"`
	Reason     TriggerReason `json:"reason"`
}

// TriggerReason is 対象理由.
type TriggerReason string

const (
	ReasonIntensity  TriggerReason = "intensity"  // the prefecture reached the threshold
	ReasonNationwide TriggerReason = "nationwide" // the national maximum reached the level at which all staff are asked
	ReasonRaised     TriggerReason = "raised"     // asked before, and a new shaking exceeded the level notified then
)

// Japanese is the reason as read on the screen and kept with each recipient.
func (r TriggerReason) Japanese() string {
	switch r {
	case ReasonIntensity:
		return "設定震度以上"
	case ReasonNationwide:
		return "全国一斉の基準に到達"
	case ReasonRaised:
		return "通知済みの震度を超過"
	case ReasonMissile:
		return "ミサイルの落下・落下予測"
	}
	return "理由不明"
}

// MergeAdvice is 併合の参考: whether an event belongs to an open incident, with the inputs of the rule (feeds.md 6.5).
type MergeAdvice struct {
	IncidentID  IncidentID    `json:"incident_id"`
	Join        bool          `json:"join"`         // advice only
	Elapsed     time.Duration `json:"elapsed"`      // since the incident's latest event
	WithinHours float64       `json:"within_hours"` // the window of the policy
	DistanceKM  *float64      `json:"distance_km"`  // nil when a hypocentre is unknown
	Overlap     []Prefecture  `json:"overlap"`      // prefectures triggered in both
	Raised      []TriggeredBy `json:"raised"`       // prefectures that exceed the level notified
	Added       []TriggeredBy `json:"added"`        // prefectures not yet notified
	Text        string        `json:"text"`         // one plain Japanese sentence
}

// Finding is 真偽判断の結果.
type Finding string

const (
	Genuine Finding = "genuine" // 真報
	False   Finding = "false"   // 誤報
	Held    Finding = "held"    // 保留
)

// Japanese is the finding on screens.
func (f Finding) Japanese() string {
	switch f {
	case Genuine:
		return "真報"
	case False:
		return "誤報"
	case Held:
		return "保留"
	}
	return "未判断"
}

// Valid reports whether the finding is one of the three.
func (f Finding) Valid() bool { return f == Genuine || f == False || f == Held }

// Verification is 真偽判断: a person's finding on an event, and the advice it was made on. // F3-1-k.3
type Verification struct {
	ID         VerificationID
	EventID    EventID
	OperatorID OperatorID
	Operator   string // display name
	AdviceID   AdviceID
	Finding    Finding
	Reason     string
	At         time.Time
}

// Incident is 災害事象: the desk's unit of work, one or more events merged by a person. // F3-1-k.2 F3-1-k.4
type Incident struct {
	ID            IncidentID
	Hazard        Hazard
	Mode          Mode
	Title         string
	OpenedAt      time.Time // database clock
	OpenedBy      string
	ClosedAt      time.Time // zero while open
	FirstOccurred time.Time // occurrence of its first event (telegram time)
	LastOccurred  time.Time // occurrence of its latest event; the merge window counts from here
	MaxIntensity  Intensity
	Hypocenters   []Hypocenter // of its events, for distances
	Events        []EventID
	Notified      []Notified // highest level each prefecture was notified at
}

// Notified is 通知済み震度: the level at which the people of a prefecture have been asked in this incident.
type Notified struct {
	Prefecture Prefecture
	Intensity  Intensity
	EventIDs   []EventID // the shakings they were asked about
}

// IncidentChoice is 併合の決定: join an open incident (Incident > 0) or open a new one, with the reason. // F3-1-k.4
type IncidentChoice struct {
	EventID  EventID
	Incident IncidentID // 0 = new
	Title    string     // for a new incident
	Reason   MergeReason
	Note     string
}

// MergeReason is 併合・新規の理由, one key each.
type MergeReason string

const (
	SameShaking    MergeReason = "same_shaking"  // 同じ揺れの続報
	SameSeries     MergeReason = "same_series"   // 一連の地震
	OtherPlace     MergeReason = "other_place"   // 場所が離れている
	LongAfter      MergeReason = "long_after"    // 時間が離れている
	FirstOfItsKind MergeReason = "first_of_kind" // 最初の事象
	OtherReason    MergeReason = "other"         // その他; Note is required
)

// Japanese is the reason on screens.
func (r MergeReason) Japanese() string {
	switch r {
	case SameShaking:
		return "同じ揺れの続報"
	case SameSeries:
		return "一連の地震"
	case OtherPlace:
		return "場所が離れている"
	case LongAfter:
		return "時間が離れている"
	case FirstOfItsKind:
		return "最初の事象"
	case OtherReason:
		return "その他"
	}
	return "理由不明"
}

// InboxItem is 受付一覧の一行: an event as the inbox shows it.
type InboxItem struct {
	Event        Event
	Advice       *Advice       // latest; nil before the first
	Verification *Verification // latest; nil while nobody judged
	IncidentID   IncidentID    // 0 while in none
	Unreadable   bool          // a telegram that could not be parsed, shown with its raw beginning in Headline
	TelegramID   TelegramID    // of an unreadable telegram
}

// EventFile is 事象の証拠: everything the verify screen shows about one event.
type EventFile struct {
	Item          InboxItem
	Telegrams     []Telegram // oldest first, without Raw
	Verifications []Verification
	Incidents     []Incident // open incidents that may be joined
}
