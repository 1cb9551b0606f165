package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"yagura/engine/compose"
	"yagura/engine/route"
	"yagura/store/desk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestShippedProfiles(t *testing.T) {
	profiles, err := ShippedProfiles()
	if err != nil {
		t.Fatal(err)
	}
	share, lanes := 0.0, map[string]bool{}
	for _, p := range profiles {
		share += p.Share
		lanes[p.Lane] = true
	}
	if share < 0.999 || share > 1.001 || len(lanes) != 8 || !lanes[desk.DefaultLane] {
		t.Errorf("shares add up to %v over %v", share, lanes)
	}
}

func TestProfilesOfADirectory(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) error { return writeFile(dir+"/a.json", text) }
	for text, kind := range map[string]desk.Kind{
		`{"lane":"a","name":"A","domains":["a.example"],"sessions":2}`:                "",
		`{"lane":"a","name":"A","domains":["docomo.ne.jp"],"sessions":2}`:             desk.Invalid, // never a real domain
		`{"lane":"a","name":"A","domains":["a.example"],"sessions":2,"speling":true}`: desk.Invalid,
		`{`: desk.Invalid,
	} {
		if err := write(text); err != nil {
			t.Fatal(err)
		}
		if _, err := loadProfiles(dir); desk.KindOf(err) != kind {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := loadProfiles(t.TempDir()); desk.KindOf(err) != desk.NotFound {
		t.Errorf("empty directory: %v", err)
	}
}

// oneCarrier starts one carrier with a behaviour and returns it with the function that stops it.
func oneCarrier(t testing.TB, b Behaviour, staffed *StaffOptions) *Carriers {
	t.Helper()
	raw, err := json.Marshal(Profile{Lane: "other", Name: "x", Domains: []string{"a.example"}, Sessions: 4, Share: 1, Behaviour: b})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := writeFile(dir+"/x.json", string(raw)); err != nil {
		t.Fatal(err)
	}
	w, err := OpenCarriers(dir, "127.0.0.1", "127.0.0.1:0", staffed != nil)
	if err != nil {
		t.Fatal(err)
	}
	if staffed != nil {
		w.staff = newStaff(*staffed)
		t.Cleanup(w.staff.pages.client.CloseIdleConnections)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return w
}

// mailTo sends one composed mail to each mailbox u1@a.example … and returns the results by outcome.
func mailTo(t testing.TB, w *Carriers, n int) map[desk.Outcome]int {
	t.Helper()
	return deliver(t, w, compositions(t, n))
}

// compositions are the mails ready to leave, in a closed channel.
func compositions(t testing.TB, n int) chan route.Item {
	t.Helper()
	return composed(t, desk.Letter{DispatchID: 1, Mode: desk.Drill, Subject: "試験", Body: "本文\n"}, n)
}

// composed are n mails of a letter, one to each mailbox.
func composed(t testing.TB, letter desk.Letter, n int) chan route.Item {
	t.Helper()
	c, err := compose.New(letter,
		compose.Options{From: "a@desk.example", LinkBase: "https://anpi.desk.example/r/", MessageIDHost: "desk.example"})
	if err != nil {
		t.Fatal(err)
	}
	items := make(chan route.Item, n)
	for i := 1; i <= n; i++ {
		m, to := desk.Mail{ID: desk.MailID(i), DispatchID: letter.DispatchID, PersonID: desk.PersonID(i), CreatedAt: time.Unix(1704092400, 0)}, fmt.Sprintf("u%d@a.example", i)
		data, err := c.Compose(nil, m, to, fmt.Sprintf("token-of-person-%020d", i))
		if err != nil {
			t.Fatal(err)
		}
		item, err := route.NewItem(m, to, "b@desk.example", data)
		if err != nil {
			t.Fatal(err)
		}
		items <- item
	}
	close(items)
	return items
}

// Automatic information carries no link: the staff read it and do nothing, and the carriers tell it from what asks.
func TestNoticesAreReadNotAnswered(t *testing.T) {
	page := &answerPage{answers: map[string]int{}, safety: map[string]int{}}
	server := httptest.NewServer(page)
	t.Cleanup(server.Close)
	w := oneCarrier(t, Behaviour{}, &StaffOptions{Median: time.Millisecond, Spread: 0.1, Share: 1, AnswerBase: server.URL, Concurrency: 4, Seed: 1})
	const n = 40
	deliver(t, w, composed(t, desk.Letter{DispatchID: 7, Mode: desk.Live, Bulletin: true, Subject: "【地震速報】石川県能登", Body: "本文\n"}, n))
	mailTo(t, w, n)
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var s StaffStats
	for s.Answered < n || s.Mails < 2*n {
		select {
		case <-tick.C:
			s = *w.Stats().Staff
		case <-deadline.C:
			t.Fatalf("still waiting: %+v", s)
		}
	}
	if s.Notices != n || s.People != n || s.Failed != 0 || s.Answered != n {
		t.Errorf("%+v", s)
	}
	asks, tells, nothing := w.Mailing("1"), w.Mailing("7"), w.Mailing("8")
	if asks.Linked != n || tells.Linked != 0 || len(asks.Mailboxes) != n || len(tells.Mailboxes) != n || len(nothing.Mailboxes) != 0 {
		t.Errorf("asks %d of %d, tells %d of %d", asks.Linked, len(asks.Mailboxes), tells.Linked, len(tells.Mailboxes))
	}
	response, err := http.Get("http://" + w.Control() + "/mailing?number=7")
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer response.Body.Close()
	var told Mailing
	if err := json.NewDecoder(response.Body).Decode(&told); err != nil || told.Mailboxes["u1@a.example"] != 1 {
		t.Errorf("%+v, %v", told, err)
	}
}

func deliver(t testing.TB, w *Carriers, items chan route.Item) map[desk.Outcome]int {
	t.Helper()
	results := make(chan route.Result, cap(items))
	r := route.New(w.Lanes()[0], route.Options{
		Gate: route.GateFunc(func() bool { return true }), Now: time.Now,
		Timeouts: route.Timeouts{BackOff: 5 * time.Millisecond, BackOffTo: 20 * time.Millisecond},
	})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := r.Run(ctx, items, results); err != nil {
		t.Fatal(err)
	}
	close(results)
	got := map[desk.Outcome]int{}
	for res := range results {
		got[res.Outcome]++
	}
	return got
}

func TestBehaviours(t *testing.T) {
	const n = 400
	share := func(purpose string, p float64) int {
		hit := 0
		for i := 1; i <= n; i++ {
			if drawn(fmt.Sprintf("u%d@a.example", i), purpose, 0) < p {
				hit++
			}
		}
		return hit
	}
	for _, c := range []struct {
		name              string
		b                 Behaviour
		refused, deferred int
		kept              int // booked by the carrier
	}{
		{"good", Behaviour{}, 0, 0, n},
		{"no pipelining", Behaviour{NoPipelining: true}, 0, 0, n},
		{"slow", Behaviour{ReplyDelayMS: 1, EndDelayMS: 1}, 0, 0, n},
		{"unknown", Behaviour{Unknown: 0.1}, share("unknown", 0.1), 0, n - share("unknown", 0.1)},
		{"temporary", Behaviour{Temporary: 0.1}, 0, share("temporary", 0.1), n - share("temporary", 0.1)},
		{"after DATA", Behaviour{RefuseData: 0.1}, share("data", 0.1), 0, n - share("data", 0.1)},
		{"greylisting", Behaviour{GreylistMS: 60_000}, 0, n, 0},
		{"silent drop", Behaviour{SilentDrop: 0.1}, 0, 0, n},
		{"reset after the dot", Behaviour{Reset: 0.05}, 0, share("reset", 0.05), n},
		{"session cap", Behaviour{MaxSessions: 2, EndDelayMS: 1}, 0, 0, n},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := oneCarrier(t, c.b, nil)
			got := mailTo(t, w, n)
			if got[desk.Refused] != c.refused || got[desk.Deferred] != c.deferred {
				t.Errorf("refused %d, deferred %d; want %d, %d", got[desk.Refused], got[desk.Deferred], c.refused, c.deferred)
			}
			s := w.Stats()
			if s.Total.Accepted != c.kept || s.Total.Mails != c.kept || s.Total.Duplicates != 0 {
				t.Errorf("carrier booked %+v, want %d", s.Total, c.kept)
			}
			if c.b.SilentDrop > 0 && s.Total.Dropped != share("silent", c.b.SilentDrop) {
				t.Errorf("dropped %d", s.Total.Dropped)
			}
			if c.b.MaxSessions > 0 && s.Total.TooMany == 0 {
				t.Error("no session was turned away")
			}
		})
	}
}

