package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// Longest texts of a mail, in characters. The subject still gets its stamp and is folded by compose (RFC 5322 §2.1.1).
const (
	maxSubject = 120
	maxBody    = 4000
)

// Propose writes a dispatch that nobody has approved: it promises nothing and sends nothing. The audience is counted, the
// latest version of the template is kept. NotFound for an unknown incident or template; Conflict when the event is not in
// the incident, the incident is closed, or their modes differ (law 4); Invalid for an empty audience or text.
func (s *Store) Propose(ctx context.Context, operator desk.OperatorID, d desk.Draft) (desk.Dispatch, error) {
	const op = "store.Propose"
	var made desk.Dispatch
	if err := checkDraft(op, d); err != nil {
		return made, err
	}
	err := s.write(ctx, op, func(tx *Tx) error {
		actor, err := tx.actor(ctx, op, operator)
		if err != nil {
			return err
		}
		mode, err := tx.modeOfEventIn(ctx, op, d.EventID, d.IncidentID)
		if err != nil {
			return err
		}
		var version int
		err = tx.QueryRow(ctx, `SELECT version FROM template WHERE id = @id ORDER BY version DESC LIMIT 1`, pgx.NamedArgs{"id": d.TemplateID}).Scan(&version)
		if errors.Is(err, pgx.ErrNoRows) {
			return desk.Errorf(desk.NotFound, op, "文例 %q はありません。別の文例を選んでください。", d.TemplateID)
		}
		if err != nil {
			return err
		}
		concerned, err := tx.audienceOf(ctx, d.IncidentID, d.Triggered)
		if err != nil {
			return err
		}
		audience, err := tx.headCount(ctx, concerned)
		if err != nil {
			return err
		}
		if audience.People == 0 {
			return desk.Errorf(desk.Invalid, op, "対象の都道府県に、まだ確認していない利用者は一人もいません。対象を確かめてください。")
		}
		id, err := tx.insertDispatch(ctx, operator, mode, version, audience, d)
		if err != nil {
			return err
		}
		err = tx.audit(ctx, actor, "dispatch.propose", dispatchSubject(id), map[string]any{
			"incident": d.IncidentID, "event": d.EventID, "mode": mode, "template": d.TemplateID, "version": version, "head_count": audience.People, "triggered": d.Triggered,
		})
		if err != nil {
			return err
		}
		if err := tx.notify(ctx, desk.TopicDispatch, int64(id)); err != nil {
			return err
		}
		made, err = tx.dispatch(ctx, op, id)
		return err
	})
	return made, err
}

func checkDraft(op string, d desk.Draft) error {
	switch {
	case len(d.Triggered) == 0:
		return desk.Errorf(desk.Invalid, op, "対象の都道府県がありません。対象を選んでください。")
	case strings.TrimSpace(d.Subject) == "" || utf8.RuneCountInString(d.Subject) > maxSubject || d.Subject != desk.CleanText(d.Subject, false):
		return desk.Errorf(desk.Invalid, op, "件名は 1 から %d 文字で、改行や制御文字を含められません。", maxSubject)
	case strings.TrimSpace(d.Body) == "" || utf8.RuneCountInString(d.Body) > maxBody || d.Body != desk.CleanText(d.Body, true):
		return desk.Errorf(desk.Invalid, op, "本文は 1 から %d 文字で、改行のほかの制御文字を含められません。", maxBody)
	}
	return checkTriggered(op, d.Triggered)
}

// modeOfEventIn gives the mode of an incident that is open and holds the event in the same mode.
func (tx *Tx) modeOfEventIn(ctx context.Context, op string, event desk.EventID, incident desk.IncidentID) (desk.Mode, error) {
	var mode, eventMode desk.Mode
	var closed, member bool
	err := tx.QueryRow(ctx, `
		SELECT i.mode, i.closed_at IS NOT NULL, e.mode,
		       EXISTS (SELECT FROM incident_event ie WHERE ie.event_id = e.id AND ie.incident_id = i.id)
		FROM incident i, event e WHERE i.id = @incident AND e.id = @event`,
		pgx.NamedArgs{"incident": incident, "event": event}).Scan(&mode, &closed, &eventMode, &member)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return "", desk.Errorf(desk.NotFound, op, "災害事象または事象が見つかりません。画面を読み直してください。")
	case err != nil:
		return "", err
	case mode != eventMode:
		return "", modeConflict(op, eventMode, mode)
	case closed:
		return "", desk.Errorf(desk.Conflict, op, "この災害事象は終了しています。新しい災害事象を開いてから起案してください。")
	case !member:
		return "", desk.Errorf(desk.Conflict, op, "この事象はこの災害事象に入っていません。先に併合または新規を決めてください。")
	}
	return mode, nil
}

func modeConflict(op string, event, other desk.Mode) error {
	return desk.Errorf(desk.Conflict, op, "%sの事象から%sの送信はできません。運用種別を確かめ、起案し直してください。", event.Japanese(), other.Japanese())
}

