package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// longestNote is the longest cause or measure in characters.
const longestNote = 4000

// OpenBreach records that a mailing greatly exceeded its limit, once for each mailing: where a record is there already, opened
// is false and its id comes back. process is the engine that saw it. // P5-6
func (s *Store) OpenBreach(ctx context.Context, process string, c desk.StageClock, r desk.ClockRule, ratio float64) (id int64, opened bool, err error) {
	const op = "store.OpenBreach"
	if c.Mode != desk.Live {
		return 0, false, desk.Errorf(desk.Invalid, op, "訓練・試験の遅延は報告しません。")
	}
	stages, err := json.Marshal(c)
	if err != nil {
		return 0, false, desk.Wrap(desk.Internal, op, err)
	}
	err = s.write(ctx, op, func(tx *Tx) error {
		args := pgx.NamedArgs{
			"kind": string(c.Subject.Kind), "subject": c.Subject.ID, "clause": string(c.Clause), "ratio": ratio,
			"limit": r.Limit.Milliseconds(), "since": string(r.From), "until": string(r.Until), "stages": jsonText(stages), "now": tx.Now,
		}
		err := tx.QueryRow(ctx, `
			INSERT INTO breach (subject_kind, subject_id, clause, ratio, limit_ms, since, until, stages, opened_at)
			VALUES (@kind, @subject, @clause, @ratio, @limit, @since, @until, @stages, @now)
			ON CONFLICT (subject_kind, subject_id) DO NOTHING RETURNING id`, args).Scan(&id)
		if opened = err == nil; err == pgx.ErrNoRows {
			return tx.QueryRow(ctx, `SELECT id FROM breach WHERE subject_kind = @kind AND subject_id = @subject`, args).Scan(&id)
		}
		if err != nil {
			return err
		}
		if err := tx.audit(ctx, process, "breach.open", fmt.Sprintf("breach:%d", id), map[string]any{
			"subject": c.Subject, "clause": c.Clause, "ratio": ratio, "rule": r.Version,
		}); err != nil {
			return err
		}
		return tx.notify(ctx, desk.TopicHealth, id)
	})
	return id, opened, err
}

// DraftBreach keeps the draft of the report as text and as OpenDocument, with the clock it was drafted on. What was sent is
// never drafted again: that is Conflict. A draft is no act and leaves no audit row.
func (s *Store) DraftBreach(ctx context.Context, id int64, c desk.StageClock, report string, odt []byte) error {
	const op = "store.DraftBreach"
	stages, err := json.Marshal(c)
	if err != nil {
		return desk.Wrap(desk.Internal, op, err)
	}
	return s.write(ctx, op, func(tx *Tx) error {
		err := tx.exec(ctx, op, `
			UPDATE breach SET stages = @stages, report = @report, odt = @odt, drafted_at = @now
			WHERE id = @id AND sent_at IS NULL`,
			pgx.NamedArgs{"id": id, "stages": jsonText(stages), "report": storable(report), "odt": odt, "now": tx.Now})
		if err != nil {
			return err
		}
		return tx.notify(ctx, desk.TopicHealth, id)
	})
}

// SetBreachCause keeps what a person found: the cause and the measures against a repetition. An empty text leaves the former one.
// The watch writes the draft anew a moment later. actor is "admin:sato" or "operator:tanaka".
func (s *Store) SetBreachCause(ctx context.Context, actor string, id int64, cause, measures string) error {
	const op = "store.SetBreachCause"
	cause, measures = desk.CleanText(strings.TrimSpace(cause), true), desk.CleanText(strings.TrimSpace(measures), true)
	switch {
	case cause == "" && measures == "":
		return desk.Errorf(desk.Invalid, op, "原因か再発防止策を書いてください。")
	case len([]rune(cause)) > longestNote, len([]rune(measures)) > longestNote:
		return desk.Errorf(desk.Invalid, op, "原因と再発防止策はそれぞれ %d 文字までです。", longestNote)
	}
	return s.write(ctx, op, func(tx *Tx) error {
		if err := tx.unsent(ctx, op, id); err != nil {
			return err
		}
		err := tx.exec(ctx, op, `
			UPDATE breach SET cause = coalesce(nullif(@cause, ''), cause), measures = coalesce(nullif(@measures, ''), measures) WHERE id = @id`,
			pgx.NamedArgs{"id": id, "cause": cause, "measures": measures})
		if err != nil {
			return err
		}
		if err := tx.audit(ctx, actor, "breach.cause", fmt.Sprintf("breach:%d", id), map[string]any{"cause": cause, "measures": measures}); err != nil {
			return err
		}
		return tx.notify(ctx, desk.TopicHealth, id)
	})
}

