package jma_test

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"yagura/feeds/jma"
	"yagura/feeds/jma/pulltest"
	"yagura/store/desk"
)

func TestPullTakesEachFileOnceInOrderOfPressTime(t *testing.T) {
	r := newRig(t)
	envs := r.telegrams(12, -2*time.Hour, time.Minute)
	mixed := slices.Clone(envs)
	slices.Reverse(mixed[2:9])
	r.server.Publish("eqvol", r.clock.now(), mixed...)
	r.server.Twice()
	r.run(t)
	until(t, "12 telegrams", func() bool { return len(r.names()) == 12 })
	r.polls(t, "feed/eqvol.xml", 5)
	if got, want := r.names(), namesOf(envs); !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	for i, e := range envs {
		if n := r.server.Requests("data/" + e.Name); n != 1 {
			t.Errorf("%s was fetched %d times", e.Name, n)
		}
		got := r.got[i]
		if string(got.Raw) != string(e.Raw) || got.Feed != "jma-pull" || got.ReceivedAt.IsZero() {
			t.Errorf("%s is not verbatim: %+v", e.Name, got)
		}
	}
	if agents := r.server.Agents(); !slices.Equal(agents, []string{"Yagura test"}) {
		t.Errorf("agents %v", agents)
	}
}

func TestPullOfAnUnchangedFeedCostsNothing(t *testing.T) {
	for _, etag := range []bool{true, false} {
		r := newRig(t)
		if !etag {
			r.server.NoETag()
		}
		r.server.Publish("eqvol", r.clock.now().Add(time.Second), r.telegrams(3, -time.Hour, time.Minute)...)
		stop := r.run(t)
		until(t, "3 telegrams and both feeds", func() bool { return len(r.names()) == 3 && r.server.Unchanged() > 1 })
		before := r.server.Bytes()
		r.polls(t, "feed/eqvol.xml", 20)
		stop()
		if after := r.server.Bytes(); after != before {
			t.Errorf("etag %v: 20 polls cost %d bytes", etag, after-before)
		}
		if h := r.pull.Health(); h.LastContact.IsZero() || h.LastReceived.IsZero() || h.Trouble != "" || !strings.Contains(h.Detail, "取得 3 件") {
			t.Errorf("health %+v", h)
		}
	}
}

func TestPullFiltersByType(t *testing.T) {
	r := newRig(t)
	r.server.Publish("eqvol", r.clock.now(), r.telegram("VPFD51", -3*time.Minute, 0), r.telegram("VXSE53", -2*time.Minute, 0),
		r.telegram("VZZZ99", -time.Minute, 0)) // a code this build does not know
	r.run(t)
	until(t, "2 telegrams", func() bool { return len(r.names()) == 2 })
	r.polls(t, "feed/eqvol.xml", 3)
	for _, name := range r.names() {
		if strings.Contains(name, "VPFD51") {
			t.Error("a routine forecast was fetched")
		}
	}
	if len(r.names()) != 2 {
		t.Errorf("got %v", r.names())
	}
}

func TestPullClosesAGapByTheLongFeed(t *testing.T) {
	r := newRig(t)
	envs := r.telegrams(40, 0, time.Minute)
	r.server.Short("eqvol", 3)
	r.server.Publish("eqvol", r.clock.now(), envs[:5]...)
	r.server.Renew("eqvol", r.clock.now().Add(time.Second)) // written after the start: closes the gap of the start
	r.run(t)
	until(t, "the first five", func() bool { return len(r.names()) == 5 })
	until(t, "the long feed", func() bool { return r.server.Requests("feed/eqvol_l.xml") > 0 })
	r.polls(t, "feed/eqvol.xml", 3)

	// Thirty telegrams come at once; the short feed holds the last three, and the long one is not renewed yet.
	r.server.Publish("eqvol", r.clock.now().Add(2*time.Second), envs[5:35]...)
	until(t, "the newest three", func() bool { return len(r.names()) == 8 })
	r.polls(t, "feed/eqvol_l.xml", 2)
	if n := len(r.names()); n != 8 {
		t.Fatalf("%d telegrams, though the long feed is old", n)
	}
	r.clock.forward(10 * time.Second)
	r.server.Renew("eqvol", r.clock.now().Add(time.Second))
	until(t, "all of the gap", func() bool { return len(r.names()) == 35 })
	if got := r.names()[8:]; !slices.IsSorted(got) || got[0] != envs[5].Name {
		t.Errorf("the gap came as %v", got)
	}
	// Closed: the long feed is left alone again.
	r.polls(t, "feed/eqvol.xml", 3)
	before := r.server.Requests("feed/eqvol_l.xml")
	r.polls(t, "feed/eqvol.xml", 10)
	if after := r.server.Requests("feed/eqvol_l.xml"); after != before {
		t.Errorf("the long feed was asked %d times after the gap was closed", after-before)
	}
	for _, e := range envs[:35] {
		if n := r.server.Requests("data/" + e.Name); n != 1 {
			t.Errorf("%s was fetched %d times", e.Name, n)
		}
	}
}

