package store

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// NoteSource keeps what a source at an engine says of itself; the newest counts. The time of the last contact never goes back,
// so that a restart does not hide a silence, and never lies ahead of the database's clock (law 10). It is no act and leaves no audit row. Silent, FirstAt and At are ignored.
func (s *Store) NoteSource(ctx context.Context, h desk.SourceHealth) error {
	const op = "store.NoteSource"
	if h.Name == "" || h.Engine == "" || h.Rhythm < 0 {
		return desk.Errorf(desk.Invalid, op, "受信系統には名前と処理系の名前が要ります。")
	}
	_, err := s.pool.Exec(ctx, `
		INSERT INTO source_health AS h (engine, name, last_received, last_contact, lag_ms, reconnects, trouble, detail, rhythm_ms, first_at, at)
		VALUES (@engine, @name,
		  CASE WHEN @received::timestamptz > now() THEN now() ELSE @received::timestamptz END, CASE WHEN @contact::timestamptz > now() THEN now() ELSE @contact::timestamptz END, @lag, @reconnects, @trouble, @detail, @rhythm, now(), now())
		ON CONFLICT (engine, name) DO UPDATE SET
		  last_received = greatest(h.last_received, excluded.last_received), last_contact = greatest(h.last_contact, excluded.last_contact),
		  lag_ms = excluded.lag_ms, reconnects = excluded.reconnects, trouble = excluded.trouble, detail = excluded.detail,
		  rhythm_ms = excluded.rhythm_ms, at = excluded.at`,
		pgx.NamedArgs{
			"engine": storable(h.Engine), "name": storable(h.Name), "received": nullTime(h.LastReceived), "contact": nullTime(h.LastContact),
			"lag": h.Lag.Milliseconds(), "reconnects": h.Reconnects, "trouble": storable(h.Trouble), "detail": storable(h.Detail),
			"rhythm": h.Rhythm.Milliseconds(),
		})
	return wrap(op, err)
}

// unnoted is after how long a source of which its engine says nothing more is dead, whatever its rhythm: engines note every 5 s.
const unnoted = time.Minute

