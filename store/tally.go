package store

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
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
	NeedHelp           bool
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

// answeredSQL counts what is in the lines of standing alone; prefecture is null where the fan-out did not know the person. What
// needs no grouping is asked apart: carried through every group it would double the time.
const (
	answeredSQL = `
SELECT coalesce(prefecture, 0::smallint), coalesce(top_group, 0), safety, attendance, count(*)::int AS people
FROM standing WHERE dispatch_id = @id GROUP BY prefecture, top_group, safety, attendance`

	answeredTimesSQL = `
SELECT count(*) FILTER (WHERE answers > 1)::int AS changed, min(received_at) AS first_at, max(received_at) AS last_at,
	CASE WHEN @closed::timestamptz IS NULL THEN 0 ELSE count(*) FILTER (WHERE received_at > @closed::timestamptz) END::int AS late
FROM standing WHERE dispatch_id = @id`
)

// silentSQL counts who cannot be reached and has not answered. They are few and found by indexes of their own.
const silentSQL = `
WITH refused AS MATERIALIZED (
	SELECT person_id, count(*) AS mails FROM (
		SELECT (SELECT m.person_id FROM mail m WHERE m.dispatch_id = @id AND m.lane = a.lane AND m.id = a.mail_id) AS person_id,
			(SELECT min(o.outcome) FROM attempt o WHERE o.mail_id = a.mail_id) AS best
		FROM (SELECT DISTINCT mail_id, lane FROM attempt WHERE dispatch_id = @id AND outcome = 3) a) r
	WHERE best > 1 GROUP BY person_id
), unreached AS MATERIALIZED (
	SELECT person_id FROM recipient WHERE dispatch_id = @id AND mails = 0
	UNION ALL
	SELECT f.person_id FROM refused f
	WHERE f.mails = (SELECT r.mails FROM recipient r WHERE r.dispatch_id = @id AND r.person_id = f.person_id)
)
SELECT r.prefecture::smallint AS prefecture, r.top_group, count(*)::int AS people
FROM unreached u JOIN recipient r ON r.dispatch_id = @id AND r.person_id = u.person_id
WHERE NOT EXISTS (SELECT FROM standing s WHERE s.dispatch_id = @id AND s.person_id = u.person_id)
GROUP BY r.prefecture, r.top_group`

// CountTally counts a dispatch in one snapshot, so as of one instant, whatever is written meanwhile. FirstAnswer and
// LastAnswer are the earliest and latest among the answers that count (each person's latest). A dispatch without recipients
// gives zeros; one that does not exist is NotFound.
//
// While people are being written, after a stop, and when an answer came from somebody the fan-out did not know, everybody is
// counted (countSQL). Otherwise who was sent to does not change any more and is counted once; then only the answers and the
// few who cannot be reached are counted, and the rest is unanswered. Both ways give the same; a property test compares them.
func (s *Store) CountTally(ctx context.Context, id desk.DispatchID) (desk.Tally, error) {
	const op = "store.CountTally"
	var t desk.Tally
	err := s.read(ctx, op, func(tx *Tx) error {
		c := counting{tx: tx, id: id, t: desk.Tally{DispatchID: id, AsOf: tx.Now, Safety: map[desk.Safety]int{}, Attendance: map[desk.Attendance]int{}}}
		err := c.open(ctx)
		if err != nil {
			return err
		}
		quick := false
		if c.settled {
			quick, err = c.quick(ctx, &s.sent)
		}
		if err == nil && !quick {
			err = c.everybody(ctx)
		}
		t = c.t
		t.ByPrefecture, t.ByGroup = c.byPrefecture.sorted(), c.byGroup.sorted()
		return err
	})
	return t, err
}

// counting is one count under way.
type counting struct {
	tx                    *Tx
	id                    desk.DispatchID
	t                     desk.Tally
	groups                map[int64]string
	closed, expanded      *time.Time
	settled               bool // expanded and not stopped
	byPrefecture, byGroup breakdown
}