// TestPullSeesAGapBehindAnEntryOfTheFuture: one false press time must not make the pull believe that it has seen everything.
func TestPullSeesAGapBehindAnEntryOfTheFuture(t *testing.T) {
	r := newRig(t)
	envs := r.telegrams(12, 0, time.Minute)
	r.server.Short("eqvol", 3)
	r.server.Publish("eqvol", r.clock.now(), envs[0], r.telegram("VXSE53", 400*24*time.Hour, 0), envs[1])
	r.server.Renew("eqvol", r.clock.now().Add(time.Second))
	r.run(t)
	until(t, "the first three", func() bool { return len(r.names()) == 3 })
	r.polls(t, "feed/eqvol.xml", 3)
	r.server.Publish("eqvol", r.clock.now().Add(2*time.Second), envs[2:]...)
	r.clock.forward(10 * time.Second)
	r.server.Renew("eqvol", r.clock.now().Add(time.Second))
	until(t, "all of the gap", func() bool { return len(r.names()) == 13 })
}

func TestPullCatchesUpAfterALongSilence(t *testing.T) {
	r := newRig(t, func(o *jma.PullOptions) { o.Retry = time.Millisecond })
	r.server.Publish("eqvol", r.clock.now().Add(time.Second), r.telegrams(2, 0, time.Second)...)
	r.run(t)
	until(t, "the first two", func() bool { return len(r.names()) == 2 })
	r.polls(t, "feed/eqvol.xml", 3)
	before := r.server.Requests("feed/eqvol_l.xml")
	r.server.Fail("feed/eqvol.xml", 1<<30, http.StatusServiceUnavailable)
	r.polls(t, "feed/eqvol.xml", 3)
	until(t, "a trouble", func() bool { return strings.Contains(r.pull.Health().Trouble, "地震火山") })
	r.clock.forward(11 * time.Minute)
	r.server.Fail("feed/eqvol.xml", 0, 0)
	until(t, "the long feed", func() bool { return r.server.Requests("feed/eqvol_l.xml") > before })
	until(t, "no trouble", func() bool { h := r.pull.Health(); return h.Trouble == "" && h.Reconnects == 1 })
}

func TestPullOffersAgainWhatIsNotStored(t *testing.T) {
	r := newRig(t)
	envs := r.telegrams(3, -time.Hour, time.Minute)
	r.refuse = 4
	r.server.Publish("eqvol", r.clock.now(), envs...)
	r.run(t)
	until(t, "3 telegrams", func() bool { return len(r.names()) == 3 })
	want := []string{envs[0].Name, envs[0].Name, envs[0].Name, envs[0].Name, envs[0].Name, envs[1].Name, envs[2].Name}
	if got := r.offers(); !slices.Equal(got, want) {
		t.Errorf("offers %v", got)
	}
	if n := r.server.Requests("data/" + envs[0].Name); n != 1 {
		t.Errorf("a file that waits for the store was fetched %d times", n)
	}
}

func TestPullOfABadFile(t *testing.T) {
	for name, c := range map[string]struct {
		break_ func(s *pulltest.Server, path string)
		tries  int
		raw    string // "" = verbatim
	}{
		"fails three times":   {func(s *pulltest.Server, p string) { s.Fail(p, 3, http.StatusBadGateway) }, 4, ""},
		"not there yet":       {func(s *pulltest.Server, p string) { s.Fail(p, 2, http.StatusNotFound) }, 3, ""},
		"cut off":             {func(s *pulltest.Server, p string) { s.Cut(p, 2) }, 3, ""},
		"cut off quietly":     {func(s *pulltest.Server, p string) { s.CutQuietly(p, 2) }, 3, ""},
		"is never a telegram": {func(s *pulltest.Server, p string) { s.Garbage(p, "<html>maintenance</html>") }, 5, "<html>maintenance</html>"},
		"is empty":            {func(s *pulltest.Server, p string) { s.CutQuietly(p, 1); s.Garbage(p, "x") }, 5, "x"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			envs := r.telegrams(3, -time.Hour, time.Minute)
			bad := envs[0]
			r.server.Publish("eqvol", r.clock.now(), envs...)
			c.break_(r.server, "data/"+bad.Name)
			r.run(t)
			until(t, "3 telegrams", func() bool { return len(r.names()) == 3 })
			if got := r.names(); got[0] != envs[1].Name || got[2] != bad.Name {
				t.Errorf("the bad file held up the others: %v", got)
			}
			if n := r.server.Requests("data/" + bad.Name); n != c.tries {
				t.Errorf("fetched %d times, want %d", n, c.tries)
			}
			want := c.raw
			if want == "" {
				want = string(bad.Raw)
			}
			if got := string(r.got[2].Raw); got != want {
				t.Errorf("got %.60q", got)
			}
			until(t, "no trouble", func() bool { return r.pull.Health().Trouble == "" })
		})
	}
}

