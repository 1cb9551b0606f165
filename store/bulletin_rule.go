package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// BulletinRules reads the thresholds in force, the latest version of each kind.
func (s *Store) BulletinRules(ctx context.Context) ([]desk.BulletinRule, error) {
	const op = "store.BulletinRules"
	rows, err := s.pool.Query(ctx, `
		SELECT DISTINCT ON (kind) version, at, kind, enabled, from_intensity, from_level, repeat_after_s, stale_after_s, digest_every_s
		FROM bulletin_rule ORDER BY kind, version DESC`)
	if err != nil {
		return nil, wrap(op, err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (desk.BulletinRule, error) {
		var r desk.BulletinRule
		var repeat, stale, digest int64
		err := row.Scan(&r.Version, &r.At, &r.Kind, &r.Enabled, &r.FromIntensity, &r.FromLevel, &repeat, &stale, &digest)
		r.At = r.At.UTC()
		r.RepeatAfter, r.StaleAfter, r.DigestEvery = time.Duration(repeat)*time.Second, time.Duration(stale)*time.Second, time.Duration(digest)*time.Second
		return r, err
	})
	slices.SortFunc(out, func(a, b desk.BulletinRule) int {
		return slices.Index(desk.BulletinKinds(), a.Kind) - slices.Index(desk.BulletinKinds(), b.Kind)
	})
	return out, wrap(op, err)
}

// SetBulletinRule writes a new version of the rule of one kind; earlier ones stay. Only the owner of the schema may. actor is
// "admin:sato"; Version and At of r are ignored.
func (s *Store) SetBulletinRule(ctx context.Context, actor string, r desk.BulletinRule) error {
	const op = "store.SetBulletinRule"
	if err := r.Validate(); err != nil {
		return err
	}
	return s.write(ctx, op, func(tx *Tx) error {
		err := tx.QueryRow(ctx, `
			INSERT INTO bulletin_rule (at, actor, kind, enabled, from_intensity, from_level, repeat_after_s, stale_after_s, digest_every_s)
			VALUES (@at, @actor, @kind, @enabled, @intensity, @level, @repeat, @stale, @digest) RETURNING version`,
			pgx.NamedArgs{
				"at": tx.Now, "actor": actor, "kind": string(r.Kind), "enabled": r.Enabled, "intensity": int16(r.FromIntensity), "level": int16(r.FromLevel),
				"repeat": int64(r.RepeatAfter / time.Second), "stale": int64(r.StaleAfter / time.Second), "digest": int64(r.DigestEvery / time.Second),
			}).Scan(&r.Version)
		if err != nil {
			return err
		}
		return tx.audit(ctx, actor, "bulletin-rule.set", fmt.Sprintf("bulletin-rule:%d", r.Version), map[string]any{
			"kind": r.Kind, "enabled": r.Enabled, "from_intensity": r.FromIntensity, "from_level": r.FromLevel.String(),
			"repeat_after": r.RepeatAfter.String(), "stale_after": r.StaleAfter.String(), "digest_every": r.DigestEvery.String(),
		})
	})
}

// Subscriptions lists the present designations, by kind and staff code.
func (s *Store) Subscriptions(ctx context.Context) ([]desk.Subscription, error) {
	const op = "store.Subscriptions"
	rows, err := s.pool.Query(ctx, `
		SELECT s.person_id, p.code, s.kind, s.prefectures, s.from_intensity, s.from_level, s.cadence
		FROM subscription s JOIN person p ON p.id = s.person_id WHERE s.ended_at IS NULL ORDER BY s.kind, p.code`)
	if err != nil {
		return nil, wrap(op, err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (desk.Subscription, error) {
		var one desk.Subscription
		var prefectures []int16
		err := row.Scan(&one.PersonID, &one.Code, &one.Kind, &prefectures, &one.FromIntensity, &one.FromLevel, &one.Cadence)
		for _, p := range prefectures {
			one.Prefectures = append(one.Prefectures, desk.Prefecture(p))
		}
		return one, err
	})
	return out, wrap(op, err)
}

// SetSubscriptions makes list the whole list of designated people of the kinds, in one transaction: a kind's people who are not in
// it are designated no longer, and what is unchanged keeps its row. Ended rows stay as history. People are named by staff code; one
// that is not known is Invalid, and then nothing changes. Only the owner of the schema may. It returns how many designations began
// and ended. // F3-1-l F3-1-n
func (s *Store) SetSubscriptions(ctx context.Context, actor string, kinds []desk.BulletinKind, list []desk.Subscription) (began, ended int, err error) {
	const op = "store.SetSubscriptions"
	c, err := subscriptionColumns(op, kinds, list)
	if err != nil {
		return 0, 0, err
	}
	err = s.write(ctx, op, func(tx *Tx) error {
		// One writer at a time: the present list is read and then replaced.
		if _, err := tx.Exec(ctx, `LOCK TABLE subscription IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return err
		}
		var unknown []string
		err := tx.QueryRow(ctx, `
			SELECT coalesce((array_agg(DISTINCT l.code))[1:5], '{}') FROM unnest(@codes::text[]) AS l (code)
			WHERE NOT EXISTS (SELECT FROM person p WHERE p.code = l.code)`, c).Scan(&unknown)
		if err != nil {
			return err
		}
		if len(unknown) > 0 {
			return desk.Errorf(desk.Invalid, op, "名簿にない職員番号があります: %s。何も変えていません。", strings.Join(unknown, "、"))
		}
		c["actor"], c["now"] = actor, tx.Now
		const wanted = `WITH wanted AS (
			SELECT p.id AS person_id, l.kind, coalesce(string_to_array(nullif(l.prefectures, ''), ',')::smallint[], '{}') AS prefectures,
				l.from_intensity, l.from_level, l.cadence
			FROM unnest(@codes::text[], @names::text[], @prefectures::text[], @intensities::smallint[], @levels::smallint[], @cadences::text[])
				AS l (code, kind, prefectures, from_intensity, from_level, cadence) JOIN person p ON p.code = l.code) `
		tag, err := tx.Exec(ctx, wanted+`
			UPDATE subscription s SET ended_at = @now, ended_by = @actor
			WHERE s.ended_at IS NULL AND s.kind = ANY(@kinds::text[]) AND NOT EXISTS (
				SELECT FROM wanted w WHERE w.person_id = s.person_id AND w.kind = s.kind AND w.prefectures = s.prefectures
				AND w.from_intensity = s.from_intensity AND w.from_level = s.from_level AND w.cadence = s.cadence)`, c)
		if err != nil {
			return err
		}
		ended = int(tag.RowsAffected())
		tag, err = tx.Exec(ctx, wanted+`
			INSERT INTO subscription (person_id, kind, prefectures, from_intensity, from_level, cadence, actor, at)
			SELECT w.person_id, w.kind, w.prefectures, w.from_intensity, w.from_level, w.cadence, @actor, @now FROM wanted w
			WHERE NOT EXISTS (SELECT FROM subscription s WHERE s.person_id = w.person_id AND s.kind = w.kind AND s.ended_at IS NULL)`, c)
		if err != nil {
			return err
		}
		began = int(tag.RowsAffected())
		return tx.audit(ctx, actor, "subscription.set", "subscription", map[string]any{"kinds": kinds, "began": began, "ended": ended})
	})
	return began, ended, err
}

// subscriptionColumns checks a list and turns it into columns. A person stands once for a kind, and only for the kinds that are set.
func subscriptionColumns(op string, kinds []desk.BulletinKind, list []desk.Subscription) (pgx.NamedArgs, error) {
	n := len(list)
	codes, names, prefectures, cadences := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	intensities, levels := make([]int16, n), make([]int16, n)
	seen := map[string]bool{}
	for i := range list {
		one := &list[i]
		if err := one.Validate(); err != nil {
			return nil, err
		}
		key := string(one.Kind) + " " + one.Code
		switch {
		case one.Code == "":
			return nil, desk.Errorf(desk.Invalid, op, "%d 行目に職員番号がありません。", i+1)
		case !slices.Contains(kinds, one.Kind):
			return nil, desk.Errorf(desk.Invalid, op, "職員番号 %s: %sの名簿は、今回の変更の対象ではありません。", one.Code, one.Kind.Japanese())
		case seen[key]:
			return nil, desk.Errorf(desk.Invalid, op, "職員番号 %s が%sに二度あります。", one.Code, one.Kind.Japanese())
		}
		seen[key] = true
		var ps []string
		for _, p := range one.Prefectures {
			ps = append(ps, fmt.Sprint(int(p)))
		}
		codes[i], names[i], prefectures[i], cadences[i] = one.Code, string(one.Kind), strings.Join(ps, ","), string(one.Cadence)
		intensities[i], levels[i] = int16(one.FromIntensity), int16(one.FromLevel)
	}
	return pgx.NamedArgs{
		"kinds": kindNames(kinds), "codes": codes, "names": names, "prefectures": prefectures, "intensities": intensities, "levels": levels, "cadences": cadences,
	}, nil
}
