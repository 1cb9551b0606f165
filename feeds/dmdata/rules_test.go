package dmdata

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"yagura/store/desk"
)

func minute(n float64) time.Time {
	return time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC).Add(time.Duration(n * float64(time.Minute)))
}

func TestEveryErrorCodeHasItsEnding(t *testing.T) {
	for code, want := range map[int]action{
		4400: rest, 4404: atOnce, 4409: freeSlots, 4503: atOnce, 4640: backOff, 4641: backOff, 4807: rest, 4808: rest, 4891: atOnce,
		4000: backOff, 4999: backOff,
	} {
		end, known := endingOf(code)
		if !known || end.do != want || !strings.Contains(end.reason, fmt.Sprint(code)) {
			t.Errorf("%d: %+v %v", code, end, known)
		}
		// The close code of the WebSocket says the same as the error frame.
		if got := endingOfError(fmt.Errorf("read: %w", websocket.CloseError{Code: websocket.StatusCode(code)})); got != end {
			t.Errorf("%d as a close code: %+v", code, got)
		}
	}
	for _, code := range []int{0, 1000, 1006, 3999, 5000, -1} {
		if end, known := endingOf(code); known {
			t.Errorf("%d: %+v", code, end)
		}
	}
	for status, want := range map[int]action{400: rest, 401: rest, 402: rest, 403: rest, 409: freeSlots, 429: backOff, 500: backOff, 503: backOff, 301: backOff} {
		if end := endingOfError(&statusError{status}); end.do != want || !strings.Contains(end.reason, fmt.Sprint(status)) {
			t.Errorf("HTTP %d: %+v", status, end)
		}
	}
	for _, err := range []error{context.DeadlineExceeded, websocket.ErrMessageTooBig, errors.New("x"), refused{ending{rest, "y"}}} {
		if endingOfError(err).reason == "" {
			t.Errorf("%v says nothing", err)
		}
	}
}

func TestNoErrorShowsTheTicket(t *testing.T) {
	err := scrub("x", fmt.Errorf("dial: %w", &url.Error{Op: "Get", URL: "https://h.example/v2/websocket?ticket=Secret", Err: errors.New("refused")}))
	if strings.Contains(err.Error(), "Secret") || strings.Contains(err.Error(), "h.example") || desk.KindOf(err) != desk.Unavailable {
		t.Error(err)
	}
}

func TestCoverage(t *testing.T) {
	for name, c := range map[string]struct {
		steps func(*coverage)
		gap   time.Time
	}{
		"before anything is open": {func(*coverage) {}, minute(-60)},
		"the first reading fills the start": {func(c *coverage) {
			c.opened(0, minute(1))
			c.begin()
			c.filled(minute(2))
		}, time.Time{}},
		"a reading before the socket opened does not": {func(c *coverage) {
			c.begin()
			c.filled(minute(0.5))
			c.opened(0, minute(1))
		}, minute(0.5)},
		"one of two ends": {func(c *coverage) {
			both(c)
			c.heard(0, minute(5))
			c.closed(0, minute(5))
		}, time.Time{}},
		"both end": {func(c *coverage) {
			both(c)
			c.heard(0, minute(5))
			c.heard(1, minute(6))
			c.closed(0, minute(7))
			c.closed(1, minute(7))
		}, minute(6)},
		// Socket 1 was half open while socket 0 was away: what fell between is missing, though one was always "open".
		"half open during the other's absence": {func(c *coverage) {
			both(c)
			c.heard(1, minute(3))
			c.heard(0, minute(4))
			c.closed(0, minute(4))
			c.opened(0, minute(5))
			c.heard(0, minute(6))
			c.closed(1, minute(6))
		}, minute(3)},
		"the other came back before this one fell silent": {func(c *coverage) {
			both(c)
			c.heard(0, minute(3))
			c.closed(0, minute(3))
			c.opened(0, minute(4))
			c.heard(1, minute(5))
			c.closed(1, minute(6))
		}, time.Time{}},
		"an end without a start": {func(c *coverage) {
			both(c)
			c.closed(0, minute(2))
			c.closed(0, minute(3))
		}, time.Time{}},
		"missed during a reading": {func(c *coverage) {
			both(c)
			c.missing(minute(2))
			c.begin()
			c.missing(minute(4))
			c.filled(minute(3))
		}, minute(4)},
		"down during a reading": {func(c *coverage) {
			both(c)
			c.missing(minute(2))
			c.begin()
			c.closed(0, minute(5))
			c.closed(1, minute(5))
			c.filled(minute(3))
		}, minute(1)}, // both were silent since they opened
	} {
		cover := newCoverage(2, minute(0), time.Hour)
		c.steps(cover)
		if !cover.gap.Equal(c.gap) {
			t.Errorf("%s: the gap is %v, not %v", name, cover.gap, c.gap)
		}
	}
	if c := newCoverage(1, minute(0), -1); !c.gap.IsZero() || c.down.IsZero() {
		t.Error("no backfill was asked for")
	}
}

