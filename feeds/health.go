package feeds

import "time"

// Health is 受信系統の状態: what a source knows about itself. The watch compares LastContact with the source's Rhythm.
type Health struct {
	LastReceived time.Time // the last telegram handed over; zero when none yet
	LastContact  time.Time // the last sign of life of the far side: an answer, a 304, a ping, a scan; zero when none yet
	Reconnects   int       // how often the path was lost and found again since the start
	Trouble      string    // one plain Japanese sentence for the desk; "" when all is well
	Detail       string    // figures for people, e.g. 本日 12.3MB、304応答 210 回; may be empty
}

// Reporter is a source that tells its health. Both methods may be called at any time from any goroutine.
type Reporter interface {
	// Health is the state of the source at this moment.
	Health() Health
	// Rhythm is how long a silence of contact is normal for this source; 0 means that silence never alarms.
	Rhythm() time.Duration
}
