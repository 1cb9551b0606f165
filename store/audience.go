package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// audience is whom a dispatch asks: people with a region among the prefectures, each once. Whoever was asked before in this
// incident through any of his regions is left out, unless a region of his was raised: shaken harder than he was asked about. // F3-1-k.4
type audience struct{ prefectures, raised, asked []int16 }

// audiencePeople gives the person_id of the audience, each once. Its arguments are those of audience.args.
const audiencePeople = `
	SELECT DISTINCT r.person_id FROM person_region r
	WHERE r.prefecture = ANY(@prefectures::smallint[])
	  AND (cardinality(@asked::smallint[]) = 0 OR r.prefecture = ANY(@raised::smallint[]) OR NOT EXISTS (
	    SELECT FROM person_region o WHERE o.person_id = r.person_id AND o.prefecture = ANY(@asked::smallint[])))`

func (a audience) args() pgx.NamedArgs {
	return pgx.NamedArgs{"prefectures": a.prefectures, "raised": a.raised, "asked": a.asked}
}

// audienceOf is the audience of these prefectures in an incident, after the approved dispatches so far.
func (tx *Tx) audienceOf(ctx context.Context, incident desk.IncidentID, triggered []desk.TriggeredBy) (a audience, err error) {
	a.prefectures, a.raised = make([]int16, 0, len(triggered)), []int16{}
	for _, t := range triggered {
		a.prefectures = append(a.prefectures, int16(t.Prefecture)) // []desk.Prefecture would be taken for bytes
		if t.Reason == desk.ReasonRaised {
			a.raised = append(a.raised, int16(t.Prefecture))
		}
	}
	a.asked, err = tx.askedBefore(ctx, incident, 1<<62)
	return a, err
}

// fallen gives the time from which a dispatch o no longer asks anybody: it was stopped, withdrawn or expired. NULL while it stands.
const fallen = `least((SELECT s.at FROM stop s WHERE s.dispatch_id = o.id), CASE WHEN o.state IN ('stopped', 'withdrawn', 'expired') THEN o.ended_at END)`

// untrusted tells whether a dispatch d, approved by a, left people out because another one asked them that has fallen since and
// before @seen. Its prefectures then do not tell who was asked, so it counts as having asked nobody: a duplicate rather than a
// miss (law 5).
const untrusted = `EXISTS (
	SELECT FROM dispatch o JOIN approval oa ON oa.dispatch_id = o.id
	WHERE o.incident_id = d.incident_id AND oa.id < a.id AND ` + fallen + ` > a.at AND ` + fallen + ` <= @seen)`

// askedBefore lists the prefectures that the dispatches of an incident approved before this approval ask, or have asked, as they
// stood when it was given: whoever approved saw the head-count without those people, so a stop of the other dispatch after that
// must not add them to his (law 2). One that had been stopped by then counts as not asked (law 5).
func (tx *Tx) askedBefore(ctx context.Context, incident desk.IncidentID, approval desk.ApprovalID) ([]int16, error) {
	seen, err := tx.approvedAt(ctx, approval)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, `
		SELECT DISTINCT p.prefecture::smallint FROM dispatch d
		JOIN approval a ON a.dispatch_id = d.id JOIN dispatch_prefecture p ON p.dispatch_id = d.id
		WHERE d.incident_id = @incident AND a.id < @approval
		  AND (d.state IN ('approved', 'expanded', 'sending', 'sent') OR d.ended_at > @seen)
		  AND NOT EXISTS (SELECT FROM stop s WHERE s.dispatch_id = d.id AND s.at <= @seen) AND NOT `+untrusted,
		pgx.NamedArgs{"incident": incident, "approval": approval, "seen": seen})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int16])
}

// approvedAt is when an approval was given, and now where there is none yet.
func (tx *Tx) approvedAt(ctx context.Context, approval desk.ApprovalID) (time.Time, error) {
	at := tx.Now
	err := tx.QueryRow(ctx, `SELECT at FROM approval WHERE id = @id`, pgx.NamedArgs{"id": approval}).Scan(&at)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return at, err
}

// PreviewAudience counts who would be asked in an incident (0 = a new one) as of one instant. A usable address is one that is
// not bad. No prefecture at all is an empty audience. // F3-1-f F3-1-g
func (s *Store) PreviewAudience(ctx context.Context, incident desk.IncidentID, triggered []desk.TriggeredBy) (desk.AudiencePreview, error) {
	const op = "store.PreviewAudience"
	var preview desk.AudiencePreview
	if err := checkTriggered(op, triggered); err != nil {
		return preview, err
	}
	err := s.read(ctx, op, func(tx *Tx) error {
		a, err := tx.audienceOf(ctx, incident, triggered)
		if err != nil {
			return err
		}
		preview, err = tx.previewOf(ctx, a, triggered)
		return err
	})
	return preview, err
}

