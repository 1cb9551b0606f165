package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// ChannelUnknown marks an answer by a valid link of a person who was no recipient when it was stored: possible when a failover
// lost the fan-out after its mails had left. The answer is kept and counts as soon as the recipient row is back.
const ChannelUnknown = "link-unknown"

// RecordResponses stores a batch of answers in one statement, which is one transaction. An answer whose nonce is known is
// skipped, so draining a journal twice changes nothing. A received-at ahead of the database's clock (a page host whose clock is
// wrong) is cut back to it: it must not beat every later answer. The standing of a person moves to the latest received-at only; equal
// times are settled by the higher row. Answers never NOTIFY (law 8), and the row is its own record: no audit row is added.
// // F3-1-a.1
func (s *Store) RecordResponses(ctx context.Context, batch []desk.Response) error {
	const op = "store.RecordResponses"
	if len(batch) == 0 {
		return nil
	}
	// One order for everybody: two engines that answer for the same people at once wait for each other, never in a circle.
	batch = slices.Clone(batch)
	slices.SortStableFunc(batch, func(a, b desk.Response) int {
		return cmp.Or(cmp.Compare(a.DispatchID, b.DispatchID), cmp.Compare(a.PersonID, b.PersonID), a.ReceivedAt.Compare(b.ReceivedAt))
	})
	c := columnsOf(batch)
	_, err := s.pool.Exec(ctx, newAnswers, c)
	if isCode(err, "23505") { // unique_violation: one of them was stored before, the careful way tells which
		_, err = s.pool.Exec(ctx, anyAnswers, c)
	}
	return wrap(op, err)
}

// newAnswers is the usual case and anyAnswers the careful one: ON CONFLICT looks up every nonce once more and writes every row
// twice to the log.
const (
	newAnswers = keepAnswers + moveStanding
	anyAnswers = keepAnswers + ` ON CONFLICT (nonce) DO NOTHING ` + moveStanding

	keepAnswers = `
		WITH answer AS (
			SELECT * FROM unnest(@nonce::bytea[], @dispatch::bigint[], @person::bigint[], @received::timestamptz[],
				@safety::text[], @attendance::text[], @comment::text[], @channel::text[])
				WITH ORDINALITY AS a (nonce, dispatch_id, person_id, received_at, safety, attendance, comment, channel, line)
		), kept AS (
			INSERT INTO response (nonce, dispatch_id, person_id, received_at, stored_at, safety, attendance, comment, channel)
			SELECT nonce, dispatch_id, person_id, least(received_at, now()), now(), safety, attendance, comment,
				CASE WHEN EXISTS (SELECT FROM recipient r WHERE r.dispatch_id = a.dispatch_id AND r.person_id = a.person_id)
					THEN channel ELSE @unknown END
			FROM answer a ORDER BY line`

	moveStanding = `
			RETURNING id, dispatch_id, person_id, received_at, safety, attendance
		), latest AS ( -- an upsert may touch a row once: fold the answers of one person, the last wins
			SELECT DISTINCT ON (dispatch_id, person_id) dispatch_id, person_id, id, received_at, safety, attendance,
				count(*) OVER (PARTITION BY dispatch_id, person_id) AS answers
			FROM kept ORDER BY dispatch_id, person_id, received_at DESC, id DESC
		)
		INSERT INTO standing AS old (dispatch_id, person_id, response_id, received_at, safety, attendance, answers, prefecture, top_group)
		SELECT l.dispatch_id, l.person_id, l.id, l.received_at, l.safety, l.attendance, l.answers, r.prefecture, r.top_group
		FROM latest l LEFT JOIN recipient r ON r.dispatch_id = l.dispatch_id AND r.person_id = l.person_id
		ORDER BY l.dispatch_id, l.person_id
		ON CONFLICT (dispatch_id, person_id) DO UPDATE SET
			answers     = old.answers + excluded.answers,
			response_id = CASE WHEN (excluded.received_at, excluded.response_id) > (old.received_at, old.response_id) THEN excluded.response_id ELSE old.response_id END,
			safety      = CASE WHEN (excluded.received_at, excluded.response_id) > (old.received_at, old.response_id) THEN excluded.safety ELSE old.safety END,
			attendance  = CASE WHEN (excluded.received_at, excluded.response_id) > (old.received_at, old.response_id) THEN excluded.attendance ELSE old.attendance END,
			received_at = greatest(excluded.received_at, old.received_at),
			prefecture  = coalesce(excluded.prefecture, old.prefecture),
			top_group   = coalesce(excluded.top_group, old.top_group)`
)

func columnsOf(batch []desk.Response) pgx.NamedArgs {
	n := len(batch)
	nonces, dispatches, persons, received := make([][]byte, n), make([]int64, n), make([]int64, n), make([]time.Time, n)
	safeties, attendances, comments, channels := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	for i := range batch {
		r := &batch[i]
		nonces[i], dispatches[i], persons[i], received[i] = r.Nonce[:], int64(r.DispatchID), int64(r.PersonID), r.ReceivedAt
		safeties[i], attendances[i], comments[i], channels[i] = string(r.Safety), string(r.Attendance), r.Comment, r.Channel
	}
	return pgx.NamedArgs{
		"nonce": nonces, "dispatch": dispatches, "person": persons, "received": received,
		"safety": safeties, "attendance": attendances, "comment": comments, "channel": channels, "unknown": ChannelUnknown,
	}
}

// headings bounds what an answer page keeps in memory.
const headings = 5000

// Headings lists mode and subject of the dispatches whose links can still be opened, newest first, at most 5,000.
// Proposed ones are listed too, so that the page knows a dispatch before its first mail leaves.
func (s *Store) Headings(ctx context.Context) ([]desk.Heading, error) {
	const op = "store.Headings"
	var out []desk.Heading
	err := s.read(ctx, op, func(tx *Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT id AS dispatch_id, mode::text AS mode, subject FROM dispatch
			WHERE proposed_at > now() - @life::interval AND state <> 'withdrawn'
			ORDER BY id DESC LIMIT @most`,
			pgx.NamedArgs{"life": desk.TokenLife + 7*24*time.Hour, "most": headings})
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, pgx.RowToStructByName[desk.Heading])
		return err
	})
	return out, err
}
