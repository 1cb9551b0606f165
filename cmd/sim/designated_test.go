package main

import (
	"slices"
	"testing"

	"yagura/store/desk"
	"yagura/store/storetest"
)

// The seed of the demo: so many people with a mailbox, the same ones each time, designated for all of the kinds. // F3-1-l
func TestDesignated(t *testing.T) {
	r, err := BuildRoster(3, 400, 500, testKey(t))
	if err != nil {
		t.Fatal(err)
	}
	reached := map[string]bool{}
	for _, a := range r.Addresses {
		reached[r.People[a.PersonID-1].Code] = true
	}
	for _, n := range []int{1, 250, len(reached)} {
		codes, err := Designated(&r, n)
		if err != nil || len(codes) != n || !slices.IsSorted(codes) || len(slices.Compact(slices.Clone(codes))) != n {
			t.Fatalf("%d: %d codes, %v", n, len(codes), err)
		}
		for _, c := range codes {
			if !reached[c] {
				t.Errorf("%d: %s has no mailbox", n, c)
			}
		}
		again, _ := Designated(&r, n)
		if !slices.Equal(codes, again) {
			t.Errorf("%d: other people the second time", n)
		}
	}
	spread, _ := Designated(&r, 4)
	if first := spread[3]; first < r.People[200].Code {
		t.Errorf("not spread over the roster: %v", spread)
	}
	for _, n := range []int{0, len(reached) + 1} {
		if _, err := Designated(&r, n); desk.KindOf(err) != desk.Invalid {
			t.Errorf("%d people: %v", n, err)
		}
	}
}

func TestDesignateWritesTheSubscriptions(t *testing.T) {
	r, err := BuildRoster(3, 400, 500, testKey(t))
	if err != nil {
		t.Fatal(err)
	}
	db := storetest.New(t)
	s := db.Store(storetest.Owner)
	if err := s.ImportRoster(t.Context(), "admin:yagura-sim", r); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a second time changes nothing
		if err := designate(t.Context(), s, &r, 250); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.Subscriptions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	count := map[desk.BulletinKind]int{}
	for _, one := range all {
		count[one.Kind]++
		if one.Cadence != desk.ChangesOnly || len(one.Prefectures) != 0 {
			t.Errorf("%+v", one)
		}
	}
	for _, k := range desk.BulletinKinds() {
		if count[k] != 250 {
			t.Errorf("%s: %d people", k, count[k])
		}
	}
}
