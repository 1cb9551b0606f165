package jma

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	takenLimit = 65_536              // names; about a fortnight of everything
	takenFor   = 10 * 24 * time.Hour // longer than any long feed reaches back
	takenSlack = 24 * time.Hour      // the floor stays this far behind the clock, whatever names a feed invents
)

// taken remembers which files were fetched and stored, so that each is fetched once ever (feeds.md 2). Names below the floor are
// forgotten and count as taken. The file form is one line a name, appended after the store has it: a crash in between costs a
// second fetch, never a miss (law 5).
type taken struct {
	now   func() time.Time
	limit int
	keep  time.Duration
	path  string // "" = in memory alone

	mu    sync.Mutex
	names map[string]time.Time // by press time
	busy  map[string]bool      // claimed by a feed that is fetching it
	floor time.Time
	log   *os.File
}

const floorMark = "floor"

// openTaken reads what an earlier process took. Without a record that can be read it begins catchUp before now.
func openTaken(path string, catchUp time.Duration, now func() time.Time) *taken {
	t := &taken{now: now, limit: takenLimit, keep: max(takenFor, catchUp+takenSlack), path: path, names: map[string]time.Time{}, busy: map[string]bool{}}
	if path != "" {
		if raw, err := os.ReadFile(path); err == nil {
			t.read(raw)
		}
	}
	if t.floor.IsZero() {
		t.floor = now().Add(-catchUp)
	}
	return t
}

// resume forgets the claims of an earlier run and writes the record anew. The error is of the record alone.
func (t *taken) resume() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.busy)
	return t.rewrite()
}

func (t *taken) read(raw []byte) {
	// A last line without its end is of a crash while it was written: that file is fetched again.
	raw = raw[:bytes.LastIndexByte(raw, '\n')+1]
	for line := range strings.Lines(string(raw)) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		when, err := time.Parse(time.RFC3339, text)
		switch {
		case err != nil:
		case name == floorMark:
			t.floor = when
		case safeName.MatchString(name):
			t.names[name] = when
		}
	}
}

// claim reports whether the file is to be fetched now, and keeps every other feed from doing so.
func (t *taken) claim(name string, press time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, known := t.names[name]
	if known || t.busy[name] || (!press.IsZero() && !press.After(t.floor)) {
		return false
	}
	t.busy[name] = true
	return true
}

// release gives a claim up; the file may be claimed again.
func (t *taken) release(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.busy, name)
}

// settle says the file is stored, for good. The error is of the record alone; the memory holds in any case.
func (t *taken) settle(name string, press time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.busy, name)
	if press.IsZero() {
		press = t.now()
	}
	t.names[name] = press
	if len(t.names) > t.limit {
		return t.rewrite()
	}
	if t.log == nil {
		return nil
	}
	_, err := t.log.WriteString(line(name, press))
	return err
}

func line(name string, press time.Time) string {
	return name + " " + press.UTC().Format(time.RFC3339) + "\n"
}

// rewrite forgets what no feed can hold any more and replaces the record.
func (t *taken) rewrite() error {
	now := t.now()
	t.forget(now.Add(-t.keep), now)
	if len(t.names) > t.limit {
		times := slices.SortedFunc(maps.Values(t.names), time.Time.Compare)
		t.forget(times[len(times)-t.limit*3/4-1], now)
	}
	if t.path == "" {
		return nil
	}
	var all bytes.Buffer
	all.WriteString(line(floorMark, t.floor))
	for name, press := range t.names {
		all.WriteString(line(name, press))
	}
	if err := replaceFile(t.path, all.Bytes()); err != nil {
		return err
	}
	return t.reopen()
}

// forget drops the names up to a press time and raises the floor to it, but never near the present: a feed that invents
// names in the future must not make the pull blind.
func (t *taken) forget(until, now time.Time) {
	maps.DeleteFunc(t.names, func(_ string, press time.Time) bool { return !press.After(until) })
	if latest := now.Add(-takenSlack); until.After(latest) {
		until = latest
	}
	if until.After(t.floor) {
		t.floor = until
	}
}

// reopen appends to the file that was just written.
func (t *taken) reopen() error {
	if t.log != nil {
		_ = t.log.Close() // its content was replaced
	}
	var err error
	t.log, err = os.OpenFile(t.path, os.O_APPEND|os.O_WRONLY, 0o600)
	return err
}

func (t *taken) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.log != nil {
		_ = t.log.Close() // every line was written when it was settled
		t.log = nil
	}
}
