package route_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"yagura/engine/route"
	"yagura/engine/route/routetest"
	"yagura/store/desk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quick = route.Timeouts{
	Connect: 2 * time.Second, Command: time.Second, DataEnd: time.Second, Drain: 500 * time.Millisecond,
	BackOff: 10 * time.Millisecond, BackOffTo: 50 * time.Millisecond,
}

func options(change ...func(*route.Options)) route.Options {
	o := route.Options{Gate: route.GateFunc(func() bool { return true }), Now: time.Now, Timeouts: quick, Seed: 1}
	for _, c := range change {
		c(&o)
	}
	return o
}

func item(t testing.TB, id int, to string) route.Item {
	t.Helper()
	i, err := route.NewItem(desk.Mail{ID: desk.MailID(id)}, to, fmt.Sprintf("b-%d@bounce.example", id),
		[]byte("To: "+desk.QuoteMailbox(to)+"\r\nSubject: t\r\n\r\n.dot\r\n..\r\nbody\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// send runs the route over n mails to u1@a.example … and returns the results by mail number. It fails unless every item has exactly one.
func send(t testing.TB, r *route.Route, n int) map[int]route.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	items, results := make(chan route.Item, 16), make(chan route.Result, n)
	go func() {
		defer close(items)
		for i := 1; i <= n; i++ {
			select {
			case items <- item(t, i, fmt.Sprintf("u%d@a.example", i)):
			case <-ctx.Done():
				return
			}
		}
	}()
	if err := r.Run(ctx, items, results); err != nil {
		t.Fatalf("Run: %v", err)
	}
	close(results)
	got := map[int]route.Result{}
	for res := range results {
		if _, twice := got[int(res.Mail.ID)]; twice {
			t.Fatalf("mail %d has two results", res.Mail.ID)
		}
		got[int(res.Mail.ID)] = res
	}
	if len(got) != n {
		t.Fatalf("%d results for %d mails", len(got), n)
	}
	return got
}

func check(t *testing.T, got route.Result, outcome desk.Outcome, stage desk.Stage, code int) {
	t.Helper()
	if got.Outcome != outcome || got.Stage != stage || got.Code != code || !got.Attempted {
		t.Errorf("mail %d: got %v/%s/%d attempted=%v %q, want %v/%s/%d", got.Mail.ID, got.Outcome, got.Stage, got.Code, got.Attempted, got.Text, outcome, stage, code)
	}
}

func TestEveryMailArrivesOnceAndWhole(t *testing.T) {
	for _, c := range []struct {
		name     string
		script   routetest.Script
		sessions int
	}{
		{"pipelined", routetest.Script{}, 4},
		{"one session", routetest.Script{}, 1},
		{"step by step", routetest.Script{NoPipelining: true}, 3},
		{"HELO only", routetest.Script{HeloOnly: true}, 2},
		{"slow end", routetest.Script{End: func(string) routetest.Answer { return routetest.Answer{Delay: time.Millisecond} }}, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := routetest.Start(t, c.script)
			results := send(t, route.New(server.Carrier("a", c.sessions), options()), 200)
			for _, res := range results {
				check(t, res, desk.Accepted, desk.StageData, 250)
			}
			seen := map[string]int{}
			for _, m := range server.Kept() {
				seen[m.To]++
				want := "To: " + m.To + "\r\nSubject: t\r\n\r\n.dot\r\n..\r\nbody\r\n"
				if m.Data != want {
					t.Fatalf("data altered on the way: %q", m.Data)
				}
				if "b-"+strings.TrimSuffix(strings.TrimPrefix(m.To, "u"), "@a.example")+"@bounce.example" != m.From {
					t.Fatalf("envelope sender %q for %q", m.From, m.To)
				}
			}
			if len(seen) != 200 || len(server.Kept()) != 200 {
				t.Errorf("%d people, %d mails", len(seen), len(server.Kept()))
			}
			if server.Opened() > c.sessions {
				t.Errorf("%d connections for %d sessions", server.Opened(), c.sessions)
			}
		})
	}
}

// TestAnswersBelongToTheirOwnMail refuses some mails at every stage among pipelined good ones.
func TestAnswersBelongToTheirOwnMail(t *testing.T) {
	number := func(to string) int {
		var n int
		_, _ = fmt.Sscanf(to, "u%d@", &n)
		return n
	}
	at := func(mod int, reply string) func(string) routetest.Answer {
		return func(to string) routetest.Answer {
			if number(to)%10 == mod {
				return routetest.Answer{Reply: reply}
			}
			return routetest.Answer{}
		}
	}
	for _, pipelining := range []bool{true, false} {
		t.Run(fmt.Sprint("pipelining=", pipelining), func(t *testing.T) {
			rcpt := at(2, "550 5.1.1 <u2@a.example> unknown user")
			server := routetest.Start(t, routetest.Script{
				NoPipelining: !pipelining,
				Mail: func(from string) routetest.Answer {
					if strings.HasSuffix(strings.TrimSuffix(from, "@bounce.example"), "1") {
						return routetest.Answer{Reply: "451 4.7.1 greylisted"}
					}
					return routetest.Answer{}
				},
				Rcpt: func(to string) routetest.Answer {
					if number(to)%10 == 3 {
						return routetest.Answer{Reply: "450-4.2.0 busy\r\n450 4.2.0 later"}
					}
					return rcpt(to)
				},
				Data: func(to string) routetest.Answer {
					switch {
					case to == "" && pipelining: // go on as some carriers do: ask for a body nobody can have
						return routetest.Answer{Reply: "354 go anyway"}
					case number(to)%10 == 4:
						return routetest.Answer{Reply: "554 5.7.1 no"}
					}
					return routetest.Answer{}
				},
				End: at(5, "552 5.2.2 full"),
			})
			for id, res := range send(t, route.New(server.Carrier("a", 3), options()), 200) {
				switch id % 10 {
				case 1:
					check(t, res, desk.Deferred, desk.StageMail, 451)
				case 2:
					check(t, res, desk.Refused, desk.StageRcpt, 550)
				case 3:
					check(t, res, desk.Deferred, desk.StageRcpt, 450)
				case 4:
					check(t, res, desk.Refused, desk.StageData, 554)
				case 5:
					check(t, res, desk.Refused, desk.StageData, 552)
				default:
					check(t, res, desk.Accepted, desk.StageData, 250)
				}
			}
			if kept := len(server.Kept()); kept != 100 {
				t.Errorf("%d kept, want 100", kept)
			}
		})
	}
}

func TestConnectionLost(t *testing.T) {
	for _, c := range []struct {
		name   string
		script func(hit func(string) routetest.Answer) routetest.Script
		answer routetest.Answer
		stage  desk.Stage
		code   int
		twice  bool // the text must say that it may arrive twice
	}{
		{"reset at RCPT", func(h func(string) routetest.Answer) routetest.Script { return routetest.Script{Rcpt: h} }, routetest.Answer{Reset: true}, "", 0, false},
		{"421 at RCPT", func(h func(string) routetest.Answer) routetest.Script { return routetest.Script{Rcpt: h} }, routetest.Answer{Reply: "421 4.7.0 too many"}, desk.StageRcpt, 421, false},
		{"reset in the body", func(h func(string) routetest.Answer) routetest.Script { return routetest.Script{HalfBody: h} }, routetest.Answer{Reset: true}, desk.StageData, 0, true},
		{"reset after the dot", func(h func(string) routetest.Answer) routetest.Script { return routetest.Script{End: h} }, routetest.Answer{Reset: true}, desk.StageData, 0, true},
		{"silence after the dot", func(h func(string) routetest.Answer) routetest.Script { return routetest.Script{End: h} }, routetest.Answer{Silent: true}, desk.StageData, 0, true},
		{"421 after the dot", func(h func(string) routetest.Answer) routetest.Script { return routetest.Script{End: h} }, routetest.Answer{Reply: "421 4.3.2 going down"}, desk.StageData, 421, false},
		{"nonsense after the dot", func(h func(string) routetest.Answer) routetest.Script { return routetest.Script{End: h} }, routetest.Answer{Reply: "hello"}, desk.StageData, 0, true},
		{"endless answer after the dot", func(h func(string) routetest.Answer) routetest.Script { return routetest.Script{End: h} }, routetest.Answer{Reply: "250 " + strings.Repeat("x", 200_000)}, desk.StageData, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			hit := func(to string) routetest.Answer {
				if to == "u7@a.example" {
					return c.answer
				}
				return routetest.Answer{}
			}
			server := routetest.Start(t, c.script(hit))
			o := options(func(o *route.Options) { o.Timeouts.DataEnd = 200 * time.Millisecond })
			for id, res := range send(t, route.New(server.Carrier("a", 2), o), 20) {
				if id != 7 {
					check(t, res, desk.Accepted, desk.StageData, 250)
					continue
				}
				if res.Outcome != desk.Deferred || res.Code != c.code || (c.stage != "" && res.Stage != c.stage) {
					t.Errorf("got %v/%s/%d %q", res.Outcome, res.Stage, res.Code, res.Text)
				}
				if strings.Contains(res.Text, "二重に届く可能性") != c.twice {
					t.Errorf("text %q", res.Text)
				}
			}
			seen := map[string]int{}
			for _, m := range server.Kept() {
				if seen[m.To]++; m.To != "u7@a.example" && seen[m.To] > 1 {
					t.Errorf("%s got a mail twice though its connection was not at a dot", m.To)
				}
			}
		})
	}
}

