package dmdata_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"yagura/feeds/dmdata"
	"yagura/store/desk"
)

// TestNoOrderOfAccidentsLosesOrDoubles plays random accidents on both regions while telegrams are issued. YAGURA_SEEDS says how many
// nights; the seed of a failed one is its name.
func TestNoOrderOfAccidentsLosesOrDoubles(t *testing.T) {
	nights := 4
	if n, err := strconv.Atoi(os.Getenv("YAGURA_SEEDS")); err == nil {
		nights = n
	}
	for seed := range nights {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dice := rand.New(rand.NewPCG(uint64(seed), 3))
			r := start(t, func(o *dmdata.Options) { o.Waits.Silence = 60 * time.Millisecond; o.Waits.Ping = 20 * time.Millisecond })
			var envs []desk.Envelope
			for range 60 {
				region := dice.IntN(2)
				switch dice.IntN(9) {
				case 0:
					r.server.Fault(region, []int{4503, 4404, 4640, 4641, 4891, 4777}[dice.IntN(6)])
				case 1:
					r.server.Down(region, true)
				case 2, 3:
					r.server.HalfOpen(region, false) // a connection that went silent does not come back to life: it is cut
					r.server.Down(region, true)
					r.server.Down(region, false)
				case 4:
					r.server.HalfOpen(region, true)
				case 5:
					r.server.ExpireTickets(1)
				case 6:
					r.server.Fail(1+dice.IntN(3), []int{429, 500, 503}[dice.IntN(3)])
				case 7:
					n := len(r.inbox.count())
					r.await("something", func() bool { return r.inbox.len() > n || r.inbox.len() == len(envs) || dice.IntN(4) == 0 })
				case 8:
					r.server.Raw([]byte("garbage"))
				}
				for range dice.IntN(4) {
					e := quake(len(envs))
					envs = append(envs, e)
					r.server.Push(e)
				}
			}
			for region := range 2 {
				r.server.HalfOpen(region, false)
				r.server.Down(region, true)
				r.server.Down(region, false)
			}
			r.exactlyOnce(envs)
			r.await("both again", r.bothOpen)
		})
	}
}
