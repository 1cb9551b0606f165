package store_test
import ("testing";"fmt";"os/exec";"os";"yagura/store/storetest")
func TestZZPrep(t *testing.T) {
	db := storetest.New(t)
	db.Exec(tallyBase)
	addDispatch(db, 1, "sending")
	addDispatch(db, 2, "sending")
	for id := range 2 {
		db.Exec(fmt.Sprintf(`
				INSERT INTO recipient SELECT %d, p, 1 + p %% 47, 'intensity', 1 + p %% 12, 1 FROM generate_series(1, 11500) p;
				INSERT INTO mail (dispatch_id, approval_id, person_id, address_id, lane, sealed, domain, created_at)
					SELECT %[1]d, %[1]d, 1 + p %% 11500, p, 'lane' || p %% 5, sha256('x'), 'd', now() FROM generate_series(1, 15500) p;
				INSERT INTO attempt SELECT id, 1, 1, dispatch_id, lane, now(), CASE WHEN id %% 100 = 0 THEN 3 ELSE 1 END, 'data', 250, '2.0.0 ok', 'host:25', now() FROM mail WHERE dispatch_id = %[1]d;
				INSERT INTO standing SELECT %[1]d, p, p, now(), CASE WHEN p %% 50 = 0 THEN 'injured' ELSE 'well' END, (ARRAY['now','later','cannot'])[1 + p %% 3], 1 FROM generate_series(1, 8000) p`, id+1))
	}
	c := exec.Command("go","test","-count=1","-v","-run","TestZZ$",".")
	c.Env = append(os.Environ(), "ZZDSN="+db.DSN("postgres"))
	o, _ := c.CombinedOutput()
	t.Log(string(o))
}
