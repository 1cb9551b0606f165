package desk

import (
	"fmt"
	"time"
)

// Mail is 送信単位: one address of one recipient of one dispatch, written once by the fan-out and never changed.
type Mail struct {
	ID         MailID
	DispatchID DispatchID
	PersonID   PersonID
	Address    Address
	Lane       string
	CreatedAt  time.Time // the Date header of every attempt, so that a repeated mail is byte for byte the same (law 5)
	Attempts   int       // results recorded so far
	NextAt     time.Time // not before, after a deferral; zero = now
}

// MessageID is the local half of the Message-ID: stable for the mail, whoever sends it and however often (law 5).
func (m Mail) MessageID() string { return fmt.Sprintf("%d.%d", m.DispatchID, m.ID) }

// Letter is 文面: what all mails of a dispatch or a bulletin share.
type Letter struct {
	DispatchID DispatchID
	Mode       Mode
	Subject    string
	Body       string
	ApprovedAt time.Time
	NotBefore  time.Time
	Bulletin   bool // automatic information: nobody is asked to answer // F3-1-l
}

// Outcome is 送信結果の種別.
type Outcome uint8

const (
	Accepted Outcome = 1 // the carrier said 250 after the final dot: a fact that wins over any lease
	Deferred Outcome = 2 // 4xx or a cut before the dot: tried again later
	Refused  Outcome = 3 // 5xx: final, shown to the desk
)

// Final reports whether the mail needs no further try.
func (o Outcome) Final() bool { return o == Accepted || o == Refused }

// Japanese is the outcome on screens.
func (o Outcome) Japanese() string {
	switch o {
	case Accepted:
		return "受理"
	case Deferred:
		return "保留"
	case Refused:
		return "拒否"
	}
	return "不明"
}

// Stage is 応答を受けた段階 of the SMTP dialogue; it tells an unknown user (RCPT) from a filter (DATA).
type Stage string

const (
	StageConnect Stage = "connect"
	StageMail    Stage = "mail"
	StageRcpt    Stage = "rcpt"
	StageData    Stage = "data" // after the final dot
)

// Attempt is 送信試行: one try of one mail, append-only.
type Attempt struct {
	MailID     MailID
	DispatchID DispatchID
	Number     int   // 1, 2, 3 …
	Epoch      int64 // lease epoch of the lane's owner
	Lane       string
	At         time.Time // when the answer was read, by the sender's clock
	Outcome    Outcome
	Stage      Stage
	Code       int    // SMTP code, 0 when the connection broke
	Text       string // the carrier's words without addresses, at most 200 bytes
	Route      string // the way it left, e.g. host:port
}

// Window is W: the most mails taken and not yet recorded over all lanes together. It is the duplicate guarantee (law 9).
const Window = 128

// StopBatch is the most mails a sender may take between two looks at the stop row (law 7).
const StopBatch = 200

// Carrier is 送信先事業者の設定: one lane as data.
type Carrier struct {
	Lane     string
	Name     string   // shown at the desk
	Domains  []string // mail domains it serves; the lane named DefaultLane serves all others
	Host     string
	Port     int
	Sessions int  // persistent connections
	Depth    int  // mails in flight per connection, 1 = body and next envelope in one write
	TLS      bool // STARTTLS required
}

// DefaultLane is the lane of every domain that no carrier names.
const DefaultLane = "other"
