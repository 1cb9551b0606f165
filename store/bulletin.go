package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// bulletinWriters is the advisory lock under which bulletins are written: two engines whose lease broke must not tell one thing
// twice. It is held for one transaction of a few hundred rows.
const bulletinWriters = 7241011

// bulletinActor is the actor of the automatic path in the record.
const bulletinActor = "engine:bulletin"

// Unconsidered lists readings that no engine has considered for automatic information yet, oldest first, with what the decision
// needs beside the telegram: its event, the other names of the event, whether it was retracted, and its age. The age leaves out
// the time between a recording and its replay. // F3-1-l
func (s *Store) Unconsidered(ctx context.Context, limit int) ([]desk.BulletinCase, error) {
	const op = "store.Unconsidered"
	var out []desk.BulletinCase
	err := s.read(ctx, op, func(tx *Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT t.id, t.digest, t.feed, t.name, t.received_at, t.stored_at, r.parsed, r.at, r.error,
				coalesce((SELECT min(event_id) FROM event_telegram et WHERE et.telegram_id = t.id), 0),
				coalesce((SELECT array_agg(DISTINCT k) FROM event_telegram et JOIN event e ON e.id = et.event_id, unnest(e.event_keys) k
					WHERE et.telegram_id = t.id), '{}'),
				EXISTS (SELECT FROM reading c WHERE c.type = ANY(CASE WHEN r.type IN ('VXSE43', 'VXSE44', 'VXSE45') -- one line, whatever the code
						THEN ARRAY['VXSE43', 'VXSE44', 'VXSE45'] ELSE ARRAY[r.type] END) AND c.phase = 'cancelled' AND c.mode = r.mode
					AND c.press_time >= r.press_time AND c.event_keys && r.event_keys AND c.telegram_id <> r.telegram_id)
			FROM (SELECT telegram_id FROM unconsidered ORDER BY telegram_id LIMIT @limit) u
			JOIN reading r USING (telegram_id) JOIN telegram t ON t.id = r.telegram_id
			ORDER BY t.id`, pgx.NamedArgs{"limit": limit})
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (desk.BulletinCase, error) { return scanCase(row, tx.Now) })
		return err
	})
	return out, err
}

func scanCase(row pgx.CollectableRow, now time.Time) (desk.BulletinCase, error) {
	var c desk.BulletinCase
	t := &c.Telegram
	var id desk.TelegramID
	var digest, parsed []byte
	var feed, name string
	var received, stored time.Time
	err := row.Scan(&id, &digest, &feed, &name, &received, &stored, &parsed, &c.ReadAt, &c.Problem, &c.EventID, &c.Threads, &c.Retracted)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(parsed, t); err != nil { // a reading that cannot be read back holds nobody else up
		c.Problem = "解析結果を読み戻せません。"
	}
	t.ID, t.Feed, t.Name, t.ReceivedAt, t.StoredAt, t.Raw = id, feed, name, received.UTC(), stored.UTC(), nil
	copy(t.Digest[:], digest)
	c.ReadAt = c.ReadAt.UTC()
	issued := t.PressTime
	if issued.IsZero() {
		issued = t.ReportTime
	}
	if !issued.IsZero() {
		c.Age = max(t.ReceivedAt.Sub(issued), 0)
	}
	c.Age += max(now.Sub(t.StoredAt), 0)
	return c, nil
}

// bulletinColumns are the columns of scanBulletin, in its order.
const bulletinColumns = `id, kind, thread, number, mode, telegram_id, coalesce(event_id, 0), step, level, max_intensity, prefectures, subject, body,
	facts, occurred_at, issued_at, received_at, read_at, at, state, recipients, mails, coalesce(supersedes, 0)`

func scanBulletin(row pgx.CollectableRow) (desk.Bulletin, error) {
	var b desk.Bulletin
	var facts []byte
	var prefectures []int16
	err := row.Scan(&b.ID, &b.Kind, &b.Thread, &b.Number, &b.Mode, &b.TelegramID, &b.EventID, &b.Step, &b.Level, &b.MaxIntensity, &prefectures,
		&b.Subject, &b.Body, &facts, &b.OccurredAt, &b.IssuedAt, &b.ReceivedAt, &b.ReadAt, &b.At, &b.State, &b.Recipients, &b.Mails, &b.Supersedes)
	if err != nil {
		return b, err
	}
	for _, p := range prefectures {
		b.Prefectures = append(b.Prefectures, desk.Prefecture(p))
	}
	for _, at := range []*time.Time{&b.OccurredAt, &b.IssuedAt, &b.ReceivedAt, &b.ReadAt, &b.At} {
		*at = at.UTC()
	}
	return b, json.Unmarshal(facts, &b.Facts)
}

// LastBulletins reads the latest bulletin of each of the kinds and threads that have one.
func (s *Store) LastBulletins(ctx context.Context, kinds []desk.BulletinKind, threads []string) ([]desk.Bulletin, error) {
	const op = "store.LastBulletins"
	rows, err := s.pool.Query(ctx, `
		SELECT DISTINCT ON (kind, thread) `+bulletinColumns+`
		FROM bulletin WHERE kind = ANY(@kinds::text[]) AND thread = ANY(@threads::text[])
		ORDER BY kind, thread, number DESC`, pgx.NamedArgs{"kinds": kindNames(kinds), "threads": keysOf(threads)})
	if err != nil {
		return nil, wrap(op, err)
	}
	out, err := pgx.CollectRows(rows, scanBulletin)
	return out, wrap(op, err)
}

func kindNames(kinds []desk.BulletinKind) []string {
	names := make([]string, 0, len(kinds))
	for _, k := range kinds {
		names = append(names, string(k))
	}
	return names
}

// Bulletins lists the latest bulletins, newest first.
func (s *Store) Bulletins(ctx context.Context, limit int) ([]desk.Bulletin, error) {
	const op = "store.Bulletins"
	rows, err := s.pool.Query(ctx, `SELECT `+bulletinColumns+` FROM bulletin ORDER BY id DESC LIMIT @limit`, pgx.NamedArgs{"limit": limit})
	if err != nil {
		return nil, wrap(op, err)
	}
	out, err := pgx.CollectRows(rows, scanBulletin)
	return out, wrap(op, err)
}

// PassOver records that the telegrams of the decisions are not told, and why, in one statement. One that was considered before
// keeps its record.
func (s *Store) PassOver(ctx context.Context, decisions []desk.BulletinDecision) error {
	ids, whys := make([]int64, 0, len(decisions)), make([]string, 0, len(decisions))
	for _, d := range decisions {
		ids, whys = append(ids, int64(d.TelegramID)), append(whys, storable(d.Why))
	}
	_, err := s.pool.Exec(ctx, `
		WITH done AS (DELETE FROM unconsidered WHERE telegram_id = ANY(@ids::bigint[]))
		INSERT INTO bulletin_considered (telegram_id, bulletins, why, at)
		SELECT id, 0, why, now() FROM unnest(@ids::bigint[], @whys::text[]) AS d (id, why)
		ON CONFLICT DO NOTHING`, pgx.NamedArgs{"ids": ids, "whys": whys})
	return wrap("store.PassOver", err)
}

// IssueBulletins writes the bulletins of one decision with their recipients and mails, and that the telegram was considered, in
// one transaction: a crash leaves all or nothing, and a second engine finds it done. It returns what was written, none when another
// engine was first, or when an unchanged issue finds nobody who asked for every one. Conflict means that another bulletin of the
// thread was written meanwhile: decide anew. // F3-1-l F3-1-m F3-1-n, laws 2, 4 and 9
func (s *Store) IssueBulletins(ctx context.Context, d desk.BulletinDecision) ([]desk.Bulletin, error) {
	const op = "store.IssueBulletins"
	var issued []desk.Bulletin
	err := s.write(ctx, op, func(tx *Tx) error {
		issued = nil
		if err := tx.lockBulletins(ctx); err != nil {
			return err
		}
		var done bool
		err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM bulletin_considered WHERE telegram_id = @id)`, pgx.NamedArgs{"id": d.TelegramID}).Scan(&done)
		if err != nil || done {
			return err
		}
		for _, b := range d.Bulletins {
			made, err := tx.issueUnlessIdle(ctx, op, b)
			switch {
			case errors.Is(err, errNobody):
				d.Why = "変化がなく、毎回の配信を希望する人もいません。"
			case err != nil:
				return err
			default:
				issued = append(issued, made)
			}
		}
		_, err = tx.Exec(ctx, `
			WITH done AS (DELETE FROM unconsidered WHERE telegram_id = @id)
			INSERT INTO bulletin_considered (telegram_id, bulletins, why, at) VALUES (@id, @n, @why, @now)`,
			pgx.NamedArgs{"id": d.TelegramID, "n": len(issued), "why": storable(d.Why), "now": tx.Now})
		return err
	})
	if err != nil {
		return nil, err
	}
	return issued, nil
}

