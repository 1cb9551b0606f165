package dmdata_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"yagura/feeds/dmdata"
	"yagura/feeds/dmdata/dmdatatest"
	"yagura/feeds/jma"
	"yagura/store/desk"
)

func TestPingsAndPongs(t *testing.T) {
	r := start(t, nil)
	r.await("own pings while nobody speaks", func() bool { return r.server.Counts().Pings >= 4 })
	r.server.PingEvery(15 * time.Millisecond)
	r.await("answers to the far side's pings", func() bool { return r.server.Counts().Pongs >= 10 })
	if c := r.server.Counts(); c.WrongPongs != 0 || c.Opened != 2 {
		t.Errorf("%+v", c)
	}
}

func TestExpiredTicketWrongPongAndDeafServer(t *testing.T) {
	for name, turn := range map[string]func(*rig){
		"expired ticket 4404": func(r *rig) { r.server.ExpireTickets(2); r.server.Down(0, true); r.server.Down(0, false) },
		"wrong pong 4640":     func(r *rig) { r.server.Confuse(); r.server.PingEvery(10 * time.Millisecond) },
		"no pong heard 4891": func(r *rig) {
			r.server.Deaf(true)
			r.server.PingEvery(10 * time.Millisecond)
			r.await("a cut", func() bool { return r.server.Counts().Opened > 2 })
			r.server.Deaf(false)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, nil)
			turn(r)
			r.await("a new socket", func() bool { return r.server.Counts().Opened > 2 && r.bothOpen() })
			if c := r.server.Counts(); c.Tickets < c.Opened {
				t.Errorf("a ticket was used twice: %+v", c)
			}
			envs := quakes(0, 5)
			r.server.Push(envs...)
			r.exactlyOnce(envs)
		})
	}
}

func TestStaleSocketsOfOurNameAreClosedWhenSlotsAreShort(t *testing.T) {
	r := prepare(t, nil)
	stale := r.server.Occupy("double")
	foreign := r.server.Occupy("another program")
	r.server.Slots(3)
	r.run()
	r.await("both sockets", r.bothOpen)
	if c := r.server.Counts(); !slices.Equal(c.Deleted, []int{stale}) {
		t.Errorf("closed %v; stale was %d, foreign %d", c.Deleted, stale, foreign)
	}
}

func TestWithoutANameOnlyOwnSocketsAreClosed(t *testing.T) { // the other site may use the same default
	r := prepare(t, func(o *dmdata.Options) { o.AppName = "" })
	other := r.server.Occupy("yagura")
	r.server.Slots(2)
	r.run()
	r.await("one socket, and no room for the other", func() bool {
		return r.server.Open(0)+r.server.Open(1) == 1 && strings.Contains(r.source.Health().Trouble, "409")
	})
	if c := r.server.Counts(); slices.Contains(c.Deleted, other) {
		t.Error("the other site's socket was closed")
	}
}

func TestTooManyRequestsBacksOff(t *testing.T) {
	r := prepare(t, nil)
	r.server.Fail(4, http.StatusTooManyRequests)
	began := time.Now()
	r.run()
	r.await("both sockets", r.bothOpen)
	if d := time.Since(began); d < 5*time.Millisecond {
		t.Errorf("no pause at all: %v", d)
	}
	r.server.Down(0, true)
	r.server.Down(1, true)
	r.await("both down", func() bool { return r.server.Open(0)+r.server.Open(1) == 0 })
	envs := quakes(0, 6)
	r.server.Push(envs...)
	r.server.Fail(5, http.StatusTooManyRequests)
	r.exactlyOnce(envs)
}

func TestWhatOnlyAPersonCanMendIsSaidAndNotHammered(t *testing.T) {
	for code, says := range map[int]string{4400: "設定", 4807: "契約", 4808: "閉じられました"} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			r := start(t, nil)
			r.server.Fault(1, code)
			r.await("the desk is told", func() bool { return strings.Contains(r.source.Health().Trouble, says) })
			tickets := r.server.Counts().Tickets
			r.server.Fault(0, 4503) // the other socket goes its way
			r.await("the other is back", func() bool { return r.server.Counts().Tickets == tickets+1 && r.server.Open(0) == 1 })
			envs := quakes(0, 3)
			r.server.Push(envs...)
			r.exactlyOnce(envs)
			if r.server.Open(1) != 0 {
				t.Error("the resting socket came back at once")
			}
		})
	}
	t.Run("wrong key", func(t *testing.T) {
		r := prepare(t, func(o *dmdata.Options) { o.APIKey = "not the key" })
		r.run()
		r.await("the desk is told", func() bool {
			return strings.Count(r.source.Health().Trouble, "APIキーが受け付けられません") == 2
		})
		if n := r.server.Counts().Refused; n > 4 { // two tickets, and the list at most twice
			t.Errorf("%d requests with a wrong key", n)
		}
	})
	for status, says := range map[int]string{400: "設定", 402: "契約", 403: "権限", 500: "500"} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			r := prepare(t, nil)
			r.server.Fail(1000, status)
			r.run()
			r.await("the desk is told", func() bool { return strings.Contains(r.source.Health().Trouble, says) })
		})
	}
}