func both(c *coverage) {
	c.opened(0, minute(1))
	c.opened(1, minute(1))
	c.gap = time.Time{}
}

func TestRingForgetsTheOldestAndStaysSmall(t *testing.T) {
	r := newRing(1000)
	for i := range 50_000 {
		r.add(fmt.Sprint(i))
		r.add(fmt.Sprint(i))
	}
	if !r.has("49999") || !r.has("49000") || r.has("48999") || len(r.ids) != 1000 {
		t.Errorf("%d ids", len(r.ids))
	}
}

func TestBudget(t *testing.T) {
	b := newBudget(10)
	if err := b.take(t.Context(), 8); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.take(ended, 3); !errors.Is(err, context.Canceled) {
		t.Errorf("took more than there is: %v", err)
	}
	got := make(chan error)
	go func() { got <- b.take(t.Context(), 3) }()
	b.give(8)
	if err := <-got; err != nil || b.left != 7 {
		t.Errorf("%v, %d left", err, b.left)
	}
}

func TestPace(t *testing.T) {
	p := newPace(3, time.Minute)
	now := minute(0)
	clock := func() time.Time { return now }
	for range 3 {
		if err := p.wait(t.Context(), clock); err != nil {
			t.Fatal(err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.wait(ended, clock); !errors.Is(err, context.Canceled) {
		t.Errorf("a fourth request in the same minute: %v", err)
	}
	now = minute(1)
	for range 2 { // the fourth place was spent on the one that gave up
		if err := p.wait(t.Context(), clock); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.wait(ended, clock); !errors.Is(err, context.Canceled) {
		t.Errorf("a fourth request in the second minute: %v", err)
	}
}

func TestWants(t *testing.T) {
	item := func(class, kind, format string) *listed {
		l := &listed{Classification: class, Format: format}
		l.Head.Type = kind
		return l
	}
	all := New(Options{Classifications: []string{"telegram.earthquake"}})
	some := New(Options{Types: []string{"VXSE51", "VXSE53"}})
	without := New(Options{Types: []string{"!VXSE51"}})
	for name, c := range map[string]struct {
		s    *Source
		l    *listed
		want bool
	}{
		"subscribed":          {all, item("telegram.earthquake", "VXSE51", "xml"), true},
		"another class":       {all, item("telegram.weather", "VPWW54", "xml"), false},
		"a conversion":        {all, item("telegram.earthquake", "VXSE51", "json"), false},
		"A/N":                 {all, item("telegram.earthquake", "IXAC41", "a/n"), false},
		"a wanted type":       {some, item("telegram.earthquake", "VXSE53", "xml"), true},
		"a type not wanted":   {some, item("telegram.earthquake", "VXSE52", "xml"), false},
		"an excluded type":    {without, item("telegram.earthquake", "VXSE51", "xml"), false},
		"beside the excluded": {without, item("telegram.earthquake", "VXSE52", "xml"), true},
	} {
		if got := c.s.wants(c.l); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if (&listed{}).before(minute(0)) || (&listed{ReceivedTime: "yesterday"}).before(minute(0)) {
		t.Error("a telegram without a readable time is taken for old")
	}
}

func TestDefaultsKeepTheFarSidesRules(t *testing.T) {
	o := Options{APIKey: "k", Now: time.Now}.withDefaults()
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	w := o.Waits
	if w.Longest != time.Minute || w.Jitter > time.Second || w.Ping >= w.Silence || w.Silence > 120*time.Second || w.DataPer != 5*time.Minute || dataBurst > 50 {
		t.Errorf("%+v", w)
	}
	if rate := apiBurst / w.APIPer.Seconds(); rate > 2 {
		t.Errorf("%.1f requests a second", rate)
	}
	if len(o.SocketHosts) != 2 || o.SocketHosts[0] == o.SocketHosts[1] || o.Test {
		t.Errorf("%+v", o.SocketHosts)
	}
	if (&Source{}).Rhythm() <= w.Silence {
		t.Error("the alarm is quicker than the half-open detection")
	}
}
