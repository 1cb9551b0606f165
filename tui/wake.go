package tui

import (
	"context"
	"sync"

	tea "charm.land/bubbletea/v2"

	"yagura/store/desk"
)

// Listener is the one wake-up connection of the console.
type Listener interface {
	Listen(ctx context.Context, topics []desk.Topic, on func(desk.Wake)) error
}

// Hub hands the wake-ups of one listening connection to every session. A slow session loses nothing but repetition: its slot keeps
// the strongest wake-up that waits (law 8: a wake-up is only a hint).
type Hub struct {
	from Listener
	mu   sync.Mutex
	subs map[chan WakeMsg]struct{}
}

// NewHub makes a hub; Run makes it work.
func NewHub(from Listener) *Hub {
	return &Hub{from: from, subs: map[chan WakeMsg]struct{}{}}
}

// Run listens until ctx ends.
func (h *Hub) Run(ctx context.Context) error {
	topics := []desk.Topic{desk.TopicTelegram, desk.TopicEvent, desk.TopicIncident, desk.TopicDispatch, desk.TopicTally, desk.TopicHealth}
	return h.from.Listen(ctx, topics, func(w desk.Wake) { h.tell(WakeMsg{w.Topic}) })
}

func (h *Hub) tell(w WakeMsg) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.subs {
		select {
		case c <- w:
			continue
		default:
		}
		if w.Topic == desk.TopicLost { // the waiting hint gives way: lost means read everything
			select {
			case <-c:
			default:
			}
			c <- w // only tell sends, under the lock, so that the slot is free now
		}
	}
}

// Subscribe gives a session its wait command and the way to end it. The command returns nil when ctx ends.
func (h *Hub) Subscribe(ctx context.Context) (wait func() tea.Cmd, leave func()) {
	c := make(chan WakeMsg, 1)
	h.mu.Lock()
	h.subs[c] = struct{}{}
	h.mu.Unlock()
	wait = func() tea.Cmd {
		return func() tea.Msg {
			select {
			case w := <-c:
				return w
			case <-ctx.Done():
				return nil
			}
		}
	}
	return wait, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.subs, c)
	}
}