// TestUnaskedAnswerIsNotTakenForAnother: a carrier that answers twice must not make the next mail look accepted.
func TestUnaskedAnswerIsNotTakenForAnother(t *testing.T) {
	server := routetest.Start(t, routetest.Script{
		Data: func(to string) routetest.Answer {
			if to == "u3@a.example" {
				return routetest.Answer{Reply: "354 go\r\n250 2.0.0 ok"}
			}
			return routetest.Answer{}
		},
		End: func(to string) routetest.Answer {
			if to == "u3@a.example" {
				return routetest.Answer{Reply: "550 5.7.1 refused"}
			}
			return routetest.Answer{}
		},
	})
	for id, res := range send(t, route.New(server.Carrier("a", 1), options()), 6) {
		if id == 3 && res.Outcome == desk.Accepted {
			t.Error("a refused mail counts as accepted")
		}
		if id != 3 {
			check(t, res, desk.Accepted, desk.StageData, 250)
		}
	}
}

func TestOneStumbleBeforeTheDotIsForgiven(t *testing.T) {
	var once atomic.Bool
	server := routetest.Start(t, routetest.Script{Rcpt: func(to string) routetest.Answer {
		return routetest.Answer{Reset: to == "u5@a.example" && once.CompareAndSwap(false, true)}
	}})
	for _, res := range send(t, route.New(server.Carrier("a", 1), options()), 10) {
		check(t, res, desk.Accepted, desk.StageData, 250)
	}
	if n := len(server.Kept()); n != 10 {
		t.Errorf("%d kept", n)
	}
}

