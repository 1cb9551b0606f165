package story

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"yagura/engine/intake"
	"yagura/feeds"
	"yagura/feeds/dmdata"
	"yagura/feeds/dmdata/dmdatatest"
	"yagura/feeds/jma"
	"yagura/feeds/jma/pulltest"
	"yagura/feeds/line"
	"yagura/feeds/p2pquake"
	"yagura/feeds/p2pquake/p2pquaketest"
	"yagura/feeds/replay"
	"yagura/store/desk"
	"yagura/store/storetest"
)

// A recorded night comes by three paths at once and by the desk's own line, and each loses, repeats, reorders and delays, breaks
// off and starts again.
// What the store holds in the end is what a clean run leaves: nothing lost, nothing doubled, nothing understood otherwise. // issue 3
func TestNightByThreePathsIsTheCleanNight(t *testing.T) {
	night := recorded(t, "noto")
	clean := newWatch(t)
	second := secondTold(t, night)
	clean.run(t, handed{"clean", night}, handed{"p2pquake", slices.Collect(maps.Values(second))})
	clean.settles(t, len(distinct(night))+len(second))

	pull, push, peers, drop := pulltest.Start(), dmdatatest.New(2), p2pquaketest.New(), t.TempDir()
	t.Cleanup(pull.Close)
	t.Cleanup(push.Close)
	t.Cleanup(peers.Close)
	rough := newWatch(t)
	ago := time.Since(night[len(night)-1].ReceivedAt) // the pull forgets what is older than ten days by its clock
	then := func() time.Time { return time.Now().Add(-ago) }
	folder := line.NewFolder(line.FolderOptions{Dir: drop, Every: 20 * time.Millisecond, Now: time.Now})
	atom := must[*jma.Pull](t)(jma.NewPull(jma.PullOptions{
		Base: pull.Base(), AllowHTTP: true, CatchUp: 48 * time.Hour, State: t.TempDir(), Every: 60 * time.Millisecond, Phase: -1,
		MaxJitter: -1, Long: 100 * time.Millisecond, Timeout: 300 * time.Millisecond, Retry: 10 * time.Millisecond, Now: then,
	}))
	sockets := dmdata.New(push.Options())
	rough.run(t, atom, sockets, folder, p2pquake.New(peers.Options()))
	within(t, 10*time.Second, "both sockets are open", func() bool { return push.Open(0) == 1 && push.Open(1) == 1 })

	n := &nightOfFaults{t: t, pull: pull, push: push, peers: peers, rough: rough, second: second, drop: drop, now: then}
	part := len(night) / 8
	n.everywhere(night[:part])
	n.peersTell(night[:2*part])
	push.Duplicate(true)
	pull.Twice()
	n.everywhere(night[part : 2*part])
	push.Drop(part / 2)
	n.unsafely(night[2*part : 3*part])
	push.Reorder(5)
	push.Delay(3 * time.Millisecond)
	n.pushed(night[3*part : 3*part+5]) // only the sockets have these, in reverse
	n.everywhere(night[3*part+5 : 4*part])
	within(t, 30*time.Second, "all of the first half is stored", func() bool { return rough.knows(night[:4*part]) })
	n.peersTell(night[2*part : 4*part])
	push.HalfOpen(0, true)
	push.Fault(1, 4503) // a restart of the service
	push.ExpireTickets(1)
	n.unsafely(night[4*part : 5*part])
	push.HalfOpen(0, false)
	push.Down(0, true)
	push.Down(1, true)
	pull.Restart()
	n.missed(night[5*part : 5*part+6])
	n.unsafely(night[5*part+6 : 6*part])
	n.peersTell(night[4*part : 6*part])
	push.Down(0, false)
	push.Down(1, false)
	pull.Fail("feed/eqvol.xml", 3, 503)
	n.unsafely(night[6*part : 7*part])
	n.line(night[7*part : 7*part+4]) // only the desk's own line has these
	n.unsafely(night[7*part+4:])
	n.peersTell(night[6*part:])

	t.Cleanup(func() {
		if t.Failed() {
			for i, e := range night {
				var there bool
				rough.db.Scan(fmt.Sprintf(`SELECT EXISTS (SELECT FROM telegram WHERE digest = '\x%x')`, feeds.Digest(e.Raw)), &there)
				if !there {
					t.Logf("telegram %d of %d (%s) is missing", i, len(night), e.Name)
				}
			}
			t.Logf("%+v; pull %+v; push %+v %+v; folder %+v", rough.in.Counts(), atom.Health(), sockets.Health(), push.Counts(), folder.Health())
		}
	})
	rough.settles(t, len(distinct(night))+len(second))
	rough.same(t, clean)
	c := rough.in.Counts()
	t.Logf("%d telegrams offered by three paths, %d stored, %d duplicates refused, %d unreadable; %d requests of the feed unchanged, %d sockets opened, %d list catch-ups",
		c.Stored+c.Duplicates, c.Stored, c.Duplicates, c.Unreadable, pull.Unchanged(), push.Counts().Opened, push.Counts().Lists)
}

