package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// eventWriters is the advisory lock under which events are written: one writer at a time, so that two engines whose lease
// broke cannot make two events of one shaking.
const eventWriters = 7241010

// recentEvents is the most events RecentEvents returns.
const recentEvents = 3000

// EventsNear lists the events of a mode and hazard that bear one of the JMA EventIDs, or happened within span of at.
func (s *Store) EventsNear(ctx context.Context, keys []string, mode desk.Mode, hazard desk.Hazard, at time.Time, span time.Duration) ([]desk.Event, error) {
	const op = "store.EventsNear"
	// An event is updated by telegrams that follow it, so updated_at, which has an index, bounds occurred_at from above.
	return s.events(ctx, op, `
		SELECT id, stored_at, state FROM event
		WHERE mode = @mode AND hazard = @hazard AND (event_keys && @keys::text[]
		   OR updated_at >= @from::timestamptz - interval '1 day' AND occurred_at BETWEEN @from AND @until)
		ORDER BY id`, pgx.NamedArgs{
		"keys": keysOf(keys), "mode": string(mode), "hazard": string(hazard), "from": at.Add(-span), "until": at.Add(span),
	})
}

// RecentEvents lists events that had a telegram received since, newest first, at most 3000: a day such as 2024-01-01 brings many hundreds.
func (s *Store) RecentEvents(ctx context.Context, since time.Time) ([]desk.Event, error) {
	const op = "store.RecentEvents"
	return s.events(ctx, op, `SELECT id, stored_at, state FROM event WHERE updated_at >= @since ORDER BY updated_at DESC, id DESC LIMIT @limit`,
		pgx.NamedArgs{"since": since, "limit": recentEvents})
}

func (s *Store) events(ctx context.Context, op, sql string, args pgx.NamedArgs) ([]desk.Event, error) {
	var out []desk.Event
	err := s.read(ctx, op, func(tx *Tx) error {
		rows, err := tx.Query(ctx, sql, args)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, scanEvent)
		return err
	})
	return out, err
}

func scanEvent(row pgx.CollectableRow) (desk.Event, error) {
	var id desk.EventID
	var stored time.Time
	var state []byte
	if err := row.Scan(&id, &stored, &state); err != nil {
		return desk.Event{}, err
	}
	return decodeEvent(id, stored, state)
}

func decodeEvent(id desk.EventID, stored time.Time, state []byte) (desk.Event, error) {
	var e desk.Event
	err := json.Unmarshal(state, &e)
	e.ID, e.StoredAt = id, stored.UTC()
	return e, err
}

// TelegramsOf lists the telegrams of an event as read, oldest first, without their bytes.
func (s *Store) TelegramsOf(ctx context.Context, id desk.EventID) ([]desk.Telegram, error) {
	const op = "store.TelegramsOf"
	var out []desk.Telegram
	err := s.read(ctx, op, func(tx *Tx) (err error) {
		out, err = tx.telegramsOf(ctx, id)
		return err
	})
	return out, err
}

func (tx *Tx) telegramsOf(ctx context.Context, id desk.EventID) ([]desk.Telegram, error) {
	rows, err := tx.Query(ctx, `
		SELECT t.id, t.digest, t.feed, t.name, t.received_at, t.stored_at, r.parsed
		FROM event_telegram et JOIN telegram t ON t.id = et.telegram_id JOIN reading r ON r.telegram_id = t.id
		WHERE et.event_id = @id ORDER BY t.id`, pgx.NamedArgs{"id": id})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanTelegram)
}

// SaveEvent writes an event as understood after a telegram, links the telegram and appends the advice, all at once. ID 0 makes
// a new event. It is Conflict when the event was folded from fewer telegrams than belong to it by now, or when a new event
// would share an EventID with one that exists: read again and fold again. Saving the same telegram twice changes nothing.
func (s *Store) SaveEvent(ctx context.Context, e desk.Event, telegram desk.TelegramID, a desk.Advice) (desk.EventID, desk.AdviceID, error) {
	const op = "store.SaveEvent"
	var advice desk.AdviceID
	id := e.ID
	err := s.write(ctx, op, func(tx *Tx) error {
		id = e.ID
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(@lock)`, pgx.NamedArgs{"lock": eventWriters}); err != nil {
			return err
		}
		var err error
		if id == 0 {
			var done bool
			if id, done, err = tx.savedBefore(ctx, telegram); err != nil || done {
				if done {
					err = tx.QueryRow(ctx, `SELECT coalesce(max(id), 0) FROM advice WHERE event_id = @id`, pgx.NamedArgs{"id": id}).Scan(&advice)
				}
				return err
			}
			if id, err = tx.insertEvent(ctx, op, e, a.Grade); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, `INSERT INTO event_telegram (telegram_id, event_id) VALUES (@telegram, @event) ON CONFLICT DO NOTHING`,
			pgx.NamedArgs{"telegram": telegram, "event": id})
		if err != nil {
			return err
		}
		if e.ID != 0 {
			if err := tx.updateEvent(ctx, op, e, a.Grade); err != nil {
				return err
			}
		}
		if advice, err = tx.appendAdvice(ctx, id, telegram, a); err != nil {
			return err
		}
		return tx.notify(ctx, desk.TopicEvent, int64(id))
	})
	if err != nil {
		return 0, 0, err
	}
	return id, advice, nil
}

// Readvise appends an advice made from the latest one, because what surrounds the event has changed: an incident was opened, or
// people were asked. a.ID names the advice it replaces; Conflict when there is a newer one. The same words again change nothing.
func (s *Store) Readvise(ctx context.Context, a desk.Advice) (desk.AdviceID, error) {
	const op = "store.Readvise"
	var id desk.AdviceID
	err := s.write(ctx, op, func(tx *Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(@lock)`, pgx.NamedArgs{"lock": eventWriters}); err != nil {
			return err
		}
		latest, err := tx.latestAdvice(ctx, op, a.EventID)
		if err != nil {
			return err
		}
		if latest.ID != a.ID {
			return &desk.Error{Kind: desk.Conflict, Op: op}
		}
		if id, err = tx.appendAdvice(ctx, a.EventID, a.TelegramID, a); err != nil || id == latest.ID {
			return err
		}
		return tx.notify(ctx, desk.TopicEvent, int64(a.EventID))
	})
	return id, err
}

