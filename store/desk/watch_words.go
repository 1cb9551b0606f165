package desk

import "time"

// TopicHealth is 稼働の変化: a source fell silent or came back, or a breach was opened, drafted or sent; ID = breach, or 0.
const TopicHealth Topic = "health"

// WatchLease is リースの名前 of the watch. Two watches would do no harm; it saves the second one the work.
const WatchLease = "watch"

// ReplayFeed is the name of the source that plays recorded telegrams: their times are recorded ones, not those of the clock.
const ReplayFeed = "replay"

// Queues inside the tower are watched like sources: what waits too long in one is as little heard as what was never received.
const (
	QueuePrefix   = "queue:"
	QueueReading  = "queue:reading"  // 解析待ち: stored, not yet read
	QueueBulletin = "queue:bulletin" // 自動配信の判断待ち: read, not yet considered
	QueueDeadline = "queue:deadline" // 期限超過: a real mailing still leaves after its limit; heard = the moment the limit passed
)

// SourceHealth is 受信系統の状態 of one source at one engine, as the header and the watch see it.
type SourceHealth struct {
	Name         string        // the name of the feed, e.g. "jma"
	Engine       string        // the process that runs it
	LastReceived time.Time     // the last telegram handed over; zero when none yet
	LastContact  time.Time     // the last sign of life of the far side; zero when none yet
	Lag          time.Duration // received minus issued of the latest telegram; 0 = not known
	Reconnects   int           // since the start of the process
	Trouble      string        // one plain Japanese sentence; "" when all is well
	Detail       string        // figures for people; may be empty
	Rhythm       time.Duration // how long a silence of contact is normal; 0 = silence never alarms
	Silent       bool          // beyond its own rhythm at the time it was read; filled by the store
	FirstAt      time.Time     // when this source was first noted at this engine; filled by the store
	At           time.Time     // when it was noted last, by the database's clock; filled by the store
}

// Heard is the last sign of life: the contact, or when none was had yet, the moment the source began.
func (h SourceHealth) Heard() time.Time {
	if h.LastContact.IsZero() {
		return h.FirstAt
	}
	return h.LastContact
}

// SilentAt reports whether the source is beyond its own rhythm at that time.
func (h SourceHealth) SilentAt(now time.Time) bool {
	return h.Rhythm > 0 && now.Sub(h.Heard()) > h.Rhythm
}

// Backlog is 未処理の電文: since when the oldest telegram of each queue waits; zero where none does.
type Backlog struct {
	Unread       time.Time
	Unconsidered time.Time
}

// SourceSilence is 受信停止の記録: a source was beyond its own rhythm at every engine.
type SourceSilence struct {
	ID        int64
	Name      string
	Since     time.Time // the last sign of life before it
	NoticedAt time.Time
	Trouble   string
	EndedAt   time.Time // zero while it lasts
}

// ClockStage is 段階: one moment on the way of a mailing, from the happening to the last mailbox.
type ClockStage string

const (
	StageOccurred      ClockStage = "occurred"       // 発生
	StageIssued        ClockStage = "issued"         // 発表
	StageReceived      ClockStage = "received"       // 受信
	StageRead          ClockStage = "read"           // 解析
	StageJudged        ClockStage = "judged"         // 判断: the automatic decision, or the operator's approval
	StageQueued        ClockStage = "queued"         // 送信準備: every mail is written
	StageFirstAccepted ClockStage = "first_accepted" // 最初の受理
	StageLastAccepted  ClockStage = "last_accepted"  // 最後の受理
)

// ClockStages lists the stages in the order of time.
func ClockStages() []ClockStage {
	return []ClockStage{StageOccurred, StageIssued, StageReceived, StageRead, StageJudged, StageQueued, StageFirstAccepted, StageLastAccepted}
}

// Japanese is the stage on screens and in reports.
func (s ClockStage) Japanese() string {
	switch s {
	case StageOccurred:
		return "発生"
	case StageIssued:
		return "発表"
	case StageReceived:
		return "受信"
	case StageRead:
		return "解析"
	case StageJudged:
		return "判断"
	case StageQueued:
		return "送信準備"
	case StageFirstAccepted:
		return "最初の受理"
	case StageLastAccepted:
		return "最後の受理"
	}
	return "段階不明"
}

// Clause is 仕様書の項: which limit a mailing is measured by; "" where the contract names none.
type Clause string

const (
	ClauseQuick     Clause = "P5-2" // 地震速報
	ClauseConfirmed Clause = "P5-3" // 地震確定
	ClauseOther     Clause = "P5-4" // その他の災害情報
	ClauseMissile   Clause = "P5-5" // ミサイル情報
)

