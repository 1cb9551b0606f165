package store_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yagura/store"
	"yagura/store/desk"
	"yagura/store/storetest"
)

func take(t *testing.T, s *store.Store, holder string, want int64) {
	t.Helper()
	epoch, ok, err := s.TakeLease(t.Context(), "lane/docomo", holder, time.Minute)
	if err != nil || ok != (want > 0) || epoch != want {
		t.Fatalf("%s takes: epoch %d, %v, %v; want %d", holder, epoch, ok, err, want)
	}
}

func renew(t *testing.T, s *store.Store, holder string, epoch int64, want bool) {
	t.Helper()
	if ok, err := s.RenewLease(t.Context(), "lane/docomo", holder, epoch, time.Minute); err != nil || ok != want {
		t.Fatalf("%s renews %d: %v, %v; want %v", holder, epoch, ok, err, want)
	}
}

func TestLeaseOfAnotherIsTakenOnlyAfterExpiry(t *testing.T) { // law 9
	db := storetest.New(t)
	s := db.Store(storetest.Engine)
	expire := func() { db.Exec(`UPDATE lease SET expires_at = clock_timestamp()`) }
	take(t, s, "a", 1)
	take(t, s, "b", 0)
	renew(t, s, "a", 1, true)
	renew(t, s, "b", 1, false)
	expire()
	renew(t, s, "a", 1, false) // lapsed: must be taken anew
	take(t, s, "b", 2)
	take(t, s, "a", 0)
	renew(t, s, "a", 1, false)
	renew(t, s, "b", 2, true)
	take(t, s, "b", 3) // the same holder anew: his older half is out
	renew(t, s, "b", 2, false)
	renew(t, s, "b", 3, true)
}

func TestDroppedLeaseIsFreeAndKeepsItsEpoch(t *testing.T) {
	db := storetest.New(t)
	s := db.Store(storetest.Engine)
	take(t, s, "a", 1)
	for _, stranger := range []struct {
		holder string
		epoch  int64
	}{{"b", 1}, {"a", 2}} {
		if err := s.DropLease(t.Context(), "lane/docomo", stranger.holder, stranger.epoch); err != nil {
			t.Fatal(err)
		}
	}
	renew(t, s, "a", 1, true)
	for range 2 {
		if err := s.DropLease(t.Context(), "lane/docomo", "a", 1); err != nil {
			t.Fatal(err)
		}
	}
	take(t, s, "b", 2)
}

func TestOneOfManyGetsTheLease(t *testing.T) {
	db := storetest.New(t)
	s := db.Store(storetest.Engine)
	type answer struct {
		ok  bool
		err error
	}
	answers := make(chan answer)
	for i := range 12 {
		go func() {
			_, ok, err := s.TakeLease(t.Context(), "lane/au", fmt.Sprint("engine", i), time.Minute)
			answers <- answer{ok, err}
		}()
	}
	owners := 0
	for range 12 {
		a := <-answers
		if a.err != nil {
			t.Fatal(a.err)
		}
		if a.ok {
			owners++
		}
	}
	if owners != 1 {
		t.Fatalf("%d owners", owners)
	}
}

// TestLeaseModel drives two holders at random against a model: never two owners, epochs only rise.
func TestLeaseModel(t *testing.T) {
	db := storetest.New(t)
	s := db.Store(storetest.Engine)
	lane := 0
	rapid.Check(t, func(r *rapid.T) {
		lane++
		name := fmt.Sprint("lane/", lane)
		var owner string // "" = expired or never taken
		var epoch int64
		held := map[string]int64{}
		holder := rapid.SampledFrom([]string{"a", "b"})
		r.Repeat(map[string]func(*rapid.T){
			"take": func(r *rapid.T) {
				who := holder.Draw(r, "who")
				got, ok, err := s.TakeLease(t.Context(), name, who, time.Minute)
				if err != nil || ok != (owner == "" || owner == who) || ok && got != epoch+1 {
					r.Fatalf("%s takes: %d, %v, %v; owner %q, epoch %d", who, got, ok, err, owner, epoch)
				}
				if ok {
					owner, epoch, held[who] = who, got, got
				}
			},
			"renew": func(r *rapid.T) {
				who := holder.Draw(r, "who")
				ok, err := s.RenewLease(t.Context(), name, who, held[who], time.Minute)
				if err != nil || ok != (owner == who && held[who] == epoch) {
					r.Fatalf("%s renews %d: %v, %v; owner %q, epoch %d", who, held[who], ok, err, owner, epoch)
				}
			},
			"drop": func(r *rapid.T) {
				who := holder.Draw(r, "who")
				if err := s.DropLease(t.Context(), name, who, held[who]); err != nil {
					r.Fatal(err)
				}
				if owner == who && held[who] == epoch {
					owner = ""
				}
			},
			"expire": func(*rapid.T) {
				db.Exec(`UPDATE lease SET expires_at = clock_timestamp() WHERE name = $1`, name)
				owner = ""
			},
		})
	})
}

func TestLeaseRefusesNonsense(t *testing.T) {
	s := storetest.New(t).Store(storetest.Engine)
	if _, _, err := s.TakeLease(t.Context(), "", "a", time.Second); desk.KindOf(err) != desk.Invalid {
		t.Error(err)
	}
	if _, _, err := s.TakeLease(t.Context(), "x", "a", 0); desk.KindOf(err) != desk.Invalid {
		t.Error(err)
	}
	if _, err := s.RenewLease(t.Context(), "x", "a", 1, -time.Second); desk.KindOf(err) != desk.Invalid {
		t.Error(err)
	}
}
