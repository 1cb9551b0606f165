package store

import (
	"context"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// Letters lists the dispatches a lane may have mails of, live ones before drills, then the oldest first: at least one chunk is written, not stopped, not ended.
func (s *Store) Letters(ctx context.Context, lane string) ([]desk.Letter, error) {
	const op = "store.Letters"
	rows, err := s.pool.Query(ctx, `
		SELECT d.id, d.mode, d.subject, d.body, a.at, a.not_before
		FROM dispatch d JOIN approval a ON a.dispatch_id = d.id
		WHERE d.state IN ('approved', 'expanded', 'sending') AND d.expanded_through > 0
		  AND NOT EXISTS (SELECT FROM stop s WHERE s.dispatch_id = d.id)
		  AND EXISTS (SELECT FROM mail m WHERE m.dispatch_id = d.id AND m.lane = @lane)
		ORDER BY d.mode <> 'live', d.id`, pgx.NamedArgs{"lane": lane})
	if err != nil {
		return nil, wrap(op, err)
	}
	letters, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (desk.Letter, error) {
		var l desk.Letter
		err := row.Scan(&l.DispatchID, &l.Mode, &l.Subject, &l.Body, &l.ApprovedAt, &l.NotBefore)
		return l, err
	})
	return letters, wrap(op, err)
}

// StreamMails reads the next pending mails of a lane by id: those without a final result, with the number of the last try
// and, after a deferral, the time not to try before (desk.RetryDelay by the database's clock, without jitter). The lateral
// aggregate is one index probe a mail whatever the statistics say: fresh tables have none.
func (s *Store) StreamMails(ctx context.Context, dispatch desk.DispatchID, lane string, after desk.MailID, limit int) ([]desk.Mail, error) {
	const op = "store.StreamMails"
	// Planned anew each time: a plan made for an empty table would be kept for the full one.
	rows, err := s.pool.Query(ctx, `
		SELECT m.id, m.person_id, m.address_id, m.sealed, m.domain, m.created_at, t.tries, t.last
		FROM mail m CROSS JOIN LATERAL (
			SELECT coalesce(max(a.number), 0) AS tries, max(a.recorded_at) AS last, coalesce(bool_or(a.outcome IN (1, 3)), false) AS final
			FROM attempt a WHERE a.mail_id = m.id) t
		WHERE m.dispatch_id = @dispatch AND m.lane = @lane AND m.id > @after AND NOT t.final
		ORDER BY m.id LIMIT @limit`, pgx.QueryExecModeCacheDescribe,
		pgx.NamedArgs{"dispatch": dispatch, "lane": lane, "after": after, "limit": limit})
	if err != nil {
		return nil, wrap(op, err)
	}
	mails := make([]desk.Mail, 0, min(limit, 256))
	m := desk.Mail{DispatchID: dispatch, Lane: lane}
	var last *time.Time
	_, err = pgx.ForEachRow(rows, []any{
		&m.ID, &m.PersonID, &m.Address.ID, &m.Address.Sealed, &m.Address.Domain, &m.CreatedAt, &m.Attempts, &last,
	}, func() error {
		m.NextAt = time.Time{}
		if last != nil {
			m.NextAt = last.Add(desk.RetryDelay(m.Attempts))
		}
		mails = append(mails, m)
		m.Address.Sealed = nil // the next row gets bytes of its own
		return nil
	})
	return mails, wrap(op, err)
}

// IsStopped reports whether a stop row exists: no further mail of the dispatch may be taken (law 7). It is asked before every
// batch, so it looks at nothing else; Letters leaves out what has ended.
func (s *Store) IsStopped(ctx context.Context, id desk.DispatchID) (bool, error) {
	var stopped bool
	err := s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM stop WHERE dispatch_id = @id)`, pgx.NamedArgs{"id": id}).Scan(&stopped)
	return stopped, wrap("store.IsStopped", err)
}

// RecordAttempts keeps results: one statement, one transaction, append-only; writing one again changes nothing. An accepted
// mail is a fact and is always kept; a deferral or refusal only when its epoch is the lane's present one (law 9), so that a
// former owner cannot declare a mail dead that the present one is sending.
func (s *Store) RecordAttempts(ctx context.Context, attempts []desk.Attempt) error {
	if len(attempts) == 0 {
		return nil
	}
	if alike(attempts) {
		return s.recordAccepted(ctx, attempts)
	}
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
	return wrap("store.RecordAttempts", err)
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

// recordAccepted is RecordAttempts for acceptances that are alike: a third of the cost.
func (s *Store) recordAccepted(ctx context.Context, attempts []desk.Attempt) error {
	mails, times, texts := make([]int64, len(attempts)), make([]time.Time, len(attempts)), make([]string, len(attempts))
	for i, a := range attempts {
		mails[i], times[i], texts[i] = int64(a.MailID), a.At, replyText(a.Text)
	}
	a := attempts[0]
	_, err := s.pool.Exec(ctx, `
		INSERT INTO attempt (mail_id, number, epoch, dispatch_id, lane, at, outcome, stage, code, text, route, recorded_at)
		SELECT r.mail_id, @number, @epoch, @dispatch, @lane, r.at, 1, @stage, @code, r.text, @route, now()
		FROM unnest(@mails::bigint[], @times::timestamptz[], @texts::text[]) AS r (mail_id, at, text)
		ON CONFLICT DO NOTHING`,
		pgx.NamedArgs{
			"mails": mails, "times": times, "texts": texts, "number": int16(min(max(a.Number, 1), 32767)), "epoch": a.Epoch,
			"dispatch": a.DispatchID, "lane": a.Lane, "stage": string(a.Stage), "code": int16(min(max(a.Code, 0), 999)), "route": a.Route,
		})
	return wrap("store.RecordAttempts", err)
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
