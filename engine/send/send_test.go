package send_test

import (
	"testing"
	"time"

	"yagura/engine/route/routetest"
	"yagura/store/desk"
)

func TestDispatchReachesEverybodyOnce(t *testing.T) {
	const people = 1200
	o := newOffice(t, people, "docomo.example", "elsewhere.example")
	sink, rest := routetest.Start(t, routetest.Script{}), routetest.Start(t, routetest.Script{})
	first := sink.Carrier("docomo", 8)
	first.Domains = []string{"docomo.example"}
	o.carriers(first, rest.Carrier(desk.DefaultLane, 8))
	house{name: "engine", s: o.engine}.start(t)
	began := time.Now()
	id := o.order()
	await(t, 60*time.Second, "sent", func() bool { return o.progress(id).Dispatch.State == desk.Sent })
	t.Logf("%d mails in %v", people, time.Since(began))
	got, extra := counts(sink, rest)
	p := o.progress(id)
	if len(got) != people || extra != 0 || p.Accepted != people || p.Pending != 0 {
		t.Fatalf("mailboxes %d, extra %d, progress %+v", len(got), extra, p)
	}
	if n := len(sink.Kept()); n != people/2 {
		t.Errorf("lane docomo sent %d", n)
	}
	if p.Dispatch.HeadCount != people || p.Dispatch.Addresses != people || p.Dispatch.Unreached != 0 {
		t.Errorf("counts %+v", p.Dispatch)
	}
}
