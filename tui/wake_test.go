package tui_test

import (
	"context"
	"testing"

	"yagura/store/desk"
	"yagura/tui"
	"yagura/tui/tuitest"
)

// Every session hears; a session that does not read never holds up the others, and a lost line is never overwritten by a hint.
func TestHub(t *testing.T) {
	b, _ := newBackend(t, desk.Live)
	r := tuitest.NewRegistry(b)
	hub := tui.NewHub(r)
	ctx, cancel := context.WithCancel(t.Context())
	quick, leave := hub.Subscribe(ctx)
	slow, _ := hub.Subscribe(ctx)
	ended := make(chan error, 1)
	go func() { ended <- hub.Run(ctx) }()
	for _, topic := range []desk.Topic{desk.TopicEvent, desk.TopicDispatch, desk.TopicLost} {
		r.Wake(desk.Wake{Topic: topic})
		if got := quick()(); got == nil {
			t.Fatalf("%s was not heard", topic)
		}
	}
	if got := slow()(); got != (tui.WakeMsg{Topic: desk.TopicLost}) {
		t.Fatalf("the slow session heard %v", got)
	}
	leave()
	cancel()
	if got := quick()(); got != nil {
		t.Fatalf("after the end: %v", got)
	}
	<-ended
}
