package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// The people of a bulletin, in SQL. A thread runs from its first bulletin, or from the one after it last ended, to now.
const (
	// run are the earlier bulletins of the same run of a thread, with the mailing that carried each to a person.
	runOfThread = `
		run AS (
			SELECT b.id FROM bulletin b
			WHERE b.kind = @kind AND b.thread = @thread AND b.number < @number AND b.number > (
				SELECT coalesce(max(e.number), 0) FROM bulletin e
				WHERE e.kind = @kind AND e.thread = @thread AND e.number < @number AND e.step IN ('withdrawn', 'lifted'))
		), heard AS (
			SELECT r.person_id, bool_or(r.due_at IS NULL OR r.carried_by IS NOT NULL) AS told
			FROM bulletin_recipient r JOIN run ON run.id = r.bulletin_id JOIN bulletin c ON c.id = coalesce(r.carried_by, r.bulletin_id)
			WHERE NOT r.dropped AND (c.state <> 'stopped' OR EXISTS ( -- of a stopped one, those whose mail had left already
				SELECT FROM mail m JOIN attempt a ON a.mail_id = m.id AND a.outcome = 1 WHERE m.dispatch_id = c.id AND m.person_id = r.person_id))
			GROUP BY r.person_id
		)`

	// concerned are the designated people by kind, area and grade. Who named no grade of his own takes that of the rule, in his own
	// prefectures too: a mail about 震度6弱 elsewhere does not concern those who felt 震度3.
	concernedPeople = `
		rule AS (
			SELECT least(CASE WHEN @by_intensity::boolean THEN from_intensity::int ELSE from_level::int END, @grade::int) AS lowest
			FROM bulletin_rule WHERE kind = @kind ORDER BY version DESC LIMIT 1
		), concerned AS (
			SELECT s.person_id, s.cadence, s.prefectures
			FROM subscription s, LATERAL (SELECT coalesce(
				nullif(CASE WHEN @by_intensity::boolean THEN s.from_intensity::int ELSE s.from_level::int END, 0), (SELECT lowest FROM rule), 0) AS lowest) f
			WHERE s.kind = @kind AND s.ended_at IS NULL AND f.lowest <= @grade::int
			  AND (cardinality(s.prefectures) = 0 OR cardinality(@prefectures::smallint[]) = 0 OR EXISTS (
				SELECT FROM unnest(@prefectures::smallint[], @grades::int[]) AS a (prefecture, grade)
				WHERE a.prefecture = ANY(s.prefectures) AND a.grade >= f.lowest))
		)`

	// nextDigest is when a person who reads digests hears of it: with what waits already, or in so many minutes.
	nextDigest = `
		CASE WHEN p.cadence = 'digest' THEN coalesce(
			(SELECT min(w.due_at) FROM bulletin_recipient w
			 WHERE w.person_id = p.person_id AND w.due_at IS NOT NULL AND w.carried_by IS NULL AND NOT w.dropped),
			@now::timestamptz + coalesce((SELECT make_interval(secs => digest_every_s) FROM bulletin_rule
				WHERE kind = @kind ORDER BY version DESC LIMIT 1), interval '10 minutes')) END`

	// tellConcerned: news go to the people concerned: to all when everybody is to know, else to those who asked for every issue,
	// who hear of it for the first time, or in whose prefectures it grew. Who was told before is told again when the grade changed,
	// also where it no longer concerns him.
	tellConcerned = `WITH ` + runOfThread + `, ` + concernedPeople + `, people AS (
			SELECT c.person_id, c.cadence FROM concerned c LEFT JOIN heard h USING (person_id)
			WHERE @everybody::boolean OR c.cadence = 'every' OR h.person_id IS NULL
			   OR cardinality(@grown::smallint[]) > 0 AND (cardinality(c.prefectures) = 0 OR c.prefectures && @grown::smallint[])
			UNION ALL
			SELECT h.person_id, 'changes' FROM heard h
			WHERE @everybody::boolean AND h.told AND NOT EXISTS (SELECT FROM concerned c WHERE c.person_id = h.person_id)
		), written AS (
			INSERT INTO bulletin_recipient (bulletin_id, person_id, due_at)
			SELECT @id, p.person_id, ` + nextDigest + ` FROM people p RETURNING due_at
		)
		SELECT count(*) FILTER (WHERE due_at IS NULL), count(due_at) FROM written`

	// tellWithdrawn: exactly those who got what is withdrawn, whoever is designated by now.
	tellWithdrawn = `WITH ` + runOfThread + `, written AS (
			INSERT INTO bulletin_recipient (bulletin_id, person_id, due_at)
			SELECT @id, h.person_id, NULL FROM heard h WHERE h.told RETURNING due_at
		)
		SELECT count(*) FILTER (WHERE due_at IS NULL), count(due_at) FROM written`

	// tellLifted: those who got it, or who wait for the digest in which it stands.
	tellLifted = `WITH ` + runOfThread + `, people AS (
			SELECT h.person_id, coalesce(s.cadence, 'changes') AS cadence
			FROM heard h LEFT JOIN subscription s ON s.person_id = h.person_id AND s.kind = @kind AND s.ended_at IS NULL
		), written AS (
			INSERT INTO bulletin_recipient (bulletin_id, person_id, due_at)
			SELECT @id, p.person_id, ` + nextDigest + ` FROM people p RETURNING due_at
		)
		SELECT count(*) FILTER (WHERE due_at IS NULL), count(due_at) FROM written`
)