func TestControlPages(t *testing.T) {
	w := oneCarrier(t, Behaviour{}, nil)
	mailTo(t, w, 3)
	mailTo(t, w, 2) // the same Message-IDs again
	get := func(path string, into any) int {
		response, err := http.Get("http://" + w.Control() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		defer http.DefaultClient.CloseIdleConnections()
		if response.StatusCode == http.StatusOK {
			if err := json.NewDecoder(response.Body).Decode(into); err != nil {
				t.Fatal(err)
			}
		}
		return response.StatusCode
	}
	var s Stats
	get("/stats", &s)
	if s.Total.Accepted != 5 || s.Total.Mails != 3 || s.Total.Duplicates != 2 || s.Total.Mailboxes != 3 {
		t.Errorf("%+v", s.Total)
	}
	twice := map[string]int{}
	get("/duplicates", &twice)
	if len(twice) != 2 || twice["1.1@desk.example"] != 2 {
		t.Errorf("%v", twice)
	}
	var b box
	if get("/mailbox?to=u2@a.example", &b); b.Count != 2 || b.MessageID != "1.2@desk.example" {
		t.Errorf("%+v", b)
	}
	if code := get("/mailbox?to=nobody@a.example", &b); code != http.StatusNotFound {
		t.Errorf("unknown mailbox: %d", code)
	}
	if _, err := OpenCarriers("", "0.0.0.0", "127.0.0.1:0", false); desk.KindOf(err) != desk.Invalid {
		t.Errorf("listening to the world: %v", err)
	}
}

func TestSpoolForStaffElsewhere(t *testing.T) {
	w, err := OpenCarriers("", "127.0.0.1", "127.0.0.1:0", true)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	mailTo(t, w, 5) // to the first lane of the shipped ones, whatever its behaviour: count what it kept
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+w.Control()+"/spool", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(response.Body)
	for range w.Stats().Total.Accepted - w.Stats().Total.Dropped {
		var d Delivery
		if err := decoder.Decode(&d); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(d.Link, "https://anpi.desk.example/r/token-of-person-") || d.MessageID == "" || !strings.HasSuffix(d.To, "@a.example") {
			t.Errorf("%+v", d)
		}
	}
	_ = response.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// answerPage is a stand-in for the answer page: the contract of the real one, and nothing else.
type answerPage struct {
	mu      sync.Mutex
	answers map[string]int
	safety  map[string]int
	fail    int // so many POSTs fail first
}

func (a *answerPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.URL.Path, "/r/")
	if r.Method == http.MethodGet {
		fmt.Fprint(w, `<form method="post" action=""><input type=hidden name=lang value="ja">`)
		for _, s := range desk.Safeties() {
			fmt.Fprintf(w, `<label><input type="radio" name="safety" value="%s" required>x</label>`, s)
		}
		for _, s := range desk.Attendances() {
			fmt.Fprintf(w, `<input type="radio" name="attendance" value="%s"/>`, s)
		}
		fmt.Fprint(w, `<input type=text name=comment></form>`)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fail > 0 {
		a.fail--
		http.Error(w, "no", http.StatusInternalServerError)
		return
	}
	if r.FormValue("lang") != "ja" || r.FormValue("safety") == "" || r.FormValue("attendance") == "" {
		http.Error(w, "no", http.StatusBadRequest)
		return
	}
	a.answers[token]++
	a.safety[r.FormValue("safety")]++
	fmt.Fprint(w, "<p>記録しました")
}

func TestStaffReallyAnswer(t *testing.T) {
	page := &answerPage{answers: map[string]int{}, safety: map[string]int{}, fail: 1}
	server := httptest.NewServer(page)
	t.Cleanup(server.Close)
	w := oneCarrier(t, Behaviour{}, &StaffOptions{Median: 20 * time.Millisecond, Spread: 0.5, Share: 0.8, AnswerBase: server.URL, Concurrency: 8, Seed: 1})
	const n = 500
	mailTo(t, w, n)
	mailTo(t, w, 50) // a second address, or a duplicate: nobody answers twice
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var s StaffStats
	for s.Mails < n+50 || s.Waiting > 0 {
		select {
		case <-tick.C:
			s = *w.Stats().Staff
		case <-deadline.C:
			t.Fatalf("still waiting: %+v", s)
		}
	}
	if s.Failed != 0 || s.Answered+s.Silent != n || s.Answered < n*7/10 || s.Answered > n*9/10 {
		t.Errorf("%+v", s)
	}
	if len(page.answers) != s.Answered || page.safety["well"] < s.Answered*9/10 {
		t.Errorf("%d people answered at the page, %v", len(page.answers), page.safety)
	}
	for token, times := range page.answers {
		if times != 1 {
			t.Errorf("%s answered %d times", token, times)
		}
	}
}

func TestStaffRefuseStrangePages(t *testing.T) {
	for name, page := range map[string]string{
		"no form":       "<p>x",
		"other choices": `<form method=post><input type=radio name=safety value=maybe></form>`,
		"leads away":    `<form method=post action="http://elsewhere.example/"><input type=radio name=safety value=well><input type=radio name=attendance value=now></form>`,
		"not recorded":  `<form method=post><input type=radio name=safety value=well><input type=radio name=attendance value=now></form>`,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, page) }))
		p := newPages(server.URL, 1)
		err := p.answer(t.Context(), plan{link: "https://anpi.example/r/SECRET", safety: desk.SafetyWell, attendance: desk.AttendNow})
		if err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v", name, err)
		}
		p.client.CloseIdleConnections()
		server.Close()
	}
}

func BenchmarkSink(b *testing.B) {
	w := oneCarrier(b, Behaviour{}, nil)
	w.sinks[0].profile.Sessions = 16
	items := compositions(b, b.N)
	b.ResetTimer()
	deliver(b, w, items)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
}
