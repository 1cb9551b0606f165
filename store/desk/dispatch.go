package desk

import "time"

// DispatchState is 代行送信の状態. One table (May) says which steps are legal; every UPDATE names the states it may come from.
type DispatchState string

const (
	Proposed  DispatchState = "proposed"  // 起案: an operator prepared it, nothing is promised
	Approved  DispatchState = "approved"  // 承認: count-down or expansion under way; rows may be leaving
	Expanded  DispatchState = "expanded"  // 展開済: every mail row is written
	Sending   DispatchState = "sending"   // 送信中: at least one mail has a result
	Sent      DispatchState = "sent"      // 送信完了: every mail has a final result
	Stopped   DispatchState = "stopped"   // 停止: a stop row exists and no lane holds a mail of it any more
	Expired   DispatchState = "expired"   // 失効: not_after passed before expansion (law 6)
	Withdrawn DispatchState = "withdrawn" // 取下: given up before approval, or stopped during the count-down
)

var dispatchSteps = map[DispatchState][]DispatchState{
	Proposed: {Approved, Withdrawn},
	Approved: {Expanded, Stopped, Expired, Withdrawn},
	Expanded: {Sending, Sent, Stopped},
	Sending:  {Sent, Stopped},
}

// May reports whether the step to next is legal.
func (s DispatchState) May(next DispatchState) bool {
	for _, n := range dispatchSteps[s] {
		if n == next {
			return true
		}
	}
	return false
}

// Ended reports whether no further step is possible.
func (s DispatchState) Ended() bool { return len(dispatchSteps[s]) == 0 }

// Japanese is the state on screens.
func (s DispatchState) Japanese() string {
	switch s {
	case Proposed:
		return "起案"
	case Approved:
		return "承認"
	case Expanded:
		return "展開済"
	case Sending:
		return "送信中"
	case Sent:
		return "送信完了"
	case Stopped:
		return "停止"
	case Expired:
		return "失効"
	case Withdrawn:
		return "取下"
	}
	return "状態不明"
}

// DispatchStates lists every state, for tests and legends.
func DispatchStates() []DispatchState {
	return []DispatchState{Proposed, Approved, Expanded, Sending, Sent, Stopped, Expired, Withdrawn}
}

// Dispatch is 代行送信: a mailing ordered by a person. It keeps the template version and text it used.
type Dispatch struct {
	ID         DispatchID
	IncidentID IncidentID
	EventID    EventID // the event it was proposed on
	Mode       Mode
	State      DispatchState
	Subject    string // without the 【訓練】 stamp, which compose adds by Mode
	Body       string // text above the link
	TemplateID string
	TemplateV  int
	Triggered  []TriggeredBy // the audience: people whose region is one of these prefectures
	HeadCount  int           // people, each once; as proposed, replaced by the true number at expansion
	Addresses  int           // addresses to be mailed
	Unreached  int           // people of the audience without any usable address
	ProposerID OperatorID    // who proposed it; he cannot be the second person
	ProposedBy string        // his display name
	ProposedAt time.Time
	Approval   *Approval
	Stop       *Stop
	ExpandedAt time.Time
	FirstAt    time.Time // first accepted
	LastAt     time.Time // latest result
	Cutoff     time.Time // sent_at or stopped_at
}

// Approval is 承認: the order of one operator; no mail row exists without it (law 2). // F3-1-k.3
type Approval struct {
	ID         ApprovalID
	DispatchID DispatchID
	OperatorID OperatorID
	Operator   string
	HeadCount  int // the number the operator saw, and typed when two people were needed
	Method     ApproveMethod
	At         time.Time
	NotBefore  time.Time // end of the count-down; nothing leaves earlier
	NotAfter   time.Time // an engine that comes later marks it Expired (law 6)
}

// ApproveMethod is 承認の方法.
type ApproveMethod string

const (
	OneKey    ApproveMethod = "one_key"    // every check clean and the policy allows one person
	TwoPeople ApproveMethod = "two_people" // a second operator typed the head-count
)

// ApprovalOrder is 承認の申請: what the desk hands to the store.
type ApprovalOrder struct {
	DispatchID DispatchID
	HeadCount  int // as shown to the approver; a different current count is Stale
	Method     ApproveMethod
	AdviceID   AdviceID // the advice the approver looked at; newer advice is Stale
}

// Stop is 送信停止: a fact of its own; the sender looks at it before each batch (law 7).
type Stop struct {
	ID         StopID
	DispatchID DispatchID
	OperatorID OperatorID
	Operator   string
	Reason     string
	At         time.Time
}

// Draft is 起案内容: what an operator proposes.
type Draft struct {
	IncidentID IncidentID
	EventID    EventID
	Triggered  []TriggeredBy
	TemplateID string
	Subject    string
	Body       string
}

// AudiencePreview is 送信対象の見込み: counted before proposing. // F3-1-f F3-1-g
type AudiencePreview struct {
	People        int
	Addresses     int
	Unreached     int // people concerned who have no usable address
	Uncovered     int // people of the whole roster without any region: never in any audience, shown so that nobody forgets them
	ByPrefecture  []PrefectureCount
	UnreachedList []PersonLine // at most 50, names for the desk
}

// PrefectureCount is 都道府県別人数 within an audience. A person with several triggered regions counts in each.
type PrefectureCount struct {
	Prefecture Prefecture
	Intensity  Intensity
	Reason     TriggerReason
	People     int
	Unreached  int
}

// DispatchProgress is 送信状況, counted from attempts, not from hope (law 7).
type DispatchProgress struct {
	Dispatch Dispatch
	Mails    int
	Accepted int
	Refused  int // 5xx
	Deferred int // last result 4xx, will be tried again
	Pending  int // no result yet
	Lanes    []LaneProgress
	AsOf     time.Time
}

// LaneProgress is 送信経路別の状況.
type LaneProgress struct {
	Lane     string
	Mails    int
	Accepted int
	Refused  int
	Deferred int
}

// IncidentFile is 災害事象の記録: what the incident and dispatch screens show.
type IncidentFile struct {
	Incident   Incident
	Events     []InboxItem
	Dispatches []DispatchProgress
}

// Policy is 運用方針: thresholds and rules as data with history; the latest row counts. // F3-1-k.1
type Policy struct {
	Version        int
	At             time.Time
	PrefectureFrom Intensity     // people of a prefecture at or above this are asked
	NationwideFrom Intensity     // national maximum at or above this: all staff are asked; Unknown = never
	CountDown      time.Duration // between the key and the first mail; any operator can stop
	NotAfter       time.Duration // an approval older than this expires unexpanded
	MergeWindow    time.Duration // since the incident's latest event
	MergeKM        float64       // hypocentre distance
	OnePersonMay   bool          // false: always two people
}
