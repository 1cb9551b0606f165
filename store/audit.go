package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// Actors are written "kind:name". The kinds below are chained: who is answerable for an act must not be able to vanish from
// the record unseen. Engines write too often for one chain and promise nothing; they are recorded without one.
const (
	actorOperator = "operator" // a person at the desk
	actorAdmin    = "admin"    // a person at the pages or at yagura-ctl
)

// actorCtl is the actor of an act by yagura-ctl for which the caller gives no name.
const actorCtl = actorAdmin + ":ctl"

// audit records an act in the transaction of its fact. actor is "operator:tanaka", "admin:sato" or a process name such as
// "engine@tokyo"; act is a verb such as "approve"; subject is "dispatch:12"; detail is written as JSON and must hold no
// address, token or secret. The hash of a chained row is SHA-256(previous hash ‖ row).
func (tx *Tx) audit(ctx context.Context, actor, act, subject string, detail any) error {
	text := []byte("{}")
	if detail != nil {
		var err error
		if text, err = json.Marshal(detail); err != nil {
			return err
		}
	}
	chain := chainOf(actor)
	if chain == "" {
		_, err := tx.Exec(ctx, `INSERT INTO audit (at, actor, act, subject, detail) VALUES (@at, @actor, @act, @subject, @detail)`,
			pgx.NamedArgs{"at": tx.Now, "actor": actor, "act": act, "subject": subject, "detail": string(text)})
		return err
	}
	// One writer of a chain at a time, until the commit; the next statement sees what the previous writer committed.
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext(@chain), 7241003)`, pgx.NamedArgs{"chain": "yagura audit " + chain}); err != nil {
		return err
	}
	var previous []byte
	var stored string // jsonb reorders keys: the hash covers the text as it will be read back
	err := tx.QueryRow(ctx, `SELECT coalesce((SELECT hash FROM audit WHERE chain = @chain ORDER BY id DESC LIMIT 1), ''::bytea), @detail::jsonb::text`,
		pgx.NamedArgs{"chain": chain, "detail": string(text)}).Scan(&previous, &stored)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO audit (at, actor, act, subject, detail, chain, hash) VALUES (@at, @actor, @act, @subject, @detail, @chain, @hash)`,
		pgx.NamedArgs{
			"at": tx.Now, "actor": actor, "act": act, "subject": subject, "detail": stored, "chain": chain,
			"hash": auditHash(previous, tx.Now, actor, act, subject, stored),
		})
	return err
}

func chainOf(actor string) string {
	kind, _, named := strings.Cut(actor, ":")
	if named && (kind == actorOperator || kind == actorAdmin) {
		return kind
	}
	return ""
}

// auditHash is SHA-256 over the previous hash and the row, every field preceded by its length so that none can flow into the next.
func auditHash(previous []byte, at time.Time, actor, act, subject, detail string) []byte {
	h := sha256.New()
	var n [8]byte
	put := func(b []byte) {
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	put(previous)
	binary.BigEndian.PutUint64(n[:], uint64(at.UnixMicro()))
	h.Write(n[:])
	for _, field := range []string{actor, act, subject, detail} {
		put([]byte(field))
	}
	return h.Sum(nil)
}

// VerifyAudit walks every chain from its first row. It returns the number of chained rows and the id of the first row that
// was altered, or that follows a removed one; 0 when all is well. Rows cut off at the very end of a chain leave no trace
// inside the database: compare AuditHead with a note kept elsewhere.
func (s *Store) VerifyAudit(ctx context.Context) (rows int, firstBad int64, err error) {
	const op = "store.VerifyAudit"
	err = s.readLong(ctx, op, func(tx *Tx) error {
		found, err := tx.Query(ctx, `SELECT id, at, actor, act, subject, detail::text, chain, coalesce(hash, ''::bytea) FROM audit WHERE chain <> '' ORDER BY chain, id`)
		if err != nil {
			return err
		}
		var id int64
		var at time.Time
		var actor, act, subject, detail, chain, present string
		var hash, previous []byte
		_, err = pgx.ForEachRow(found, []any{&id, &at, &actor, &act, &subject, &detail, &chain, &hash}, func() error {
			rows++
			if chain != present {
				present, previous = chain, nil
			}
			sum := auditHash(previous, at, actor, act, subject, detail)
			if (string(sum) != string(hash) || chainOf(actor) != chain) && (firstBad == 0 || id < firstBad) {
				firstBad = id
			}
			previous = append(previous[:0:0], hash...)
			return nil
		})
		return err
	})
	return rows, firstBad, err
}

// AuditHead gives the last hash of every chain in hexadecimal, by chain name, for keeping outside the database.
func (s *Store) AuditHead(ctx context.Context) (map[string]string, error) {
	heads := map[string]string{}
	err := s.read(ctx, "store.AuditHead", func(tx *Tx) error {
		rows, err := tx.Query(ctx, `SELECT DISTINCT ON (chain) chain, hash FROM audit WHERE chain <> '' ORDER BY chain, id DESC`)
		if err != nil {
			return err
		}
		var chain string
		var hash []byte
		_, err = pgx.ForEachRow(rows, []any{&chain, &hash}, func() error {
			heads[chain] = hex.EncodeToString(hash)
			return nil
		})
		return err
	})
	return heads, err
}

// actor finds who acts, by operator id, and gives the name an audit row bears. An unknown or disabled operator is Forbidden.
func (tx *Tx) actor(ctx context.Context, op string, id desk.OperatorID) (string, error) {
	var name string
	var disabled bool
	err := tx.QueryRow(ctx, `SELECT name, disabled_at IS NOT NULL FROM operator WHERE id = @id`, pgx.NamedArgs{"id": id}).Scan(&name, &disabled)
	if err == pgx.ErrNoRows {
		return "", desk.Errorf(desk.Forbidden, op, "登録された当直者ではありません。管理者に登録を依頼してください。")
	}
	if err != nil {
		return "", err
	}
	if disabled {
		return "", desk.Errorf(desk.Forbidden, op, "この当直者は無効になっています。管理者に確かめてください。")
	}
	return actorOperator + ":" + name, nil
}
