package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// maxTitle is the longest title of an incident, in characters.
const maxTitle = 100

// Decide joins a genuine event to an open incident or opens a new one for it, with the operator's reason. It is Conflict when
// the event's latest finding is not genuine, when it is in an incident already, when that incident is closed, or when modes
// differ: a drill can never join or open a live incident (law 4). // F3-1-k.2 F3-1-k.4
func (s *Store) Decide(ctx context.Context, operator desk.OperatorID, c desk.IncidentChoice) (desk.IncidentID, error) {
	const op = "store.Decide"
	if err := checkChoice(op, &c); err != nil {
		return 0, err
	}
	id := c.Incident
	err := s.write(ctx, op, func(tx *Tx) error {
		id = c.Incident
		actor, err := tx.actor(ctx, op, operator)
		if err != nil {
			return err
		}
		e, err := tx.eventToDecide(ctx, op, c.EventID)
		if err != nil {
			return err
		}
		if id == 0 {
			id, err = tx.openIncident(ctx, operator, e, c.Title)
		} else {
			err = tx.mayJoin(ctx, op, id, e)
		}
		if err != nil {
			return err
		}
		err = tx.exec(ctx, op, `
			INSERT INTO incident_event (event_id, incident_id, joined, operator_id, reason, note, at)
			VALUES (@event, @incident, @joined, @operator, @reason, @note, @now) ON CONFLICT (event_id) DO NOTHING`, pgx.NamedArgs{
			"event": c.EventID, "incident": id, "joined": c.Incident != 0, "operator": operator, "reason": string(c.Reason), "note": c.Note, "now": tx.Now,
		})
		if err != nil {
			return err
		}
		act := "incident.open"
		if c.Incident != 0 {
			act = "incident.join"
		}
		if err := tx.audit(ctx, actor, act, incidentSubject(id), map[string]any{"event": c.EventID, "reason": c.Reason, "note": c.Note}); err != nil {
			return err
		}
		return tx.notify(ctx, desk.TopicIncident, int64(id))
	})
	if err != nil {
		return 0, err
	}
	return id, nil
}

func checkChoice(op string, c *desk.IncidentChoice) error {
	if c.Reason.Japanese() == "理由不明" {
		return desk.Errorf(desk.Invalid, op, "併合または新規の理由を選んでください。")
	}
	if c.Reason == desk.OtherReason && strings.TrimSpace(c.Note) == "" {
		return desk.Errorf(desk.Invalid, op, "理由が「その他」のときは、内容を書いてください。")
	}
	if !utf8.ValidString(c.Note) || utf8.RuneCountInString(c.Note) > maxReason || !utf8.ValidString(c.Title) || utf8.RuneCountInString(c.Title) > maxTitle {
		return desk.Errorf(desk.Invalid, op, "件名は%d文字、理由は%d文字までです。短くしてください。", maxTitle, maxReason)
	}
	c.Note, c.Title = desk.CleanText(c.Note, true), strings.TrimSpace(desk.CleanText(c.Title, false))
	return nil
}

func incidentSubject(id desk.IncidentID) string { return fmt.Sprintf("incident:%d", id) }

// eventToDecide reads the event and makes sure a person found it genuine and nobody decided on it before.
func (tx *Tx) eventToDecide(ctx context.Context, op string, id desk.EventID) (desk.Event, error) {
	var stored time.Time
	var state []byte
	var mode desk.Mode
	var finding string
	var decided bool
	err := tx.QueryRow(ctx, `
		SELECT e.stored_at, e.state, e.mode,
		       coalesce((SELECT finding FROM verification WHERE event_id = e.id ORDER BY id DESC LIMIT 1), ''),
		       EXISTS (SELECT FROM incident_event WHERE event_id = e.id)
		FROM event e WHERE e.id = @id`, pgx.NamedArgs{"id": id}).Scan(&stored, &state, &mode, &finding, &decided)
	switch {
	case err == pgx.ErrNoRows:
		return desk.Event{}, desk.Errorf(desk.NotFound, op, "事象が見つかりません。")
	case err != nil:
		return desk.Event{}, err
	case decided:
		return desk.Event{}, desk.Errorf(desk.Conflict, op, "この事象はすでに災害事象に入っています。画面を読み直してください。")
	case desk.Finding(finding) != desk.Genuine:
		return desk.Event{}, desk.Errorf(desk.Conflict, op, "真報と判断された事象だけを災害事象に入れられます（今の判断: %s）。", desk.Finding(finding).Japanese())
	}
	e, err := decodeEvent(id, stored, state)
	e.Mode = mode // the column decides
	return e, err
}

func (tx *Tx) openIncident(ctx context.Context, operator desk.OperatorID, e desk.Event, title string) (id desk.IncidentID, err error) {
	if title == "" {
		title = e.Title
	}
	err = tx.QueryRow(ctx, `
		INSERT INTO incident (hazard, mode, title, opened_by, opened_at) VALUES (@hazard, @mode, @title, @operator, @now) RETURNING id`,
		pgx.NamedArgs{"hazard": string(e.Hazard), "mode": string(e.Mode), "title": title, "operator": operator, "now": tx.Now}).Scan(&id)
	return id, err
}