func TestClosedGateLetsNoDotOut(t *testing.T) {
	for _, pipelining := range []bool{true, false} {
		server := routetest.Start(t, routetest.Script{NoPipelining: !pipelining})
		var asked atomic.Int32
		o := options(func(o *route.Options) {
			o.Gate = route.GateFunc(func() bool { return asked.Add(1) <= 12 })
		})
		attempted := 0
		for _, res := range send(t, route.New(server.Carrier("a", 2), o), 50) {
			if res.Attempted {
				attempted++
				check(t, res, desk.Accepted, desk.StageData, 250)
			}
		}
		if kept := len(server.Kept()); kept != attempted || kept == 0 || kept > 12 {
			t.Errorf("pipelining=%v: %d kept, %d results of attempts", pipelining, kept, attempted)
		}
	}
}

func TestSessionCapSharesTheWork(t *testing.T) {
	server := routetest.Start(t, routetest.Script{
		Greeting: func(_, open int) routetest.Answer {
			if open > 2 {
				return routetest.Answer{Reply: "421 4.7.0 too many sessions"}
			}
			return routetest.Answer{}
		},
		End: func(string) routetest.Answer { return routetest.Answer{Delay: time.Millisecond} },
	})
	accepted := 0
	for _, res := range send(t, route.New(server.Carrier("a", 8), options()), 300) {
		if res.Outcome == desk.Accepted {
			accepted++
		}
	}
	if accepted < 295 { // a capped session defers only while no other is open yet
		t.Errorf("%d of 300 accepted", accepted)
	}
}

