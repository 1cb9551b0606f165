package main

import (
	"context"
	"sync"

	"yagura/store"
	"yagura/store/desk"
)

// bell turns the store's wake-ups into hints for the services of this process. A hint may be lost or doubled; everybody polls (law 8).
type bell struct {
	mu    sync.Mutex
	lines []chan struct{}
}

func newBell() *bell { return &bell{} }

// line is a new listener: at most one hint waits in it.
func (b *bell) line() <-chan struct{} {
	l := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, l)
	return l
}

// ring hints to everybody without waiting for anybody.
func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range b.lines {
		select {
		case l <- struct{}{}:
		default:
		}
	}
}

// listen rings for what concerns sending until ctx ends; intake listens for itself.
func (b *bell) listen(ctx context.Context, s *store.Store) error {
	topics := []desk.Topic{desk.TopicDispatch, desk.TopicMail}
	return s.Listen(ctx, topics, func(desk.Wake) { b.ring() })
}
