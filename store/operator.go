package store

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// OperatorByFingerprint finds who owns an SSH key ("SHA256:…"). An unknown key is NotFound; the key of a disabled operator is
// Forbidden, so that no caller can forget to look.
func (s *Store) OperatorByFingerprint(ctx context.Context, fingerprint string) (desk.Operator, error) {
	const op = "store.OperatorByFingerprint"
	var o desk.Operator
	err := s.pool.QueryRow(ctx, `SELECT id, name, display, fingerprint, disabled_at IS NOT NULL FROM operator WHERE fingerprint = @fingerprint`,
		pgx.NamedArgs{"fingerprint": fingerprint}).Scan(&o.ID, &o.Name, &o.Display, &o.Fingerprint, &o.Disabled)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return o, desk.Errorf(desk.NotFound, op, "この鍵は登録されていません。管理者に公開鍵の登録を依頼してください。")
	case err != nil:
		return o, wrap(op, err)
	case o.Disabled:
		return o, desk.Errorf(desk.Forbidden, op, "この当直者は無効になっています。管理者に確かめてください。")
	}
	return o, nil
}

// Operators lists every operator by name, the disabled ones too.
func (s *Store) Operators(ctx context.Context) ([]desk.Operator, error) {
	const op = "store.Operators"
	rows, err := s.pool.Query(ctx, `SELECT id, name, display, fingerprint, disabled_at IS NOT NULL AS disabled FROM operator ORDER BY name`)
	if err != nil {
		return nil, wrap(op, err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[desk.Operator])
	return all, wrap(op, err)
}

var operatorName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,30}$`)

// AddOperator registers who may sit at the desk, with the key in authorized_keys form. Only the owner of the schema may. A
// name or key that is taken is Conflict.
func (s *Store) AddOperator(ctx context.Context, o desk.Operator, publicKey string) (desk.OperatorID, error) {
	const op = "store.AddOperator"
	switch {
	case !operatorName.MatchString(o.Name):
		return 0, desk.Errorf(desk.Invalid, op, "当直者の名前は英小文字で始まる 31 文字までの英数字です。")
	case strings.TrimSpace(o.Display) == "" || o.Display != desk.CleanText(o.Display, false) || utf8.RuneCountInString(o.Display) > 40:
		return 0, desk.Errorf(desk.Invalid, op, "表示名は 1 から 40 文字で、制御文字を含められません。")
	case !strings.HasPrefix(o.Fingerprint, "SHA256:") || strings.TrimSpace(publicKey) == "":
		return 0, desk.Errorf(desk.Invalid, op, "SSH 公開鍵と、その SHA256 の指紋が要ります。")
	}
	err := s.write(ctx, op, func(tx *Tx) error {
		err := tx.QueryRow(ctx, `
			INSERT INTO operator (name, display, fingerprint, public_key, created_at)
			VALUES (@name, @display, @fingerprint, @key, @at) RETURNING id`,
			pgx.NamedArgs{"name": o.Name, "display": o.Display, "fingerprint": o.Fingerprint, "key": strings.TrimSpace(publicKey), "at": tx.Now}).Scan(&o.ID)
		if isCode(err, "23505") { // unique_violation
			return desk.Errorf(desk.Conflict, op, "同じ名前か同じ鍵の当直者がすでに登録されています。")
		}
		if err != nil {
			return err
		}
		return tx.audit(ctx, actorCtl, "operator.add", fmt.Sprintf("operator:%d", o.ID), map[string]string{"name": o.Name, "fingerprint": o.Fingerprint})
	})
	return o.ID, err
}

// DisableOperator shuts an operator out and closes his sessions in the record. Only the owner of the schema may.
func (s *Store) DisableOperator(ctx context.Context, name string) error {
	const op = "store.DisableOperator"
	return s.write(ctx, op, func(tx *Tx) error {
		var id desk.OperatorID
		err := tx.QueryRow(ctx, `UPDATE operator SET disabled_at = @at WHERE name = @name AND disabled_at IS NULL RETURNING id`,
			pgx.NamedArgs{"name": name, "at": tx.Now}).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return desk.Errorf(desk.NotFound, op, "有効な当直者 %q は登録されていません。", name)
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE desk_session SET closed_at = @at WHERE operator_id = @id AND closed_at IS NULL`, pgx.NamedArgs{"id": id, "at": tx.Now}); err != nil {
			return err
		}
		return tx.audit(ctx, actorCtl, "operator.disable", fmt.Sprintf("operator:%d", id), nil)
	})
}

// OpenSession records that an operator sat down. remote is the network address he came from.
func (s *Store) OpenSession(ctx context.Context, operator desk.OperatorID, remote string) (desk.SessionID, error) {
	const op = "store.OpenSession"
	var id desk.SessionID
	err := s.write(ctx, op, func(tx *Tx) error {
		actor, err := tx.actor(ctx, op, operator)
		if err != nil {
			return err
		}
		err = tx.QueryRow(ctx, `INSERT INTO desk_session (operator_id, remote, opened_at, seen_at) VALUES (@operator, @remote, @at, @at) RETURNING id`,
			pgx.NamedArgs{"operator": operator, "remote": remote, "at": tx.Now}).Scan(&id)
		if err != nil {
			return err
		}
		return tx.audit(ctx, actor, "session.open", fmt.Sprintf("session:%d", id), nil)
	})
	return id, err
}

// TouchSession says that a session is still open; call it about every 30 s. It is no act and leaves no audit row. A session
// that was closed is Conflict, one whose operator was disabled is Forbidden: the desk must let the operator go.
func (s *Store) TouchSession(ctx context.Context, id desk.SessionID) error {
	const op = "store.TouchSession"
	return s.write(ctx, op, func(tx *Tx) error {
		var operator desk.OperatorID
		if err := tx.QueryRow(ctx, `SELECT operator_id FROM desk_session WHERE id = @id`, pgx.NamedArgs{"id": id}).Scan(&operator); err != nil {
			return err
		}
		if _, err := tx.actor(ctx, op, operator); err != nil {
			return err
		}
		return tx.exec(ctx, op, `UPDATE desk_session SET seen_at = @at WHERE id = @id AND closed_at IS NULL`, pgx.NamedArgs{"id": id, "at": tx.Now})
	})
}

// CloseSession records that an operator left. Closing twice changes nothing.
func (s *Store) CloseSession(ctx context.Context, id desk.SessionID) error {
	const op = "store.CloseSession"
	return s.write(ctx, op, func(tx *Tx) error {
		var name string
		err := tx.QueryRow(ctx, `
			UPDATE desk_session s SET closed_at = @at FROM operator o
			WHERE s.id = @id AND s.closed_at IS NULL AND o.id = s.operator_id RETURNING o.name`,
			pgx.NamedArgs{"id": id, "at": tx.Now}).Scan(&name)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		return tx.audit(ctx, actorOperator+":"+name, "session.close", fmt.Sprintf("session:%d", id), nil)
	})
}
