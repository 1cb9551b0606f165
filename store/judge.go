package store

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// unreadableReach is how many telegrams back the inbox still shows unreadable ones.
const unreadableReach = 20_000

// maxReason is the longest reason or note, in characters.
const maxReason = 500

// unreadableLeast is how many unreadable telegrams the inbox shows at least; beyond a quarter of its lines they give way, so that a
// source that sends garbage cannot push the events out of sight. The rest stays in the store.
const unreadableLeast = 10

// itemColumns and itemJoins give one inbox line for each row of event e.
const itemColumns = `e.id, e.stored_at, e.state,
	a.id, a.telegram_id, a.at, a.grade, a.content,
	v.id, v.operator_id, v.display, v.advice_id, v.finding, v.reason, v.at, coalesce(ie.incident_id, 0)`

const itemJoins = `
	LEFT JOIN LATERAL (SELECT * FROM advice WHERE event_id = e.id ORDER BY id DESC LIMIT 1) a ON true
	LEFT JOIN LATERAL (SELECT w.*, o.display FROM verification w JOIN operator o ON o.id = w.operator_id
	                   WHERE w.event_id = e.id ORDER BY w.id DESC LIMIT 1) v ON true
	LEFT JOIN incident_event ie ON ie.event_id = e.id`

// Inbox lists the newest events with their latest advice and finding, and telegrams that could not be read, newest first.
func (s *Store) Inbox(ctx context.Context, limit int) ([]desk.InboxItem, error) {
	const op = "store.Inbox"
	var items []desk.InboxItem
	err := s.read(ctx, op, func(tx *Tx) error {
		events, err := tx.items(ctx, `SELECT `+itemColumns+` FROM (SELECT * FROM event ORDER BY updated_at DESC, id DESC LIMIT @limit) e`+itemJoins,
			pgx.NamedArgs{"limit": limit})
		if err != nil {
			return err
		}
		unreadable, err := tx.unreadable(ctx, min(limit, max(unreadableLeast, limit/4)))
		items = append(events, unreadable...)
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(items, func(a, b desk.InboxItem) int {
		if c := b.Event.UpdatedAt.Compare(a.Event.UpdatedAt); c != 0 {
			return c
		}
		return int(b.Event.ID - a.Event.ID)
	})
	return items[:min(limit, len(items))], nil
}

func (tx *Tx) items(ctx context.Context, sql string, args pgx.NamedArgs) ([]desk.InboxItem, error) {
	rows, err := tx.Query(ctx, sql, args)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanItem)
}

func scanItem(row pgx.CollectableRow) (desk.InboxItem, error) {
	var item desk.InboxItem
	var id desk.EventID
	var stored time.Time
	var state, content []byte
	var adviceID, adviceTelegram, findingID, operator, findingAdvice *int64
	var adviceAt, findingAt *time.Time
	var grade *int16
	var display, finding, reason *string
	err := row.Scan(&id, &stored, &state, &adviceID, &adviceTelegram, &adviceAt, &grade, &content,
		&findingID, &operator, &display, &findingAdvice, &finding, &reason, &findingAt, &item.IncidentID)
	if err != nil {
		return item, err
	}
	if item.Event, err = decodeEvent(id, stored, state); err != nil {
		return item, err
	}
	if adviceID != nil {
		item.Advice = &desk.Advice{
			ID: desk.AdviceID(*adviceID), EventID: id, TelegramID: desk.TelegramID(*adviceTelegram), At: *adviceAt, Grade: desk.Grade(*grade),
		}
		if err := decodeAdvice(item.Advice, content); err != nil {
			return item, err
		}
	}
	if findingID != nil {
		item.Verification = &desk.Verification{
			ID: desk.VerificationID(*findingID), EventID: id, OperatorID: desk.OperatorID(*operator), Operator: *display,
			AdviceID: desk.AdviceID(*findingAdvice), Finding: desk.Finding(*finding), Reason: *reason, At: findingAt.UTC(),
		}
	}
	return item, nil
}

// unreadable lists telegrams that could not be read, with why and the beginning of their bytes (law 1: shown, never dropped).
func (tx *Tx) unreadable(ctx context.Context, limit int) ([]desk.InboxItem, error) {
	rows, err := tx.Query(ctx, `
		SELECT t.id, t.received_at, t.stored_at, t.name, r.error, substring(t.raw FROM 1 FOR 240)
		FROM reading r JOIN telegram t ON t.id = r.telegram_id
		WHERE r.telegram_id > (SELECT coalesce(max(telegram_id), 0) - @reach FROM reading) AND r.error <> ''
		ORDER BY r.telegram_id DESC LIMIT @limit`, pgx.NamedArgs{"limit": limit, "reach": unreadableReach})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (desk.InboxItem, error) {
		item := desk.InboxItem{Unreadable: true}
		var received, stored time.Time
		var name, problem string
		var start []byte
		if err := row.Scan(&item.TelegramID, &received, &stored, &name, &problem, &start); err != nil {
			return item, err
		}
		item.Event = desk.Event{
			Hazard: desk.OtherKind, Status: desk.EventOpen, Telegrams: 1, OccurredAt: received.UTC(), FirstSeenAt: received.UTC(),
			UpdatedAt: received.UTC(), StoredAt: stored.UTC(), Title: "読み取れない電文",
			Headline: strings.TrimSpace(problem + " " + desk.CleanText(strings.ToValidUTF8(string(start), ""), false)),
		}
		return item, nil
	})
}