// nightOfFaults publishes telegrams by the doubles.
type nightOfFaults struct {
	t    *testing.T
	pull *pulltest.Server
	push *dmdatatest.Server
	drop string
	now  func() time.Time

	peers  *p2pquaketest.Server
	rough  *watch
	second map[string]desk.Envelope // by the name of the telegram it repeats
}

// everywhere publishes by the sockets, and by the public feed what that carries: no early warnings (feeds.md 1.10).
func (n *nightOfFaults) everywhere(envs []desk.Envelope) {
	n.pushed(envs)
	_, others := apart(envs)
	n.pull.Publish("eqvol", n.now(), others...)
}

// peersTell lets the second source say everything twice, and then break off; it has no memory, so it is heard out first.
func (n *nightOfFaults) peersTell(envs []desk.Envelope) {
	within(n.t, 10*time.Second, "the second source is listened to", func() bool { return n.peers.Open() == 1 })
	var told []desk.Envelope
	for _, e := range envs {
		if said, ok := n.second[e.Name]; ok {
			n.peers.Push(said.Raw, said.Raw)
			told = append(told, said)
		}
	}
	within(n.t, 10*time.Second, "the second source is heard", func() bool { return n.rough.knows(told) })
	n.peers.Cut()
}

// unsafely publishes while the sockets lose frames. Early warnings stand in no list and no feed, so the own line brings them.
func (n *nightOfFaults) unsafely(envs []desk.Envelope) {
	n.everywhere(envs)
	warnings, _ := apart(envs)
	n.line(warnings)
}

// missed publishes while both sockets are down, and not by the public feed: only the list of telegrams can catch up.
func (n *nightOfFaults) missed(envs []desk.Envelope) {
	n.pushed(envs)
	warnings, _ := apart(envs)
	n.line(warnings)
}

// secondTold is what P2PQuake would say of the night's shakings.
func secondTold(t *testing.T, night []desk.Envelope) map[string]desk.Envelope {
	t.Helper()
	out := map[string]desk.Envelope{}
	for i, e := range night {
		told := must[desk.Telegram](t)(jma.Parse(e))
		if len(told.Prefectures) == 0 || !strings.Contains(e.Name, "_VXSE51_") {
			continue
		}
		felt := map[desk.Prefecture]desk.Intensity{}
		for _, p := range told.Prefectures {
			felt[p.Code] = p.Intensity
		}
		raw := p2pquaketest.ScalePrompt(fmt.Sprintf("peer-%d", i), told.TargetTime, told.PressTime, felt)
		out[e.Name] = desk.Envelope{Feed: "p2pquake", Name: fmt.Sprint(i), Raw: raw, ReceivedAt: told.PressTime}
	}
	if len(out) < 10 {
		t.Fatalf("the second source has only %d reports", len(out))
	}
	return out
}

func (n *nightOfFaults) pushed(envs []desk.Envelope) { n.push.Push(envs...) }

func apart(envs []desk.Envelope) (warnings, others []desk.Envelope) {
	for _, e := range envs {
		if strings.Contains(e.Name, "_VXSE4") {
			warnings = append(warnings, e)
		} else {
			others = append(others, e)
		}
	}
	return warnings, others
}

func (n *nightOfFaults) line(envs []desk.Envelope) {
	for _, e := range envs {
		part, whole := filepath.Join(n.drop, e.Name+".part"), filepath.Join(n.drop, e.Name)
		if err := errors.Join(os.WriteFile(part, e.Raw, 0o600), os.Rename(part, whole)); err != nil {
			n.t.Fatal(err)
		}
	}
}