func TestDeadCarrierCostsFewMails(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := gone.Addr().(*net.TCPAddr).Port
	_ = gone.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	items, results := make(chan route.Item, 100), make(chan route.Result, 100)
	for i := 1; i <= 100; i++ {
		items <- item(t, i, "u@a.example")
	}
	o := options(func(o *route.Options) { o.Timeouts.BackOff, o.Timeouts.BackOffTo = 100*time.Millisecond, time.Second })
	r := route.New(desk.Carrier{Lane: "a", Host: "127.0.0.1", Port: port, Sessions: 4, Depth: 1}, o)
	if err := r.Run(ctx, items, results); err == nil {
		t.Fatal("Run ended without the context")
	}
	close(results)
	n := 0
	for res := range results {
		if res.Attempted { // the rest came back untried when the context ended
			n++
			check(t, res, desk.Deferred, desk.StageConnect, 0)
		}
	}
	if n == 0 || n > 10 {
		t.Errorf("%d mails spent on a dead carrier in 300 ms", n)
	}
}

func TestMailsPerSession(t *testing.T) {
	server := routetest.Start(t, routetest.Script{})
	o := options(func(o *route.Options) { o.MailsPerSession = 10 })
	send(t, route.New(server.Carrier("a", 1), o), 95)
	count := map[int]int{}
	for _, m := range server.Kept() {
		count[m.Conn]++
	}
	if len(server.Kept()) != 95 || server.Opened() != 10 {
		t.Errorf("%d mails over %d connections", len(server.Kept()), server.Opened())
	}
	for conn, n := range count {
		if n > 10 {
			t.Errorf("connection %d carried %d", conn, n)
		}
	}
}

func TestStopWhileWaitingForTheDot(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	server := routetest.Start(t, routetest.Script{End: func(string) routetest.Answer {
		cancel() // the engine is told to stop while the carrier thinks
		return routetest.Answer{Delay: 50 * time.Millisecond}
	}})
	items, results := make(chan route.Item, 10), make(chan route.Result, 10)
	for i := 1; i <= 10; i++ {
		items <- item(t, i, "u@a.example")
	}
	if err := route.New(server.Carrier("a", 1), options()).Run(ctx, items, results); err == nil {
		t.Fatal("no error after the context ended")
	}
	close(results)
	accepted := 0
	for res := range results {
		if res.Attempted {
			accepted++
			check(t, res, desk.Accepted, desk.StageData, 250)
		}
	}
	if accepted != 1 || len(server.Kept()) != 1 {
		t.Errorf("%d results, %d kept: a 250 is a fact even while stopping", accepted, len(server.Kept()))
	}
}

func TestSTARTTLS(t *testing.T) {
	server := routetest.Start(t, routetest.Script{TLS: selfSigned(t)})
	opportunistic := options(func(o *route.Options) { o.TLSConfig = &tls.Config{} })
	for _, res := range send(t, route.New(server.Carrier("a", 2), opportunistic), 20) {
		check(t, res, desk.Accepted, desk.StageData, 250)
	}
	demanding := server.Carrier("a", 1)
	demanding.TLS = true
	for _, res := range send(t, route.New(demanding, options()), 2) {
		check(t, res, desk.Deferred, desk.StageConnect, 0) // nobody vouches for the certificate
	}
	plain := routetest.Start(t, routetest.Script{})
	demanding = plain.Carrier("a", 1)
	demanding.TLS = true
	for _, res := range send(t, route.New(demanding, options()), 2) {
		check(t, res, desk.Deferred, desk.StageConnect, 0)
	}
	if n := len(plain.Kept()); n != 0 {
		t.Errorf("%d mails left in the clear", n)
	}
}

func selfSigned(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"carrier.example"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

func TestIdleSessionIsKeptAndClosed(t *testing.T) {
	server := routetest.Start(t, routetest.Script{})
	o := options(func(o *route.Options) {
		o.Timeouts.Noop, o.Timeouts.IdleClose = 20*time.Millisecond, 60*time.Millisecond
	})
	r := route.New(server.Carrier("a", 1), o)
	items, results := make(chan route.Item), make(chan route.Result, 2)
	done := make(chan error, 1)
	go func() { done <- r.Run(t.Context(), items, results) }()
	items <- item(t, 1, "u1@a.example")
	<-results
	deadline := time.NewTimer(5 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for r.Sessions() > 0 {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal("the idle session was never closed")
		}
	}
	items <- item(t, 2, "u2@a.example")
	check(t, <-results, desk.Accepted, desk.StageData, 250)
	close(items)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if server.Opened() != 2 {
		t.Errorf("%d connections", server.Opened())
	}
}

func TestRunNeedsGateAndClock(t *testing.T) {
	err := route.New(desk.Carrier{}, route.Options{}).Run(t.Context(), nil, nil)
	if desk.KindOf(err) != desk.Invalid {
		t.Errorf("got %v", err)
	}
}