func (tx *Tx) lockBulletins(ctx context.Context) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(@lock)`, pgx.NamedArgs{"lock": bulletinWriters})
	return err
}

// errNobody: an issue without a change that nobody asked for leaves no bulletin.
var errNobody = errors.New("nobody asked for it")

func (tx *Tx) issueUnlessIdle(ctx context.Context, op string, b desk.Bulletin) (desk.Bulletin, error) {
	inner, err := tx.Begin(ctx) // a savepoint
	if err != nil {
		return b, err
	}
	point := &Tx{Tx: inner, Now: tx.Now}
	made, err := point.issue(ctx, op, b)
	if err != nil {
		return b, errors.Join(err, inner.Rollback(ctx))
	}
	return made, inner.Commit(ctx)
}

func (tx *Tx) issue(ctx context.Context, op string, b desk.Bulletin) (desk.Bulletin, error) {
	var last desk.DispatchID
	err := tx.QueryRow(ctx, `SELECT coalesce(max(id), 0) FROM bulletin WHERE kind = @kind AND thread = @thread`,
		pgx.NamedArgs{"kind": string(b.Kind), "thread": storable(b.Thread)}).Scan(&last)
	if err != nil {
		return b, err
	}
	if last != b.Supersedes {
		return b, &desk.Error{Kind: desk.Conflict, Op: op}
	}
	if err := tx.insertBulletin(ctx, &b); err != nil {
		return b, err
	}
	direct, later, err := tx.address(ctx, &b)
	if err != nil {
		return b, err
	}
	if direct+later == 0 && b.Step == desk.BulletinChanged && !b.Change.Everybody && len(b.Change.Grown) == 0 {
		return b, errNobody
	}
	if b.Step == desk.BulletinWithdrawn {
		if err := tx.dropPending(ctx, &b); err != nil {
			return b, err
		}
	}
	return b, tx.mailBulletin(ctx, &b)
}

func (tx *Tx) insertBulletin(ctx context.Context, b *desk.Bulletin) error {
	facts, err := json.Marshal(b.Facts)
	if err != nil {
		return err
	}
	b.Mode, b.At, b.State = desk.Live, tx.Now, desk.Expanded
	return tx.QueryRow(ctx, `
		INSERT INTO bulletin (kind, thread, number, mode, telegram_id, event_id, step, level, max_intensity, prefectures, subject, body, facts,
			occurred_at, issued_at, received_at, read_at, at, state, supersedes)
		VALUES (@kind, @thread, @number, 'live', @telegram, nullif(@event::bigint, 0), @step, @level, @max, @prefectures::smallint[], @subject, @body, @facts,
			@occurred, @issued, @received, @read, @now, 'expanded', nullif(@supersedes::bigint, 0))
		RETURNING id`, pgx.NamedArgs{
		"kind": string(b.Kind), "thread": storable(b.Thread), "number": b.Number, "telegram": b.TelegramID, "event": int64(b.EventID), "step": string(b.Step),
		"level": int16(b.Level), "max": int16(b.MaxIntensity), "prefectures": prefectureNumbers(b.Prefectures), "subject": storable(b.Subject),
		"body": storable(b.Body), "facts": jsonText(facts), "occurred": b.OccurredAt, "issued": b.IssuedAt, "received": b.ReceivedAt,
		"read": b.ReadAt, "now": tx.Now, "supersedes": int64(b.Supersedes),
	}).Scan(&b.ID)
}

func prefectureNumbers(ps []desk.Prefecture) []int16 {
	out := make([]int16, 0, len(ps))
	for _, p := range ps {
		out = append(out, int16(p))
	}
	return out
}

// mailBulletin writes the mails of those who are told at once, and what became of it.
func (tx *Tx) mailBulletin(ctx context.Context, b *desk.Bulletin) error {
	tag, err := tx.Exec(ctx, `
		INSERT INTO mail (dispatch_id, approval_id, person_id, address_id, lane, sealed, domain, created_at)
		SELECT @id, NULL, a.person_id, a.id, coalesce(d.lane, @other), a.sealed, a.domain, @now
		FROM bulletin_recipient r JOIN address a ON a.person_id = r.person_id LEFT JOIN carrier_domain d ON d.domain = a.domain
		WHERE r.bulletin_id = @id AND r.due_at IS NULL AND a.state <> 'bad'
		ORDER BY a.person_id, a.id`, pgx.NamedArgs{"id": b.ID, "now": tx.Now, "other": desk.DefaultLane})
	if err != nil {
		return err
	}
	b.Mails = int(tag.RowsAffected())
	if b.Mails == 0 {
		b.State = desk.Sent
	}
	err = tx.QueryRow(ctx, `
		UPDATE bulletin SET mails = @mails, state = @state, ended_at = CASE WHEN @mails = 0 THEN @now::timestamptz END,
			recipients = (SELECT count(*) FROM bulletin_recipient WHERE bulletin_id = @id AND due_at IS NULL)
		WHERE id = @id RETURNING recipients`,
		pgx.NamedArgs{"id": b.ID, "mails": b.Mails, "state": string(b.State), "now": tx.Now}).Scan(&b.Recipients)
	if err != nil {
		return err
	}
	err = tx.audit(ctx, bulletinActor, "bulletin."+string(b.Step), bulletinSubject(b.ID), map[string]any{
		"kind": b.Kind, "thread": b.Thread, "number": b.Number, "telegram": b.TelegramID, "recipients": b.Recipients, "mails": b.Mails,
	})
	return errors.Join(err, tx.notify(ctx, desk.TopicMail, int64(b.ID)))
}

func bulletinSubject(id desk.DispatchID) string { return fmt.Sprintf("bulletin:%d", id) }

// StopBulletin writes the stop row of a wrong bulletin; the senders look at it as they do for a dispatch (law 7). What was handed
// over before stays with its readers: only a withdrawal by the source takes it back.
func (s *Store) StopBulletin(ctx context.Context, operator desk.OperatorID, id desk.DispatchID, reason string) (desk.Stop, error) {
	const op = "store.StopBulletin"
	made := desk.Stop{DispatchID: id, OperatorID: operator, Reason: desk.CleanText(reason, false)}
	err := s.write(ctx, op, func(tx *Tx) error {
		actor, err := tx.actor(ctx, op, operator)
		if err != nil {
			return err
		}
		var state desk.DispatchState
		var stopped bool
		err = tx.QueryRow(ctx, `SELECT state, EXISTS (SELECT FROM stop WHERE dispatch_id = @id) FROM bulletin WHERE id = @id FOR UPDATE`,
			pgx.NamedArgs{"id": id}).Scan(&state, &stopped)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return desk.Errorf(desk.NotFound, op, "自動情報 %d はありません。", id)
		case err != nil:
			return err
		case stopped:
			return desk.Errorf(desk.Conflict, op, "送信停止はすでに受け付けています。送信状況を確かめてください。")
		}
		// Who waits for a digest is not told either, also when every mail has gone.
		tag, err := tx.Exec(ctx, `
			UPDATE bulletin_recipient SET dropped = true
			WHERE bulletin_id = @id AND due_at IS NOT NULL AND carried_by IS NULL AND NOT dropped`, pgx.NamedArgs{"id": id})
		switch {
		case err != nil:
			return err
		case state.Ended() && tag.RowsAffected() == 0:
			return desk.Errorf(desk.Conflict, op, "この自動情報は「%s」で終わっているため、停止できません。", state.Japanese())
		}
		made.At = tx.Now
		err = tx.QueryRow(ctx, `INSERT INTO stop (dispatch_id, operator_id, reason, at) VALUES (@id, @operator, @reason, @at) RETURNING id`,
			pgx.NamedArgs{"id": id, "operator": operator, "reason": made.Reason, "at": tx.Now}).Scan(&made.ID)
		if err != nil {
			return err
		}
		err = tx.audit(ctx, actor, "bulletin.stop", bulletinSubject(id), map[string]any{"state": state})
		return errors.Join(err, tx.notify(ctx, desk.TopicDispatch, int64(id)))
	})
	return made, err
}
