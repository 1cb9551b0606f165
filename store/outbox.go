package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// outboxActor is the actor of the engines' own steps in the record; the person behind them is in the approval.
const outboxActor = "engine:dispatch"

// DueDispatches lists what may be expanded now, oldest first: approved, not stopped, count-down over. Only ID, Mode, State and
// the approval's times are filled in. wait is the time until the next approved one falls due by the database's clock, 0 when
// there is none: a duration, so that a skewed engine clock costs nothing. // F3-1-k.3
func (s *Store) DueDispatches(ctx context.Context) (due []desk.Dispatch, wait time.Duration, err error) {
	const op = "store.DueDispatches"
	rows, err := s.pool.Query(ctx, `
		SELECT d.id, d.mode, d.state, a.not_before, a.not_after, clock_timestamp()
		FROM dispatch d JOIN approval a ON a.dispatch_id = d.id
		WHERE d.state = 'approved'
		ORDER BY d.id`)
	if err != nil {
		return nil, 0, wrap(op, err)
	}
	var d desk.Dispatch
	var notBefore, notAfter, now time.Time
	_, err = pgx.ForEachRow(rows, []any{&d.ID, &d.Mode, &d.State, &notBefore, &notAfter, &now}, func() error {
		if ahead := notBefore.Sub(now); ahead > 0 {
			if wait == 0 || ahead < wait {
				wait = ahead
			}
			return nil
		}
		one := d
		one.Approval = &desk.Approval{DispatchID: d.ID, NotBefore: notBefore, NotAfter: notAfter}
		due = append(due, one)
		return nil
	})
	return due, wait, wrap(op, err)
}

// Expand writes one chunk of the fan-out: recipients and mails of the next people (at most) by id, and how far it came, in
// one transaction. The dispatch row is locked meanwhile, so any number of engines may call it and every person is written
// once (law 9); mail ids therefore ascend in the order of people. A person is tallied under the strongest of his triggered
// prefectures. Before the first chunk an order that went stale becomes Expired (law 6); a stop ends the fan-out (law 7).
// A dispatch that is no longer approved gives Done and its state.
func (s *Store) Expand(ctx context.Context, id desk.DispatchID, people int) (desk.ExpandStep, error) {
	const op = "store.Expand"
	if people < 1 {
		return desk.ExpandStep{}, desk.Errorf(desk.Invalid, op, "展開の人数は 1 以上です。")
	}
	var step desk.ExpandStep
	err := s.write(ctx, op, func(tx *Tx) error {
		f, err := tx.openFanOut(ctx, id)
		if err != nil {
			return err
		}
		if step, err = f.refused(ctx, tx); err != nil || step.Done {
			return err
		}
		last, full, err := f.nextChunk(ctx, tx, people)
		if err != nil {
			return err
		}
		if last > f.through {
			if step, err = f.writeChunk(ctx, tx, last); err != nil {
				return err
			}
		}
		step.State = desk.Approved
		if full {
			return tx.notify(ctx, desk.TopicMail, int64(id))
		}
		step.Done, step.State = true, desk.Expanded
		return f.finish(ctx, tx)
	})
	return step, err
}

// fanOut is a dispatch whose row this transaction holds.
type fanOut struct {
	id       desk.DispatchID
	state    desk.DispatchState
	through  int64 // the last person written
	approval desk.ApprovalID
	incident desk.IncidentID
	early    bool // the count-down is not over
	late     bool // not_after has passed
	stopped  bool
	doubted  bool // nobody calls the event genuine any more, or it was retracted (取消)
}

func (tx *Tx) openFanOut(ctx context.Context, id desk.DispatchID) (fanOut, error) {
	f := fanOut{id: id}
	err := tx.QueryRow(ctx, `SELECT state, expanded_through, incident_id FROM dispatch WHERE id = @id FOR UPDATE`,
		pgx.NamedArgs{"id": id}).Scan(&f.state, &f.through, &f.incident)
	if err != nil || f.state != desk.Approved {
		return f, err
	}
	// clock_timestamp, not now: the row may have been waited for.
	err = tx.QueryRow(ctx, `
		SELECT a.id, a.not_before > clock_timestamp(), a.not_after < clock_timestamp(), EXISTS (SELECT FROM stop WHERE dispatch_id = @id),
			e.status = 'retracted' OR 'genuine' IS DISTINCT FROM (SELECT finding FROM verification WHERE event_id = e.id ORDER BY id DESC LIMIT 1)
		FROM approval a JOIN dispatch d ON d.id = a.dispatch_id JOIN event e ON e.id = d.event_id WHERE a.dispatch_id = @id`,
		pgx.NamedArgs{"id": id}).Scan(&f.approval, &f.early, &f.late, &f.stopped, &f.doubted)
	return f, err
}

