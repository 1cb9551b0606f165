package store

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// PreviewAudience counts who would be asked: people with a region among the triggered prefectures, each once, as of one
// instant. A usable address is one that is not bad. No prefecture at all is an empty audience. // F3-1-f F3-1-g
func (s *Store) PreviewAudience(ctx context.Context, triggered []desk.TriggeredBy) (desk.AudiencePreview, error) {
	const op = "store.PreviewAudience"
	var a desk.AudiencePreview
	if err := checkTriggered(op, triggered); err != nil {
		return a, err
	}
	err := s.read(ctx, op, func(tx *Tx) (err error) {
		a, err = tx.audience(ctx, triggered)
		return err
	})
	return a, err
}

func checkTriggered(op string, triggered []desk.TriggeredBy) error {
	seen := map[desk.Prefecture]bool{}
	for _, t := range triggered {
		switch t.Reason {
		case desk.ReasonIntensity, desk.ReasonNationwide, desk.ReasonRaised:
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

func (tx *Tx) audience(ctx context.Context, triggered []desk.TriggeredBy) (desk.AudiencePreview, error) {
	var a desk.AudiencePreview
	codes := prefectureCodes(triggered)
	if err := tx.headCount(ctx, codes, &a); err != nil {
		return a, err
	}
	err := tx.QueryRow(ctx, `SELECT count(*) FROM person p WHERE NOT EXISTS (SELECT FROM person_region r WHERE r.person_id = p.id)`).Scan(&a.Uncovered)
	if err != nil {
		return a, err
	}
	if a.ByPrefecture, err = tx.byPrefecture(ctx, codes, triggered); err != nil || a.Unreached == 0 {
		return a, err
	}
	rows, err := tx.Query(ctx, `
		SELECT p.id, p.code, p.name, coalesce(g.name, '') AS unit
		FROM person p
		LEFT JOIN person_group pg ON pg.person_id = p.id AND pg.main
		LEFT JOIN groups g ON g.id = pg.group_id
		WHERE EXISTS (SELECT FROM person_region r WHERE r.person_id = p.id AND r.prefecture = ANY(@prefectures::smallint[]))
		  AND NOT EXISTS (SELECT FROM address a WHERE a.person_id = p.id AND a.state <> 'bad')
		ORDER BY p.code LIMIT 50`, pgx.NamedArgs{"prefectures": codes})
	if err != nil {
		return a, err
	}
	a.UnreachedList, err = pgx.CollectRows(rows, pgx.RowToStructByName[desk.PersonLine])
	return a, err
}

// headCount fills People, Addresses and Unreached: the same count the approval is checked against.
func (tx *Tx) headCount(ctx context.Context, codes []int16, a *desk.AudiencePreview) error {
	return tx.QueryRow(ctx, `
		WITH audience AS (SELECT DISTINCT person_id FROM person_region WHERE prefecture = ANY(@prefectures::smallint[])),
		usable AS (SELECT person_id, count(*) AS n FROM address WHERE state <> 'bad' GROUP BY person_id)
		SELECT count(*), coalesce(sum(u.n), 0), count(*) FILTER (WHERE u.n IS NULL)
		FROM audience LEFT JOIN usable u USING (person_id)`,
		pgx.NamedArgs{"prefectures": codes}).Scan(&a.People, &a.Addresses, &a.Unreached)
}

// byPrefecture counts per triggered prefecture, the strongest first; one without any people is listed with 0.
func (tx *Tx) byPrefecture(ctx context.Context, codes []int16, triggered []desk.TriggeredBy) ([]desk.PrefectureCount, error) {
	lines := make([]desk.PrefectureCount, 0, len(triggered))
	for _, t := range triggered {
		lines = append(lines, desk.PrefectureCount{Prefecture: t.Prefecture, Intensity: t.Intensity, Reason: t.Reason})
	}
	slices.SortFunc(lines, func(a, b desk.PrefectureCount) int {
		return cmp.Or(cmp.Compare(b.Intensity, a.Intensity), cmp.Compare(a.Prefecture, b.Prefecture))
	})
	rows, err := tx.Query(ctx, `
		SELECT r.prefecture, count(*), count(*) FILTER (WHERE u.person_id IS NULL)
		FROM person_region r LEFT JOIN (SELECT DISTINCT person_id FROM address WHERE state <> 'bad') u USING (person_id)
		WHERE r.prefecture = ANY(@prefectures::smallint[])
		GROUP BY r.prefecture`, pgx.NamedArgs{"prefectures": codes})
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

// prefectureCodes are the codes as the driver wants them; []desk.Prefecture would be taken for bytes.
func prefectureCodes(triggered []desk.TriggeredBy) []int16 {
	codes := make([]int16, 0, len(triggered))
	for _, t := range triggered {
		codes = append(codes, int16(t.Prefecture))
	}
	return codes
}
