package store

import (
	"context"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// Letters lists what a lane may have mails of: bulletins first, because they go to a few hundred people at most and are due within
// three minutes (P5-2); then live dispatches, then drills, each the oldest first. At least one chunk is written, not stopped, not ended.
func (s *Store) Letters(ctx context.Context, lane string) ([]desk.Letter, error) {
	const op = "store.Letters"
	rows, err := s.pool.Query(ctx, `
		SELECT id, mode, subject, body, approved_at, not_before, bulletin FROM (
		SELECT b.id, b.mode, b.subject, b.body, b.at AS approved_at, b.at AS not_before, true AS bulletin
		FROM bulletin b
		WHERE b.state IN ('expanded', 'sending')
		  AND NOT EXISTS (SELECT FROM stop s WHERE s.dispatch_id = b.id)
		  AND EXISTS (SELECT FROM mail m WHERE m.dispatch_id = b.id AND m.lane = @lane)
		UNION ALL
		SELECT d.id, d.mode, d.subject, d.body, a.at, a.not_before, false
		FROM dispatch d JOIN approval a ON a.dispatch_id = d.id
		WHERE d.state IN ('approved', 'expanded', 'sending') AND d.expanded_through > 0
		  AND NOT EXISTS (SELECT FROM stop s WHERE s.dispatch_id = d.id)
		  AND EXISTS (SELECT FROM mail m WHERE m.dispatch_id = d.id AND m.lane = @lane)) letter
		ORDER BY bulletin DESC, mode <> 'live', id`, pgx.NamedArgs{"lane": lane})
	if err != nil {
		return nil, wrap(op, err)
	}
	letters, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (desk.Letter, error) {
		var l desk.Letter
		err := row.Scan(&l.DispatchID, &l.Mode, &l.Subject, &l.Body, &l.ApprovedAt, &l.NotBefore, &l.Bulletin)
		return l, err
	})
	return letters, wrap(op, err)
}

// StreamMails reads the next pending mails of a lane by id, at most limit, fewer only at the end: those without a final
// result, with the number of the last try and, after a deferral, the time not to try before (desk.RetryDelay by the
// database's clock, without jitter).
//
// A page of mails is read first and the results among its ids second: one step through the key of attempt for the whole page
// where a look-up for each mail would cost more than reading it. What is read second is newer, so a result is never missed.
func (s *Store) StreamMails(ctx context.Context, dispatch desk.DispatchID, lane string, after desk.MailID, limit int) ([]desk.Mail, error) {
	const op = "store.StreamMails"
	var pending []desk.Mail
	for {
		want := limit - len(pending)
		page, err := s.pageOfMails(ctx, dispatch, lane, after, want)
		if err != nil || len(page) == 0 {
			return pending, wrap(op, err)
		}
		last := page[len(page)-1].ID
		left, err := s.stillPending(ctx, page)
		if err != nil {
			return nil, wrap(op, err)
		}
		if pending == nil {
			pending = left
		} else {
			pending = append(pending, left...)
		}
		if len(page) < want || len(pending) == limit {
			return pending, nil
		}
		after = last
	}
}

func (s *Store) pageOfMails(ctx context.Context, dispatch desk.DispatchID, lane string, after desk.MailID, limit int) ([]desk.Mail, error) {
	// Planned anew each time, here and below: a plan made for an empty table would be kept for the full one.
	rows, err := s.pool.Query(ctx, `
		SELECT id, person_id, address_id, sealed, domain, created_at FROM mail
		WHERE dispatch_id = @dispatch AND lane = @lane AND id > @after
		ORDER BY id LIMIT @limit`, pgx.QueryExecModeCacheDescribe,
		pgx.NamedArgs{"dispatch": dispatch, "lane": lane, "after": after, "limit": limit})
	if err != nil {
		return nil, err
	}
	mails := make([]desk.Mail, 0, min(limit, 2048))
	m := desk.Mail{DispatchID: dispatch, Lane: lane}
	into := []any{&m.ID, &m.PersonID, &m.Address.ID, &m.Address.Sealed, &m.Address.Domain, &m.CreatedAt}
	_, err = pgx.ForEachRow(rows, into, func() error {
		mails = append(mails, m)
		m.Address.Sealed = nil // the next row gets bytes of its own
		return nil
	})
	return mails, err
}