func (tx *Tx) mayJoin(ctx context.Context, op string, id desk.IncidentID, e desk.Event) error {
	var mode desk.Mode
	var hazard desk.Hazard
	var closed bool
	err := tx.QueryRow(ctx, `SELECT mode, hazard, closed_at IS NOT NULL FROM incident WHERE id = @id FOR SHARE`, pgx.NamedArgs{"id": id}).Scan(&mode, &hazard, &closed)
	switch {
	case err == pgx.ErrNoRows:
		return noIncident(op)
	case err != nil:
		return err
	case mode != e.Mode:
		return desk.Errorf(desk.Conflict, op, "%sの事象を%sの災害事象に入れることはできません。", e.Mode.Japanese(), mode.Japanese())
	case hazard != e.Hazard:
		return desk.Errorf(desk.Conflict, op, "%sの事象を%sの災害事象に入れることはできません。", e.Hazard.Japanese(), hazard.Japanese())
	case closed:
		return desk.Errorf(desk.Conflict, op, "この災害事象は終了しています。新しい災害事象を開いてください。")
	}
	return nil
}

func noIncident(op string) error {
	return desk.Errorf(desk.NotFound, op, "災害事象が見つかりません。画面を読み直してください。")
}

// CloseIncident ends an incident: no event joins it any more, nothing is proposed in it. Closing twice is Conflict.
func (s *Store) CloseIncident(ctx context.Context, operator desk.OperatorID, id desk.IncidentID) error {
	const op = "store.CloseIncident"
	return s.write(ctx, op, func(tx *Tx) error {
		actor, err := tx.actor(ctx, op, operator)
		if err != nil {
			return err
		}
		if err := tx.exec(ctx, op, `UPDATE incident SET closed_at = @now WHERE id = @id AND closed_at IS NULL`,
			pgx.NamedArgs{"id": id, "now": tx.Now}); err != nil {
			return err
		}
		if err := tx.audit(ctx, actor, "incident.close", incidentSubject(id), nil); err != nil {
			return err
		}
		return tx.notify(ctx, desk.TopicIncident, int64(id))
	})
}

// OpenIncidents lists the open incidents of a mode with what their people were asked about, newest first.
func (s *Store) OpenIncidents(ctx context.Context, mode desk.Mode) ([]desk.Incident, error) {
	const op = "store.OpenIncidents"
	var out []desk.Incident
	err := s.read(ctx, op, func(tx *Tx) (err error) {
		out, err = tx.openIncidents(ctx, mode)
		return err
	})
	return out, err
}

func (tx *Tx) openIncidents(ctx context.Context, mode desk.Mode) ([]desk.Incident, error) {
	return tx.incidents(ctx, `WHERE i.mode = @mode AND i.closed_at IS NULL ORDER BY i.id DESC`, pgx.NamedArgs{"mode": string(mode)})
}

// incidents reads incidents with their events and notified prefectures: three statements, however many there are.
func (tx *Tx) incidents(ctx context.Context, which string, args pgx.NamedArgs) ([]desk.Incident, error) {
	rows, err := tx.Query(ctx, `
		SELECT i.id, i.hazard, i.mode, i.title, i.opened_at, o.display, coalesce(i.closed_at, 'epoch'), i.closed_at IS NULL
		FROM incident i JOIN operator o ON o.id = i.opened_by `+which, args)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (desk.Incident, error) {
		var i desk.Incident
		var closed time.Time
		var open bool
		err := row.Scan(&i.ID, &i.Hazard, &i.Mode, &i.Title, &i.OpenedAt, &i.OpenedBy, &closed, &open)
		i.OpenedAt = i.OpenedAt.UTC()
		if !open {
			i.ClosedAt = closed.UTC()
		}
		return i, err
	})
	if err != nil || len(list) == 0 {
		return list, err
	}
	at := make(map[desk.IncidentID]*desk.Incident, len(list))
	ids := make([]int64, len(list))
	for n := range list {
		at[list[n].ID], ids[n] = &list[n], int64(list[n].ID)
	}
	if err := tx.addEvents(ctx, ids, at); err != nil {
		return nil, err
	}
	return list, tx.addNotified(ctx, ids, at)
}

func (tx *Tx) addEvents(ctx context.Context, ids []int64, at map[desk.IncidentID]*desk.Incident) error {
	rows, err := tx.Query(ctx, `
		SELECT ie.incident_id, e.id, e.occurred_at, e.max_intensity, e.state->'Hypocenter'
		FROM incident_event ie JOIN event e ON e.id = ie.event_id WHERE ie.incident_id = ANY(@ids) ORDER BY e.occurred_at, e.id`,
		pgx.NamedArgs{"ids": ids})
	if err != nil {
		return err
	}
	var incident desk.IncidentID
	var event desk.EventID
	var occurred time.Time
	var strongest int16
	var place []byte
	_, err = pgx.ForEachRow(rows, []any{&incident, &event, &occurred, &strongest, &place}, func() error {
		i := at[incident]
		if len(i.Events) == 0 {
			i.FirstOccurred = occurred.UTC()
		}
		i.LastOccurred = occurred.UTC()
		i.Events = append(i.Events, event)
		i.MaxIntensity = max(i.MaxIntensity, desk.Intensity(strongest))
		var h *desk.Hypocenter
		if len(place) > 0 {
			if err := json.Unmarshal(place, &h); err != nil {
				return err
			}
		}
		if h != nil {
			i.Hypocenters = append(i.Hypocenters, *h)
		}
		return nil
	})
	return err
}

