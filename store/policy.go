package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// Policy reads the rules in force: the latest version. // F3-1-k.1
func (s *Store) Policy(ctx context.Context) (desk.Policy, error) {
	const op = "store.Policy"
	var p desk.Policy
	err := s.read(ctx, op, func(tx *Tx) (err error) {
		p, err = tx.policy(ctx)
		return err
	})
	return p, err
}

func (tx *Tx) policy(ctx context.Context) (desk.Policy, error) {
	var p desk.Policy
	var countDown, notAfter, mergeWindow int64
	err := tx.QueryRow(ctx, `
		SELECT version, at, prefecture_from, nationwide_from, count_down_ms, not_after_s, merge_window_s, merge_km, one_person_may
		FROM policy ORDER BY version DESC LIMIT 1`).
		Scan(&p.Version, &p.At, &p.PrefectureFrom, &p.NationwideFrom, &countDown, &notAfter, &mergeWindow, &p.MergeKM, &p.OnePersonMay)
	p.At = p.At.UTC()
	p.CountDown = time.Duration(countDown) * time.Millisecond
	p.NotAfter = time.Duration(notAfter) * time.Second
	p.MergeWindow = time.Duration(mergeWindow) * time.Second
	return p, err
}

// SetPolicy writes a new version of the rules; earlier ones stay. Only the owner of the schema may. actor is "admin:sato";
// Version and At of p are ignored. Rules under which nothing could ever be sent, or at once, are Invalid.
func (s *Store) SetPolicy(ctx context.Context, actor string, p desk.Policy) error {
	const op = "store.SetPolicy"
	if err := checkPolicy(op, p); err != nil {
		return err
	}
	return s.write(ctx, op, func(tx *Tx) error {
		err := tx.QueryRow(ctx, `
			INSERT INTO policy (at, actor, prefecture_from, nationwide_from, count_down_ms, not_after_s, merge_window_s, merge_km, one_person_may)
			VALUES (@at, @actor, @prefecture, @nationwide, @countDown, @notAfter, @mergeWindow, @mergeKM, @onePerson)
			RETURNING version`,
			pgx.NamedArgs{
				"at": tx.Now, "actor": actor, "prefecture": p.PrefectureFrom, "nationwide": p.NationwideFrom,
				"countDown": p.CountDown.Milliseconds(), "notAfter": int64(p.NotAfter / time.Second),
				"mergeWindow": int64(p.MergeWindow / time.Second), "mergeKM": p.MergeKM, "onePerson": p.OnePersonMay,
			}).Scan(&p.Version)
		if err != nil {
			return err
		}
		return tx.audit(ctx, actor, "policy.set", fmt.Sprintf("policy:%d", p.Version), map[string]any{
			"prefecture_from": p.PrefectureFrom, "nationwide_from": p.NationwideFrom, "count_down": p.CountDown.String(),
			"not_after": p.NotAfter.String(), "merge_window": p.MergeWindow.String(), "merge_km": p.MergeKM, "one_person_may": p.OnePersonMay,
		})
	})
}

func checkPolicy(op string, p desk.Policy) error {
	switch {
	case p.PrefectureFrom == desk.IntensityUnknown || p.PrefectureFrom > desk.Intensity7:
		return desk.Errorf(desk.Invalid, op, "都道府県の設定震度を 0 から 7 で指定してください。")
	case p.NationwideFrom > desk.Intensity7:
		return desk.Errorf(desk.Invalid, op, "全国一斉の震度が正しくありません。一斉にしない場合は「なし」にしてください。")
	case p.CountDown < 0 || p.CountDown > time.Minute:
		return desk.Errorf(desk.Invalid, op, "送信までの猶予は 0 から 60 秒です。")
	case p.NotAfter < 30*time.Second || p.NotAfter > 24*time.Hour || p.NotAfter <= p.CountDown:
		return desk.Errorf(desk.Invalid, op, "承認の有効期限は 30 秒から 24 時間で、送信までの猶予より長くしてください。")
	case p.MergeWindow < 0 || p.MergeWindow > 30*24*time.Hour || !(p.MergeKM >= 0 && p.MergeKM <= 5000): // NaN is refused too
		return desk.Errorf(desk.Invalid, op, "併合の期間は 30 日まで、距離は 5,000 km までです。")
	}
	return nil
}

// Template reads the latest version of a text for mails. Versions are immutable. // F3-2-c
func (s *Store) Template(ctx context.Context, id string) (subject, body string, version int, err error) {
	const op = "store.Template"
	err = s.pool.QueryRow(ctx, `SELECT subject, body, version FROM template WHERE id = @id ORDER BY version DESC LIMIT 1`,
		pgx.NamedArgs{"id": id}).Scan(&subject, &body, &version)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", "", 0, desk.Errorf(desk.NotFound, op, "文例 %q はありません。別の文例を選んでください。", id)
	}
	return subject, body, version, wrap(op, err)
}
