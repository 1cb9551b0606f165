package main

import (
	"context"

	"yagura/store"
	"yagura/store/desk"
)

// Designated names n people of the roster who have a mailbox, spread evenly over it: the same roster gives the same people. Fewer
// than n people with a mailbox is Invalid.
func Designated(r *store.Roster, n int) ([]string, error) {
	reached := make(map[desk.PersonID]bool, len(r.People))
	for i := range r.Addresses {
		reached[r.Addresses[i].PersonID] = true
	}
	var codes []string
	for i := range r.People {
		if reached[r.People[i].ID] {
			codes = append(codes, r.People[i].Code)
		}
	}
	if n < 1 || len(codes) < n {
		return nil, desk.Errorf(desk.Invalid, "sim.Designated", "アドレスのある人が %d 人しかいないため、%d 人を指定できません。", len(codes), n)
	}
	for i := range n {
		codes[i] = codes[i*len(codes)/n]
	}
	return codes[:n], nil
}

// designate makes n people of the roster, which is imported already, the designated ones of every kind.
// F3-1-l F3-1-m F3-1-n
func designate(ctx context.Context, s *store.Store, r *store.Roster, n int) error {
	codes, err := Designated(r, n)
	if err != nil {
		return err
	}
	_, _, err = s.SetSubscriptions(ctx, "admin:yagura-sim", desk.BulletinKinds(), desk.DesignateAll(codes, desk.BulletinKinds()...))
	return err
}
