package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// settling is how long after an end or an answer a dispatch is counted again: a transaction that began before the count may
// commit after it, and every writer gives up long before this.
const settling = 30 * time.Second

// ungrouped is the line of people who belong to no unit.
const ungrouped = "所属なし"

// countSQL puts every recipient in exactly one class and counts the classes in one snapshot. An answer wins over everything;
// then comes undeliverable (no address, or every address refused and none accepted); then withdrawn (a stop row, and no
// address accepted); what is left is unanswered. // F3-1-j
//
// Refusals are few and have an index of their own. Accepted mails are many and are read after a stop alone.
const countSQL = `
WITH refused AS MATERIALIZED ( -- each is looked up by its key. The least outcome of a mail tells whether it was ever accepted
	SELECT person_id, count(*) AS mails FROM (
		SELECT (SELECT m.person_id FROM mail m WHERE m.dispatch_id = @id AND m.lane = a.lane AND m.id = a.mail_id) AS person_id,
			(SELECT min(o.outcome) FROM attempt o WHERE o.mail_id = a.mail_id) AS best
		FROM (SELECT DISTINCT mail_id, lane FROM attempt WHERE dispatch_id = @id AND outcome = 3) a) r
	WHERE best > 1 GROUP BY person_id
), reached AS MATERIALIZED (
	SELECT DISTINCT m.person_id FROM mail m JOIN attempt a ON a.mail_id = m.id AND a.outcome = 1
	WHERE m.dispatch_id = @id AND (SELECT EXISTS (SELECT FROM stop WHERE dispatch_id = @id))
), person AS ( -- refused and reached are asked about those alone who have not answered
	SELECT r.prefecture::smallint AS prefecture, r.top_group, s.safety, s.attendance,
		CASE WHEN s.person_id IS NOT NULL THEN 1
			WHEN r.mails = 0 OR (r.person_id, r.mails::bigint) IN (SELECT person_id, mails FROM refused) THEN 3
			WHEN (SELECT EXISTS (SELECT FROM stop WHERE dispatch_id = @id)) AND r.person_id NOT IN (SELECT person_id FROM reached) THEN 4
			ELSE 2 END AS class,
		s.received_at, s.received_at > (SELECT i.closed_at FROM dispatch d JOIN incident i ON i.id = d.incident_id WHERE d.id = @id) AS late, s.answers > 1 AS changed
	FROM recipient r
	LEFT JOIN (SELECT * FROM standing WHERE dispatch_id = @id) s ON s.person_id = r.person_id
	WHERE r.dispatch_id = @id
)
SELECT prefecture, top_group, class, safety, attendance, count(*)::int AS people,
	count(*) FILTER (WHERE late)::int AS late, count(*) FILTER (WHERE changed)::int AS changed,
	min(received_at) AS first_at, max(received_at) AS last_at
FROM person GROUP BY prefecture, top_group, class, safety, attendance`

// cell is one group of countSQL.
type cell struct {
	Prefecture         desk.Prefecture
	TopGroup           *int64
	Class              int32
	Safety, Attendance *string
	People             int
	Late, Changed      int
	FirstAt, LastAt    *time.Time
}

const (
	classAnswered      = 1
	classUnanswered    = 2
	classUndeliverable = 3
	classWithdrawn     = 4
)

// CountTally counts a dispatch: one statement, so one instant, whatever is written meanwhile. FirstAnswer and LastAnswer are
// the earliest and latest among the answers that count (each person's latest). A dispatch without recipients gives zeros;
// one that does not exist is NotFound.
func (s *Store) CountTally(ctx context.Context, id desk.DispatchID) (desk.Tally, error) {
	const op = "store.CountTally"
	t := desk.Tally{DispatchID: id, Safety: map[desk.Safety]int{}, Attendance: map[desk.Attendance]int{}}
	err := s.read(ctx, op, func(tx *Tx) error {
		t.AsOf = tx.Now
		// Fresh tables have no statistics, and the planner then believes in a handful of rows: looking up 11,500 people one by
		// one, and sorting them, costs several times as much as hashing them. What must loop all the same then looks expensive enough to be
		// compiled, which takes half a second: no JIT.
		if _, err := tx.Exec(ctx, `SELECT set_config('enable_nestloop', 'off', true), set_config('enable_sort', 'off', true), set_config('jit', 'off', true)`); err != nil {
			return err
		}
		groups, err := tx.topGroups(ctx, id)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, countSQL, pgx.NamedArgs{"id": int64(id)})
		if err != nil {
			return err
		}
		byPrefecture, byGroup := breakdown{}, breakdown{}
		var c cell
		_, err = pgx.ForEachRow(rows, []any{
			&c.Prefecture, &c.TopGroup, &c.Class, &c.Safety, &c.Attendance, &c.People, &c.Late, &c.Changed, &c.FirstAt, &c.LastAt,
		}, func() error {
			addTotals(&t, &c)
			c.addTo(byPrefecture.line(int64(c.Prefecture), c.Prefecture.Name()))
			key, name := int64(1<<62), ungrouped // sorted last
			if c.TopGroup != nil {
				key, name = *c.TopGroup, groups[*c.TopGroup]
			}
			c.addTo(byGroup.line(key, name))
			return nil
		})
		t.ByPrefecture, t.ByGroup = byPrefecture.sorted(), byGroup.sorted()
		return err
	})
	return t, err
}

