package jma

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"yagura/feeds"
)

// pullHealth is what the loops of a pull report about themselves.
type pullHealth struct {
	unchanged, fetched atomic.Int64 // 304 answers, files handed over

	mu         sync.Mutex
	received   time.Time
	contact    map[string]time.Time // of each feed that is polled
	lost       map[string]bool
	reconnects int
	troubles   map[string]string
	sentence   string
}

func newPullHealth() *pullHealth {
	return &pullHealth{contact: map[string]time.Time{}, lost: map[string]bool{}, troubles: map[string]string{}}
}

// start makes the silence of a feed that never answers count from now.
func (h *pullHealth) start(names []string, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, name := range names {
		h.contact[name] = now
	}
}

// answered notes a sign of life of a feed.
func (h *pullHealth) answered(feed string, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.contact[feed] = now
	if h.lost[feed] {
		delete(h.lost, feed)
		h.reconnects++
	}
}

func (h *pullHealth) failed(feed string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lost[feed] = true
}

// paused takes a feed that is not polled on purpose out of the reckoning of silence.
func (h *pullHealth) paused(feed string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.contact, feed)
}

func (h *pullHealth) handed(now time.Time) {
	h.fetched.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.received = now
}

// trouble sets or ends one trouble and returns the whole sentence and whether it has changed.
func (h *pullHealth) trouble(key, text string) (string, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if text == "" {
		delete(h.troubles, key)
	} else {
		h.troubles[key] = text
	}
	before := h.sentence
	texts := slices.Sorted(maps.Values(h.troubles))
	h.sentence = strings.Join(slices.Compact(texts), "")
	return h.sentence, h.sentence != before
}

func (h *pullHealth) read() feeds.Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := feeds.Health{LastReceived: h.received, Reconnects: h.reconnects, Trouble: h.sentence}
	for _, at := range h.contact {
		if out.LastContact.IsZero() || at.Before(out.LastContact) {
			out.LastContact = at
		}
	}
	return out
}