// refused says Done when nothing may be written any more, and takes the step of state that follows from it.
func (f fanOut) refused(ctx context.Context, tx *Tx) (desk.ExpandStep, error) {
	switch {
	case f.state != desk.Approved:
		return desk.ExpandStep{State: f.state, Done: true}, nil
	case f.stopped && f.through > 0: // lanes may hold mails of it: SettleDispatches ends it
		return desk.ExpandStep{State: f.state, Done: true}, nil
	case f.stopped:
		return desk.ExpandStep{State: desk.Stopped, Done: true}, tx.endDispatch(ctx, f.id, f.state, desk.Stopped)
	case f.doubted && f.through == 0: // what was learnt during the count-down counts; once mails have left, a person stops the rest // F3-1-k.3
		return desk.ExpandStep{State: desk.Withdrawn, Done: true}, tx.endDispatch(ctx, f.id, f.state, desk.Withdrawn)
	case f.early:
		return desk.ExpandStep{}, desk.Errorf(desk.Conflict, "store.Expand", "カウントダウンが終わっていません。")
	case f.late && f.through == 0: // law 6; once mails have left, the rest follow
		return desk.ExpandStep{State: desk.Expired, Done: true}, tx.endDispatch(ctx, f.id, f.state, desk.Expired)
	}
	return desk.ExpandStep{State: f.state}, nil
}

// nextChunk finds the last person of the next chunk. It counts region rows, not people, so that the index is read in order
// and stops: the plan stays the same without statistics. full is false when the audience ends within the chunk.
func (f fanOut) nextChunk(ctx context.Context, tx *Tx, people int) (last int64, full bool, err error) {
	var rows int
	err = tx.QueryRow(ctx, `
		SELECT coalesce(max(person_id), 0), count(*) FROM (
			SELECT person_id FROM person_region
			WHERE person_id > @through
			  AND prefecture = ANY (ARRAY(SELECT prefecture FROM dispatch_prefecture WHERE dispatch_id = @id))
			ORDER BY person_id LIMIT @people) chunk`,
		pgx.NamedArgs{"id": f.id, "through": f.through, "people": people}).Scan(&last, &rows)
	return last, rows == people, err
}

// writeChunk writes recipients and mails in one statement over ranges of person ids. Without nested loops, because the
// planner takes a fresh range for a handful of rows and would compare thousands with thousands. No ON CONFLICT: the lock on
// the dispatch row and expanded_through already make it happen once, and it costs a sixth.
func (f fanOut) writeChunk(ctx context.Context, tx *Tx, last int64) (desk.ExpandStep, error) {
	var step desk.ExpandStep
	if _, err := tx.Exec(ctx, `SELECT set_config('enable_nestloop', 'off', true)`); err != nil {
		return step, err
	}
	asked, err := tx.askedBefore(ctx, f.incident, f.approval)
	if err != nil {
		return step, err
	}
	err = tx.QueryRow(ctx, `
		WITH concerned AS MATERIALIZED (
			SELECT DISTINCT ON (r.person_id) r.person_id, p.prefecture, p.reason
			FROM person_region r JOIN dispatch_prefecture p ON p.dispatch_id = @id AND p.prefecture = r.prefecture
			WHERE r.person_id > @through AND r.person_id <= @last
			  AND (cardinality(@asked::smallint[]) = 0 OR p.reason = 'raised' OR NOT EXISTS ( -- as audiencePeople
			    SELECT FROM person_region o WHERE o.person_id = r.person_id AND o.prefecture = ANY(@asked::smallint[])))
			ORDER BY r.person_id, p.intensity DESC, p.prefecture
		), written AS (
			INSERT INTO mail (dispatch_id, approval_id, person_id, address_id, lane, sealed, domain, created_at)
			SELECT @id, @approval, a.person_id, a.id, coalesce(d.lane, @other), a.sealed, a.domain, @now
			FROM concerned c JOIN address a ON a.person_id = c.person_id LEFT JOIN carrier_domain d ON d.domain = a.domain
			WHERE a.person_id > @through AND a.person_id <= @last AND a.state <> 'bad'
			ORDER BY a.person_id, a.id
			RETURNING person_id
		), counted AS (
			SELECT person_id, count(*) AS mails FROM written GROUP BY person_id
		), included AS (
			INSERT INTO recipient (dispatch_id, person_id, prefecture, reason, top_group, mails)
			SELECT @id, c.person_id, c.prefecture, c.reason, t.top_id, coalesce(counted.mails, 0)
			FROM concerned c
			LEFT JOIN counted ON counted.person_id = c.person_id
			LEFT JOIN person_group g ON g.person_id = c.person_id AND g.main AND g.person_id > @through AND g.person_id <= @last
			LEFT JOIN groups t ON t.id = g.group_id
			RETURNING mails
		)
		SELECT count(*), coalesce(sum(mails), 0), count(*) FILTER (WHERE mails = 0) FROM included`,
		pgx.NamedArgs{
			"id": f.id, "approval": f.approval, "through": f.through, "last": last, "now": tx.Now, "other": desk.DefaultLane, "asked": asked,
		}).Scan(&step.People, &step.Addresses, &step.Unreached)
	if err != nil {
		return step, err
	}
	return step, tx.exec(ctx, "store.Expand", `UPDATE dispatch SET expanded_through = @last WHERE id = @id AND state = 'approved'`,
		pgx.NamedArgs{"id": f.id, "last": last})
}

