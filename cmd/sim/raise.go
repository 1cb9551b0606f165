package main

import (
	"context"
	"os"
	"path/filepath"

	"yagura/cmd/sim/demo"
	"yagura/store"
	"yagura/store/desk"
)

type demoCommand struct {
	Dir      string  `help:"デモが使うフォルダー。" default:"var/demo"`
	Headless bool    `help:"端末を使わず、台本の当直者が操作します。"`
	Replay   string  `help:"記録された電文のフォルダー。省略時は能登半島地震（2024-01-01）。" placeholder:"DIR"`
	Speed    float64 `help:"再生の速さ（60 なら1時間を1分で）。" placeholder:"N"`
}

const (
	demoPeople    = 11_500
	demoAddresses = 15_500
	demoSeed      = 20240101
	demoTold      = 250 // designated people
)

// Run raises an installation, opens its desk and takes everything down again.
func (c *demoCommand) Run(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return desk.Wrap(desk.Internal, "sim.demo", err)
	}
	return demo.Run(ctx, demo.Options{
		Dir: c.Dir, Bin: filepath.Dir(self), Headless: c.Headless, Replay: c.Replay, Speed: c.Speed, Out: os.Stdout,
		Edition: "20240101/11500/15500/250/4", Designated: demoTold,
		Fill: func(ctx context.Context, s *store.Store, key desk.AddressKey) error {
			roster, err := BuildRoster(demoSeed, demoPeople, demoAddresses, key)
			if err != nil {
				return err
			}
			if err := s.ImportRoster(ctx, "admin:yagura-sim", roster); err != nil {
				return err
			}
			return designate(ctx, s, &roster, demoTold)
		},
	})
}