func (tx *Tx) insertDispatch(ctx context.Context, operator desk.OperatorID, mode desk.Mode, version int, a desk.AudiencePreview, d desk.Draft) (desk.DispatchID, error) {
	var id desk.DispatchID
	err := tx.QueryRow(ctx, `
		INSERT INTO dispatch (incident_id, event_id, mode, state, subject, body, template_id, template_version, head_count, addresses, unreached, proposed_by, proposed_at)
		VALUES (@incident, @event, @mode, 'proposed', @subject, @body, @template, @version, @people, @addresses, @unreached, @operator, @at)
		RETURNING id`,
		pgx.NamedArgs{
			"incident": d.IncidentID, "event": d.EventID, "mode": mode, "subject": d.Subject, "body": d.Body, "template": d.TemplateID, "version": version,
			"people": a.People, "addresses": a.Addresses, "unreached": a.Unreached, "operator": operator, "at": tx.Now,
		}).Scan(&id)
	if err != nil {
		return 0, err
	}
	var prefectures, intensities []int16
	var reasons []string
	for _, t := range d.Triggered {
		prefectures = append(prefectures, int16(t.Prefecture))
		intensities, reasons = append(intensities, int16(t.Intensity)), append(reasons, string(t.Reason))
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO dispatch_prefecture (dispatch_id, prefecture, intensity, reason)
		SELECT @id, * FROM unnest(@prefectures::smallint[], @intensities::smallint[], @reasons::text[])`,
		pgx.NamedArgs{"id": id, "prefectures": prefectures, "intensities": intensities, "reasons": reasons})
	return id, err
}

func dispatchSubject(id desk.DispatchID) string { return fmt.Sprintf("dispatch:%d", id) }

// dispatch reads one dispatch with its approval and stop. NotFound says so in a sentence.
func (tx *Tx) dispatch(ctx context.Context, op string, id desk.DispatchID) (desk.Dispatch, error) {
	found, err := tx.dispatches(ctx, []desk.DispatchID{id})
	if err != nil {
		return desk.Dispatch{}, err
	}
	if len(found) == 0 {
		return desk.Dispatch{}, noDispatch(op, id)
	}
	return found[0], nil
}

func noDispatch(op string, id desk.DispatchID) error {
	return desk.Errorf(desk.NotFound, op, "代行送信 %d は見つかりません。画面を読み直してください。", id)
}

// dispatches reads the dispatches with these ids, newest first, each with audience, approval and stop. FirstAt and LastAt
// are counted from attempts and only set by progress.
func (tx *Tx) dispatches(ctx context.Context, ids []desk.DispatchID) ([]desk.Dispatch, error) {
	rows, err := tx.Query(ctx, `
		SELECT d.id, d.incident_id, d.event_id, d.mode, d.state, d.subject, d.body, d.template_id, d.template_version, d.head_count, d.addresses, d.unreached,
		       d.proposed_by, p.display, d.proposed_at, d.expanded_at, CASE WHEN d.state IN ('sent', 'stopped') THEN d.ended_at END,
		       a.id, a.operator_id, ao.display, a.head_count, a.method, a.at, a.not_before, a.not_after,
		       s.id, s.operator_id, so.display, s.reason, s.at,
		       t.prefectures, t.intensities, t.reasons
		FROM dispatch d
		JOIN operator p ON p.id = d.proposed_by
		LEFT JOIN approval a ON a.dispatch_id = d.id
		LEFT JOIN operator ao ON ao.id = a.operator_id
		LEFT JOIN stop s ON s.dispatch_id = d.id
		LEFT JOIN operator so ON so.id = s.operator_id
		CROSS JOIN LATERAL (
			SELECT array_agg(prefecture::smallint ORDER BY intensity DESC, prefecture) AS prefectures,
			       array_agg(intensity::smallint ORDER BY intensity DESC, prefecture) AS intensities,
			       array_agg(reason ORDER BY intensity DESC, prefecture) AS reasons
			FROM dispatch_prefecture WHERE dispatch_id = d.id) t
		WHERE d.id = ANY(@ids::bigint[]) ORDER BY d.id DESC`, pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanDispatch)
}

func scanDispatch(row pgx.CollectableRow) (desk.Dispatch, error) {
	var d desk.Dispatch
	var a struct {
		id                      *desk.ApprovalID
		operator                *desk.OperatorID
		display                 *string
		heads                   *int
		method                  *desk.ApproveMethod
		at, notBefore, notAfter *time.Time
	}
	var s struct {
		id              *desk.StopID
		operator        *desk.OperatorID
		display, reason *string
		at              *time.Time
	}
	var expandedAt, cutoff *time.Time
	var prefectures, intensities []int16
	var reasons []string
	err := row.Scan(&d.ID, &d.IncidentID, &d.EventID, &d.Mode, &d.State, &d.Subject, &d.Body, &d.TemplateID, &d.TemplateV, &d.HeadCount, &d.Addresses, &d.Unreached,
		&d.ProposerID, &d.ProposedBy, &d.ProposedAt, &expandedAt, &cutoff,
		&a.id, &a.operator, &a.display, &a.heads, &a.method, &a.at, &a.notBefore, &a.notAfter,
		&s.id, &s.operator, &s.display, &s.reason, &s.at,
		&prefectures, &intensities, &reasons)
	if err != nil {
		return d, err
	}
	d.ProposedAt, d.ExpandedAt, d.Cutoff = d.ProposedAt.UTC(), utc(expandedAt), utc(cutoff)
	if a.id != nil {
		d.Approval = &desk.Approval{
			ID: *a.id, DispatchID: d.ID, OperatorID: *a.operator, Operator: *a.display, HeadCount: *a.heads, Method: *a.method,
			At: a.at.UTC(), NotBefore: a.notBefore.UTC(), NotAfter: a.notAfter.UTC(),
		}
	}
	if s.id != nil {
		d.Stop = &desk.Stop{ID: *s.id, DispatchID: d.ID, OperatorID: *s.operator, Operator: *s.display, Reason: *s.reason, At: s.at.UTC()}
	}
	for i, p := range prefectures {
		d.Triggered = append(d.Triggered, desk.TriggeredBy{Prefecture: desk.Prefecture(p), Intensity: desk.Intensity(intensities[i]), Reason: desk.TriggerReason(reasons[i])})
	}
	return d, nil
}

// utc is the time in UTC, zero when there is none.
func utc(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}
