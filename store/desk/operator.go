package desk

import "time"

// Operator is 当直者: who may sit at the desk, known by an SSH public key.
type Operator struct {
	ID          OperatorID
	Name        string // log-in name, ASCII
	Display     string // shown at the desk
	Fingerprint string // SHA256:… of the SSH public key, as ssh-keygen -l prints it
	Disabled    bool
}

// Presence is 在席: a session that is open now, for the header.
type Presence struct {
	Operator string
	Since    time.Time
}

// Topic is 通知の話題. A wake-up is only a hint: the reader re-reads (law 8).
type Topic string

const (
	TopicTelegram Topic = "telegram" // a telegram was stored; ID = telegram
	TopicEvent    Topic = "event"    // an event or its advice changed; ID = event
	TopicIncident Topic = "incident" // ID = incident
	TopicDispatch Topic = "dispatch" // proposed, approved, stopped, state changed; ID = dispatch
	TopicMail     Topic = "mail"     // mail rows were written; ID = dispatch
	TopicTally    Topic = "tally"    // a tally was published; ID = dispatch
	TopicLost     Topic = "lost"     // the listening connection broke and is back: re-read everything; ID = 0
)

// Topics lists the topics that are notified through the store.
func Topics() []Topic {
	return []Topic{TopicTelegram, TopicEvent, TopicIncident, TopicDispatch, TopicMail, TopicTally, TopicHealth}
}

// Wake is 起床の合図.
type Wake struct {
	Topic Topic
	ID    int64
}

// Health is 稼働状況 for the header: who is alive, how old the news is.
type Health struct {
	AsOf         time.Time // database clock
	Engines      []Heartbeat
	Operators    []Presence
	LastTelegram time.Time // received-at of the latest telegram
	LastFeed     string    // feed it came from; "replay" is shown as 再生
	LastStored   time.Time // database clock of the same
}

// Heartbeat is 生存報告 of one process.
type Heartbeat struct {
	Process string
	At      time.Time
	Lanes   []string // lanes it owns
	Note    string   // e.g. how many answers wait in its journal
}
