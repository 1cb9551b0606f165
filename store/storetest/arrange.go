package storetest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// Happening says what kind of event Event writes. The zero value is a live earthquake of intensity 7 in Ishikawa that nobody
// judged and no check contradicts.
type Happening struct {
	Mode         desk.Mode      // "" = live
	OccurredAt   time.Time      // zero = Noto, 2024-01-01 16:10 JST
	MaxIntensity desk.Intensity // 0 = 7
	Checks       []desk.Check   // nil = one that passed
	Triggered    []desk.TriggeredBy
}

// Noto is the moment of the main shock.
var Noto = time.Date(2024, 1, 1, 7, 10, 0, 0, time.UTC)

// Ishikawa is an audience of one prefecture.
func Ishikawa() []desk.TriggeredBy {
	return []desk.TriggeredBy{{Prefecture: 17, Intensity: desk.Intensity7, Reason: desk.ReasonIntensity}}
}

// Operator registers an operator with a made-up key and returns his id.
func Operator(t testing.TB, db *DB, name string) desk.OperatorID {
	t.Helper()
	return one[desk.OperatorID](t, db, `
		INSERT INTO operator (name, display, fingerprint, public_key, created_at)
		VALUES (@name, @name, 'SHA256:' || @name, 'ssh-ed25519 AAAA ' || @name, now()) RETURNING id`,
		pgx.NamedArgs{"name": name})
}

// Event writes a telegram, an event and its first advice, as intake would, without any judgement.
func Event(t testing.TB, db *DB, h Happening) (desk.EventID, desk.AdviceID) {
	t.Helper()
	if h.Mode == "" {
		h.Mode = desk.Live
	}
	if h.OccurredAt.IsZero() {
		h.OccurredAt = Noto
	}
	if h.MaxIntensity == desk.IntensityUnknown {
		h.MaxIntensity = desk.Intensity7
	}
	if h.Triggered == nil {
		h.Triggered = Ishikawa()
	}
	key := h.OccurredAt.In(desk.JST).Format("20060102150405")
	state := desk.Event{
		Hazard: desk.Earthquake, Mode: h.Mode, EventIDs: []string{key}, OccurredAt: h.OccurredAt, FirstSeenAt: h.OccurredAt,
		UpdatedAt: h.OccurredAt, Status: desk.EventOpen, Title: "石川県能登地方 震度" + h.MaxIntensity.Japanese(), MaxIntensity: h.MaxIntensity, Telegrams: 1,
	}
	event := one[desk.EventID](t, db, `
		INSERT INTO event (hazard, mode, event_keys, occurred_at, first_seen_at, updated_at, stored_at, status, max_intensity, grade, state)
		VALUES (@hazard, @mode, @keys, @at, @at, @at, now(), 'open', @max, 1, @state) RETURNING id`,
		pgx.NamedArgs{
			"hazard": state.Hazard, "mode": h.Mode, "keys": state.EventIDs, "at": h.OccurredAt, "max": h.MaxIntensity, "state": text(t, state),
		})
	return event, Advise(t, db, event, h)
}

// Advise appends a newer advice to an event, occasioned by a new telegram. Only Checks and Triggered of h are used.
func Advise(t testing.TB, db *DB, event desk.EventID, h Happening) desk.AdviceID {
	t.Helper()
	if h.Checks == nil {
		h.Checks = []desk.Check{{Code: desk.CheckEEW, Result: desk.Passed, Text: "緊急地震速報がありました。"}}
	}
	digest := make([]byte, 32)
	_, _ = rand.Read(digest) // never fails on Linux
	telegram := one[desk.TelegramID](t, db, `
		WITH t AS (INSERT INTO telegram (digest, feed, name, raw, received_at, stored_at)
			VALUES (@digest, 'replay', '', '<Report/>', now(), now()) RETURNING id)
		INSERT INTO event_telegram (telegram_id, event_id) SELECT id, @event FROM t RETURNING telegram_id`,
		pgx.NamedArgs{"digest": digest, "event": event})
	advice := desk.Advice{EventID: event, TelegramID: telegram, Grade: desk.GradeAlarm, Checks: h.Checks, Triggered: h.Triggered}
	return one[desk.AdviceID](t, db, `
		INSERT INTO advice (event_id, telegram_id, at, grade, content) VALUES (@event, @telegram, now(), 1, @content) RETURNING id`,
		pgx.NamedArgs{"event": event, "telegram": telegram, "content": text(t, advice)})
}