// savedBefore finds the event a telegram already opened, e.g. when the process died between the event and the reading.
func (tx *Tx) savedBefore(ctx context.Context, telegram desk.TelegramID) (id desk.EventID, done bool, err error) {
	err = tx.QueryRow(ctx, `SELECT event_id FROM event_telegram WHERE telegram_id = @id ORDER BY event_id LIMIT 1`,
		pgx.NamedArgs{"id": telegram}).Scan(&id)
	if err == pgx.ErrNoRows {
		return 0, false, nil
	}
	return id, err == nil, err
}

func eventArgs(e desk.Event, grade desk.Grade, now time.Time) (pgx.NamedArgs, error) {
	e.StoredAt = time.Time{} // the column tells
	state, err := json.Marshal(e)
	return pgx.NamedArgs{
		"id": e.ID, "hazard": string(e.Hazard), "mode": string(e.Mode), "keys": keysOf(e.EventIDs), "occurred": e.OccurredAt,
		"first": e.FirstSeenAt, "updated": e.UpdatedAt, "status": string(e.Status), "max": int16(e.MaxIntensity),
		"grade": int16(grade), "state": jsonText(state), "telegrams": e.Telegrams, "now": now,
	}, err
}

func (tx *Tx) insertEvent(ctx context.Context, op string, e desk.Event, grade desk.Grade) (id desk.EventID, err error) {
	args, err := eventArgs(e, grade, tx.Now)
	if err != nil {
		return 0, err
	}
	err = tx.QueryRow(ctx, `
		INSERT INTO event (hazard, mode, event_keys, occurred_at, first_seen_at, updated_at, stored_at, status, max_intensity, grade, state)
		SELECT @hazard::text, @mode::text, @keys::text[], @occurred, @first, @updated, @now, @status, @max, @grade, @state
		WHERE NOT EXISTS (SELECT FROM event WHERE mode = @mode::text AND hazard = @hazard::text AND event_keys && @keys::text[])
		RETURNING id`, args).Scan(&id)
	if err == pgx.ErrNoRows {
		return 0, &desk.Error{Kind: desk.Conflict, Op: op}
	}
	return id, err
}

// updateEvent is guarded by the number of telegrams the event was folded from: a set that only grows and has the same size is
// the same set. Mode and hazard never change (law 4).
func (tx *Tx) updateEvent(ctx context.Context, op string, e desk.Event, grade desk.Grade) error {
	args, err := eventArgs(e, grade, tx.Now)
	if err != nil {
		return err
	}
	return tx.exec(ctx, op, `
		UPDATE event SET event_keys = @keys, occurred_at = @occurred, first_seen_at = @first, updated_at = @updated,
		  status = @status, max_intensity = @max, grade = @grade, state = @state, version = version + 1
		WHERE id = @id AND mode = @mode::text AND hazard = @hazard::text
		  AND (SELECT count(*) FROM event_telegram WHERE event_id = @id) = @telegrams`, args)
}

// adviceContent is what the content column holds; the other fields of desk.Advice are columns.
type adviceContent struct {
	Checks    []desk.Check       `json:"checks"`
	Triggered []desk.TriggeredBy `json:"triggered"`
	Merge     *desk.MergeAdvice  `json:"merge"`
}

// appendAdvice adds an advice, unless the latest one of the event was given on the same telegram and says the same.
func (tx *Tx) appendAdvice(ctx context.Context, event desk.EventID, telegram desk.TelegramID, a desk.Advice) (id desk.AdviceID, err error) {
	content, err := json.Marshal(adviceContent{a.Checks, a.Triggered, a.Merge})
	if err != nil {
		return 0, err
	}
	args := pgx.NamedArgs{
		"event": event, "telegram": telegram, "at": tx.Now, "grade": int16(a.Grade), "content": jsonText(content),
	}
	err = tx.QueryRow(ctx, `
		SELECT id FROM (SELECT id, telegram_id, grade, content FROM advice WHERE event_id = @event ORDER BY id DESC LIMIT 1) latest
		WHERE telegram_id = @telegram AND grade = @grade AND content = @content::jsonb`, args).Scan(&id)
	if err != pgx.ErrNoRows {
		return id, err
	}
	err = tx.QueryRow(ctx, `
		INSERT INTO advice (event_id, telegram_id, at, grade, content) VALUES (@event, @telegram, @at, @grade, @content) RETURNING id`,
		args).Scan(&id)
	return id, err
}

func decodeAdvice(a *desk.Advice, content []byte) error {
	var c adviceContent
	err := json.Unmarshal(content, &c)
	a.Checks, a.Triggered, a.Merge, a.At = c.Checks, c.Triggered, c.Merge, a.At.UTC()
	return err
}

func eventSubject(id desk.EventID) string { return fmt.Sprintf("event:%d", id) }
