package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// DueDigest is 配信待ちのまとめ: people for whom the same bulletins wait, oldest first.
type DueDigest struct {
	People    []desk.PersonID
	Bulletins []desk.Bulletin
}

// mostDigestBulletins bounds one mail; what is left goes with the next.
const mostDigestBulletins = 50

// DueDigests lists what waits for people whose digest is due by the database's clock, one entry for each set of bulletins: all who
// read the same get the same mail.
func (s *Store) DueDigests(ctx context.Context) ([]DueDigest, error) {
	const op = "store.DueDigests"
	var out []DueDigest
	err := s.read(ctx, op, func(tx *Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT ids, array_agg(person_id ORDER BY person_id) FROM (
				SELECT person_id, (array_agg(bulletin_id ORDER BY bulletin_id))[1:@most] AS ids FROM bulletin_recipient
				WHERE due_at IS NOT NULL AND carried_by IS NULL AND NOT dropped
				GROUP BY person_id HAVING min(due_at) <= now()) w
			GROUP BY ids ORDER BY ids`, pgx.NamedArgs{"most": mostDigestBulletins})
		if err != nil {
			return err
		}
		var ids, people []int64
		var sets [][]int64
		_, err = pgx.ForEachRow(rows, []any{&ids, &people}, func() error {
			d := DueDigest{}
			for _, p := range people {
				d.People = append(d.People, desk.PersonID(p))
			}
			out, sets = append(out, d), append(sets, slices.Clone(ids))
			return nil
		})
		if err != nil {
			return err
		}
		for i := range out {
			rows, err := tx.Query(ctx, `SELECT `+bulletinColumns+` FROM bulletin WHERE id = ANY(@ids::bigint[]) ORDER BY id`, pgx.NamedArgs{"ids": sets[i]})
			if err != nil {
				return err
			}
			if out[i].Bulletins, err = pgx.CollectRows(rows, scanBulletin); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// IssueDigest writes one digest with its mails and marks what it carries, in one transaction. Conflict when any of it was carried
// or dropped meanwhile: read DueDigests again.
func (s *Store) IssueDigest(ctx context.Context, d DueDigest, subject, body string) (desk.Bulletin, error) {
	const op = "store.IssueDigest"
	if len(d.People) == 0 || len(d.Bulletins) == 0 {
		return desk.Bulletin{}, desk.Errorf(desk.Invalid, op, "まとめる情報がありません。")
	}
	last := d.Bulletins[len(d.Bulletins)-1]
	b := desk.Bulletin{
		Kind: desk.BulletinDigest, Thread: fmt.Sprintf("digest:%d:%d", last.ID, d.People[0]), Number: 1, TelegramID: last.TelegramID,
		Step: desk.BulletinGathered, Subject: subject, Body: body, OccurredAt: last.OccurredAt, IssuedAt: last.IssuedAt,
		ReceivedAt: last.ReceivedAt, ReadAt: last.ReadAt,
	}
	ids, people := make([]int64, 0, len(d.Bulletins)), make([]int64, 0, len(d.People))
	for _, part := range d.Bulletins {
		b.Level = max(b.Level, part.Level)
		b.Facts.Carries = append(b.Facts.Carries, part.ID)
		ids = append(ids, int64(part.ID))
	}
	for _, p := range d.People {
		people = append(people, int64(p))
	}
	err := s.write(ctx, op, func(tx *Tx) error {
		if err := tx.lockBulletins(ctx); err != nil {
			return err
		}
		if err := tx.insertBulletin(ctx, &b); err != nil {
			return err
		}
		args := pgx.NamedArgs{"id": b.ID, "ids": ids, "people": people}
		tag, err := tx.Exec(ctx, `
			UPDATE bulletin_recipient SET carried_by = @id
			WHERE bulletin_id = ANY(@ids::bigint[]) AND person_id = ANY(@people::bigint[])
			  AND due_at IS NOT NULL AND carried_by IS NULL AND NOT dropped`, args)
		if err != nil {
			return err
		}
		if int(tag.RowsAffected()) != len(ids)*len(people) {
			return &desk.Error{Kind: desk.Conflict, Op: op}
		}
		if _, err := tx.Exec(ctx, `INSERT INTO bulletin_recipient (bulletin_id, person_id) SELECT @id, p FROM unnest(@people::bigint[]) p`, args); err != nil {
			return err
		}
		return tx.mailBulletin(ctx, &b)
	})
	return b, err
}
