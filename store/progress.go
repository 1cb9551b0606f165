package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// recently is how long an ended dispatch stays on the desk.
const recently = 24 * time.Hour

// Progress counts a dispatch from its attempts, as of one instant (law 7).
func (s *Store) Progress(ctx context.Context, id desk.DispatchID) (desk.DispatchProgress, error) {
	const op = "store.Progress"
	var p desk.DispatchProgress
	err := s.read(ctx, op, func(tx *Tx) error {
		found, err := tx.progress(ctx, []desk.DispatchID{id})
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return noDispatch(op, id)
		}
		p = found[0]
		return nil
	})
	return p, err
}

// ActiveDispatches lists what has not ended, or ended in the last 24 h, newest first, each counted as of one instant.
func (s *Store) ActiveDispatches(ctx context.Context) ([]desk.DispatchProgress, error) {
	const op = "store.ActiveDispatches"
	var all []desk.DispatchProgress
	err := s.read(ctx, op, func(tx *Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT id FROM dispatch
			WHERE state IN ('proposed', 'approved', 'expanded', 'sending') OR ended_at > now() - @recently::interval`,
			pgx.NamedArgs{"recently": recently})
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[desk.DispatchID])
		if err != nil {
			return err
		}
		all, err = tx.progress(ctx, ids)
		return err
	})
	return all, err
}

// progress reads the dispatches with these ids, newest first, with their counts. Every mail is in exactly one count:
// accepted wins over refused (a 250 is a fact, law 5), refused over deferred, and pending has no result at all.
func (tx *Tx) progress(ctx context.Context, ids []desk.DispatchID) ([]desk.DispatchProgress, error) {
	found, err := tx.dispatches(ctx, ids)
	if err != nil {
		return nil, err
	}
	all := make([]desk.DispatchProgress, 0, len(found))
	for _, d := range found {
		p := desk.DispatchProgress{Dispatch: d, AsOf: tx.Now}
		if d.Approval != nil {
			if err := tx.countLanes(ctx, &p); err != nil {
				return nil, err
			}
		}
		all = append(all, p)
	}
	return all, nil
}

func (tx *Tx) countLanes(ctx context.Context, p *desk.DispatchProgress) error {
	// The fan-out numbers the mails of a dispatch nearly without a gap, so the span finds their attempts by the primary key
	// without an index that every insert would pay for.
	rows, err := tx.Query(ctx, `
		WITH span AS (SELECT min(id) AS first, max(id) AS last FROM mail WHERE dispatch_id = @id),
		result AS (
			SELECT mail_id, bool_or(outcome = 1) AS accepted, bool_or(outcome = 3) AS refused,
			       min(at) FILTER (WHERE outcome = 1) AS first_at, max(at) AS last_at
			FROM attempt
			WHERE mail_id BETWEEN (SELECT first FROM span) AND (SELECT last FROM span) AND dispatch_id = @id
			GROUP BY mail_id)
		SELECT m.lane, count(*),
		       count(*) FILTER (WHERE r.accepted),
		       count(*) FILTER (WHERE r.refused AND NOT r.accepted),
		       count(*) FILTER (WHERE NOT r.refused AND NOT r.accepted),
		       min(r.first_at), max(r.last_at)
		FROM mail m LEFT JOIN result r ON r.mail_id = m.id
		WHERE m.dispatch_id = @id
		GROUP BY m.lane ORDER BY m.lane`, pgx.NamedArgs{"id": p.Dispatch.ID})
	if err != nil {
		return err
	}
	var lane desk.LaneProgress
	var first, last *time.Time
	_, err = pgx.ForEachRow(rows, []any{&lane.Lane, &lane.Mails, &lane.Accepted, &lane.Refused, &lane.Deferred, &first, &last}, func() error {
		p.Lanes = append(p.Lanes, lane)
		p.Mails += lane.Mails
		p.Accepted += lane.Accepted
		p.Refused += lane.Refused
		p.Deferred += lane.Deferred
		if at := utc(first); !at.IsZero() && (p.Dispatch.FirstAt.IsZero() || at.Before(p.Dispatch.FirstAt)) {
			p.Dispatch.FirstAt = at
		}
		if at := utc(last); at.After(p.Dispatch.LastAt) {
			p.Dispatch.LastAt = at
		}
		return nil
	})
	p.Pending = p.Mails - p.Accepted - p.Refused - p.Deferred
	return err
}
