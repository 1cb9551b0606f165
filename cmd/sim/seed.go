package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"time"

	"yagura/store"
	"yagura/store/desk"
)

type seedCommand struct {
	DSN       string `help:"データベースの接続文字列（所有者の権限）。" required:""`
	KeyFile   string `help:"アドレス鍵のファイル（32バイト、または16進64文字）。" required:"" placeholder:"FILE"`
	People    int    `help:"人数。" default:"11500"`
	Addresses int    `help:"アドレス数。" default:"15500"`
	Seed      uint64 `help:"乱数の種。" default:"20240101"`
}

// Run builds the roster and imports it.
func (c *seedCommand) Run(ctx context.Context) error {
	key, err := readAddressKey(c.KeyFile)
	if err != nil {
		return err
	}
	start := time.Now()
	roster, err := BuildRoster(c.Seed, c.People, c.Addresses, key)
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, store.Options{DSN: c.DSN, Name: "yagura-sim seed", MaxConns: 2})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.ImportRoster(ctx, "admin:yagura-sim", roster); err != nil {
		return err
	}
	fmt.Printf("名簿を入れました: %d 人、%d アドレス、%d 組織（%.1f 秒）\n",
		len(roster.People), len(roster.Addresses), len(roster.Groups), time.Since(start).Seconds())
	return nil
}

// readAddressKey reads 32 raw bytes or 64 hexadecimal digits.
func readAddressKey(file string) (desk.AddressKey, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return desk.AddressKey{}, desk.Errorf(desk.NotFound, "sim.key", "アドレス鍵のファイルが読めません。")
	}
	if text, err := hex.DecodeString(strings.TrimSpace(string(raw))); err == nil && len(text) == 32 {
		raw = text
	}
	return desk.NewAddressKey(raw)
}
