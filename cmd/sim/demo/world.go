package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"yagura/store"
	"yagura/store/desk"
)

// startWorld starts the carriers and the staff, and tells the store where the carriers listen this time.
func (in *installation) startWorld(ctx context.Context) (err error) {
	if in.answerAddr, err = freeAddr(); err != nil {
		return err
	}
	if in.controlAddr, err = freeAddr(); err != nil {
		return err
	}
	median, spread, share := "90s", "1.0", "0.92"
	if in.Headless {
		median, spread, share = "5s", "0.4", "0.85"
	}
	c, err := in.launch(ctx, "world", "yagura-sim", "world", "--control", in.controlAddr, "--answer-base", "http://"+in.answerAddr,
		"--median", median, "--spread", spread, "--share", share)
	if err != nil {
		return err
	}
	var carriers []desk.Carrier
	if err := c.await(ctx, 10*time.Second, func() error { return in.fetch(ctx, "/carriers", &carriers) }); err != nil {
		return err
	}
	s, err := store.Open(ctx, store.Options{DSN: in.pg.DSN(database, owner), Name: "demo"})
	if err != nil {
		return err
	}
	defer s.Close()
	return s.SetCarriers(ctx, "demo", carriers)
}

// fetch reads a page of the simulated world's control port.
func (in *installation) fetch(ctx context.Context, page string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+in.controlAddr+page, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", page, res.Status)
	}
	return json.NewDecoder(res.Body).Decode(into)
}
