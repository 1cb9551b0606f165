package route_test

import (
	"fmt"
	"testing"

	"yagura/engine/route"
	"yagura/engine/route/routetest"
	"yagura/store/desk"
)

// TestARefusalOfOurselvesIsNotOneOfTheMailbox: a carrier that blocks our sender, or lost the thread, says 5xx as well. Taken as
// final it would count all its people as unreachable, and nobody would be asked when the block is lifted.
func TestARefusalOfOurselvesIsNotOneOfTheMailbox(t *testing.T) {
	for _, pipelining := range []bool{true, false} {
		for name, c := range map[string]struct {
			script routetest.Script
			want   desk.Outcome
			stage  desk.Stage
			code   int
		}{
			"sender blocked":   {routetest.Script{Mail: always("550 5.7.1 blocked")}, desk.Deferred, desk.StageMail, 550},
			"lost the thread":  {routetest.Script{Rcpt: always("503 5.5.1 MAIL first")}, desk.Deferred, desk.StageRcpt, 503},
			"unknown mailbox":  {routetest.Script{Rcpt: always("550 5.1.1 unknown")}, desk.Refused, desk.StageRcpt, 550},
			"message rejected": {routetest.Script{End: always("554 5.6.0 no")}, desk.Refused, desk.StageData, 554},
		} {
			t.Run(fmt.Sprint(name, " pipelining=", pipelining), func(t *testing.T) {
				c.script.NoPipelining = !pipelining
				server := routetest.Start(t, c.script)
				for _, res := range send(t, route.New(server.Carrier("a", 1), options()), 3) {
					check(t, res, c.want, c.stage, c.code)
				}
			})
		}
	}
}

func always(reply string) func(string) routetest.Answer {
	return func(string) routetest.Answer { return routetest.Answer{Reply: reply} }
}
