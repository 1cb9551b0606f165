package store_test

import (
	"testing"

	"yagura/store/desk"
	"yagura/store/storetest"
)

// TestAChangedHostStandsInTheRecord: the same lanes with another host are another way out for every mail.
func TestAChangedHostStandsInTheRecord(t *testing.T) {
	db := storetest.New(t)
	owner := db.Store(storetest.Owner)
	lane := desk.Carrier{Lane: desk.DefaultLane, Name: "その他", Host: "mail.carrier.example", Port: 25, Sessions: 2, Depth: 1}
	for _, host := range []string{"mail.carrier.example", "elsewhere.example"} {
		lane.Host = host
		if err := owner.SetCarriers(t.Context(), "admin:sato", []desk.Carrier{lane}); err != nil {
			t.Fatal(err)
		}
		var stands bool
		db.Scan(`SELECT detail::text LIKE '%`+host+`%' AND chain = 'admin' FROM audit WHERE act = 'set-carriers' ORDER BY id DESC LIMIT 1`, &stands)
		if !stands {
			t.Errorf("the record does not say that mails go to %s", host)
		}
	}
}