// open reads what the count depends on; NotFound when the dispatch does not exist.
func (c *counting) open(ctx context.Context) (err error) {
	c.groups, c.byPrefecture, c.byGroup = map[int64]string{}, breakdown{}, breakdown{}
	args := pgx.NamedArgs{"id": int64(c.id)}
	questions := &pgx.Batch{}
	// Fresh tables have no statistics, and the planner then believes in a handful of rows: looking up 11,500 people one by
	// one, and sorting them, costs several times as much as hashing them.
	questions.Queue(`
		SELECT i.closed_at, d.expanded_at, d.expanded_at IS NOT NULL AND NOT EXISTS (SELECT FROM stop s WHERE s.dispatch_id = d.id),
			set_config('enable_sort', 'off', true)
		FROM dispatch d JOIN incident i ON i.id = d.incident_id WHERE d.id = @id`, args)
	questions.Queue(`SELECT id, name FROM groups WHERE level = 1`)
	answers := c.tx.SendBatch(ctx, questions)
	defer func() { err = errors.Join(err, answers.Close()) }()
	if err = answers.QueryRow().Scan(&c.closed, &c.expanded, &c.settled, nil); err != nil {
		return err
	}
	rows, err := answers.Query()
	if err != nil {
		return err
	}
	var group int64
	var name string
	_, err = pgx.ForEachRow(rows, []any{&group, &name}, func() error {
		c.groups[group] = name
		return nil
	})
	return err
}

// everybody puts every recipient in a class.
func (c *counting) everybody(ctx context.Context) error {
	if _, err := c.tx.Exec(ctx, `SELECT set_config('enable_nestloop', 'off', true)`); err != nil {
		return err
	}
	rows, err := c.tx.Query(ctx, countSQL, pgx.NamedArgs{"id": int64(c.id)})
	if err != nil {
		return err
	}
	var x cell
	_, err = pgx.ForEachRow(rows, []any{
		&x.Prefecture, &x.TopGroup, &x.Class, &x.Safety, &x.Attendance, &x.People, &x.Late, &x.Changed, &x.FirstAt, &x.LastAt,
	}, func() error {
		if x.Class == classAnswered {
			x.NeedHelp = desk.Safety(*x.Safety) != desk.SafetyWell
			addAnswers(&c.t, &x)
		}
		c.add(&x)
		return nil
	})
	return err
}

func (c *counting) add(x *cell) {
	addTotals(&c.t, x)
	x.addTo(c.byPrefecture.line(int64(x.Prefecture), x.Prefecture.Name()))
	key, name := int64(1<<62), ungrouped // sorted last
	if x.TopGroup != nil {
		key, name = *x.TopGroup, c.groups[*x.TopGroup]
	}
	x.addTo(c.byGroup.line(key, name))
}

// quick counts the answers and the unreachable, and takes them from who was sent to. False, with nothing counted, when an
// answer came from somebody the fan-out did not know.
func (c *counting) quick(ctx context.Context, known *sentCounts) (bool, error) {
	args := pgx.NamedArgs{"id": int64(c.id), "closed": c.closed}
	questions := &pgx.Batch{} // in one go: a way to the server and back costs as much as the smallest of them
	questions.Queue(answeredSQL, args)
	questions.Queue(answeredTimesSQL, args)
	questions.Queue(silentSQL, args)
	answers := c.tx.SendBatch(ctx, questions)
	cells, all, err := c.readQuick(answers)
	if err = errors.Join(err, answers.Close()); err != nil || !all {
		return false, err
	}
	sent, err := known.of(ctx, c)
	if err != nil {
		return false, err
	}
	for i := range cells {
		c.add(&cells[i])
		sent[cells[i].place()] -= cells[i].People
	}
	for at, people := range sent {
		if people != 0 { // below zero the sum would not add up, and is not published (Tally.Check)
			x := cell{Prefecture: at.prefecture, Class: classUnanswered, People: people}
			if at.group != 0 {
				x.TopGroup = &at.group
			}
			c.add(&x)
		}
	}
	return true, nil
}