// address writes who is told: direct at once, later by their next digest.
func (tx *Tx) address(ctx context.Context, b *desk.Bulletin) (direct, later int, err error) {
	args := pgx.NamedArgs{"id": b.ID, "kind": string(b.Kind), "thread": storable(b.Thread), "number": b.Number, "now": tx.Now}
	switch b.Step {
	case desk.BulletinWithdrawn:
		err = tx.QueryRow(ctx, tellWithdrawn, args).Scan(&direct, &later)
	case desk.BulletinLifted:
		err = tx.QueryRow(ctx, tellLifted, args).Scan(&direct, &later)
	default:
		prefectures, grades := reach(b)
		args["by_intensity"], args["grade"], args["prefectures"], args["grades"] = b.Kind.ByIntensity(), b.Grade(), prefectures, grades
		args["everybody"], args["grown"] = b.Change.Everybody, prefectureNumbers(b.Change.Grown)
		err = tx.QueryRow(ctx, tellConcerned, args).Scan(&direct, &later)
	}
	return direct, later, err
}

// reach is the highest grade in each prefecture the bulletin concerns; none = the whole country.
func reach(b *desk.Bulletin) (prefectures []int16, grades []int32) {
	most := map[desk.Prefecture]int{}
	for _, p := range b.Prefectures {
		most[p] = 0
	}
	for _, a := range b.Facts.Areas {
		for _, p := range a.Prefecture {
			most[p] = max(most[p], a.Grade)
		}
	}
	for p, grade := range most {
		if grade == 0 { // named without a grade of its own
			grade = b.Grade()
		}
		prefectures, grades = append(prefectures, int16(p)), append(grades, int32(grade))
	}
	return prefectures, grades
}

// dropPending takes what was withdrawn out of the digests in which it waits: those people never heard of it.
func (tx *Tx) dropPending(ctx context.Context, b *desk.Bulletin) error {
	_, err := tx.Exec(ctx, `
		UPDATE bulletin_recipient r SET dropped = true
		FROM bulletin b
		WHERE b.id = r.bulletin_id AND b.kind = @kind AND b.thread = @thread AND b.number < @number
		  AND r.due_at IS NOT NULL AND r.carried_by IS NULL AND NOT r.dropped`,
		pgx.NamedArgs{"kind": string(b.Kind), "thread": storable(b.Thread), "number": b.Number})
	return err
}
