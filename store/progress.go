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

// countLanes counts mails by lane and results by lane, each in one pass, and never joins the two: on tables without
// statistics the planner would compare every mail with every result.
func (tx *Tx) countLanes(ctx context.Context, p *desk.DispatchProgress) error {
	rows, err := tx.Query(ctx, `SELECT lane, count(*), min(id), max(id) FROM mail WHERE dispatch_id = @id GROUP BY lane ORDER BY lane`,
		pgx.NamedArgs{"id": p.Dispatch.ID})
	if err != nil {
		return err
	}
	byLane := map[string]int{}
	span := mailSpan{}
	var lane desk.LaneProgress
	var first, last desk.MailID
	_, err = pgx.ForEachRow(rows, []any{&lane.Lane, &lane.Mails, &first, &last}, func() error {
		byLane[lane.Lane] = len(p.Lanes)
		p.Lanes = append(p.Lanes, lane)
		p.Mails += lane.Mails
		span.widen(first, last)
		return nil
	})
	if err != nil || p.Mails == 0 {
		return err
	}
	if err := tx.countResults(ctx, p, byLane, span); err != nil {
		return err
	}
	for _, l := range p.Lanes {
		p.Accepted += l.Accepted
		p.Refused += l.Refused
		p.Deferred += l.Deferred
	}
	p.Pending = p.Mails - p.Accepted - p.Refused - p.Deferred
	return nil
}

// mailSpan is the range of ids of the mails of a dispatch. The fan-out numbers them nearly without a gap, so the span finds
// their attempts by the primary key, without an index that every insert would pay for.
type mailSpan struct{ first, last desk.MailID }

func (s *mailSpan) widen(first, last desk.MailID) {
	if s.last == 0 || first < s.first {
		s.first = first
	}
	s.last = max(s.last, last)
}

// countResults puts every mail that has a result in exactly one count of its lane.
func (tx *Tx) countResults(ctx context.Context, p *desk.DispatchProgress, byLane map[string]int, span mailSpan) error {
	rows, err := tx.Query(ctx, `
		SELECT lane, count(*) FILTER (WHERE best = 1), count(*) FILTER (WHERE best > 1 AND refused),
		       count(*) FILTER (WHERE best > 1 AND NOT refused), min(first_at), max(last_at)
		FROM (
			SELECT min(lane) AS lane, min(outcome) AS best, bool_or(outcome = 3) AS refused,
			       min(at) FILTER (WHERE outcome = 1) AS first_at, max(at) AS last_at
			FROM attempt WHERE mail_id >= @first AND mail_id <= @last AND dispatch_id = @id
			GROUP BY mail_id) result
		GROUP BY lane`, pgx.NamedArgs{"id": p.Dispatch.ID, "first": span.first, "last": span.last})
	if err != nil {
		return err
	}
	var l desk.LaneProgress
	var first, last *time.Time
	_, err = pgx.ForEachRow(rows, []any{&l.Lane, &l.Accepted, &l.Refused, &l.Deferred, &first, &last}, func() error {
		i, known := byLane[l.Lane]
		if !known {
			return nil // a result without its mail: no fan-out of ours wrote it
		}
		p.Lanes[i].Accepted, p.Lanes[i].Refused, p.Lanes[i].Deferred = l.Accepted, l.Refused, l.Deferred
		if at := utc(first); !at.IsZero() && (p.Dispatch.FirstAt.IsZero() || at.Before(p.Dispatch.FirstAt)) {
			p.Dispatch.FirstAt = at
		}
		if at := utc(last); at.After(p.Dispatch.LastAt) {
			p.Dispatch.LastAt = at
		}
		return nil
	})
	return err
}
