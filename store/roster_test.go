package store_test

import (
	"bytes"
	"testing"

	"yagura/store"
	"yagura/store/desk"
	"yagura/store/storetest"
)

func smallRoster(t *testing.T) store.Roster {
	t.Helper()
	key, err := desk.NewAddressKey(bytes.Repeat([]byte{3}, 32))
	if err != nil {
		t.Fatal(err)
	}
	r := store.Roster{
		Groups: []desk.Group{{ID: 1, Name: "官房", Level: 1}, {ID: 2, Parent: 1, Name: "総務課", Level: 2}, {ID: 3, Parent: 2, Name: "当直室", Level: 3}},
		People: []desk.Person{
			{ID: 1, Code: "00001", Name: "髙橋 一", Regions: []desk.Prefecture{13, 14}, Groups: []desk.GroupID{3, 2}},
			{ID: 2, Code: "00002", Name: "𠮷田 二"},
		},
	}
	for _, mailbox := range []string{"a..b@docomo.example", "c@au.example"} {
		a, err := key.Seal(mailbox)
		if err != nil {
			t.Fatal(err)
		}
		r.Addresses = append(r.Addresses, store.RosterAddress{PersonID: 1, Address: a, Fingerprint: key.Fingerprint(mailbox), State: desk.AddressVerified})
	}
	return r
}

func TestImportRoster(t *testing.T) {
	db := storetest.New(t)
	s := db.Store(storetest.Owner)
	if err := s.ImportRoster(t.Context(), "admin:test", smallRoster(t)); err != nil {
		t.Fatal(err)
	}
	if err := s.ImportRoster(t.Context(), "admin:test", smallRoster(t)); desk.KindOf(err) != desk.Conflict {
		t.Errorf("the same codes again: %v", err)
	}
	more := smallRoster(t)
	more.People[0].Code, more.People[1].Code = "00003", "00004"
	if err := s.ImportRoster(t.Context(), "admin:test", more); err != nil {
		t.Fatal(err)
	}
	var people, addresses, regions, main, rightTop, audits int
	db.Scan(`SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM address WHERE state = 'verified'), (SELECT count(*) FROM person_region),
		(SELECT count(*) FROM person_group pg JOIN groups g ON g.id = pg.group_id WHERE main AND g.name = '当直室'),
		(SELECT count(*) FROM groups g JOIN groups top ON top.id = g.top_id WHERE top.level = 1 AND top.name = '官房'),
		(SELECT count(*) FROM audit WHERE act = 'import-roster')`, &people, &addresses, &regions, &main, &rightTop, &audits)
	if people != 4 || addresses != 4 || regions != 4 || main != 2 || rightTop != 6 || audits != 2 {
		t.Errorf("people %d, addresses %d, regions %d, main units %d, units under their top %d, audits %d", people, addresses, regions, main, rightTop, audits)
	}
	// The sequences go on behind the imported rows.
	db.Exec(`INSERT INTO person (code, name) VALUES ('00009', '後から')`)
}

func TestImportRosterRefusesLooseEnds(t *testing.T) {
	db := storetest.New(t)
	s := db.Store(storetest.Owner)
	for name, spoil := range map[string]func(*store.Roster){
		"parent after child":  func(r *store.Roster) { r.Groups[0], r.Groups[1] = r.Groups[1], r.Groups[0] },
		"unknown unit":        func(r *store.Roster) { r.People[0].Groups = []desk.GroupID{9} },
		"unknown prefecture":  func(r *store.Roster) { r.People[0].Regions = []desk.Prefecture{48} },
		"address of a nobody": func(r *store.Roster) { r.Addresses[0].PersonID = 7 },
		"person twice":        func(r *store.Roster) { r.People[1].ID = 1 },
		"no code":             func(r *store.Roster) { r.People[1].Code = "" },
	} {
		r := smallRoster(t)
		spoil(&r)
		if err := s.ImportRoster(t.Context(), "admin:test", r); desk.KindOf(err) != desk.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