func TestPullOfAFileThatCannotBeHadTellsTheDesk(t *testing.T) {
	var mu sync.Mutex
	var told []string
	r := newRig(t, func(o *jma.PullOptions) {
		o.OnTrouble = func(text string) { mu.Lock(); defer mu.Unlock(); told = append(told, text) }
	})
	bad := r.telegram("VXSE51", -time.Minute, 0)
	r.server.Publish("eqvol", r.clock.now(), bad)
	r.server.Fail("data/"+bad.Name, 6, http.StatusNotFound)
	r.run(t)
	until(t, "the telegram after all", func() bool { return len(r.names()) == 1 })
	until(t, "the end of the trouble", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(told) == 2 && strings.Contains(told[0], "1件") && strings.Contains(told[0], bad.Name) && told[1] == ""
	})
}

func TestPullOfABadFeed(t *testing.T) {
	for name, body := range map[string]string{
		"html":      "<html><body>ただいま工事中</body></html>",
		"nothing":   " ",
		"bytes":     "\xff\xfe\x00",
		"cut":       "<feed xmlns=\"http://www.w3.org/2005/Atom\"><entry><title>x",
		"json":      "{}",
		"not atom":  "<feed/>",
		"charset":   "<?xml version=\"1.0\" encoding=\"Shift_JIS\"?><feed/>",
		"two roots": "<a/><feed xmlns=\"http://www.w3.org/2005/Atom\"></feed>",
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.server.Publish("eqvol", r.clock.now(), r.telegrams(2, -time.Hour, time.Minute)...)
			r.server.Garbage("feed/eqvol.xml", body)
			r.run(t)
			until(t, "a trouble", func() bool { return r.pull.Health().Trouble != "" })
			if got := r.names(); len(got) != 0 {
				t.Errorf("got %v", got)
			}
			r.server.Garbage("feed/eqvol.xml", "")
			until(t, "all is well", func() bool { return len(r.names()) == 2 && r.pull.Health().Trouble == "" })
		})
	}
}

func TestPullReadsWhatAFeedGaveBeforeItBroke(t *testing.T) {
	r := newRig(t)
	envs := r.telegrams(20, -time.Hour, time.Minute)
	r.server.Publish("eqvol", r.clock.now(), envs...)
	r.server.CutQuietly("feed/eqvol.xml", 1)
	r.server.Garbage("feed/eqvol_l.xml", "")
	r.run(t)
	until(t, "all, the feed having come whole", func() bool { return len(r.names()) == 20 })
	if r.names()[0] == envs[0].Name { // newest first in the file: the first half is the newer one
		t.Error("nothing was taken from the broken feed")
	}
}

func TestPullIsNotStalledByAHalfOpenServer(t *testing.T) {
	r := newRig(t, func(o *jma.PullOptions) {
		o.Feeds, o.Timeout = []string{"eqvol", "extra"}, 50*time.Millisecond
	})
	r.server.HalfOpen("feed/extra.xml", true)
	r.server.Publish("eqvol", r.clock.now(), r.telegrams(2, -time.Hour, time.Minute)...)
	r.server.HalfOpen("data/"+r.telegram("VXSE53", -time.Hour, 0).Name, true)
	r.run(t)
	until(t, "the file behind the one that never comes", func() bool { return len(r.names()) == 1 })
	until(t, "the desk is told of both", func() bool {
		text := r.pull.Health().Trouble
		return strings.Contains(text, "随時") && strings.Contains(text, "取得できない")
	})
	silent := r.pull.Health().LastContact
	r.polls(t, "feed/eqvol.xml", 5)
	if got := r.pull.Health().LastContact; !got.Equal(silent) {
		t.Errorf("the silent feed hides behind the other: %v, %v", silent, got)
	}
	r.server.HalfOpen("feed/extra.xml", false)
	r.server.HalfOpen("data/"+r.telegram("VXSE53", -time.Hour, 0).Name, false)
	r.server.Restart()
	until(t, "all is well", func() bool { return len(r.names()) == 2 && r.pull.Health().Trouble == "" })
}

func TestPullStopsInTheMiddleOfAStall(t *testing.T) {
	r := newRig(t, func(o *jma.PullOptions) { o.Timeout = time.Hour })
	r.server.HalfOpen("feed/eqvol.xml", true)
	stop := r.run(t)
	until(t, "a request", func() bool { return r.server.Requests("feed/eqvol.xml") == 1 })
	stop()
}