// finish replaces the proposed counts by the true ones.
func (f fanOut) finish(ctx context.Context, tx *Tx) error {
	var people, addresses, unreached int
	err := tx.QueryRow(ctx, `
		SELECT count(*), coalesce(sum(mails), 0), count(*) FILTER (WHERE mails = 0) FROM recipient WHERE dispatch_id = @id`,
		pgx.NamedArgs{"id": f.id}).Scan(&people, &addresses, &unreached)
	if err != nil {
		return err
	}
	err = tx.exec(ctx, "store.Expand", `
		UPDATE dispatch SET state = 'expanded', expanded_at = @now, head_count = @people, addresses = @addresses, unreached = @unreached
		WHERE id = @id AND state = 'approved'`,
		pgx.NamedArgs{"id": f.id, "now": tx.Now, "people": people, "addresses": addresses, "unreached": unreached})
	if err != nil {
		return err
	}
	err = tx.audit(ctx, outboxActor, "expand", fmt.Sprintf("dispatch:%d", f.id),
		map[string]int{"people": people, "addresses": addresses, "unreached": unreached})
	return errors.Join(err, tx.notify(ctx, desk.TopicMail, int64(f.id)), tx.notify(ctx, desk.TopicDispatch, int64(f.id)))
}

// endDispatch takes a final step; Conflict when the state is no longer from.
func (tx *Tx) endDispatch(ctx context.Context, id desk.DispatchID, from, to desk.DispatchState) error {
	if !from.May(to) {
		return desk.Errorf(desk.Conflict, "store.endDispatch", "この状態からは移れません。")
	}
	err := tx.exec(ctx, "store.endDispatch", `UPDATE dispatch SET state = @to, ended_at = @now WHERE id = @id AND state = @from`,
		pgx.NamedArgs{"id": id, "from": from, "to": to, "now": tx.Now})
	if err != nil {
		return err
	}
	return errors.Join(tx.audit(ctx, outboxActor, string(to), fmt.Sprintf("dispatch:%d", id), nil), tx.notify(ctx, desk.TopicDispatch, int64(id)))
}

