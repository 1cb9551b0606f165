package route_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"yagura/engine/route"
	"yagura/engine/route/routetest"
	"yagura/store/desk"
)

// window is a gate with so many places, which stops one mail.
type window struct {
	route.GateFunc
	places  chan struct{}
	stopped desk.MailID
}

func (w window) Places() <-chan struct{} { return w.places }
func (w window) Lets(m desk.Mail) bool   { return m.ID != w.stopped }

func TestNoDotIsWrittenWithoutAPlace(t *testing.T) { // law 9
	const places, mails = 5, 40
	for _, pipelining := range []bool{true, false} {
		server := routetest.Start(t, routetest.Script{NoPipelining: !pipelining})
		w := window{func() bool { return true }, make(chan struct{}, places), 7}
		for range places {
			w.places <- struct{}{}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		items, results, done := make(chan route.Item, mails), make(chan route.Result, mails), make(chan error, 1)
		for i := 1; i <= mails; i++ {
			items <- item(t, i, fmt.Sprintf("u%d@a.example", i))
		}
		close(items)
		go func() {
			done <- route.New(server.Carrier("a", 3), options(func(o *route.Options) { o.Gate = w })).Run(ctx, items, results)
		}()
		attempted := 0
		for n := 1; n <= mails; n++ {
			r := <-results
			if len(server.Kept()) > attempted+places {
				t.Fatalf("pipelining=%v: %d mails left with %d results recorded", pipelining, len(server.Kept()), attempted)
			}
			if r.Attempted && r.Mail.ID == w.stopped {
				t.Errorf("pipelining=%v: the stopped mail was attempted", pipelining)
			}
			if r.Attempted {
				attempted++
			}
			if r.Placed {
				w.places <- struct{}{} // recorded
			}
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		// The stop ends a connection, and the envelope that rode with the stopped body comes back with it.
		if kept := len(server.Kept()); kept != attempted || kept < mails-2 || len(w.places) != places {
			t.Errorf("pipelining=%v: %d kept, %d attempted, %d of %d places came back", pipelining, kept, attempted, len(w.places), places)
		}
	}
}

// TestASessionDoesNotWaitForAPlaceForEver: all places may be held by jobs that were handed back and wait for a free session.
func TestASessionDoesNotWaitForAPlaceForEver(t *testing.T) { // law 9
	server := routetest.Start(t, routetest.Script{})
	w := window{func() bool { return true }, make(chan struct{}), 0} // no place ever
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	items, results, done := make(chan route.Item, 1), make(chan route.Result, 1), make(chan error, 1)
	items <- item(t, 1, "a@a.example")
	close(items)
	timeouts := quick
	timeouts.Command = 300 * time.Millisecond
	go func() {
		done <- route.New(server.Carrier("a", 1), options(func(o *route.Options) { o.Gate, o.Timeouts = w, timeouts })).Run(ctx, items, results)
	}()
	select {
	case r := <-results:
		if ctx.Err() != nil || r.Attempted || r.Placed || len(server.Kept()) != 0 {
			t.Errorf("%+v, %d kept, %v", r, len(server.Kept()), ctx.Err())
		}
	case <-time.After(5 * time.Second):
		t.Error("the session still waits")
	}
	cancel()
	<-done
}