// stillPending drops the mails of a page that have a final result, and notes the tries of the others. The page's order is kept.
func (s *Store) stillPending(ctx context.Context, page []desk.Mail) ([]desk.Mail, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT mail_id, max(number)::int, max(recorded_at), bool_or(outcome IN (1, 3))
		FROM attempt WHERE mail_id >= @first AND mail_id <= @last AND lane = @lane
		GROUP BY mail_id ORDER BY mail_id`, pgx.QueryExecModeCacheDescribe,
		pgx.NamedArgs{"first": page[0].ID, "last": page[len(page)-1].ID, "lane": page[0].Lane})
	if err != nil {
		return nil, err
	}
	var id desk.MailID
	var tries int
	var at time.Time
	var final bool
	kept, next := page[:0], 0
	_, err = pgx.ForEachRow(rows, []any{&id, &tries, &at, &final}, func() error {
		for ; next < len(page) && page[next].ID < id; next++ {
			kept = append(kept, page[next])
		}
		if next < len(page) && page[next].ID == id {
			if m := page[next]; !final {
				m.Attempts, m.NextAt = tries, at.Add(desk.RetryDelay(tries))
				kept = append(kept, m)
			}
			next++
		}
		return nil
	})
	return append(kept, page[next:]...), err
}

// RecordAttempts keeps results: one statement, one transaction, append-only; writing one again changes nothing. An accepted
// mail is a fact and is always kept; a deferral or refusal only when its epoch is the lane's present one (law 9), so that a
// former owner cannot declare a mail dead that the present one is sending.
//
// It looks at the stop rows of the dispatches it writes for, not earlier than its own beginning, and says which are stopped
// (law 7). A sender that may take a mail only in place of one recorded here therefore hands over at most as many mails after a
// stop as it has places.
func (s *Store) RecordAttempts(ctx context.Context, attempts []desk.Attempt) (stopped []desk.DispatchID, err error) {
	const op = "store.RecordAttempts"
	if len(attempts) == 0 {
		return nil, nil
	}
	if alike(attempts) {
		is, err := s.recordAccepted(ctx, attempts)
		if err == nil {
			if is {
				stopped = []desk.DispatchID{attempts[0].DispatchID}
			}
			return stopped, nil
		}
		if !isCode(err, "23505") { // unique_violation: some were written before, the careful way tells which
			return nil, wrap(op, err)
		}
	}
	ids, err := s.recordEach(ctx, attempts)
	if err != nil {
		return nil, wrap(op, err)
	}
	rows, err := s.pool.Query(ctx, `SELECT dispatch_id FROM stop WHERE dispatch_id = ANY(@ids::bigint[])`, pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil, wrap(op, err)
	}
	stopped, err = pgx.CollectRows(rows, pgx.RowTo[desk.DispatchID])
	return stopped, wrap(op, err)
}

// recordEach writes results of any kind, and gives their dispatches.
func (s *Store) recordEach(ctx context.Context, attempts []desk.Attempt) ([]int64, error) {
	n := len(attempts)
	mails, dispatches, epochs := make([]int64, n), make([]int64, n), make([]int64, n)
	numbers, outcomes, codes := make([]int16, n), make([]int16, n), make([]int16, n)
	lanes, stages, texts, routes := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	times := make([]time.Time, n)
	for i, a := range attempts {
		mails[i], dispatches[i], epochs[i] = int64(a.MailID), int64(a.DispatchID), a.Epoch
		numbers[i], outcomes[i], codes[i] = int16(min(max(a.Number, 1), 32767)), int16(a.Outcome), int16(min(max(a.Code, 0), 999))
		lanes[i], stages[i], texts[i], routes[i] = a.Lane, string(a.Stage), replyText(a.Text), a.Route
		times[i] = a.At
	}
	_, err := s.pool.Exec(ctx, `
		INSERT INTO attempt (mail_id, number, epoch, dispatch_id, lane, at, outcome, stage, code, text, route, recorded_at)
		SELECT r.mail_id, r.number, r.epoch, r.dispatch_id, r.lane, r.at, r.outcome, r.stage, r.code, r.text, r.route, now()
		FROM unnest(@mails::bigint[], @numbers::smallint[], @epochs::bigint[], @dispatches::bigint[], @lanes::text[], @times::timestamptz[],
		            @outcomes::smallint[], @stages::text[], @codes::smallint[], @texts::text[], @routes::text[])
		  AS r (mail_id, number, epoch, dispatch_id, lane, at, outcome, stage, code, text, route)
		LEFT JOIN lease l ON l.name = 'lane:' || r.lane
		WHERE r.outcome = 1 OR r.epoch = l.epoch
		ON CONFLICT DO NOTHING`,
		pgx.NamedArgs{
			"mails": mails, "numbers": numbers, "epochs": epochs, "dispatches": dispatches, "lanes": lanes, "times": times,
			"outcomes": outcomes, "stages": stages, "codes": codes, "texts": texts, "routes": routes,
		})
	return dispatches, err
}

// alike reports whether all are acceptances that differ in mail, time and words alone: the usual batch of a lane at full speed.
func alike(attempts []desk.Attempt) bool {
	first := attempts[0]
	for _, a := range attempts {
		a.MailID, a.At, a.Text = first.MailID, first.At, first.Text
		if a != first || a.Outcome != desk.Accepted {
			return false
		}
	}
	return true
}

// recordAccepted writes acceptances that are alike, and looks at the stop row, in one statement: the usual case, at a third of
// the cost. Without ON CONFLICT, which writes every row twice to the log: none is here already unless an earlier write was
// answered by silence, and then this one fails as a whole.
func (s *Store) recordAccepted(ctx context.Context, attempts []desk.Attempt) (stopped bool, err error) {
	mails, times, texts := make([]int64, len(attempts)), make([]time.Time, len(attempts)), make([]string, len(attempts))
	for i, a := range attempts {
		mails[i], times[i], texts[i] = int64(a.MailID), a.At, replyText(a.Text)
	}
	a := attempts[0]
	err = s.pool.QueryRow(ctx, `
		WITH kept AS (
			INSERT INTO attempt (mail_id, number, epoch, dispatch_id, lane, at, outcome, stage, code, text, route, recorded_at)
			SELECT r.mail_id, @number, @epoch, @dispatch, @lane, r.at, 1, @stage, @code, r.text, @route, now()
			FROM unnest(@mails::bigint[], @times::timestamptz[], @texts::text[]) AS r (mail_id, at, text))
		SELECT EXISTS (SELECT FROM stop WHERE dispatch_id = @dispatch)`,
		pgx.NamedArgs{
			"mails": mails, "times": times, "texts": texts, "number": int16(min(max(a.Number, 1), 32767)), "epoch": a.Epoch,
			"dispatch": a.DispatchID, "lane": a.Lane, "stage": string(a.Stage), "code": int16(min(max(a.Code, 0), 999)), "route": a.Route,
		}).Scan(&stopped)
	return stopped, err
}

// replyText is a carrier's words as they may be stored: no control characters, valid UTF-8, at most 200 bytes.
func replyText(s string) string {
	s = desk.CleanText(s, false)
	for len(s) > 200 {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}