// SettleDispatches takes the steps that follow from results: expanded → sending with the first one, → sent when no mail is
// pending, → stopped when there is a stop row and no mail is pending or desk.StopSettles has passed. A mail is pending
// without a final result; past desk.GiveUpAfter only one without any result is. Bulletins take the same steps. Idempotent; any
// engine may call it at any time.
func (s *Store) SettleDispatches(ctx context.Context) error {
	const op = "store.SettleDispatches"
	rows, err := s.pool.Query(ctx, `SELECT id FROM dispatch WHERE state IN ('approved', 'expanded', 'sending') ORDER BY id`)
	if err != nil {
		return wrap(op, err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[desk.DispatchID])
	if err != nil {
		return wrap(op, err)
	}
	for _, id := range ids {
		if err := s.settle(ctx, id); err != nil && desk.KindOf(err) != desk.Conflict { // Conflict: another engine was first
			return err
		}
	}
	return s.settleBulletins(ctx)
}

func (s *Store) settle(ctx context.Context, id desk.DispatchID) error {
	const op = "store.SettleDispatches"
	return s.write(ctx, op, func(tx *Tx) error {
		var state desk.DispatchState
		var stopped, stopOver, old bool
		err := tx.QueryRow(ctx, `
			SELECT d.state, s.at IS NOT NULL, coalesce(s.at <= @stop_before, false), coalesce(d.expanded_at <= @expanded_before, false)
			FROM dispatch d LEFT JOIN stop s ON s.dispatch_id = d.id
			WHERE d.id = @id FOR UPDATE OF d`,
			pgx.NamedArgs{"id": id, "stop_before": tx.Now.Add(-desk.StopSettles), "expanded_before": tx.Now.Add(-desk.GiveUpAfter)}).
			Scan(&state, &stopped, &stopOver, &old)
		if err != nil || state.Ended() {
			return err
		}
		if stopOver {
			return tx.endDispatch(ctx, id, state, desk.Stopped)
		}
		if state == desk.Approved {
			return nil
		}
		begun, pending, err := tx.outcomes(ctx, id, old)
		switch {
		case err != nil:
			return err
		case !pending && stopped:
			return tx.endDispatch(ctx, id, state, desk.Stopped)
		case !pending:
			return tx.endDispatch(ctx, id, state, desk.Sent)
		case begun && state == desk.Expanded:
			err := tx.exec(ctx, op, `UPDATE dispatch SET state = 'sending' WHERE id = @id AND state = 'expanded'`, pgx.NamedArgs{"id": id})
			return errors.Join(err, tx.notify(ctx, desk.TopicDispatch, int64(id)))
		}
		return nil
	})
}

// outcomes says whether a dispatch has any result, and whether a mail of it is pending. It looks at the last mail of each lane
// first: while lanes are at work one of them is pending, and the look costs nothing. Only then everything is counted.
func (tx *Tx) outcomes(ctx context.Context, id desk.DispatchID, triedIsEnough bool) (begun, pending bool, err error) {
	final := []int16{int16(desk.Accepted), int16(desk.Refused)}
	if triedIsEnough {
		final = append(final, int16(desk.Deferred))
	}
	lasts, span, err := tx.laneEnds(ctx, id)
	if err != nil || len(lasts) == 0 {
		return false, false, err
	}
	var done int
	err = tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM attempt WHERE mail_id >= @first AND mail_id <= @last AND dispatch_id = @id),
		       (SELECT count(DISTINCT mail_id) FROM attempt WHERE mail_id = ANY(@lasts::bigint[]) AND outcome = ANY(@final::smallint[]))`,
		pgx.NamedArgs{"id": id, "first": span.first, "last": span.last, "lasts": lasts, "final": final}).Scan(&begun, &done)
	if err != nil || done < len(lasts) {
		return begun, true, err
	}
	err = tx.QueryRow(ctx, `
		SELECT (SELECT count(*) FROM mail WHERE dispatch_id = @id) > (
			SELECT count(*) FROM (
				SELECT FROM attempt
				WHERE mail_id >= @first AND mail_id <= @last AND dispatch_id = @id AND outcome = ANY(@final::smallint[])
				GROUP BY mail_id) done)`,
		pgx.NamedArgs{"id": id, "first": span.first, "last": span.last, "final": final}).Scan(&pending)
	return begun, pending, err
}

// laneEnds finds the last mail of each lane of a dispatch, and the span of all its mails, by steps through the index.
func (tx *Tx) laneEnds(ctx context.Context, id desk.DispatchID) (lasts []int64, span mailSpan, err error) {
	rows, err := tx.Query(ctx, `
		WITH RECURSIVE lanes AS (
			(SELECT lane FROM mail WHERE dispatch_id = @id ORDER BY lane LIMIT 1)
			UNION ALL
			SELECT (SELECT m.lane FROM mail m WHERE m.dispatch_id = @id AND m.lane > l.lane ORDER BY m.lane LIMIT 1) FROM lanes l WHERE l.lane IS NOT NULL
		)
		SELECT (SELECT m.id FROM mail m WHERE m.dispatch_id = @id AND m.lane = l.lane ORDER BY m.id LIMIT 1),
		       (SELECT m.id FROM mail m WHERE m.dispatch_id = @id AND m.lane = l.lane ORDER BY m.id DESC LIMIT 1)
		FROM lanes l WHERE l.lane IS NOT NULL`, pgx.NamedArgs{"id": id})
	if err != nil {
		return nil, span, err
	}
	var first, last desk.MailID
	_, err = pgx.ForEachRow(rows, []any{&first, &last}, func() error {
		lasts = append(lasts, int64(last))
		span.widen(first, last)
		return nil
	})
	return lasts, span, err
}
