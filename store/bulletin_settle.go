package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// settleBulletins takes the steps of bulletins that follow from results, as SettleDispatches does for dispatches.
func (s *Store) settleBulletins(ctx context.Context) error {
	const op = "store.SettleDispatches"
	rows, err := s.pool.Query(ctx, `SELECT id FROM bulletin WHERE state IN ('expanded', 'sending') ORDER BY id`)
	if err != nil {
		return wrap(op, err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[desk.DispatchID])
	if err != nil {
		return wrap(op, err)
	}
	for _, id := range ids {
		if err := s.settleBulletin(ctx, id); err != nil && desk.KindOf(err) != desk.Conflict { // Conflict: another engine was first
			return err
		}
	}
	return nil
}

func (s *Store) settleBulletin(ctx context.Context, id desk.DispatchID) error {
	const op = "store.SettleDispatches"
	return s.write(ctx, op, func(tx *Tx) error {
		var state desk.DispatchState
		var stopped, stopOver, old bool
		err := tx.QueryRow(ctx, `
			SELECT b.state, s.at IS NOT NULL, coalesce(s.at <= @stop_before, false), b.at <= @sent_before
			FROM bulletin b LEFT JOIN stop s ON s.dispatch_id = b.id WHERE b.id = @id FOR UPDATE OF b`,
			pgx.NamedArgs{"id": id, "stop_before": tx.Now.Add(-desk.StopSettles), "sent_before": tx.Now.Add(-desk.GiveUpAfter)}).
			Scan(&state, &stopped, &stopOver, &old)
		if err != nil || state.Ended() {
			return err
		}
		if stopOver {
			return tx.endBulletin(ctx, id, state, desk.Stopped)
		}
		begun, pending, err := tx.outcomes(ctx, id, old)
		switch {
		case err != nil:
			return err
		case !pending && stopped:
			return tx.endBulletin(ctx, id, state, desk.Stopped)
		case !pending:
			return tx.endBulletin(ctx, id, state, desk.Sent)
		case begun && state == desk.Expanded:
			return tx.exec(ctx, op, `UPDATE bulletin SET state = 'sending' WHERE id = @id AND state = 'expanded'`, pgx.NamedArgs{"id": id})
		}
		return nil
	})
}

func (tx *Tx) endBulletin(ctx context.Context, id desk.DispatchID, from, to desk.DispatchState) error {
	const op = "store.endBulletin"
	if !from.May(to) {
		return desk.Errorf(desk.Conflict, op, "この状態からは移れません。")
	}
	err := tx.exec(ctx, op, `UPDATE bulletin SET state = @to, ended_at = @now WHERE id = @id AND state = @from`,
		pgx.NamedArgs{"id": id, "from": string(from), "to": string(to), "now": tx.Now})
	if err != nil {
		return err
	}
	return tx.audit(ctx, bulletinActor, "bulletin."+string(to), bulletinSubject(id), nil)
}