// MarkBreachSent records that the report went to both addressees; the reminder ends. Without a draft or a cause there is
// nothing to send: that is Conflict, as is a second time.
func (s *Store) MarkBreachSent(ctx context.Context, actor string, id int64) error {
	const op = "store.MarkBreachSent"
	return s.write(ctx, op, func(tx *Tx) error {
		if err := tx.unsent(ctx, op, id); err != nil {
			return err
		}
		var drafted, explained bool
		err := tx.QueryRow(ctx, `SELECT report <> '', cause <> '' FROM breach WHERE id = @id`, pgx.NamedArgs{"id": id}).Scan(&drafted, &explained)
		switch {
		case err != nil:
			return err
		case !explained:
			return desk.Errorf(desk.Conflict, op, "原因がまだ書かれていません。書いてから送付してください。")
		case !drafted:
			return desk.Errorf(desk.Conflict, op, "報告書の案がまだできていません。少し待ってやり直してください。")
		}
		if err := tx.exec(ctx, op, `UPDATE breach SET sent_at = @now, sent_by = @actor WHERE id = @id AND sent_at IS NULL`,
			pgx.NamedArgs{"id": id, "now": tx.Now, "actor": actor}); err != nil {
			return err
		}
		if err := tx.audit(ctx, actor, "breach.sent", fmt.Sprintf("breach:%d", id), nil); err != nil {
			return err
		}
		return tx.notify(ctx, desk.TopicHealth, id)
	})
}

// unsent locks a breach and refuses one that is not there or was sent.
func (tx *Tx) unsent(ctx context.Context, op string, id int64) error {
	var sent *time.Time
	err := tx.QueryRow(ctx, `SELECT sent_at FROM breach WHERE id = @id FOR UPDATE`, pgx.NamedArgs{"id": id}).Scan(&sent)
	switch {
	case err == pgx.ErrNoRows:
		return desk.Errorf(desk.NotFound, op, "遅延報告 %d はありません。番号を一覧で確かめてください。", id)
	case err != nil:
		return err
	case sent != nil:
		return desk.Errorf(desk.Conflict, op, "遅延報告 %d は %s に送付済みです。", id, sent.In(desk.JST).Format("2006-01-02 15:04"))
	}
	return nil
}

// Breaches lists the reports, newest first, at most limit of them.
func (s *Store) Breaches(ctx context.Context, limit int) ([]desk.Breach, error) {
	var all []desk.Breach
	err := s.read(ctx, "store.Breaches", func(tx *Tx) (err error) {
		all, err = tx.breaches(ctx, false, limit)
		return err
	})
	return all, err
}

// UnsentBreaches lists the reports that are still owed, oldest first: the reminder of the desk.
func (s *Store) UnsentBreaches(ctx context.Context) ([]desk.Breach, error) {
	var all []desk.Breach
	err := s.read(ctx, "store.UnsentBreaches", func(tx *Tx) (err error) {
		all, err = tx.breaches(ctx, true, 1000)
		return err
	})
	return all, err
}

func (tx *Tx) breaches(ctx context.Context, unsent bool, limit int) ([]desk.Breach, error) {
	rows, err := tx.Query(ctx, `
		SELECT id, subject_kind, subject_id, clause, ratio, limit_ms, since, until, stages, opened_at, cause, measures, drafted_at, report, sent_at, coalesce(sent_by, '')
		FROM breach WHERE sent_at IS NULL OR NOT @unsent
		ORDER BY CASE WHEN @unsent THEN id ELSE -id END LIMIT @limit`, pgx.NamedArgs{"unsent": unsent, "limit": limit})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (desk.Breach, error) {
		var b desk.Breach
		var ms int64
		var stages []byte
		var drafted, sent *time.Time
		err := row.Scan(&b.ID, &b.Subject.Kind, &b.Subject.ID, &b.Clause, &b.Ratio, &ms, &b.From, &b.Until, &stages, &b.OpenedAt, &b.Cause, &b.Measures, &drafted, &b.Report, &sent, &b.SentBy)
		if err != nil {
			return b, err
		}
		b.Limit, b.OpenedAt, b.DraftedAt, b.SentAt = time.Duration(ms)*time.Millisecond, b.OpenedAt.UTC(), utc(drafted), utc(sent)
		return b, json.Unmarshal(stages, &b.Clock)
	})
}

// BreachReport reads the draft of one report, as text and as OpenDocument.
func (s *Store) BreachReport(ctx context.Context, id int64) (report string, odt []byte, err error) {
	const op = "store.BreachReport"
	err = s.pool.QueryRow(ctx, `SELECT report, odt FROM breach WHERE id = @id`, pgx.NamedArgs{"id": id}).Scan(&report, &odt)
	if err == pgx.ErrNoRows {
		return "", nil, desk.Errorf(desk.NotFound, op, "遅延報告 %d はありません。番号を一覧で確かめてください。", id)
	}
	if err == nil && report == "" {
		return "", nil, desk.Errorf(desk.Unavailable, op, "報告書の案がまだできていません。少し待ってやり直してください。")
	}
	return report, odt, wrap(op, err)
}