func TestPullFollowsARedirectOnTheSameHostOnly(t *testing.T) {
	other := pulltest.Start()
	defer other.Close()
	r := newRig(t)
	envs := r.telegrams(2, -time.Hour, time.Minute)
	other.Publish("eqvol", r.clock.now(), envs...)
	r.server.Publish("eqvol", r.clock.now(), envs...)
	r.server.Redirect("data/"+envs[0].Name, other.Base()+"data/"+envs[0].Name)
	r.server.Redirect("data/"+envs[1].Name, r.server.Base()+"data/second.xml")
	r.server.Publish("other", r.clock.now(), desk.Envelope{Name: "second.xml", Raw: envs[1].Raw})
	r.run(t)
	until(t, "the second", func() bool { return len(r.names()) == 1 })
	until(t, "a trouble", func() bool { return strings.Contains(r.pull.Health().Trouble, envs[0].Name) })
	if n := other.Requests("data/" + envs[0].Name); n != 0 {
		t.Errorf("the other host was asked %d times", n)
	}
}

func TestPullRemembersOverARestart(t *testing.T) {
	dir := t.TempDir()
	r := newRig(t, func(o *jma.PullOptions) { o.State = dir })
	envs := r.telegrams(6, -time.Hour, time.Minute)
	r.server.Publish("eqvol", r.clock.now().Add(time.Second), envs[:4]...)
	stop := r.run(t)
	until(t, "4 telegrams", func() bool { return len(r.names()) == 4 })
	stop()
	used := r.pull.Health().Detail
	r.server.Publish("eqvol", r.clock.now().Add(2*time.Second), envs[4:]...)
	stop = r.run(t)
	if now := r.pull.Health().Detail; strings.Split(used, "・")[0] != strings.Split(now, "・")[0] {
		t.Errorf("the day's bytes were %q, after a restart %q", used, now)
	}
	until(t, "6 telegrams", func() bool { return len(r.names()) == 6 })
	r.polls(t, "feed/eqvol.xml", 3)
	stop()
	for _, e := range envs {
		if n := r.server.Requests("data/" + e.Name); n != 1 {
			t.Errorf("%s was fetched %d times", e.Name, n)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".new-*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestPullWithoutARecordBeginsSixHoursBack(t *testing.T) {
	r := newRig(t)
	envs := []desk.Envelope{r.telegram("VXSE53", -7*time.Hour, 0), r.telegram("VXSE53", -5*time.Hour, 0)}
	r.server.Publish("eqvol", r.clock.now(), envs...)
	r.run(t)
	until(t, "the later one", func() bool { return len(r.names()) == 1 })
	r.polls(t, "feed/eqvol_l.xml", 2)
	if got := r.names(); !slices.Equal(got, namesOf(envs[1:])) {
		t.Errorf("got %v", got)
	}
}

// TestPullOfABacklogLetsTheNewestThrough: the files of a gap never hold up what is issued now.
func TestPullOfABacklogLetsTheNewestThrough(t *testing.T) {
	r := newRig(t)
	backlog := r.telegrams(300, -5*time.Hour, time.Minute/2)
	r.server.Short("eqvol", 1)
	r.server.Publish("eqvol", r.clock.now(), backlog...)
	for _, e := range backlog {
		r.server.Delay("data/"+e.Name, 3*time.Millisecond)
	}
	r.run(t)
	until(t, "some of the backlog", func() bool { return len(r.names()) > 5 })
	urgent := r.telegram("VXSE51", time.Minute, 0)
	r.server.Publish("eqvol", r.clock.now(), urgent)
	until(t, "everything", func() bool { return len(r.names()) == 301 })
	if at := slices.Index(r.names(), urgent.Name); at > 150 {
		t.Errorf("the urgent telegram came as number %d", at+1)
	}
}

func TestNewPullRefuses(t *testing.T) {
	now := time.Now
	for name, o := range map[string]jma.PullOptions{
		"http":         {Base: "http://localhost/", Now: now},
		"another kind": {Base: "file:///etc", AllowHTTP: true, Now: now},
		"no host":      {Base: "https:///x", Now: now},
		"a password":   {Base: "https://a:b@localhost/", Now: now},
		"a query":      {Base: "https://localhost/?a=b", Now: now},
		"no clock":     {Base: "https://localhost/"},
		"no feed":      {Base: "https://localhost/", Feeds: []string{}, Now: now},
		"no budget":    {Base: "https://localhost/", DayBytes: 1000, Now: now},
	} {
		if _, err := jma.NewPull(o); desk.KindOf(err) != desk.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	p, err := jma.NewPull(jma.PullOptions{Now: now})
	if err != nil || p.Name() != "jma-pull" || p.Rhythm() != 3*time.Minute {
		t.Errorf("the defaults: %v, %v", p, err)
	}
}
