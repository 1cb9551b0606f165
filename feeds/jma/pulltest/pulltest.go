// Package pulltest is JMA's PULL feed on the own machine: Atom feeds, telegram files, conditional GET, and every way to fail.
package pulltest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"yagura/store/desk"
)

// Server serves feed/NAME.xml, feed/NAME_l.xml and data/FILE below its address. Its methods may be called at any time.
type Server struct {
	http *httptest.Server
	done chan struct{} // ends every answer that never comes

	mu    sync.Mutex
	feeds map[string]*feed
	files map[string][]byte
	faults
	counts
	maxAge int
}

type feed struct {
	entries []entry
	short   int       // how many of the newest stand in the short feed; 0 = all
	long    []entry   // as renewed last
	updated time.Time // of the short feed
	renewed time.Time // of the long feed
	manual  bool      // the long feed is renewed by Renew alone
}

type entry struct {
	name, title, office, headline string
	press                         time.Time
}

type faults struct {
	fail     map[string]int // next n answers of a path are errors
	status   map[string]int
	cut      map[string]int // next n bodies of a path end in the middle
	bare     map[string]int // the same without a length, so that only the content tells
	garbage  map[string]string
	delay    map[string]time.Duration
	halfOpen map[string]bool
	redirect map[string]string
	twice    bool // every entry stands twice
	noETag   bool // Last-Modified is all there is
}

type counts struct {
	requests  map[string]int
	unchanged int
	bytes     int64
	agents    map[string]bool
}

// Start starts a server. End it with Close.
func Start() *Server {
	s := &Server{
		done: make(chan struct{}), feeds: map[string]*feed{}, files: map[string][]byte{}, maxAge: 60,
		faults: faults{
			fail: map[string]int{}, status: map[string]int{}, cut: map[string]int{}, bare: map[string]int{}, garbage: map[string]string{},
			delay: map[string]time.Duration{}, halfOpen: map[string]bool{}, redirect: map[string]string{},
		},
		counts: counts{requests: map[string]int{}, agents: map[string]bool{}},
	}
	for _, name := range []string{"eqvol", "extra", "regular", "other"} {
		s.feeds[name] = &feed{}
	}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	return s
}

// Base is the address for PullOptions.Base.
func (s *Server) Base() string { return s.http.URL + "/developer/xml/" }

// Close ends the server and every answer that never came.
func (s *Server) Close() {
	close(s.done)
	s.http.CloseClientConnections()
	s.http.Close()
}

// Restart cuts every connection, as a server that is started again does.
func (s *Server) Restart() { s.http.CloseClientConnections() }

// Publish puts telegrams into a feed. The file name is the envelope's Name, the press time its ReceivedAt, the title is read
// from the bytes; now is when the feeds are written, the long one too unless it is renewed by hand.
func (s *Server) Publish(name string, now time.Time, envs ...desk.Envelope) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.feeds[name]
	for _, e := range envs {
		s.files[e.Name] = e.Raw
		f.entries = append(f.entries, entry{
			name: e.Name, press: e.ReceivedAt, title: between(e.Raw, "<Title>", "</Title>"),
			office: between(e.Raw, "<EditorialOffice>", "</EditorialOffice>"), headline: between(e.Raw, "<Text>", "</Text>"),
		})
	}
	f.updated = now
	if !f.manual {
		f.long, f.renewed = slices.Clone(f.entries), now
	}
}

// Renew writes the long feed of a name anew; from now on only Renew does.
func (s *Server) Renew(name string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.feeds[name]
	f.manual, f.long, f.renewed = true, slices.Clone(f.entries), now
}

// Short keeps only the newest n entries in the short feed; 0 keeps all.
func (s *Server) Short(name string, n int) { s.set(func() { s.feeds[name].short = n }) }

// MaxAge sets the seconds of Cache-Control.
func (s *Server) MaxAge(seconds int) { s.set(func() { s.maxAge = seconds }) }

// Twice lets every entry stand twice in its feed.
func (s *Server) Twice() { s.set(func() { s.twice = true }) }

// NoETag leaves Last-Modified as the only validator.
func (s *Server) NoETag() { s.set(func() { s.noETag = true }) }

// Fail answers the next n requests for a path ("feed/eqvol.xml", "data/FILE") with a status.
func (s *Server) Fail(p string, n, status int) { s.set(func() { s.fail[p], s.status[p] = n, status }) }

// Cut ends the next n bodies of a path in the middle, against their length.
func (s *Server) Cut(p string, n int) { s.set(func() { s.cut[p] = n }) }

// CutQuietly ends the next n bodies of a path in the middle, and nothing in the answer tells.
func (s *Server) CutQuietly(p string, n int) { s.set(func() { s.bare[p] = n }) }

// Garbage answers a path with another body, status 200; "" ends that.
func (s *Server) Garbage(p, body string) {
	s.set(func() {
		s.garbage[p] = body
		if body == "" {
			delete(s.garbage, p)
		}
	})
}

// Delay holds every answer of a path back.
func (s *Server) Delay(p string, d time.Duration) { s.set(func() { s.delay[p] = d }) }

