package route_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"yagura/engine/route"
	"yagura/engine/route/routetest"
	"yagura/store/desk"
)

// TestStorm sends through a carrier that misbehaves at random at every point of the dialogue. Whatever happens: one result a mail
// (send checks that); what counts as accepted was kept; what was kept and does not count as accepted says that it may come
// twice; nothing is kept twice within one run.
func TestStorm(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 1))
			bad := []routetest.Answer{
				{Reset: true},
				{Silent: true},
				{Reply: "421 4.3.2 closing"},
				{Reply: "451 4.3.0 later"},
				{Reply: "550 5.1.1 no"},
				{Reply: "garbage"},
				{Delay: 2 * time.Millisecond},
				{Reply: "450-4.2.0 a\r\n450 4.2.0 b"},
			}
			maybe := func(string) routetest.Answer {
				if rng.IntN(100) < 4 {
					return bad[rng.IntN(len(bad))]
				}
				return routetest.Answer{}
			}
			server := routetest.Start(t, routetest.Script{
				NoPipelining: seed%3 == 2, Mail: maybe, Rcpt: maybe, Data: maybe, End: maybe,
				HalfBody: func(string) routetest.Answer { return routetest.Answer{Reset: rng.IntN(100) < 2} },
				Greeting: func(int, int) routetest.Answer {
					if rng.IntN(10) == 0 {
						return routetest.Answer{Reply: "421 4.7.0 busy"}
					}
					return routetest.Answer{}
				},
			})
			o := options(func(o *route.Options) {
				o.Seed = seed
				o.Timeouts.Command, o.Timeouts.DataEnd = 100*time.Millisecond, 100*time.Millisecond
				o.Timeouts.BackOff, o.Timeouts.BackOffTo = time.Millisecond, 5*time.Millisecond
			})
			results := send(t, route.New(server.Carrier("a", 4), o), 400)
			kept := map[string]int{}
			for _, m := range server.Kept() {
				kept[m.To]++
			}
			accepted := 0
			for id, res := range results {
				n := kept[fmt.Sprintf("u%d@a.example", id)]
				switch {
				case n > 1:
					t.Errorf("mail %d was kept %d times", id, n)
				case res.Outcome == desk.Accepted && n == 0:
					t.Errorf("mail %d counts as accepted and was never kept", id)
				case res.Outcome != desk.Accepted && n > 0 && !strings.Contains(res.Text, "二重に届く可能性") && res.Code != 421:
					t.Errorf("mail %d was kept, but the result says %v/%s/%d %q", id, res.Outcome, res.Stage, res.Code, res.Text)
				}
				if res.Outcome == desk.Accepted {
					accepted++
				}
			}
			if accepted < 200 {
				t.Errorf("only %d of 400 accepted", accepted)
			}
		})
	}
}