// bomb is a body of so many zero bytes, packed.
func bomb(n int) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(make([]byte, n))
	z.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func TestGarbageIsCountedAndTheRestIsDelivered(t *testing.T) {
	data := `{"type":"data","id":"g%d","format":"xml","compression":%s,"encoding":%s,"body":"%s"}`
	frames := []string{
		"", "not JSON", "[]", "null", `{"type":7}`, `{}`, `{"type":"error","code":"server.end","error":"x","close":false}`, `{"type":"unheard of"}`,
		fmt.Sprintf(data, 1, `"gzip"`, `"base64"`, "%%%not base64"),
		fmt.Sprintf(data, 2, `"gzip"`, `"base64"`, base64.StdEncoding.EncodeToString([]byte("not gzip"))),
		fmt.Sprintf(data, 3, `"gzip"`, `"base64"`, bomb(100<<20)),
		fmt.Sprintf(data, 4, `"zip"`, `"base64"`, "UEsDBA=="),
		fmt.Sprintf(data, 5, `"rar"`, `"base64"`, "AAAA"),
		fmt.Sprintf(data, 6, `null`, `"ebcdic"`, "AAAA"),
		fmt.Sprintf(data, 7, `null`, `null`, "   "),
		fmt.Sprintf(data, 8, `"gzip"`, `"base64"`, bomb(jma.MaxBytes + 1)[:400]),
	}
	r := start(t, nil)
	for i, f := range frames {
		r.server.Raw([]byte(f))
		if i == 7 {
			r.server.Raw([]byte(strings.Repeat("[", 100_000)))
		}
	}
	envs := quakes(0, 10)
	r.server.Push(envs...)
	r.exactlyOnce(envs)
	if c := r.server.Counts(); c.Opened != 2 {
		t.Errorf("garbage cost a connection: %+v", c)
	}
	r.await("it is counted", func() bool { return strings.Contains(r.source.Health().Detail, "読めないフレーム") })

	r.server.Raw([]byte(`{"type":"data","body":"` + strings.Repeat("A", 9<<20) + `"}`)) // over the read limit
	r.await("the sockets come again", func() bool { return r.server.Counts().Opened >= 4 && r.bothOpen() })
	r.server.Push(quake(500))
	r.exactlyOnce(append(envs, quake(500)))
	if n := strings.Count(r.log.String(), "unreadable frame"); n != 1 {
		t.Errorf("%d log lines about garbage", n)
	}
}

func TestAFrameThatCannotBeReadIsHadFromTheList(t *testing.T) {
	r := start(t, nil)
	r.server.Drop(1)
	r.server.Push(quake(1))
	r.server.Raw([]byte(`{"type":"data","id":"x","format":"xml","compression":"gzip","encoding":"base64","body":"AAAA"}`))
	r.exactlyOnce([]desk.Envelope{quake(1)})
}

func TestAnAlteredBodyIsKeptAndTold(t *testing.T) {
	r := start(t, nil)
	good := r.server.Frame(quake(1))
	wrong := bytes.Replace(good, []byte(`"id":"`), []byte(`"id":"0`), 1)
	i := bytes.Index(wrong, []byte(`","classification"`))
	wrong = slices.Delete(wrong, i-1, i) // still 96 digits
	r.server.Raw(wrong)
	r.exactlyOnce([]desk.Envelope{quake(1)})
	if d := r.source.Health().Detail; !strings.Contains(d, "検証値の不一致") {
		t.Error(d)
	}
}

func TestMemoryIsBoundedWhileTheStoreIsAway(t *testing.T) {
	r := prepare(t, func(o *dmdata.Options) { o.Waits.Silence = time.Minute })
	gate := make(chan struct{})
	r.inbox.gate = gate
	r.run()
	r.await("both sockets", r.bothOpen)
	const telegrams, each = 120, 2 << 20 // a quarter of a gigabyte when unpacked, little as frames
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	body := bomb(each) // zeros, which no store would mind here
	for n := range telegrams {
		r.server.Raw(fmt.Appendf(nil, `{"type":"data","id":"m%d","format":"xml","compression":"gzip","encoding":"base64","body":"%s"}`, n, body))
	}
	var grown int64
	for range 10 { // the sockets read while we look
		runtime.GC()
		runtime.ReadMemStats(&after)
		grown = max(grown, int64(after.HeapAlloc)-int64(before.HeapAlloc))
	}
	if grown > 110<<20 {
		t.Errorf("the heap grew by %d MB", grown>>20)
	}
	r.inbox.mu.Lock()
	r.inbox.gate = nil
	r.inbox.mu.Unlock()
	close(gate)
	r.await("all of them", func() bool { return r.inbox.len() == telegrams })
	t.Logf("heap grew by %d MB at most for %d MB of telegrams", grown>>20, telegrams*each>>20)
}

