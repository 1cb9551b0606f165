package store_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"yagura/store"
	"yagura/store/desk"
	"yagura/store/storetest"
)

func TestRolesAreRefusedWhatIsNotTheirOwn(t *testing.T) { // law 13
	db := storetest.New(t)
	conns := map[string]*pgx.Conn{storetest.Console: db.Conn(storetest.Console), storetest.Engine: db.Conn(storetest.Engine)}
	for _, c := range []struct{ role, sql string }{
		{storetest.Console, `SELECT sealed FROM address`},
		{storetest.Console, `SELECT sealed FROM mail`},
		{storetest.Console, `SELECT fingerprint FROM address`},
		{storetest.Console, `INSERT INTO mail (dispatch_id, approval_id, person_id, address_id, lane, sealed, domain, created_at) VALUES (1,1,1,1,'x','','d',now())`},
		{storetest.Console, `INSERT INTO attempt VALUES (1,1,1,1,'x',now(),1,'',250,'','',now())`},
		{storetest.Console, `UPDATE telegram SET raw = ''`},
		{storetest.Console, `INSERT INTO tally VALUES (1, now(), '{}')`},
		{storetest.Console, `DELETE FROM audit`},
		{storetest.Console, `DELETE FROM approval`},
		{storetest.Console, `UPDATE approval SET not_before = now()`},
		{storetest.Console, `DELETE FROM stop`},
		{storetest.Console, `UPDATE audit SET actor = 'x'`},
		{storetest.Console, `UPDATE verification SET finding = 'genuine'`},
		{storetest.Console, `UPDATE dispatch SET head_count = 0`},
		{storetest.Console, `UPDATE dispatch SET mode = 'live'`},
		{storetest.Console, `UPDATE incident SET mode = 'live'`},
		{storetest.Console, `UPDATE event SET mode = 'live'`},
		{storetest.Console, `INSERT INTO advice (event_id, telegram_id, at, grade, content) VALUES (1,1,now(),3,'{}')`},
		{storetest.Console, `INSERT INTO operator (name, display, fingerprint, public_key, created_at) VALUES ('x','x','x','x',now())`},
		{storetest.Console, `INSERT INTO policy (at) VALUES (now())`},
		{storetest.Console, `INSERT INTO lease VALUES ('lane/x', 'x', 1, now())`},
		{storetest.Console, `SELECT comment FROM response`},
		{storetest.Console, `TRUNCATE audit`},
		{storetest.Engine, `INSERT INTO stop (dispatch_id, operator_id, reason, at) VALUES (1,1,'',now())`},
		{storetest.Engine, `INSERT INTO dispatch (mode) VALUES ('live')`},
		{storetest.Engine, `INSERT INTO incident (mode) VALUES ('live')`},
		{storetest.Engine, `UPDATE dispatch SET mode = 'live'`},
		{storetest.Engine, `UPDATE approval SET not_after = now() + interval '1 day'`},
		{storetest.Engine, `DELETE FROM stop`},
		{storetest.Engine, `DELETE FROM lease`},
		{storetest.Engine, `DELETE FROM attempt`},
		{storetest.Engine, `DELETE FROM audit`},
		{storetest.Engine, `TRUNCATE audit`},
		{storetest.Engine, `UPDATE response SET safety = 'well'`},
		{storetest.Engine, `UPDATE advice SET content = '{}'`},
		{storetest.Engine, `INSERT INTO operator (name, display, fingerprint, public_key, created_at) VALUES ('x','x','x','x',now())`},
		{storetest.Engine, `INSERT INTO approval (dispatch_id, operator_id, head_count, method, advice_id, at, not_before, not_after) VALUES (1,1,1,'one_key',1,now(),now(),now())`},
		{storetest.Engine, `INSERT INTO verification (event_id, operator_id, advice_id, finding, reason, at) VALUES (1,1,1,'genuine','',now())`},
		{storetest.Engine, `UPDATE dispatch SET subject = 'x'`},
		{storetest.Engine, `UPDATE event SET mode = 'live'`},
		{storetest.Engine, `UPDATE event SET hazard = 'x'`},
		{storetest.Engine, `INSERT INTO policy (at) VALUES (now())`},
		{storetest.Engine, `UPDATE telegram SET raw = ''`},
		{storetest.Engine, `UPDATE mail SET lane = 'x'`},
		{storetest.Engine, `UPDATE attempt SET outcome = 1`},
		{storetest.Engine, `DELETE FROM response`},
		{storetest.Engine, `UPDATE audit SET actor = 'x'`},
		{storetest.Engine, `CREATE TABLE mine (id int)`},
		{storetest.Console, `CREATE TABLE mine (id int)`},
	} {
		_, err := conns[c.role].Exec(t.Context(), c.sql)
		var refusal *pgconn.PgError
		if !errors.As(err, &refusal) || refusal.Code != "42501" { // a refusal for another reason proves nothing
			t.Errorf("%s: %v: %s", c.role, err, c.sql)
		}
	}
}

func TestEnginesAndDesksSharePeopleButNotTheirComments(t *testing.T) {
	db := storetest.New(t)
	for _, role := range []string{storetest.Engine, storetest.Console} {
		for _, sql := range []string{`SELECT id, person_id, domain, state FROM address`, `SELECT count(*) FROM person`, `SELECT * FROM dispatch FOR UPDATE`} {
			if _, err := db.Conn(role).Exec(t.Context(), sql); err != nil {
				t.Errorf("%s is refused its own: %v: %s", role, err, sql)
			}
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
