package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// EnterMissile keeps what an operator typed in as a telegram of the feed "manual", word for word, for the engine to read like any
// other (law 1). The name of the telegram is the operator's. It is written into the operators' chain and wakes the reader. Invalid for
// an entry that cannot be kept, with what to put right; NotFound when it corrects a telegram that is not there, Conflict when that
// one is of another mode (law 4). Two entries are never one, however alike: each bears its time. // F3-1-o P5-5
func (s *Store) EnterMissile(ctx context.Context, operator desk.OperatorID, e desk.MissileEntry) (desk.TelegramID, error) {
	const op = "store.EnterMissile"
	e.Text = strings.TrimSpace(strings.ReplaceAll(e.Text, "\r\n", "\n"))
	e.Operator = ""
	if err := e.Validate(); err != nil {
		return 0, err
	}
	var id desk.TelegramID
	err := s.write(ctx, op, func(tx *Tx) error {
		actor, err := tx.actor(ctx, op, operator)
		if err != nil {
			return err
		}
		if err := tx.mayCorrect(ctx, op, e); err != nil {
			return err
		}
		e.Operator, e.EnteredAt = strings.TrimPrefix(actor, actorOperator+":"), tx.Now
		raw, err := json.Marshal(e)
		if err != nil {
			return err
		}
		digest := sha256.Sum256(raw) // as feeds.Digest does for whatever is no XML
		err = tx.QueryRow(ctx, `
			INSERT INTO telegram (digest, feed, name, raw, received_at, stored_at)
			VALUES (@digest, @feed, @name, @raw, @now, @now) RETURNING id`,
			pgx.NamedArgs{"digest": digest[:], "feed": desk.ManualFeed, "name": e.Operator, "raw": raw, "now": tx.Now}).Scan(&id)
		if err != nil {
			return err
		}
		err = tx.audit(ctx, actor, "missile.enter", fmt.Sprintf("telegram:%d", id), map[string]any{
			"mode": e.Mode, "phase": e.Phase, "kind": e.Kind, "source": e.Source, "areas": e.Areas, "supersedes": e.Supersedes,
		})
		if err != nil {
			return err
		}
		return tx.notify(ctx, desk.TopicTelegram, int64(id))
	})
	return id, err
}

// mayCorrect looks at the notice that an entry corrects or withdraws: it must have been read as civil protection, in the same mode.
func (tx *Tx) mayCorrect(ctx context.Context, op string, e desk.MissileEntry) error {
	if e.Supersedes == 0 {
		return nil
	}
	var mode, hazard string
	err := tx.QueryRow(ctx, `SELECT mode, coalesce(parsed->>'Hazard', '') FROM reading WHERE telegram_id = @id AND error = ''`,
		pgx.NamedArgs{"id": e.Supersedes}).Scan(&mode, &hazard)
	switch {
	case errors.Is(err, pgx.ErrNoRows), err == nil && hazard != string(desk.Missile):
		return desk.Errorf(desk.NotFound, op, "訂正・取消の対象が見つかりません。国民保護情報の電文を選んでください。")
	case err != nil:
		return err
	case mode != string(e.Mode):
		return desk.Errorf(desk.Conflict, op, "%sの情報を%sの入力で訂正することはできません。運用種別を確かめてください。", desk.Mode(mode).Japanese(), e.Mode.Japanese())
	}
	return nil
}