func TestFloodIsTakenWithoutLoss(t *testing.T) {
	r := start(t, func(o *dmdata.Options) { o.Waits.Silence = 5 * time.Second })
	envs := quakes(0, 3000)
	began := time.Now()
	r.server.Push(envs...)
	r.exactlyOnce(envs)
	t.Logf("%.0f telegrams a second by two sockets, double included", float64(len(envs))/time.Since(began).Seconds())
	if c := r.server.Counts(); c.Opened != 2 {
		t.Errorf("the flood cost a connection: %+v", c)
	}
}

func TestFaultyOptionsAreRefused(t *testing.T) {
	s := dmdatatest.New(1)
	defer s.Close()
	for name, change := range map[string]func(*dmdata.Options){
		"no key":           func(o *dmdata.Options) { o.APIKey = "" },
		"no clock":         func(o *dmdata.Options) { o.Now = nil },
		"no socket":        func(o *dmdata.Options) { o.SocketHosts = []string{} },
		"31 types":         func(o *dmdata.Options) { o.Types = make([]string, 31) },
		"long name":        func(o *dmdata.Options) { o.AppName = "わたしたちの櫓" + "です" },
		"plain abroad":     func(o *dmdata.Options) { o.APIHost = "api.example.jp" },
		"plain sockets":    func(o *dmdata.Options) { o.SocketHosts = []string{"192.0.2.1:80"} },
		"an address":       func(o *dmdata.Options) { o.DataHost = "localhost/evil" },
		"a user in a host": func(o *dmdata.Options) { o.DataHost = "a@localhost" },
	} {
		o := s.Options()
		change(&o)
		if err := dmdata.New(o).Run(t.Context(), nil); err == nil || strings.Contains(err.Error(), dmdatatest.Key) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if c := s.Counts(); c.Tickets+c.Opened+c.Refused != 0 {
		t.Errorf("something was sent: %+v", c)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	hit := make(chan struct{}, 10)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hit <- struct{}{} }))
	defer elsewhere.Close()
	lying := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer lying.Close()
	r := prepare(t, func(o *dmdata.Options) { o.APIHost = strings.TrimPrefix(lying.URL, "http://") })
	r.run()
	r.await("the refusal", func() bool { return strings.Contains(r.source.Health().Trouble, "HTTP 307") })
	if len(hit) > 0 {
		t.Error("the key went elsewhere")
	}
}

// TestOneBodyThatIsRefusedDoesNotKeepBackTheOthers: a body the far side cannot give must not stand before every later one.
func TestOneBodyThatIsRefusedDoesNotKeepBackTheOthers(t *testing.T) {
	var broken atomic.Bool
	broken.Store(true)
	var first atomic.Pointer[string]
	r := prepare(t, func(o *dmdata.Options) {
		o.Backfill = time.Hour
		proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: o.APIHost})
		bodies := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			path := q.URL.Path
			if first.CompareAndSwap(nil, &path); broken.Load() && path == *first.Load() {
				http.Error(w, "", http.StatusServiceUnavailable)
				return
			}
			proxy.ServeHTTP(w, q)
		}))
		t.Cleanup(bodies.Close)
		o.DataHost = strings.TrimPrefix(bodies.URL, "http://")
	})
	envs := quakes(0, 6)
	r.server.Push(envs...)
	r.run()
	r.await("the others", func() bool { return r.inbox.len() == len(envs)-1 })
	r.await("the desk is told", func() bool { return strings.Contains(r.source.Health().Trouble, "503") })
	broken.Store(false)
	r.exactlyOnce(envs)
	r.await("all is well", func() bool { return r.source.Health().Trouble == "" })
}

// TestAPanicOfOneLoopEndsTheSourceAlone: the intake starts it again; the other sources do not notice.
func TestAPanicOfOneLoopEndsTheSourceAlone(t *testing.T) {
	server := dmdatatest.New(2)
	defer server.Close()
	server.Down(0, true)
	o := server.Options()
	o.Rand = func() float64 { panic("by the test") }
	err := dmdata.New(o).Run(t.Context(), new(inbox).take)
	if desk.KindOf(err) != desk.Internal || !strings.Contains(err.Error(), "by the test") {
		t.Error(err)
	}
}