// EventFile is everything the verify screen shows about one event, as of one instant.
func (s *Store) EventFile(ctx context.Context, id desk.EventID) (desk.EventFile, error) {
	const op = "store.EventFile"
	var file desk.EventFile
	err := s.read(ctx, op, func(tx *Tx) error {
		items, err := tx.items(ctx, `SELECT `+itemColumns+` FROM (SELECT * FROM event WHERE id = @id) e`+itemJoins, pgx.NamedArgs{"id": id})
		if err != nil {
			return err
		}
		if len(items) == 0 {
			return desk.Errorf(desk.NotFound, op, "事象が見つかりません。")
		}
		file.Item = items[0]
		if file.Telegrams, err = tx.telegramsOf(ctx, id); err != nil {
			return err
		}
		if file.Verifications, err = tx.verifications(ctx, id); err != nil {
			return err
		}
		open, err := tx.openIncidents(ctx, file.Item.Event.Mode)
		for _, inc := range open {
			if inc.Hazard == file.Item.Event.Hazard {
				file.Incidents = append(file.Incidents, inc)
			}
		}
		return err
	})
	return file, err
}

func (tx *Tx) verifications(ctx context.Context, event desk.EventID) ([]desk.Verification, error) {
	rows, err := tx.Query(ctx, `
		SELECT v.id, v.event_id, v.operator_id, o.display, v.advice_id, v.finding, v.reason, v.at
		FROM verification v JOIN operator o ON o.id = v.operator_id WHERE v.event_id = @event ORDER BY v.id`, pgx.NamedArgs{"event": event})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (desk.Verification, error) {
		var v desk.Verification
		err := row.Scan(&v.ID, &v.EventID, &v.OperatorID, &v.Operator, &v.AdviceID, &v.Finding, &v.Reason, &v.At)
		v.At = v.At.UTC()
		return v, err
	})
}

// Verify records an operator's finding on an event and the advice it was made on. It is Stale when a newer advice exists, so
// that nobody judges what he has not seen. // F3-1-k.3
func (s *Store) Verify(ctx context.Context, operator desk.OperatorID, v desk.Verification) (desk.VerificationID, error) {
	const op = "store.Verify"
	switch {
	case !v.Finding.Valid():
		return 0, desk.Errorf(desk.Invalid, op, "判断は真報・誤報・保留のどれかを選んでください。")
	case !utf8.ValidString(v.Reason) || utf8.RuneCountInString(v.Reason) > maxReason:
		return 0, desk.Errorf(desk.Invalid, op, "理由は%d文字までです。短くしてください。", maxReason)
	}
	v.Reason = desk.CleanText(v.Reason, true)
	var id desk.VerificationID
	err := s.write(ctx, op, func(tx *Tx) error {
		actor, err := tx.actor(ctx, op, operator)
		if err != nil {
			return err
		}
		args := pgx.NamedArgs{
			"event": v.EventID, "operator": operator, "advice": v.AdviceID, "finding": string(v.Finding), "reason": v.Reason, "now": tx.Now,
		}
		var there bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM event WHERE id = @event)`, args).Scan(&there); err != nil {
			return err
		}
		if !there {
			return desk.Errorf(desk.NotFound, op, "事象が見つかりません。")
		}
		err = tx.QueryRow(ctx, `
			INSERT INTO verification (event_id, operator_id, advice_id, finding, reason, at)
			SELECT @event::bigint, @operator, @advice::bigint, @finding, @reason, @now
			WHERE @advice::bigint = (SELECT max(id) FROM advice WHERE event_id = @event::bigint)
			RETURNING id`, args).Scan(&id)
		if err == pgx.ErrNoRows {
			return desk.Errorf(desk.Stale, op, "判断の間に新しい電文が届きました。画面を読み直して、もう一度判断してください。")
		}
		if err != nil {
			return err
		}
		if err := tx.audit(ctx, actor, "event.verify", eventSubject(v.EventID), map[string]any{
			"verification": id, "finding": v.Finding, "advice": v.AdviceID, "reason": v.Reason,
		}); err != nil {
			return err
		}
		if v.Finding == desk.False {
			if err := tx.stopAllOf(ctx, op, operator, actor, v.EventID); err != nil {
				return err
			}
		}
		return tx.notify(ctx, desk.TopicEvent, int64(v.EventID))
	})
	if err != nil {
		return 0, err
	}
	return id, nil
}

// stopAllOf stops every dispatch about an event that is under way, in the name of whoever found it false: nobody is asked about a
// shaking that was none. // F3-1-k.3
func (tx *Tx) stopAllOf(ctx context.Context, op string, operator desk.OperatorID, actor string, event desk.EventID) error {
	rows, err := tx.Query(ctx, `
		SELECT d.id FROM dispatch d
		WHERE d.event_id = @event AND d.state IN ('approved', 'expanded', 'sending')
		  AND NOT EXISTS (SELECT FROM stop s WHERE s.dispatch_id = d.id) ORDER BY d.id`, pgx.NamedArgs{"event": event})
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[desk.DispatchID])
	if err != nil {
		return err
	}
	for _, id := range ids {
		err := tx.stopDispatch(ctx, op, operator, actor, id, "誤報と判断")
		if err != nil && desk.KindOf(err) != desk.Conflict { // Conflict: it ended, or somebody stopped it, a moment ago
			return err
		}
	}
	return nil
}
