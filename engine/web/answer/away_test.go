package answer

import (
	"strings"
	"testing"
	"time"

	"yagura/store/desk"
)

// TestAWallClockSetBackDoesNotKeepAnswersAway: the pause is measured by the monotonic clock. Kept as wall time, a step of ten
// minutes backwards would leave every answer in the journal, and the tally without it, for ten minutes.
func TestAWallClockSetBackDoesNotKeepAnswersAway(t *testing.T) {
	s := New(Options{Now: time.Now})
	if s.away() {
		t.Fatal("away from the start")
	}
	s.markAway(desk.Errorf(desk.Unavailable, "test", "away"))
	if !s.away() {
		t.Fatal("not away after a failure")
	}
	if until := s.awayUntil.Load(); !strings.Contains(until.String(), " m=") {
		t.Errorf("the pause ends at %s, which has no monotonic reading", until)
	}
	past := time.Now().Add(-time.Millisecond)
	s.awayUntil.Store(&past)
	if s.away() {
		t.Error("still away after the pause")
	}
}
