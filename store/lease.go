package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// TakeLease makes holder the owner of a lease when it is free, expired, or already his; otherwise ok is false. The clock is
// the database's. The epoch rises by one with every taking and never falls, so a result written under an old epoch can be
// told (law 9). holder must be unique to one start of one process. A lease is no fact of the desk: it leaves no audit row.
func (s *Store) TakeLease(ctx context.Context, name, holder string, ttl time.Duration) (epoch int64, ok bool, err error) {
	const op = "store.TakeLease"
	if name == "" || holder == "" || ttl <= 0 {
		return 0, false, desk.Errorf(desk.Invalid, op, "リースには名前、持ち主、正の期間が要ります。")
	}
	// clock_timestamp, not now: the row may have been waited for, and the condition is evaluated after the wait.
	err = s.pool.QueryRow(ctx, `
		INSERT INTO lease AS l (name, holder, epoch, expires_at)
		VALUES (@name, @holder, 1, clock_timestamp() + @ttl::interval)
		ON CONFLICT (name) DO UPDATE
		SET holder = excluded.holder, epoch = l.epoch + 1, expires_at = clock_timestamp() + @ttl::interval
		WHERE l.expires_at <= clock_timestamp() OR l.holder = excluded.holder
		RETURNING epoch`,
		pgx.NamedArgs{"name": name, "holder": holder, "ttl": ttl}).Scan(&epoch)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	return epoch, err == nil, wrap(op, err)
}

// RenewLease lengthens a lease that is still held under this epoch. ok is false when it expired or was taken: the holder
// must stop at once and take it anew.
func (s *Store) RenewLease(ctx context.Context, name, holder string, epoch int64, ttl time.Duration) (ok bool, err error) {
	const op = "store.RenewLease"
	if ttl <= 0 {
		return false, desk.Errorf(desk.Invalid, op, "リースには正の期間が要ります。")
	}
	tag, err := s.pool.Exec(ctx, `
		UPDATE lease SET expires_at = clock_timestamp() + @ttl::interval
		WHERE name = @name AND holder = @holder AND epoch = @epoch AND expires_at > clock_timestamp()`,
		pgx.NamedArgs{"name": name, "holder": holder, "epoch": epoch, "ttl": ttl})
	return tag.RowsAffected() == 1, wrap(op, err)
}

// DropLease gives a lease back, so that another need not wait for its expiry. The row stays, and with it the epoch. Dropping
// what is no longer held changes nothing.
func (s *Store) DropLease(ctx context.Context, name, holder string, epoch int64) error {
	_, err := s.pool.Exec(ctx, `
		UPDATE lease SET expires_at = clock_timestamp()
		WHERE name = @name AND holder = @holder AND epoch = @epoch AND expires_at > clock_timestamp()`,
		pgx.NamedArgs{"name": name, "holder": holder, "epoch": epoch})
	return wrap("store.DropLease", err)
}