// Judge writes an operator's finding on the latest advice of an event.
func Judge(t testing.TB, db *DB, operator desk.OperatorID, event desk.EventID, finding desk.Finding) {
	t.Helper()
	one[int64](t, db, `
		INSERT INTO verification (event_id, operator_id, advice_id, finding, reason, at)
		VALUES (@event, @operator, (SELECT max(id) FROM advice WHERE event_id = @event), @finding, '', now()) RETURNING id`,
		pgx.NamedArgs{"event": event, "operator": operator, "finding": finding})
}

// GenuineEvent is a live event of intensity 7 in Ishikawa with a clean advice, judged genuine by the operator.
func GenuineEvent(t testing.TB, db *DB, operator desk.OperatorID) (desk.EventID, desk.AdviceID) {
	t.Helper()
	event, advice := Event(t, db, Happening{})
	Judge(t, db, operator, event, desk.Genuine)
	return event, advice
}

// Incident opens an incident with the event as its first, in the event's mode.
func Incident(t testing.TB, db *DB, operator desk.OperatorID, event desk.EventID) desk.IncidentID {
	t.Helper()
	return one[desk.IncidentID](t, db, `
		WITH i AS (INSERT INTO incident (hazard, mode, title, opened_by, opened_at)
			SELECT hazard, mode, '令和6年能登半島地震', @operator, now() FROM event WHERE id = @event RETURNING id)
		INSERT INTO incident_event (event_id, incident_id, joined, operator_id, reason, at)
		SELECT @event, id, false, @operator, 'first_of_kind', now() FROM i RETURNING incident_id`,
		pgx.NamedArgs{"operator": operator, "event": event})
}

// People writes n people (codes P00001 …) under one unit, all of one prefecture, each with the given number of usable
// addresses under carrier.example. The addresses cannot be opened: a test that sends uses ImportRoster.
func People(t testing.TB, db *DB, n int, prefecture desk.Prefecture, addresses int) {
	t.Helper()
	one[int64](t, db, `
		WITH start AS (SELECT count(*) AS had FROM person),
		unit AS (INSERT INTO groups (name, level, top_id) SELECT '能登局', 1, coalesce((SELECT max(id) FROM groups), 0) + 1 RETURNING id),
		people AS (INSERT INTO person (code, name)
			SELECT 'P' || lpad((had + i)::text, 5, '0'), '職員' || (had + i) FROM start, generate_series(1, @n::int) i RETURNING id),
		regions AS (INSERT INTO person_region (person_id, prefecture) SELECT id, @prefecture::int FROM people WHERE @prefecture::int > 0),
		units AS (INSERT INTO person_group (person_id, group_id, main) SELECT p.id, u.id, true FROM people p, unit u),
		mailboxes AS (INSERT INTO address (person_id, sealed, domain, fingerprint)
			SELECT id, '\x00', 'carrier.example', sha256(convert_to(id || '/' || i, 'UTF8')) FROM people, generate_series(1, @addresses::int) i)
		SELECT count(*) FROM people`,
		pgx.NamedArgs{"n": n, "prefecture": prefecture, "addresses": addresses})
}

func one[T any](t testing.TB, db *DB, sql string, args pgx.NamedArgs) T {
	t.Helper()
	ctx := context.Background()
	conn := db.connect()
	defer conn.Close(ctx)
	var got T
	if err := conn.QueryRow(ctx, sql, args).Scan(&got); err != nil {
		t.Fatalf("arrange: %v\n%s", err, sql)
	}
	return got
}

func text(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