// addNotified sums up what people are asked: approved dispatches that were not withdrawn, did not expire and were not stopped.
// After a stop everybody may be asked again, those it had reached too: a duplicate rather than a miss (law 5).
func (tx *Tx) addNotified(ctx context.Context, ids []int64, at map[desk.IncidentID]*desk.Incident) error {
	rows, err := tx.Query(ctx, `
		SELECT d.incident_id, p.prefecture, max(p.intensity), array_agg(DISTINCT d.event_id ORDER BY d.event_id)
		FROM dispatch d JOIN approval a ON a.dispatch_id = d.id JOIN dispatch_prefecture p ON p.dispatch_id = d.id
		WHERE d.incident_id = ANY(@ids) AND d.state IN ('approved', 'expanded', 'sending', 'sent')
		  AND NOT EXISTS (SELECT FROM stop s WHERE s.dispatch_id = d.id) AND NOT `+untrusted+`
		GROUP BY d.incident_id, p.prefecture ORDER BY d.incident_id, p.prefecture`, pgx.NamedArgs{"ids": ids, "seen": tx.Now})
	if err != nil {
		return err
	}
	var incident desk.IncidentID
	var prefecture, intensity int16
	var events []int64
	_, err = pgx.ForEachRow(rows, []any{&incident, &prefecture, &intensity, &events}, func() error {
		n := desk.Notified{Prefecture: desk.Prefecture(prefecture), Intensity: desk.Intensity(intensity)}
		for _, e := range events {
			n.EventIDs = append(n.EventIDs, desk.EventID(e))
		}
		i := at[incident]
		i.Notified = append(i.Notified, n)
		return nil
	})
	return err
}

// IncidentFile is one incident with its events and dispatches, as of one instant.
func (s *Store) IncidentFile(ctx context.Context, id desk.IncidentID) (desk.IncidentFile, error) {
	const op = "store.IncidentFile"
	files, err := s.incidentFiles(ctx, op, `WHERE i.id = @id`, pgx.NamedArgs{"id": id})
	if err == nil && len(files) == 0 {
		err = noIncident(op)
	}
	if err != nil {
		return desk.IncidentFile{}, err
	}
	return files[0], nil
}

// Incidents lists incidents, open and closed, newest first.
func (s *Store) Incidents(ctx context.Context, limit int) ([]desk.IncidentFile, error) {
	return s.incidentFiles(ctx, "store.Incidents", `ORDER BY i.id DESC LIMIT @limit`, pgx.NamedArgs{"limit": limit})
}

func (s *Store) incidentFiles(ctx context.Context, op, which string, args pgx.NamedArgs) ([]desk.IncidentFile, error) {
	var files []desk.IncidentFile
	err := s.read(ctx, op, func(tx *Tx) error {
		list, err := tx.incidents(ctx, which, args)
		if err != nil {
			return err
		}
		files = make([]desk.IncidentFile, len(list))
		at := make(map[desk.IncidentID]*desk.IncidentFile, len(list))
		ids := make([]int64, len(list))
		for n, i := range list {
			files[n].Incident, at[i.ID], ids[n] = i, &files[n], int64(i.ID)
		}
		if len(list) == 0 {
			return nil
		}
		items, err := tx.items(ctx, `SELECT `+itemColumns+` FROM (SELECT * FROM event WHERE id IN
			(SELECT event_id FROM incident_event WHERE incident_id = ANY(@ids))) e`+itemJoins+` ORDER BY e.occurred_at, e.id`, pgx.NamedArgs{"ids": ids})
		if err != nil {
			return err
		}
		for _, item := range items {
			f := at[item.IncidentID]
			f.Events = append(f.Events, item)
		}
		return tx.addDispatches(ctx, ids, at)
	})
	return files, err
}

func (tx *Tx) addDispatches(ctx context.Context, ids []int64, at map[desk.IncidentID]*desk.IncidentFile) error {
	rows, err := tx.Query(ctx, `SELECT id FROM dispatch WHERE incident_id = ANY(@ids) ORDER BY id`, pgx.NamedArgs{"ids": ids})
	if err != nil {
		return err
	}
	dispatches, err := pgx.CollectRows(rows, pgx.RowTo[desk.DispatchID])
	if err != nil || len(dispatches) == 0 {
		return err
	}
	progress, err := tx.progress(ctx, dispatches)
	if err != nil {
		return err
	}
	slices.SortFunc(progress, func(a, b desk.DispatchProgress) int { return int(a.Dispatch.ID - b.Dispatch.ID) })
	for _, p := range progress {
		f := at[p.Dispatch.IncidentID]
		f.Dispatches = append(f.Dispatches, p)
	}
	return nil
}
