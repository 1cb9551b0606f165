package main

import (
	"context"
	"fmt"
	"time"

	"yagura/store"
	"yagura/store/desk"
)

// bulletinCommand shows automatic information and sets its thresholds.
type bulletinCommand struct {
	Rules bulletinRules `cmd:"" help:"自動配信の基準を表示・変更する。"`
	List  listBulletins `cmd:"" default:"1" help:"最近の自動情報を一覧する。"`
	Stop  stopBulletin  `cmd:"" help:"誤った自動情報の送信を止める。"`
}

type bulletinRules struct {
	Show showBulletinRules `cmd:"" default:"1" help:"基準を種別ごとに表示する。"`
	Set  setBulletinRule   `cmd:"" help:"一つの種別の基準を変える。指定しない項目はそのまま残る。"`
}

type showBulletinRules struct {
	database
}

// Run prints one rule a line.
func (c *showBulletinRules) Run(s *streams) error {
	return c.with(func(ctx context.Context, st *store.Store) error { return printBulletinRules(ctx, s, st) })
}

type setBulletinRule struct {
	database
	Kind        string         `arg:"" help:"種別（quick confirmed tsunami weather typhoon volcano giant other）。"`
	Actor       string         `required:"" help:"変更する人の名前。操作記録に残る。"`
	From        *string        `help:"配信する下限。地震は震度（1 2 3 4 5- 5+ 6- 6+ 7）、ほかは段階（0 から 5）。"`
	Enabled     *bool          `negatable:"" help:"自動配信を行う。"`
	RepeatAfter *time.Duration `help:"変化がなくても再び知らせるまでの時間。0 は再び知らせない。"`
	StaleAfter  *time.Duration `help:"これより古い情報は配信しない。例 30m"`
	DigestEvery *time.Duration `help:"まとめ配信の間隔。例 10m"`
}

// Run writes a new version that differs from the present one in what was given.
func (c *setBulletinRule) Run(s *streams) error {
	return c.with(func(ctx context.Context, st *store.Store) error {
		all, err := st.BulletinRules(ctx)
		if err != nil {
			return err
		}
		for _, r := range all {
			if string(r.Kind) != c.Kind {
				continue
			}
			if err := c.change(&r); err != nil {
				return err
			}
			if err := st.SetBulletinRule(ctx, "admin:"+c.Actor, r); err != nil {
				return err
			}
			return printBulletinRules(ctx, s, st)
		}
		return desk.Errorf(desk.NotFound, "ctl.bulletin", "種別 %q はありません。", c.Kind)
	})
}

func (c *setBulletinRule) change(r *desk.BulletinRule) error {
	if c.From != nil {
		// The same reading as for a designation, so that both are written alike.
		s, err := desk.NewSubscription("-", r.Kind, nil, *c.From, desk.ChangesOnly)
		if err != nil {
			return err
		}
		r.FromIntensity, r.FromLevel = s.FromIntensity, s.FromLevel
	}
	if c.Enabled != nil {
		r.Enabled = *c.Enabled
	}
	for _, d := range []struct{ given, to *time.Duration }{{c.RepeatAfter, &r.RepeatAfter}, {c.StaleAfter, &r.StaleAfter}, {c.DigestEvery, &r.DigestEvery}} {
		if d.given != nil {
			*d.to = *d.given
		}
	}
	return nil
}

func printBulletinRules(ctx context.Context, s *streams, st *store.Store) error {
	all, err := st.BulletinRules(ctx)
	for _, r := range all {
		from, on := r.FromLevel.Japanese()+"以上", "配信する"
		if r.Kind.ByIntensity() {
			from = "震度" + r.FromIntensity.Japanese() + "以上"
		}
		if !r.Enabled {
			on = "配信しない"
		}
		fmt.Fprintf(s.out, "%s\t%s\t版%d\t%s\t%s\t再通知 %s\t古い情報 %s\tまとめ %s\n", r.Kind, r.Kind.Japanese(), r.Version, on, from, r.RepeatAfter, r.StaleAfter, r.DigestEvery)
	}
	return err
}

type listBulletins struct {
	database
	Limit int `default:"20" help:"件数。"`
}

// Run prints one bulletin a line, newest first.
func (c *listBulletins) Run(s *streams) error {
	return c.with(func(ctx context.Context, st *store.Store) error {
		all, err := st.Bulletins(ctx, c.Limit)
		for _, b := range all {
			fmt.Fprintf(s.out, "%d\t%s\t%s\t%s\t%s\t%d人\t%d通\t%s\n", b.ID, b.At.In(desk.JST).Format("2006-01-02 15:04:05"), b.Kind.Japanese(),
				b.Step.Japanese(), b.State.Japanese(), b.Recipients, b.Mails, b.Subject)
		}
		return err
	})
}

type stopBulletin struct {
	database
	ID       int64  `arg:"" help:"自動情報の番号。"`
	Operator string `required:"" help:"止める当直者のログイン名。操作記録に残る。"`
	Reason   string `help:"理由。"`
}

// Run writes the stop row in the operator's name. What has left already is not taken back by it.
func (c *stopBulletin) Run(s *streams) error {
	return c.with(func(ctx context.Context, st *store.Store) error {
		all, err := st.Operators(ctx)
		if err != nil {
			return err
		}
		for _, o := range all {
			if o.Name != c.Operator {
				continue
			}
			if _, err := st.StopBulletin(ctx, o.ID, desk.DispatchID(c.ID), c.Reason); err != nil {
				return err
			}
			fmt.Fprintf(s.out, "自動情報 %d の送信を止めました。すでに届いた分は取り消されません。\n", c.ID)
			return nil
		}
		return desk.Errorf(desk.NotFound, "ctl.bulletin", "当直者 %q は登録されていません。", c.Operator)
	})
}