// topGroups gives the names of the first level of the tree, and NotFound when the dispatch does not exist.
func (tx *Tx) topGroups(ctx context.Context, id desk.DispatchID) (map[int64]string, error) {
	rows, err := tx.Query(ctx, `
		SELECT g.id, g.name FROM dispatch d LEFT JOIN groups g ON g.level = 1 WHERE d.id = @id`, pgx.NamedArgs{"id": int64(id)})
	if err != nil {
		return nil, err
	}
	names := map[int64]string{}
	var group *int64
	var name *string
	tag, err := pgx.ForEachRow(rows, []any{&group, &name}, func() error {
		if group != nil {
			names[*group] = *name
		}
		return nil
	})
	if err == nil && tag.RowsAffected() == 0 {
		err = pgx.ErrNoRows
	}
	return names, err
}

func (c *cell) addTo(l *desk.TallyLine) {
	l.Sent += c.People
	switch c.Class {
	case classAnswered:
		l.Answered += c.People
		if desk.Safety(*c.Safety) != desk.SafetyWell {
			l.NeedHelp += c.People
		}
	case classUnanswered:
		l.Unanswered += c.People
	case classUndeliverable:
		l.Undeliverable += c.People
	case classWithdrawn:
		l.Withdrawn += c.People
	}
}

func addTotals(t *desk.Tally, c *cell) {
	var l desk.TallyLine
	c.addTo(&l)
	t.Sent += l.Sent
	t.Answered += l.Answered
	t.Unanswered += l.Unanswered
	t.Undeliverable += l.Undeliverable
	t.Withdrawn += l.Withdrawn
	if c.Class != classAnswered {
		return
	}
	t.Safety[desk.Safety(*c.Safety)] += c.People
	t.Attendance[desk.Attendance(*c.Attendance)] += c.People
	t.Late += c.Late
	t.Changed += c.Changed
	if first := c.FirstAt.UTC(); t.FirstAnswer.IsZero() || first.Before(t.FirstAnswer) {
		t.FirstAnswer = first
	}
	if last := c.LastAt.UTC(); last.After(t.LastAnswer) {
		t.LastAnswer = last
	}
}

// breakdown collects the lines of one breakdown under their sorting key.
type breakdown map[int64]*desk.TallyLine

func (b breakdown) line(key int64, name string) *desk.TallyLine {
	if b[key] == nil {
		b[key] = &desk.TallyLine{Name: name}
	}
	return b[key]
}

func (b breakdown) sorted() []desk.TallyLine {
	lines := make([]desk.TallyLine, 0, len(b))
	for _, key := range slices.Sorted(maps.Keys(b)) {
		lines = append(lines, *b[key])
	}
	return lines
}

// PublishTally makes a count the one that screens show, and wakes them. The newest as-of wins, so several engines may publish:
// an older count changes nothing and wakes nobody. A count that does not add up is refused as Internal. NOTIFY tally.
func (s *Store) PublishTally(ctx context.Context, t desk.Tally) error {
	const op = "store.PublishTally"
	if err := t.Check(); err != nil {
		return desk.Wrap(desk.Internal, op, err)
	}
	return s.write(ctx, op, func(tx *Tx) error {
		tag, err := tx.Exec(ctx, `
			INSERT INTO tally (dispatch_id, at, content) VALUES (@id, @at, @content)
			ON CONFLICT (dispatch_id) DO UPDATE SET at = excluded.at, content = excluded.content WHERE tally.at < excluded.at`,
			pgx.NamedArgs{"id": int64(t.DispatchID), "at": t.AsOf, "content": t})
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return tx.notify(ctx, desk.TopicTally, int64(t.DispatchID))
	})
}

// Tally is the last published count of a dispatch; NotFound until one was published.
func (s *Store) Tally(ctx context.Context, id desk.DispatchID) (desk.Tally, error) {
	const op = "store.Tally"
	var t desk.Tally
	err := s.read(ctx, op, func(tx *Tx) error {
		return tx.QueryRow(ctx, `SELECT content FROM tally WHERE dispatch_id = @id`, pgx.NamedArgs{"id": int64(id)}).Scan(&t)
	})
	return t, err
}

// TalliedDispatches lists what is worth counting again, newest first: dispatches that have recipients and are not ended, or
// that ended or got answers since shortly before their last published tally.
func (s *Store) TalliedDispatches(ctx context.Context) ([]desk.DispatchID, error) {
	const op = "store.TalliedDispatches"
	var ids []desk.DispatchID
	err := s.read(ctx, op, func(tx *Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT d.id FROM dispatch d
			LEFT JOIN tally t ON t.dispatch_id = d.id
			CROSS JOIN LATERAL (SELECT max(stored_at) AS at FROM response WHERE dispatch_id = d.id) a
			WHERE d.state IN ('approved', 'expanded', 'sending')
				OR d.state IN ('sent', 'stopped') AND (t.at IS NULL OR t.at < d.ended_at + @settling::interval OR t.at < a.at + @settling::interval)
			ORDER BY d.id DESC`, pgx.NamedArgs{"settling": settling})
		if err != nil {
			return err
		}
		ids, err = pgx.CollectRows(rows, pgx.RowTo[desk.DispatchID])
		return err
	})
	return ids, err
}