// Sources reads the health of every source, one row for each name: of the engines that still tell of it, the one that heard from
// the far side last. Its trouble is that of another engine when it has none itself. Silent is told by the database's clock; a
// source of which no engine tells any more is silent, and after a day not listed.
func (s *Store) Sources(ctx context.Context) ([]desk.SourceHealth, error) {
	const op = "store.Sources"
	var all []desk.SourceHealth
	err := s.read(ctx, op, func(tx *Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT DISTINCT ON (name) name, engine, last_received, last_contact, lag_ms, reconnects,
			  coalesce(nullif(trouble, ''), (
			    SELECT o.engine || '：' || o.trouble FROM source_health o
			    WHERE o.name = h.name AND o.trouble <> '' AND o.at > now() - @unnoted::interval ORDER BY o.at DESC LIMIT 1), ''),
			  detail, rhythm_ms, first_at, at
			FROM source_health h WHERE at > now() - interval '1 day'
			ORDER BY name, (at > now() - @unnoted::interval) DESC, coalesce(last_contact, first_at) DESC, at DESC`, pgx.NamedArgs{"unnoted": unnoted})
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (desk.SourceHealth, error) {
			var h desk.SourceHealth
			var received, contact *time.Time
			var lag, rhythm int64
			err := row.Scan(&h.Name, &h.Engine, &received, &contact, &lag, &h.Reconnects, &h.Trouble, &h.Detail, &rhythm, &h.FirstAt, &h.At)
			h.LastReceived, h.LastContact, h.FirstAt, h.At = utc(received), utc(contact), h.FirstAt.UTC(), h.At.UTC()
			h.Lag, h.Rhythm = time.Duration(lag)*time.Millisecond, time.Duration(rhythm)*time.Millisecond
			told := tx.Now.Sub(h.At) <= unnoted || strings.HasPrefix(h.Name, desk.QueuePrefix) // a queue is noted when it changes
			h.Silent = !told || h.SilentAt(tx.Now)
			return h, err
		})
		return err
	})
	return all, err
}

// Backlog tells since when the oldest telegram waits to be read, and to be considered for automatic information.
func (s *Store) Backlog(ctx context.Context) (desk.Backlog, error) {
	var unread, unconsidered *time.Time
	err := s.pool.QueryRow(ctx, `
		SELECT (SELECT t.stored_at FROM unread u JOIN telegram t ON t.id = u.telegram_id ORDER BY u.telegram_id LIMIT 1),
		       (SELECT r.at FROM unconsidered c JOIN reading r ON r.telegram_id = c.telegram_id ORDER BY c.telegram_id LIMIT 1)`).
		Scan(&unread, &unconsidered)
	return desk.Backlog{Unread: utc(unread), Unconsidered: utc(unconsidered)}, wrap("store.Backlog", err)
}

// NoteSilence records that a source fell silent at every engine; a source has one open record at most, so fresh is false when
// it is known already. process is the engine that saw it.
func (s *Store) NoteSilence(ctx context.Context, process string, h desk.SourceHealth) (fresh bool, err error) {
	const op = "store.NoteSilence"
	err = s.write(ctx, op, func(tx *Tx) error {
		var id int64
		err := tx.QueryRow(ctx, `
			INSERT INTO source_silence (name, since, noticed_at, trouble) VALUES (@name, @since, @now, @trouble)
			ON CONFLICT (name) WHERE ended_at IS NULL DO NOTHING RETURNING id`,
			pgx.NamedArgs{"name": storable(h.Name), "since": h.Heard(), "now": tx.Now, "trouble": storable(h.Trouble)}).Scan(&id)
		if fresh = err == nil; err == pgx.ErrNoRows {
			return nil
		}
		if err != nil {
			return err
		}
		if err := tx.audit(ctx, process, "source.silent", "source:"+storable(h.Name), map[string]any{"since": h.Heard(), "rhythm": h.Rhythm.String()}); err != nil {
			return err
		}
		return tx.notify(ctx, desk.TopicHealth, 0)
	})
	return fresh, err
}

// EndSilences closes the open records of every source but the named ones, which are still silent. It returns the names closed.
func (s *Store) EndSilences(ctx context.Context, process string, still []string) (ended []string, err error) {
	const op = "store.EndSilences"
	if still == nil {
		still = []string{}
	}
	err = s.write(ctx, op, func(tx *Tx) error {
		rows, err := tx.Query(ctx, `
			UPDATE source_silence SET ended_at = @now WHERE ended_at IS NULL AND NOT name = ANY (@still) RETURNING name`,
			pgx.NamedArgs{"now": tx.Now, "still": still})
		if err != nil {
			return err
		}
		if ended, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil || len(ended) == 0 {
			return err
		}
		for _, name := range ended {
			if err := tx.audit(ctx, process, "source.heard", "source:"+name, nil); err != nil {
				return err
			}
		}
		return tx.notify(ctx, desk.TopicHealth, 0)
	})
	return ended, err
}

// Silences lists the latest records of silent sources, newest first, at most limit of them.
func (s *Store) Silences(ctx context.Context, limit int) ([]desk.SourceSilence, error) {
	const op = "store.Silences"
	var all []desk.SourceSilence
	err := s.read(ctx, op, func(tx *Tx) error {
		rows, err := tx.Query(ctx, `SELECT id, name, since, noticed_at, trouble, ended_at FROM source_silence ORDER BY id DESC LIMIT @limit`,
			pgx.NamedArgs{"limit": limit})
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (desk.SourceSilence, error) {
			var q desk.SourceSilence
			var ended *time.Time
			err := row.Scan(&q.ID, &q.Name, &q.Since, &q.NoticedAt, &q.Trouble, &ended)
			q.Since, q.NoticedAt, q.EndedAt = q.Since.UTC(), q.NoticedAt.UTC(), utc(ended)
			return q, err
		})
		return err
	})
	return all, err
}
