package main

import (
	"context"
	"fmt"
	"time"

	"yagura/store"
	"yagura/store/desk"
)

// policyCommand shows the rules in force and sets new ones.
type policyCommand struct {
	Show showPolicy `cmd:"" default:"1" help:"運用方針を表示する。"`
	Set  setPolicy  `cmd:"" help:"運用方針を変える。指定しない項目はそのまま残る。"`
}

type showPolicy struct {
	database
}

// Run prints the policy, one rule a line.
func (c *showPolicy) Run(s *streams) error {
	return c.with(func(ctx context.Context, st *store.Store) error {
		p, err := st.Policy(ctx)
		if err != nil {
			return err
		}
		printPolicy(s, p)
		return nil
	})
}

type setPolicy struct {
	database
	Actor      string         `required:"" help:"変更する人の名前。操作記録に残る。"`
	Prefecture *string        `help:"都道府県の設定震度（1 2 3 4 5- 5+ 6- 6+ 7）。"`
	Nationwide *string        `help:"全国一斉の震度。none は一斉にしない。"`
	CountDown  *time.Duration `help:"送信までの猶予。例 5s"`
	NotAfter   *time.Duration `help:"承認の有効期限。例 15m"`
	OnePerson  *bool          `negatable:"" help:"一人での送信を許す。"`
}

// Run writes a new version that differs from the present one in what was given.
func (c *setPolicy) Run(s *streams) error {
	return c.with(func(ctx context.Context, st *store.Store) error {
		p, err := st.Policy(ctx)
		if err != nil {
			return err
		}
		if err := c.change(&p); err != nil {
			return err
		}
		if err := st.SetPolicy(ctx, "admin:"+c.Actor, p); err != nil {
			return err
		}
		if p, err = st.Policy(ctx); err != nil {
			return err
		}
		printPolicy(s, p)
		return nil
	})
}

func (c *setPolicy) change(p *desk.Policy) error {
	if c.Prefecture != nil {
		if err := p.PrefectureFrom.UnmarshalText([]byte(*c.Prefecture)); err != nil {
			return err
		}
	}
	if c.Nationwide != nil {
		text := *c.Nationwide
		if text == "none" {
			text = ""
		}
		if err := p.NationwideFrom.UnmarshalText([]byte(text)); err != nil {
			return err
		}
	}
	if c.CountDown != nil {
		p.CountDown = *c.CountDown
	}
	if c.NotAfter != nil {
		p.NotAfter = *c.NotAfter
	}
	if c.OnePerson != nil {
		p.OnePersonMay = *c.OnePerson
	}
	return nil
}

func printPolicy(s *streams, p desk.Policy) {
	nationwide, one := "なし", "許さない"
	if p.NationwideFrom != desk.IntensityUnknown {
		nationwide = "震度" + p.NationwideFrom.Japanese() + "以上"
	}
	if p.OnePersonMay {
		one = "許す"
	}
	fmt.Fprintf(s.out, "版\t%d（%s）\n都道府県の設定震度\t震度%s以上\n全国一斉\t%s\n送信までの猶予\t%s\n承認の有効期限\t%s\n併合の期間\t%s\n併合の距離\t%g km\n一人での送信\t%s\n",
		p.Version, p.At.In(desk.JST).Format("2006-01-02 15:04:05 JST"), p.PrefectureFrom.Japanese(), nationwide, p.CountDown, p.NotAfter, p.MergeWindow, p.MergeKM, one)
}
