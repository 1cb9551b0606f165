package store

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// A listening connection that says nothing is asked now and then whether it is still there: a cut cable sends no goodbye.
const (
	listenQuiet = 10 * time.Second
	listenPing  = 3 * time.Second
	listenFirst = 100 * time.Millisecond // first pause before reconnecting; it doubles up to listenMost
	listenMost  = 2 * time.Second
)

// Listen calls on for every wake-up of the topics (none given = all) until ctx ends, then returns nil. It keeps a connection
// of its own. When that breaks it reconnects with back-off for ever and calls on once with TopicLost: whatever was notified
// meanwhile is gone, so the reader re-reads everything. A wake-up is only a hint; every reader also polls (law 8).
// on is called from one goroutine and must not block.
func (s *Store) Listen(ctx context.Context, topics []desk.Topic, on func(desk.Wake)) error {
	pause, lost := listenFirst, false
	for ctx.Err() == nil {
		err := s.listenOnce(ctx, topics, on, func() {
			if lost {
				on(desk.Wake{Topic: desk.TopicLost})
			}
			pause, lost = listenFirst, false
		})
		if ctx.Err() != nil {
			break
		}
		lost = true
		s.log.Warn("通知の受信が切れました。再接続します。", "op", "store.Listen", "kind", desk.KindOf(wrap("store.Listen", err)), "pause", pause)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
		pause = min(2*pause, listenMost)
	}
	return nil
}

func (s *Store) listenOnce(ctx context.Context, topics []desk.Topic, on func(desk.Wake), listening func()) error {
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer func() {
		// The caller's context may have ended; the goodbye still deserves a moment.
		bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), listenPing)
		defer cancel()
		_ = conn.Close(bye)
	}()
	if _, err := conn.Exec(ctx, `LISTEN yagura`); err != nil {
		return err
	}
	listening()
	for {
		payload, err := waitNotified(ctx, conn)
		if err != nil {
			return err
		}
		if wake, ok := parseWake(payload); ok && (len(topics) == 0 || slices.Contains(topics, wake.Topic)) {
			on(wake)
		}
	}
}

// waitNotified waits for the next payload and asks a silent connection whether it still lives.
func waitNotified(ctx context.Context, conn *pgx.Conn) (string, error) {
	for {
		quiet, cancel := context.WithTimeout(ctx, listenQuiet)
		n, err := conn.WaitForNotification(quiet)
		cancel()
		if err == nil {
			return n.Payload, nil
		}
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return "", err
		}
		ping, cancel := context.WithTimeout(ctx, listenPing)
		err = conn.Ping(ping)
		cancel()
		if err != nil {
			return "", err
		}
	}
}

// parseWake reads "topic:id". A payload of a newer build that this one does not know is not a wake-up.
func parseWake(payload string) (desk.Wake, bool) {
	topic, text, found := strings.Cut(payload, ":")
	id, err := strconv.ParseInt(text, 10, 64)
	wake := desk.Wake{Topic: desk.Topic(topic), ID: id}
	return wake, found && err == nil && slices.Contains(desk.Topics(), wake.Topic)
}