// HalfOpen takes requests for a path and never answers.
func (s *Server) HalfOpen(p string, on bool) { s.set(func() { s.halfOpen[p] = on }) }

// Redirect sends a path somewhere else.
func (s *Server) Redirect(p, to string) { s.set(func() { s.redirect[p] = to }) }

func (s *Server) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// Requests says how often a path was asked for.
func (s *Server) Requests(p string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[p]
}

// Unchanged says how many answers were 304.
func (s *Server) Unchanged() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unchanged
}

// Bytes says how many bytes of bodies were sent, those nobody read included.
func (s *Server) Bytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}

// Agents are the User-Agents that asked.
func (s *Server) Agents() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for a := range s.agents {
		out = append(out, a)
	}
	return out
}

// Name is the file name of a telegram in the form JMA gives.
func Name(press time.Time, code, office string) string {
	return fmt.Sprintf("%s_0_%s_%s.xml", press.UTC().Format("20060102150405"), code, office)
}

// FeedOf says in which feed JMA puts a data type code: earthquakes, tsunami and volcanoes in eqvol, what is issued when it happens
// in extra.
func FeedOf(code string) string {
	for _, family := range []string{"VXSE", "VTSE", "VYSE", "VZSE", "VFVO", "VFSV", "VZVO"} {
		if strings.HasPrefix(code, family) {
			return "eqvol"
		}
	}
	return "extra"
}

func between(raw []byte, from, to string) string {
	_, after, _ := strings.Cut(string(raw), from)
	text, _, found := strings.Cut(after, to)
	if !found {
		return ""
	}
	return text
}

// reply is what to answer, decided under the lock and sent outside it.
type reply struct {
	status        int
	body          []byte
	delay         time.Duration
	halfOpen      bool
	cut, bare     bool
	to            string
	etag          string // of a feed; "" when there is none
	modified      string // of a feed; "" for a data file
	cacheControls string
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	p, ok := strings.CutPrefix(r.URL.Path, "/developer/xml/")
	if !ok || r.Method != http.MethodGet {
		http.NotFound(w, r)
		return
	}
	a := s.decide(p, r.UserAgent())
	if a.delay > 0 && !s.wait(r.Context(), a.delay) {
		return
	}
	if a.halfOpen {
		select {
		case <-r.Context().Done():
		case <-s.done:
		}
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = conn.Close() // nothing was ever sent
		}
		return
	}
	if a.to != "" {
		http.Redirect(w, r, a.to, http.StatusFound)
		return
	}
	if a.status != http.StatusOK {
		w.WriteHeader(a.status)
		return
	}
	s.send(w, r, a)
}

func (s *Server) wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
	case <-s.done:
	}
	return false
}

func (s *Server) decide(p, agent string) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[p]++
	s.agents[agent] = true
	a := reply{status: http.StatusOK, delay: s.delay[p], halfOpen: s.halfOpen[p], to: s.redirect[p]}
	if s.fail[p] > 0 {
		s.fail[p]--
		a.status = s.status[p]
		return a
	}
	dir, name := path.Split(p)
	switch dir {
	case "feed/":
		short := strings.TrimSuffix(name, ".xml")
		base, long := strings.CutSuffix(short, "_l")
		f := s.feeds[base]
		if f == nil {
			a.status = http.StatusNotFound
			return a
		}
		a.body, a.modified = s.atom(base, f, long)
		a.cacheControls = fmt.Sprintf("max-age=%d", s.maxAge)
	case "data/":
		raw, known := s.files[name]
		if !known {
			a.status = http.StatusNotFound
		}
		a.body = raw
	default:
		a.status = http.StatusNotFound
	}
	if other, ok := s.garbage[p]; ok {
		a.body = []byte(other)
	}
	if a.modified != "" && !s.noETag {
		sum := sha256.Sum256(a.body)
		a.etag = `"` + hex.EncodeToString(sum[:8]) + `"`
	}
	a.cut, a.bare = count(s.cut, p), count(s.bare, p)
	return a
}

func count(left map[string]int, p string) bool {
	if left[p] == 0 {
		return false
	}
	left[p]--
	return true
}

func (s *Server) send(w http.ResponseWriter, r *http.Request, a reply) {
	h := w.Header()
	h.Set("Content-Type", "application/xml")
	if a.modified != "" {
		h.Set("Last-Modified", a.modified)
		h.Set("Cache-Control", a.cacheControls)
		if a.etag != "" {
			h.Set("ETag", a.etag)
		}
		if a.matches(r.Header) {
			s.set(func() { s.unchanged++ })
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	body := a.body
	if !a.bare {
		h.Set("Content-Length", fmt.Sprint(len(body)))
	}
	if a.cut || a.bare {
		body = body[:len(body)/2]
	}
	n, _ := w.Write(body) // the other side may have gone; less than Content-Length cuts the connection
	s.set(func() { s.bytes += int64(n) })
}

// matches evaluates the preconditions in the order of RFC 9110, 13.2.2: If-Modified-Since counts only without If-None-Match.
func (a reply) matches(h http.Header) bool {
	if given := h.Get("If-None-Match"); given != "" {
		return given == a.etag
	}
	return h.Get("If-Modified-Since") == a.modified
}