// readQuick reads what quick asked: a cell for each group of people, and whether the fan-out knew everybody who answered.
func (c *counting) readQuick(from pgx.BatchResults) (cells []cell, all bool, err error) {
	rows, err := from.Query()
	if err != nil {
		return nil, false, err
	}
	// Plain types and no pointers: there are thousands of small groups, and they are read once a second.
	var prefecture int16
	var group int64
	var safety, attendance string
	var people int32
	groups := map[int64]*int64{0: nil}
	all = true
	_, err = pgx.ForEachRow(rows, []any{&prefecture, &group, &safety, &attendance, &people}, func() error {
		if all = all && prefecture != 0; !all {
			return nil
		}
		top, known := groups[group]
		if !known {
			id := group
			top, groups[group] = &id, &id
		}
		cells = append(cells, cell{
			Prefecture: desk.Prefecture(prefecture), TopGroup: top, Class: classAnswered, NeedHelp: safety != string(desk.SafetyWell), People: int(people),
		})
		c.t.Safety[desk.Safety(safety)] += int(people)
		c.t.Attendance[desk.Attendance(attendance)] += int(people)
		return nil
	})
	if err != nil || !all {
		clear(c.t.Safety)
		clear(c.t.Attendance)
		return nil, false, err
	}
	var x cell
	if err := from.QueryRow().Scan(&x.Changed, &x.FirstAt, &x.LastAt, &x.Late); err != nil {
		return nil, false, err
	}
	addTimes(&c.t, &x)
	if rows, err = from.Query(); err != nil {
		return nil, false, err
	}
	x = cell{Class: classUndeliverable}
	_, err = pgx.ForEachRow(rows, []any{&x.Prefecture, &x.TopGroup, &x.People}, func() error {
		cells = append(cells, x)
		return nil
	})
	return cells, true, err
}

// place is where a person is tallied; group 0 is none.
type place struct {
	prefecture desk.Prefecture
	group      int64
}

func (c *cell) place() place {
	at := place{prefecture: c.Prefecture}
	if c.TopGroup != nil {
		at.group = *c.TopGroup
	}
	return at
}

// sentCounts remembers who was sent to, of dispatches whose fan-out is complete: recipients are never changed after that. A
// fan-out that was lost in a failover and done again has another time.
type sentCounts struct {
	mu    sync.Mutex
	known map[desk.DispatchID]sentCount
}

type sentCount struct {
	expanded time.Time
	people   map[place]int
}

// sentKept bounds the memory; more dispatches are not counted at once.
const sentKept = 64

// of gives a copy to take from.
func (k *sentCounts) of(ctx context.Context, c *counting) (map[place]int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if got := k.known[c.id]; got.people != nil && got.expanded.Equal(*c.expanded) {
		return maps.Clone(got.people), nil
	}
	rows, err := c.tx.Query(ctx, `SELECT prefecture::smallint, coalesce(top_group, 0), count(*) FROM recipient WHERE dispatch_id = @id GROUP BY 1, 2`,
		pgx.NamedArgs{"id": int64(c.id)})
	if err != nil {
		return nil, err
	}
	people := map[place]int{}
	var at place
	var n int
	_, err = pgx.ForEachRow(rows, []any{&at.prefecture, &at.group, &n}, func() error {
		people[at] = n
		return nil
	})
	if err != nil {
		return nil, err
	}
	if k.known == nil || len(k.known) >= sentKept {
		k.known = map[desk.DispatchID]sentCount{}
	}
	k.known[c.id] = sentCount{expanded: *c.expanded, people: people}
	return maps.Clone(people), nil
}

func (c *cell) addTo(l *desk.TallyLine) {
	l.Sent += c.People
	switch c.Class {
	case classAnswered:
		l.Answered += c.People
		if c.NeedHelp {
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
}

// addAnswers adds what was answered, and when.
func addAnswers(t *desk.Tally, c *cell) {
	t.Safety[desk.Safety(*c.Safety)] += c.People
	t.Attendance[desk.Attendance(*c.Attendance)] += c.People
	addTimes(t, c)
}

func addTimes(t *desk.Tally, c *cell) {
	if c.FirstAt == nil {
		return // nobody has answered
	}
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
