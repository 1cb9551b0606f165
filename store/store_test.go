package store_test

import (
	"testing"

	"yagura/store"
	"yagura/store/desk"
	"yagura/store/storetest"
)

func TestRolesAreRefusedWhatIsNotTheirOwn(t *testing.T) { // law 13
	db := storetest.New(t)
	for _, c := range []struct{ role, sql string }{
		{storetest.Console, `SELECT sealed FROM address`},
		{storetest.Console, `SELECT sealed FROM mail`},
		{storetest.Console, `SELECT fingerprint FROM address`},
		{storetest.Console, `INSERT INTO mail (dispatch_id, approval_id, person_id, address_id, lane, sealed, domain, created_at) VALUES (1,1,1,1,'x','','d',now())`},
		{storetest.Console, `INSERT INTO attempt VALUES (1,1,1,1,'x',now(),1,'',250,'','',now())`},
		{storetest.Console, `UPDATE telegram SET raw = ''`},
		{storetest.Console, `INSERT INTO tally VALUES (1, now(), '{}')`},
		{storetest.Console, `DELETE FROM audit`},
		{storetest.Engine, `INSERT INTO approval (dispatch_id, operator_id, head_count, method, advice_id, at, not_before, not_after) VALUES (1,1,1,'one_key',1,now(),now(),now())`},
		{storetest.Engine, `INSERT INTO verification (event_id, operator_id, advice_id, finding, reason, at) VALUES (1,1,1,'genuine','',now())`},
		{storetest.Engine, `UPDATE dispatch SET subject = 'x'`},
		{storetest.Engine, `INSERT INTO policy (at) VALUES (now())`},
		{storetest.Engine, `UPDATE telegram SET raw = ''`},
		{storetest.Engine, `UPDATE mail SET lane = 'x'`},
		{storetest.Engine, `UPDATE attempt SET outcome = 1`},
		{storetest.Engine, `DELETE FROM response`},
		{storetest.Engine, `UPDATE audit SET actor = 'x'`},
		{storetest.Engine, `CREATE TABLE mine (id int)`},
		{storetest.Console, `CREATE TABLE mine (id int)`},
	} {
		if _, err := db.Conn(c.role).Exec(t.Context(), c.sql); err == nil {
			t.Errorf("%s may: %s", c.role, c.sql)
		}
	}
}

func TestMailWithoutApprovalIsRefused(t *testing.T) { // law 2
	db := storetest.New(t)
	_, err := db.Conn(storetest.Engine).Exec(t.Context(),
		`INSERT INTO mail (dispatch_id, approval_id, person_id, address_id, lane, sealed, domain, created_at) VALUES (1, 77, 1, 1, 'x', '', 'd', now())`)
	if err == nil {
		t.Fatal("a mail that names no approval was taken")
	}
}

func TestApprovalWithoutOperatorIsRefused(t *testing.T) { // law 2
	db := storetest.New(t)
	_, err := db.Conn(storetest.Owner).Exec(t.Context(),
		`INSERT INTO approval (dispatch_id, operator_id, head_count, method, advice_id, at, not_before, not_after) VALUES (1, NULL, 1, 'one_key', 1, now(), now(), now() + interval '1 min')`)
	if err == nil {
		t.Fatal("an approval that names no operator was taken")
	}
}

func TestOpenSaysWhenTheDatabaseIsAway(t *testing.T) {
	db := storetest.New(t)
	db.Store(storetest.Engine)
	_, err := store.Open(t.Context(), store.Options{DSN: "host=/nowhere dbname=x", Name: t.Name()})
	if desk.KindOf(err) != desk.Unavailable {
		t.Fatalf("kind = %v, err = %v", desk.KindOf(err), err)
	}
}