// recorded is a built-in scenario with the file names the public feed would give.
func recorded(t *testing.T, scenario string) []desk.Envelope {
	t.Helper()
	envs := must[[]desk.Envelope](t)(must[replay.Scenario](t)(replay.Builtin(scenario)).Envelopes())
	named := map[string]int{}
	for i, e := range envs {
		press := must[time.Time](t)(time.Parse(time.RFC3339, pressed.FindStringSubmatch(string(e.Raw))[1]))
		_, title, _ := strings.Cut(string(e.Raw), "<Title>")
		title, _, _ = strings.Cut(title, "</Title>")
		name := pulltest.Name(press, jma.TypeOf(title, ""), "010000")
		named[name]++
		if again := named[name]; again > 1 { // two of a kind in one second
			name = pulltest.Name(press, jma.TypeOf(title, ""), fmt.Sprintf("%06d", 10000+again))
		}
		envs[i].Name, envs[i].ReceivedAt = name, press
	}
	return envs
}

var pressed = regexp.MustCompile(`<DateTime>([^<]+)</DateTime>`)

func distinct(envs []desk.Envelope) map[[32]byte]bool {
	out := map[[32]byte]bool{}
	for _, e := range envs {
		out[feeds.Digest(e.Raw)] = true
	}
	return out
}

// handed is a source without any fault.
type handed struct {
	name string
	envs []desk.Envelope
}

func (h handed) Name() string { return h.name }

func (h handed) Run(ctx context.Context, out func(context.Context, desk.Envelope) error) error {
	for _, e := range h.envs {
		for out(ctx, e) != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return nil
}

// watch is an intake on a database of its own.
type watch struct {
	db *storetest.DB
	in *intake.Intake
}

func newWatch(t *testing.T) *watch { return &watch{db: storetest.New(t)} }

func (w *watch) run(t *testing.T, sources ...feeds.Source) {
	t.Helper()
	w.in = intake.New(intake.Options{
		Store: w.db.Store(storetest.Engine), Sources: sources, Holder: t.Name(), Now: time.Now, Log: slog.New(slog.DiscardHandler), Poll: 200 * time.Millisecond,
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.in.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("intake: %v", err)
		}
	})
}

// settles waits until so many different telegrams are stored and all are judged.
func (w *watch) settles(t *testing.T, telegrams int) {
	t.Helper()
	within(t, 30*time.Second, fmt.Sprintf("%d telegrams are stored and judged", telegrams), func() bool {
		c := w.in.Counts()
		return c.Stored >= int64(telegrams) && c.Judged+c.Unreadable == c.Stored
	})
}

// knows reports whether every one of the telegrams is stored.
func (w *watch) knows(envs []desk.Envelope) bool {
	for digest := range distinct(envs) {
		var there bool
		w.db.Scan(fmt.Sprintf(`SELECT EXISTS (SELECT FROM telegram WHERE digest = '\x%x')`, digest), &there)
		if !there {
			return false
		}
	}
	return true
}

// memory is what a night leaves, in words that do not depend on when and by what path a telegram came.
func (w *watch) memory() map[string]string {
	out := map[string]string{}
	for name, sql := range map[string]string{
		"telegrams": `SELECT encode(t.digest, 'hex') || ' ' || r.type || ' ' || r.error FROM telegram t JOIN reading r ON r.telegram_id = t.id`,
		"events": `SELECT concat_ws(' ', e.hazard, e.mode, e.status, e.occurred_at, array(SELECT unnest(e.event_keys) ORDER BY 1),
			(SELECT count(*) FROM event_telegram et WHERE et.event_id = e.id),
			e.grade, e.state - '{ID,FirstSeenAt,UpdatedAt,StoredAt,Headline,EventIDs}'::text[]) FROM event e`,
	} {
		var text string
		w.db.Scan(`SELECT coalesce(string_agg(line, E'\n' ORDER BY line), '') FROM (`+sql+`) x (line)`, &text)
		out[name] = text
	}
	return out
}

func (w *watch) same(t *testing.T, clean *watch) {
	t.Helper()
	mine, theirs := w.memory(), clean.memory()
	for name := range theirs {
		a, b := strings.Split(mine[name], "\n"), strings.Split(theirs[name], "\n")
		if len(b) < 10 {
			t.Fatalf("the clean night has only %d %s", len(b), name)
		}
		if len(a) != len(b) {
			t.Errorf("%d %s, the clean night has %d", len(a), name, len(b))
		}
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Errorf("%s differ:\n%s\nthe clean night:\n%s", name, a[i], b[i])
				break
			}
		}
	}
}
