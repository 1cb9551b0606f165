package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// StageClocks reads the clock of every mailing that is under way or ended after since, oldest first, from the facts as of one
// instant. // P5-2 P5-3 P5-4 P5-5
func (s *Store) StageClocks(ctx context.Context, since time.Time) ([]desk.StageClock, error) {
	return s.clocks(ctx, "store.StageClocks", since, true)
}

// LimitedClocks is StageClocks for the mailings whose time the contract limits. It never counts the thousands of mails of a
// safety confirmation, so it may be asked each second while one leaves.
func (s *Store) LimitedClocks(ctx context.Context, since time.Time) ([]desk.StageClock, error) {
	return s.clocks(ctx, "store.LimitedClocks", since, false)
}

func (s *Store) clocks(ctx context.Context, op string, since time.Time, all bool) ([]desk.StageClock, error) {
	var clocks []desk.StageClock
	err := s.read(ctx, op, func(tx *Tx) error {
		judged, err := tx.judgedClocks(ctx, since, all)
		if err != nil {
			return err
		}
		automatic, err := tx.automaticClocks(ctx, since)
		if err != nil {
			return err
		}
		clocks = slices.Concat(judged, automatic)
		slices.SortFunc(clocks, func(a, b desk.StageClock) int { return cmp.Compare(a.Subject.ID, b.Subject.ID) }) // one sequence numbers both
		for i := range clocks {
			if err := tx.countAccepted(ctx, &clocks[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return clocks, err
}

// origin is the telegram that occasioned a mailing, as far as it is known.
type origin struct {
	feed                                     *string
	occurred, issued, received, stored, read *time.Time
}

// onto writes the stages before the judgement. The recorded times of a replay are moved to the clock on the wall, by the pause
// between the recorded receipt and the storing; the delays between them stay.
func (o origin) onto(c *desk.StageClock) {
	c.OccurredAt, c.IssuedAt, c.ReceivedAt, c.ReadAt = known(o.occurred), known(o.issued), known(o.received), known(o.read)
	if o.feed == nil {
		return
	}
	c.Feed = *o.feed
	if c.Feed != desk.ReplayFeed || o.received == nil || o.stored == nil {
		return
	}
	shift := o.stored.Sub(*o.received)
	for _, at := range []*time.Time{&c.OccurredAt, &c.IssuedAt, &c.ReceivedAt} {
		if !at.IsZero() {
			*at = at.Add(shift)
		}
	}
}

// known is a time of the world: a zero time.Time inside a telegram's JSON is none.
func known(t *time.Time) time.Time {
	if t == nil || t.Year() < 1900 {
		return time.Time{}
	}
	return t.UTC()
}

// judgedClocks reads the stages of approved dispatches up to the fan-out. The condition holds from the first advice that named
// people to ask and was not yet followed by an order; the telegram behind that advice begins the clock.
func (tx *Tx) judgedClocks(ctx context.Context, since time.Time, all bool) ([]desk.StageClock, error) {
	rows, err := tx.Query(ctx, `
		SELECT d.id, d.mode, d.subject, d.state, i.hazard, a.at, d.expanded_at,
		       e.occurred_at, coalesce(r.press_time, nullif((r.parsed->>'ReportTime')::timestamptz, '0001-01-01 00:00:00+00')), t.feed, t.received_at, t.stored_at, r.at
		FROM dispatch d
		JOIN approval a ON a.dispatch_id = d.id
		JOIN event e ON e.id = d.event_id
		JOIN incident i ON i.id = d.incident_id
		LEFT JOIN LATERAL (
		  SELECT v.telegram_id FROM advice v
		  WHERE v.event_id = d.event_id AND v.content @? 'strict $.Triggered[0]' AND v.id <= a.advice_id
		    AND v.id > coalesce((SELECT max(b.advice_id) FROM approval b JOIN dispatch p ON p.id = b.dispatch_id
		                         WHERE p.event_id = d.event_id AND b.id < a.id), 0)
		  ORDER BY v.id LIMIT 1) met ON true
		LEFT JOIN telegram t ON t.id = coalesce(met.telegram_id, (SELECT telegram_id FROM advice WHERE id = a.advice_id))
		LEFT JOIN reading r ON r.telegram_id = t.id
		WHERE (d.state IN ('approved', 'expanded', 'sending') OR d.ended_at > @since) AND (@all OR i.hazard = 'missile')
		ORDER BY d.id`, pgx.NamedArgs{"since": since, "all": all})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (desk.StageClock, error) {
		c := desk.StageClock{Subject: desk.ClockSubject{Kind: desk.SubjectDispatch}}
		var state desk.DispatchState
		var hazard desk.Hazard
		var o origin
		var judged, queued *time.Time
		err := row.Scan(&c.Subject.ID, &c.Mode, &c.Title, &state, &hazard, &judged, &queued,
			&o.occurred, &o.issued, &o.feed, &o.received, &o.stored, &o.read)
		if hazard == desk.Missile {
			c.Clause = desk.ClauseMissile
		}
		c.JudgedAt, c.QueuedAt = known(judged), known(queued)
		c.Stopped = state == desk.Stopped || state == desk.Withdrawn
		o.onto(&c)
		return c, err
	})
}

// automaticClocks reads the stages of bulletins. A digest gathers on purpose and has no limit.
func (tx *Tx) automaticClocks(ctx context.Context, since time.Time) ([]desk.StageClock, error) {
	rows, err := tx.Query(ctx, `
		SELECT b.id, b.mode, b.subject, b.state, b.kind, b.step, b.at, b.occurred_at, b.issued_at, t.feed, t.received_at, t.stored_at, b.read_at
		FROM bulletin b JOIN telegram t ON t.id = b.telegram_id
		WHERE (b.state IN ('expanded', 'sending') OR b.ended_at > @since) AND b.kind <> 'digest'
		ORDER BY b.id`, pgx.NamedArgs{"since": since})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (desk.StageClock, error) {
		c := desk.StageClock{Subject: desk.ClockSubject{Kind: desk.SubjectBulletin}, Clause: desk.ClauseOther}
		var state desk.DispatchState
		var kind desk.BulletinKind
		var step desk.BulletinStep
		var decided time.Time // decided and queued in one transaction
		var o origin
		err := row.Scan(&c.Subject.ID, &c.Mode, &c.Title, &state, &kind, &step, &decided, &o.occurred, &o.issued, &o.feed, &o.received, &o.stored, &o.read)
		switch kind {
		case desk.BulletinQuick:
			c.Clause = desk.ClauseQuick
		case desk.BulletinConfirmed:
			c.Clause = desk.ClauseConfirmed
		}
		c.JudgedAt, c.QueuedAt = decided.UTC(), decided.UTC()
		c.Stopped, c.Renewal = state == desk.Stopped, step != desk.BulletinNew
		o.onto(&c)
		return c, err
	})
}

// countAccepted counts the results of a mailing and finds its first and last acceptance. A mail that was accepted twice counts
// from its first time.
func (tx *Tx) countAccepted(ctx context.Context, c *desk.StageClock) error {
	args := pgx.NamedArgs{"id": c.Subject.ID}
	var first, last *desk.MailID
	err := tx.QueryRow(ctx, `SELECT count(*), min(id), max(id) FROM mail WHERE dispatch_id = @id`, args).Scan(&c.Mails, &first, &last)
	if err != nil {
		return err
	}
	if first != nil {
		args["first"], args["last"] = *first, *last
		var begun, ended *time.Time
		err = tx.QueryRow(ctx, `
			SELECT count(*) FILTER (WHERE best = 1), count(*) FILTER (WHERE best > 1 AND refused), min(accepted), max(accepted)
			FROM (
				SELECT min(outcome) AS best, bool_or(outcome = 3) AS refused, min(at) FILTER (WHERE outcome = 1) AS accepted
				FROM attempt WHERE mail_id >= @first AND mail_id <= @last AND dispatch_id = @id
				GROUP BY mail_id) result`, args).Scan(&c.Accepted, &c.Refused, &begun, &ended)
		if err != nil {
			return err
		}
		c.FirstAccepted, c.LastAccepted = known(begun), known(ended)
	}
	c.Waiting = c.Mails - c.Accepted - c.Refused
	c.Finished = !c.QueuedAt.IsZero() && c.Waiting == 0
	return nil
}

// ClockRules reads the limits in force, the latest version of each clause and target.
func (s *Store) ClockRules(ctx context.Context) ([]desk.ClockRule, error) {
	const op = "store.ClockRules"
	var all []desk.ClockRule
	err := s.read(ctx, op, func(tx *Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT DISTINCT ON (clause, until) version, at, actor, clause, until, since, limit_ms, warn, breach
			FROM clock_rule ORDER BY clause, until, version DESC`)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (desk.ClockRule, error) {
			var r desk.ClockRule
			var limit int64
			err := row.Scan(&r.Version, &r.At, &r.Actor, &r.Clause, &r.Until, &r.From, &limit, &r.Warn, &r.Breach)
			r.At, r.Limit = r.At.UTC(), time.Duration(limit)*time.Millisecond
			return r, err
		})
		return err
	})
	return all, err
}

// SetClockRule writes a new version of one limit; earlier ones stay. Only the owner of the schema may. actor is "admin:sato";
// Version, At and Actor of r are ignored.
func (s *Store) SetClockRule(ctx context.Context, actor string, r desk.ClockRule) error {
	const op = "store.SetClockRule"
	switch {
	case r.Limit < time.Second || r.Limit > 24*time.Hour:
		return desk.Errorf(desk.Invalid, op, "期限は 1 秒から 24 時間です。")
	case !(r.Warn > 0 && r.Warn <= 100), r.Breach != 0 && !(r.Breach >= r.Warn && r.Breach <= 100): // NaN is refused too
		return desk.Errorf(desk.Invalid, op, "警告は期限の 0 倍より大きく、遅延報告の倍率は警告以上か、0（報告しない）にしてください。")
	}
	return s.write(ctx, op, func(tx *Tx) error {
		err := tx.QueryRow(ctx, `
			INSERT INTO clock_rule (at, actor, clause, until, since, limit_ms, warn, breach)
			VALUES (@at, @actor, @clause, @until, @since, @limit, @warn, @breach) RETURNING version`,
			pgx.NamedArgs{
				"at": tx.Now, "actor": actor, "clause": string(r.Clause), "until": string(r.Until), "since": string(r.From),
				"limit": r.Limit.Milliseconds(), "warn": r.Warn, "breach": r.Breach,
			}).Scan(&r.Version)
		if err != nil {
			return err
		}
		return tx.audit(ctx, actor, "clock_rule.set", fmt.Sprintf("clock_rule:%d", r.Version), map[string]any{
			"clause": r.Clause, "until": r.Until, "since": r.From, "limit": r.Limit.String(), "warn": r.Warn, "breach": r.Breach,
		})
	})
}
