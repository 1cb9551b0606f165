package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// Roster is 名簿: people, units and sealed addresses as plain data. Its IDs are its own (1, 2, 3 …, no gaps needed) and hold only
// inside it: the database gives new ones.
type Roster struct {
	Groups    []desk.Group    // a parent stands before its children
	People    []desk.Person   // Groups[0] is the unit the person is counted under // F3-1-h
	Addresses []RosterAddress // F3-1-g
}

// RosterAddress is one mailbox of a person. Fingerprint is desk.AddressKey.Fingerprint of it.
type RosterAddress struct {
	PersonID    desk.PersonID
	Address     desk.Address
	Fingerprint []byte
	State       desk.AddressState
}

// ImportRoster adds a roster to whatever is there, in one transaction by COPY. It needs the owner's role. A staff code that is
// already known is Conflict; a unit or person that the roster itself does not hold is Invalid.
func (s *Store) ImportRoster(ctx context.Context, actor string, r Roster) error {
	const op = "store.ImportRoster"
	if err := r.check(); err != nil {
		return err
	}
	return s.writeLong(ctx, op, func(tx *Tx) error {
		// One import at a time: the numbers are given out here, not by the sequences.
		if _, err := tx.Exec(ctx, `LOCK TABLE person, groups, address IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return err
		}
		base, err := tx.rosterBase(ctx)
		if err != nil {
			return err
		}
		for _, part := range r.tables(base) {
			if _, err := tx.CopyFrom(ctx, pgx.Identifier{part.table}, part.columns, part.rows); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, `
			SELECT setval(pg_get_serial_sequence('groups', 'id'), greatest((SELECT max(id) FROM groups), 1)),
			       setval(pg_get_serial_sequence('person', 'id'), greatest((SELECT max(id) FROM person), 1)),
			       setval(pg_get_serial_sequence('address', 'id'), greatest((SELECT max(id) FROM address), 1))`)
		if err != nil {
			return err
		}
		return tx.audit(ctx, actor, "import-roster", "roster",
			map[string]int{"groups": len(r.Groups), "people": len(r.People), "addresses": len(r.Addresses)})
	})
}

func (r *Roster) check() error {
	const op = "store.ImportRoster"
	groups, people := map[desk.GroupID]bool{0: true}, map[desk.PersonID]bool{}
	for _, g := range r.Groups {
		if g.ID <= 0 || groups[g.ID] || !groups[g.Parent] || (g.Parent == 0) != (g.Level == 1) {
			return desk.Errorf(desk.Invalid, op, "組織 %d (%s) の番号、上位組織、階層が正しくありません。", g.ID, g.Name)
		}
		groups[g.ID] = true
	}
	for i := range r.People {
		p := &r.People[i]
		if p.ID <= 0 || people[p.ID] || p.Code == "" || p.Name == "" {
			return desk.Errorf(desk.Invalid, op, "利用者 %d の番号、職員番号、氏名が正しくありません。", p.ID)
		}
		people[p.ID] = true
		for _, g := range p.Groups {
			if g == 0 || !groups[g] {
				return desk.Errorf(desk.Invalid, op, "職員番号 %s の所属 %d が名簿にありません。", p.Code, g)
			}
		}
		for _, region := range p.Regions {
			if !region.Valid() {
				return desk.Errorf(desk.Invalid, op, "職員番号 %s の地域が正しくありません。", p.Code)
			}
		}
	}
	for _, a := range r.Addresses {
		if !people[a.PersonID] {
			return desk.Errorf(desk.Invalid, op, "持ち主が名簿にいないメールアドレスがあります（番号 %d）。", a.PersonID)
		}
	}
	return nil
}

// rosterNumbers are the highest numbers in use before an import.
type rosterNumbers struct{ group, person, address int64 }

func (tx *Tx) rosterBase(ctx context.Context) (rosterNumbers, error) {
	var n rosterNumbers
	err := tx.QueryRow(ctx, `
		SELECT (SELECT coalesce(max(id), 0) FROM groups), (SELECT coalesce(max(id), 0) FROM person), (SELECT coalesce(max(id), 0) FROM address)`).
		Scan(&n.group, &n.person, &n.address)
	return n, err
}

type rosterTable struct {
	table   string
	columns []string
	rows    pgx.CopyFromSource
}

func (r *Roster) tables(base rosterNumbers) []rosterTable {
	top := map[desk.GroupID]int64{}
	var groups, people, regions, members [][]any
	for _, g := range r.Groups {
		id := base.group + int64(g.ID)
		var parent any
		top[g.ID] = id
		if g.Parent != 0 {
			parent, top[g.ID] = base.group+int64(g.Parent), top[g.Parent]
		}
		groups = append(groups, []any{id, parent, g.Name, int16(g.Level), top[g.ID]})
	}
	for i := range r.People {
		p := &r.People[i]
		id := base.person + int64(p.ID)
		people = append(people, []any{id, p.Code, p.Name, p.Kana})
		for _, region := range p.Regions {
			regions = append(regions, []any{id, int16(region)})
		}
		for n, g := range p.Groups {
			members = append(members, []any{id, base.group + int64(g), n == 0})
		}
	}
	addresses := pgx.CopyFromSlice(len(r.Addresses), func(i int) ([]any, error) {
		a := &r.Addresses[i]
		return []any{base.address + int64(i) + 1, base.person + int64(a.PersonID), a.Address.Sealed, a.Address.Domain, a.Fingerprint, string(a.State)}, nil
	})
	return []rosterTable{
		{"groups", []string{"id", "parent_id", "name", "level", "top_id"}, pgx.CopyFromRows(groups)},
		{"person", []string{"id", "code", "name", "kana"}, pgx.CopyFromRows(people)},
		{"person_region", []string{"person_id", "prefecture"}, pgx.CopyFromRows(regions)},
		{"person_group", []string{"person_id", "group_id", "main"}, pgx.CopyFromRows(members)},
		{"address", []string{"id", "person_id", "sealed", "domain", "fingerprint", "state"}, addresses},
	}
}
