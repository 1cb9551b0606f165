package answer

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"yagura/store/desk"
)

// lateHeadings knows a drill only when it is asked a second time.
type lateHeadings struct {
	Store
	asked atomic.Int32
}

func (l *lateHeadings) Headings(context.Context) ([]desk.Heading, error) {
	if l.asked.Add(1) == 1 {
		return nil, nil
	}
	return []desk.Heading{{DispatchID: 7, Mode: desk.Drill}}, nil
}

func TestTheFirstDrillPageKnowsItsDrill(t *testing.T) { // law 4
	store := &lateHeadings{}
	s := New(Options{Store: store, Now: time.Now})
	s.loadHeadings(t.Context())
	if got := s.headingOf(t.Context(), 7); got.Mode != desk.Drill {
		t.Errorf("the first visitor sees mode %q", got.Mode)
	}
	if s.headingOf(t.Context(), 7); store.asked.Load() != 2 {
		t.Errorf("a known heading was asked for again (%d times)", store.asked.Load())
	}
	s.markAway(desk.Errorf(desk.Unavailable, "test", ""))
	if s.headingOf(t.Context(), 8); store.asked.Load() != 2 {
		t.Error("a page waited for a database that is away")
	}
}