func checkTriggered(op string, triggered []desk.TriggeredBy) error {
	seen := map[desk.Prefecture]bool{}
	for _, t := range triggered {
		switch t.Reason {
		case desk.ReasonIntensity, desk.ReasonNationwide, desk.ReasonRaised, desk.ReasonMissile:
		default:
			return desk.Errorf(desk.Invalid, op, "%sを対象にする理由がありません。画面を読み直してください。", t.Prefecture.Name())
		}
		if !t.Prefecture.Valid() || t.Intensity > desk.Intensity7 || seen[t.Prefecture] {
			return desk.Errorf(desk.Invalid, op, "対象の都道府県が正しくないか、重なっています。画面を読み直してください。")
		}
		seen[t.Prefecture] = true
	}
	return nil
}

func (tx *Tx) previewOf(ctx context.Context, a audience, triggered []desk.TriggeredBy) (desk.AudiencePreview, error) {
	preview, err := tx.headCount(ctx, a)
	if err != nil {
		return preview, err
	}
	err = tx.QueryRow(ctx, `SELECT count(*) FROM person p WHERE NOT EXISTS (SELECT FROM person_region r WHERE r.person_id = p.id)`).Scan(&preview.Uncovered)
	if err != nil {
		return preview, err
	}
	if preview.ByPrefecture, err = tx.byPrefecture(ctx, a, triggered); err != nil || preview.Unreached == 0 {
		return preview, err
	}
	rows, err := tx.Query(ctx, `
		SELECT p.id, p.code, p.name, coalesce(g.name, '') AS unit
		FROM (`+audiencePeople+`) concerned
		JOIN person p ON p.id = concerned.person_id
		LEFT JOIN person_group pg ON pg.person_id = p.id AND pg.main
		LEFT JOIN groups g ON g.id = pg.group_id
		WHERE NOT EXISTS (SELECT FROM address a WHERE a.person_id = p.id AND a.state <> 'bad')
		ORDER BY p.code LIMIT 50`, a.args())
	if err != nil {
		return preview, err
	}
	preview.UnreachedList, err = pgx.CollectRows(rows, pgx.RowToStructByName[desk.PersonLine])
	return preview, err
}

// headCount gives People, Addresses and Unreached: the same count the approval is checked against.
func (tx *Tx) headCount(ctx context.Context, a audience) (preview desk.AudiencePreview, err error) {
	err = tx.QueryRow(ctx, `
		WITH concerned AS (`+audiencePeople+`),
		usable AS (SELECT person_id, count(*) AS n FROM address WHERE state <> 'bad' GROUP BY person_id)
		SELECT count(*), coalesce(sum(u.n), 0), count(*) FILTER (WHERE u.n IS NULL)
		FROM concerned LEFT JOIN usable u USING (person_id)`,
		a.args()).Scan(&preview.People, &preview.Addresses, &preview.Unreached)
	return preview, err
}

// countPeople is the People of headCount alone: between the key and the first mail nothing else is worth waiting for.
func (tx *Tx) countPeople(ctx context.Context, a audience) (people int, err error) {
	err = tx.QueryRow(ctx, `SELECT count(*) FROM (`+audiencePeople+`) concerned`, a.args()).Scan(&people)
	return people, err
}

// byPrefecture counts per triggered prefecture, the strongest first; one without any people is listed with 0.
func (tx *Tx) byPrefecture(ctx context.Context, a audience, triggered []desk.TriggeredBy) ([]desk.PrefectureCount, error) {
	lines := make([]desk.PrefectureCount, 0, len(triggered))
	for _, t := range triggered {
		lines = append(lines, desk.PrefectureCount{Prefecture: t.Prefecture, Intensity: t.Intensity, Reason: t.Reason})
	}
	slices.SortFunc(lines, func(a, b desk.PrefectureCount) int {
		return cmp.Or(cmp.Compare(b.Intensity, a.Intensity), cmp.Compare(a.Prefecture, b.Prefecture))
	})
	rows, err := tx.Query(ctx, `
		SELECT r.prefecture, count(*), count(*) FILTER (WHERE u.person_id IS NULL)
		FROM (`+audiencePeople+`) concerned
		JOIN person_region r ON r.person_id = concerned.person_id AND r.prefecture = ANY(@prefectures::smallint[])
		LEFT JOIN (SELECT DISTINCT person_id FROM address WHERE state <> 'bad') u ON u.person_id = r.person_id
		GROUP BY r.prefecture`, a.args())
	if err != nil {
		return nil, err
	}
	var found desk.PrefectureCount
	_, err = pgx.ForEachRow(rows, []any{&found.Prefecture, &found.People, &found.Unreached}, func() error {
		for i := range lines {
			if lines[i].Prefecture == found.Prefecture {
				lines[i].People, lines[i].Unreached = found.People, found.Unreached
			}
		}
		return nil
	})
	return lines, err
}