// Japanese is what the clause is about, as the contract calls it.
func (c Clause) Japanese() string {
	switch c {
	case ClauseQuick:
		return "地震速報"
	case ClauseConfirmed:
		return "地震確定"
	case ClauseOther:
		return "その他災害情報"
	case ClauseMissile:
		return "ミサイル情報"
	}
	return "期限の定めなし"
}

// SubjectKind says which table the number of a clock's subject belongs to.
type SubjectKind string

const (
	SubjectBulletin SubjectKind = "bulletin" // 自動情報配信
	SubjectDispatch SubjectKind = "dispatch" // 代行送信
)

// Japanese is the kind on screens and in reports.
func (k SubjectKind) Japanese() string {
	if k == SubjectBulletin {
		return "自動配信"
	}
	return "代行送信"
}

// ClockSubject is 計時の対象: one mailing.
type ClockSubject struct {
	Kind SubjectKind `json:"kind"`
	ID   int64       `json:"id"`
}

// StageClock is 計時: the moments of one mailing, read from the facts. A stage that has not come, or is not known, is zero.
// The times of a replay are moved by the pause between the recorded receipt and the storing, so that its delays stay as they were.
type StageClock struct {
	Subject ClockSubject `json:"subject"`
	Clause  Clause       `json:"clause"`
	Mode    Mode         `json:"mode"`
	Title   string       `json:"title"`
	Feed    string       `json:"feed"`    // the source of the telegram that occasioned it
	Renewal bool         `json:"renewal"` // an update, correction, withdrawal or lifting: counted from its own issue, not from the happening

	OccurredAt    time.Time `json:"occurred_at"`
	IssuedAt      time.Time `json:"issued_at"`
	ReceivedAt    time.Time `json:"received_at"`
	ReadAt        time.Time `json:"read_at"`
	JudgedAt      time.Time `json:"judged_at"`
	QueuedAt      time.Time `json:"queued_at"`
	FirstAccepted time.Time `json:"first_accepted"`
	LastAccepted  time.Time `json:"last_accepted"`

	Mails    int  `json:"mails"`
	Accepted int  `json:"accepted"`
	Refused  int  `json:"refused"`  // 5xx: the address, not the tower, is at fault
	Waiting  int  `json:"waiting"`  // neither accepted nor refused
	Stopped  bool `json:"stopped"`  // an operator stopped it: no longer measured
	Finished bool `json:"finished"` // every mail is accepted or refused
}

// At is the moment of a stage; zero when it has not come or is not known.
func (c *StageClock) At(s ClockStage) time.Time {
	switch s {
	case StageOccurred:
		return c.OccurredAt
	case StageIssued:
		return c.IssuedAt
	case StageReceived:
		return c.ReceivedAt
	case StageRead:
		return c.ReadAt
	case StageJudged:
		return c.JudgedAt
	case StageQueued:
		return c.QueuedAt
	case StageFirstAccepted:
		return c.FirstAccepted
	case StageLastAccepted:
		return c.LastAccepted
	}
	return time.Time{}
}

// ClockRule is 期限: one limit of the contract as data; the highest version of a clause and target counts. // P5-2 P5-3 P5-4 P5-5
type ClockRule struct {
	Version int
	At      time.Time
	Actor   string
	Clause  Clause
	From    ClockStage    // where the limit begins to count
	Until   ClockStage    // StageFirstAccepted or StageLastAccepted
	Limit   time.Duration // the contract's time
	Warn    float64       // times the limit
	Breach  float64       // times the limit; 0 = a target that is never a breach
}

// ClockState is 期限の状態.
type ClockState string

const (
	ClockOK     ClockState = "ok"
	ClockWarn   ClockState = "warn"   // 期限超過
	ClockBreach ClockState = "breach" // 大幅な期限超過
)

// ClockVerdict is 期限の判定 of one clock under one rule.
type ClockVerdict struct {
	State   ClockState
	Since   ClockStage    // the stage it was really counted from; the rule's own may not be known
	Elapsed time.Duration // to the target stage, or to now while that has not come
	Ratio   float64       // Elapsed over the limit
	Running bool          // the target stage has not come
}

// Breach is 遅延報告: a mailing that greatly exceeded its limit, with the draft of the report that is owed. // P5-6
type Breach struct {
	ID        int64
	Subject   ClockSubject
	Clause    Clause
	Ratio     float64       // when the record was opened
	Limit     time.Duration // that was in force then
	From      ClockStage    // where it began to count
	Until     ClockStage
	Clock     StageClock // as last drafted
	OpenedAt  time.Time
	Cause     string // by a person; "" = not yet written
	Measures  string // by a person; "" = not yet written
	DraftedAt time.Time
	Report    string // the draft as text; "" = not yet drafted
	SentAt    time.Time
	SentBy    string // who marked it as sent
}
