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
