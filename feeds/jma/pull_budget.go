package jma

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// nearlyUsed is the part of the day's budget after which the eqvol feed alone goes on.
const nearlyUsed = 0.9

// budget counts the bytes of bodies a pull may receive in one day (JST). A request starts only when the largest body it may
// bring still fits, so the limit holds whatever the answers are. JMA cut off addresses that took 10 GB a day (feeds.md 2).
type budget struct {
	limit int64
	now   func() time.Time
	path  string // the ledger; "" = in memory alone

	mu   sync.Mutex
	day  string
	used int64 // bytes received today
	held int64 // bytes that requests under way may still bring
}

// ledger is the file form: Used includes what was still held when it was written, so a crash counts too much, never too little.
type ledger struct {
	Day  string `json:"day"`
	Used int64  `json:"used"`
}

func openBudget(limit int64, path string, now func() time.Time) *budget {
	b := &budget{limit: limit, now: now, path: path}
	b.day = dayOf(now())
	if path == "" {
		return b
	}
	var l ledger
	raw, err := os.ReadFile(path)
	if err == nil && json.Unmarshal(raw, &l) == nil && l.Day >= b.day { // a later day: the clock went back; do not begin anew
		b.day, b.used = l.Day, max(l.Used, 0)
	}
	return b
}

// jst is fixed: Japan has had no summer time since 1951, and a machine without time zone files must count the same days.
var jst = time.FixedZone("JST", 9*60*60)

func dayOf(t time.Time) string { return t.In(jst).Format(time.DateOnly) }

func (b *budget) roll() {
	if day := dayOf(b.now()); day > b.day {
		b.day, b.used = day, 0
	}
}

// hold sets n bytes aside before a request, or reports false when they might not fit.
func (b *budget) hold(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roll()
	if b.used+b.held+n > b.limit {
		return false
	}
	b.held += n
	return true
}

// write records in the ledger what may have been used at most. It is called before a body is read.
func (b *budget) write() error {
	if b.path == "" {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	raw, err := json.Marshal(ledger{b.day, b.used + b.held})
	if err != nil {
		return err
	}
	return replaceFile(b.path, append(raw, '\n'))
}

// settle ends a hold of n bytes of which used were received.
func (b *budget) settle(n, used int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held -= n
	b.used += used
}

// nearly reports that the important feed alone should go on.
func (b *budget) nearly() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roll()
	return float64(b.used+b.held) >= nearlyUsed*float64(b.limit)
}

func (b *budget) today() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roll()
	return b.used
}

// replaceFile writes a file whole or not at all.
func replaceFile(path string, raw []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // what is left is a hidden file without use
	}
	return err
}
