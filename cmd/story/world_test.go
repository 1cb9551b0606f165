package story

import (
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"

	"yagura/engine/route/routetest"
	"yagura/store"
	"yagura/store/desk"
)

// lane is one simulated carrier: what the file of a profile says. Shares run from 0 to 1.
type lane struct {
	Lane      string    `json:"lane"`
	Name      string    `json:"name"`
	Domains   []string  `json:"domains"`
	Sessions  int       `json:"sessions"`
	Share     float64   `json:"share"`
	Behaviour behaviour `json:"behaviour"`
}

type behaviour struct {
	EndDelayMS int     `json:"end_delay_ms,omitempty"`
	GreylistMS int     `json:"greylist_ms,omitempty"`
	Unknown    float64 `json:"unknown,omitempty"`
	RefuseData float64 `json:"refuse_data,omitempty"`
	SilentDrop float64 `json:"silent_drop,omitempty"`
}

func carrier(name string, sessions int, b behaviour) lane {
	return lane{Lane: name, Name: "模擬" + name, Domains: []string{name + ".example"}, Sessions: sessions, Behaviour: b}
}

func calm() []lane { return []lane{carrier(desk.DefaultLane, 8, behaviour{})} }

// secretLocal begins every local part of the roster: whoever finds it in a log has found a leak. // law 11
const secretLocal = "naisho"

const secretName = "秘匿"

// enrol fills the roster: everybody has a region (his number modulo 47), a unit, and mailboxes spread over the lanes.
func (tw *tower) enrol(key desk.AddressKey) {
	people, each := tw.plan.People, max(tw.plan.PerPerson, 1)
	if people == 0 {
		people = 300
	}
	if len(tw.plan.Lanes) == 0 {
		tw.plan.Lanes = calm()
	}
	r := store.Roster{Groups: []desk.Group{{ID: 1, Name: "大臣官房", Level: 1}, {ID: 2, Parent: 1, Name: "総務課", Level: 2}, {ID: 3, Name: "北陸局", Level: 1}}}
	for i := range people {
		id := desk.PersonID(i + 1)
		r.People = append(r.People, desk.Person{
			ID: id, Code: fmt.Sprintf("%06d", i), Name: fmt.Sprintf("%s %04d", secretName, i),
			Groups: []desk.GroupID{desk.GroupID(2 + i%2)}, Regions: []desk.Prefecture{desk.Prefecture(1 + i%47)},
		})
		for n := range each {
			domain := tw.plan.Lanes[(i+n)%len(tw.plan.Lanes)].Domains[0]
			mailbox := fmt.Sprintf("%s.%05d%c@%s", secretLocal, i, 'a'+n, domain)
			sealed := must[desk.Address](tw.t)(key.Seal(mailbox))
			r.Addresses = append(r.Addresses, store.RosterAddress{PersonID: id, Address: sealed, Fingerprint: key.Fingerprint(mailbox), State: desk.AddressVerified})
		}
	}
	tw.people = r.People
	if err := tw.owner.ImportRoster(tw.t.Context(), "admin:story", r); err != nil {
		tw.t.Fatal(err)
	}
}

// world starts carriers and staff and tells the store where the carriers listen.
func (tw *tower) world() {
	tw.t.Helper()
	if tw.plan.Letters {
		tw.post = routetest.Start(tw.t, routetest.Script{})
		tw.carriers(tw.post.Carrier(desk.DefaultLane, 4))
		return
	}
	for _, l := range tw.plan.Lanes {
		tw.write(filepath.Join("profiles", l.Lane+".json"), must[[]byte](tw.t)(json.Marshal(l)))
	}
	verb := []string{"carriers"}
	if tw.plan.Staff > 0 {
		verb = []string{"world", "--answer-base", "http://" + tw.answers, "--median", tw.plan.Staff.String(), "--share", fmt.Sprint(tw.plan.Share), "--spread", "0.6"}
	}
	p := launch(tw.t, "world", "sim", append(verb, "--dir", tw.path("profiles"))...)
	tw.all = append(tw.all, p)
	var start struct {
		Control  string
		Carriers []desk.Carrier
	}
	within(tw.t, 15*time.Second, "the simulated carriers listen", func() bool {
		line, _, whole := strings.Cut(p.said.String(), "\n")
		return whole && json.Unmarshal([]byte(line), &start) == nil
	})
	tw.control = start.Control
	tw.carriers(start.Carriers...)
}

func (tw *tower) carriers(cs ...desk.Carrier) {
	tw.t.Helper()
	if err := tw.owner.SetCarriers(tw.t.Context(), "admin:story", cs); err != nil {
		tw.t.Fatal(err)
	}
}

func reachable(address string) bool {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	return c.Close() == nil
}
