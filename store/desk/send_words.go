package desk

import "time"

// GiveUpAfter is 再送の打切り: so long after the expansion a dispatch may be Sent although mails are still deferred; they stay
// counted as deferred and are shown at the desk. A mail without any result is never given up.
const GiveUpAfter = 30 * time.Minute

// StopSettles is 停止の確定まで: so long after the stop row a dispatch becomes Stopped at the latest. A holder looks at the stop
// row before each batch and its lease ends within 5 s, so no lane holds an unlooked-at batch any more.
const StopSettles = 10 * time.Second

// RetryDelay is 再送間隔 after so many results (1, 2, 3 …): 5 s, 15 s, 1 min, then 5 min. Greylisting ends within minutes; a
// carrier that says "later" is not helped by haste. The sender adds jitter.
func RetryDelay(attempts int) time.Duration {
	switch {
	case attempts <= 0:
		return 0
	case attempts == 1:
		return 5 * time.Second
	case attempts == 2:
		return 15 * time.Second
	case attempts == 3:
		return time.Minute
	}
	return 5 * time.Minute
}

// LaneLease is リースの名前 of a carrier lane.
func LaneLease(lane string) string { return "lane:" + lane }

// DispatchLease is リースの名前 of the fan-out. Correctness does not need it; it saves two engines the same work.
const DispatchLease = "dispatch"

// ExpandStep is 展開の一区切り: what one chunk of the fan-out wrote.
type ExpandStep struct {
	State     DispatchState // after the chunk
	People    int           // of this chunk
	Addresses int           // mail rows of this chunk
	Unreached int           // people of this chunk without a usable address
	Done      bool          // nothing is left to expand: the state has moved on
}
