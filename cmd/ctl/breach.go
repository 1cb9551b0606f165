package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"yagura/store"
	"yagura/store/desk"
)

// breachCommand is for the reports that are owed when a mailing was far too late. // P5-6
type breachCommand struct {
	List   listBreaches `cmd:"" default:"1" help:"遅延報告を一覧する。"`
	Report breachReport `cmd:"" help:"報告書の案を表示し、または ODT で書き出す。"`
	Cause  breachCause  `cmd:"" help:"原因と再発防止策を書く。案は数秒後に作り直される。"`
	Sent   breachSent   `cmd:"" help:"報告書を送付したと記録する。卓の表示が消える。"`
	Clocks listClocks   `cmd:"" help:"配信ごとの経過時間を一覧する。"`
	Limits clockLimits  `cmd:"" help:"期限と倍率を表示する。"`
	Limit  setLimit     `cmd:"" help:"期限を変える。指定しない項目はそのまま残る。"`
}

type listBreaches struct {
	database
}

// Run prints one report a line: number, when, what, how late, state.
func (c *listBreaches) Run(s *streams) error {
	return c.with(func(ctx context.Context, st *store.Store) error {
		all, err := st.Breaches(ctx, 200)
		if err == nil && len(all) == 0 {
			fmt.Fprintln(s.out, "遅延報告はありません。")
		}
		for _, b := range all {
			state := "未送付"
			switch {
			case !b.SentAt.IsZero():
				state = "送付済 " + jst(b.SentAt) + " " + b.SentBy
			case b.Report == "":
				state = "作成中"
			case b.Cause == "":
				state = "未送付（原因が未記入）"
			}
			fmt.Fprintf(s.out, "%d\t%s\t%s %s %d\t期限の %.1f 倍\t%s\t%s\n",
				b.ID, jst(b.OpenedAt), b.Clause.Japanese(), b.Subject.Kind.Japanese(), b.Subject.ID, b.Ratio, state, desk.CleanText(b.Clock.Title, false))
		}
		return err
	})
}

type breachReport struct {
	database
	ID  int64  `arg:"" help:"遅延報告の番号。"`
	ODT string `name:"odt" help:"書き出す ODT ファイル。既にあるファイルには書かない。" type:"path"`
}

// Run prints the draft, or writes it as OpenDocument into a new file.
func (c *breachReport) Run(s *streams) error {
	return c.with(func(ctx context.Context, st *store.Store) error {
		text, odt, err := st.BreachReport(ctx, c.ID)
		if err != nil {
			return err
		}
		if c.ODT == "" {
			fmt.Fprint(s.out, text)
			return nil
		}
		file, err := os.OpenFile(c.ODT, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
		if err != nil {
			return desk.Errorf(desk.Invalid, "ctl.breach", "%s に書けません。書ける場所の、まだないファイル名を指定してください。", c.ODT)
		}
		if _, err := file.Write(odt); err != nil {
			_ = file.Close()
			return desk.Wrap(desk.Unavailable, "ctl.breach", err)
		}
		if err := file.Close(); err != nil {
			return desk.Wrap(desk.Unavailable, "ctl.breach", err)
		}
		fmt.Fprintf(s.out, "書き出しました: %s\n", c.ODT)
		return nil
	})
}

type breachCause struct {
	database
	ID       int64  `arg:"" help:"遅延報告の番号。"`
	Text     string `arg:"" optional:"" help:"原因。"`
	Measures string `help:"再発防止策。"`
	Actor    string `required:"" help:"書く人の名前。操作記録に残る。"`
}

// Run keeps the cause, the measures, or both.
func (c *breachCause) Run(s *streams) error {
	return c.with(func(ctx context.Context, st *store.Store) error {
		if err := st.SetBreachCause(ctx, "admin:"+c.Actor, c.ID, c.Text, c.Measures); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "遅延報告 %d に書きました。\n", c.ID)
		return nil
	})
}

type breachSent struct {
	database
	ID    int64  `arg:"" help:"遅延報告の番号。"`
	Actor string `required:"" help:"送付した人の名前。操作記録に残る。"`
}

// Run ends the reminder.
func (c *breachSent) Run(s *streams) error {
	return c.with(func(ctx context.Context, st *store.Store) error {
		if err := st.MarkBreachSent(ctx, "admin:"+c.Actor, c.ID); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "遅延報告 %d を送付済みと記録しました。\n", c.ID)
		return nil
	})
}

type listClocks struct {
	database
	Back time.Duration `default:"24h" help:"どこまでさかのぼるか。例 24h"`
}

// Run prints one mailing a line: the first moment that is known, then each later stage with its time after that.
func (c *listClocks) Run(s *streams) error {
	return c.with(func(ctx context.Context, st *store.Store) error {
		clocks, err := st.StageClocks(ctx, time.Now().Add(-c.Back))
		for _, k := range clocks {
			fmt.Fprintf(s.out, "%s %d\t%s\t%s", k.Subject.Kind.Japanese(), k.Subject.ID, k.Clause.Japanese(), k.Mode.Japanese())
			var first time.Time
			for _, stage := range desk.ClockStages() {
				at := k.At(stage)
				switch {
				case at.IsZero():
				case first.IsZero():
					first = at
					fmt.Fprintf(s.out, "\t%s %s", stage.Japanese(), jst(at))
				default:
					fmt.Fprintf(s.out, "\t%s +%.1f秒", stage.Japanese(), at.Sub(first).Seconds())
				}
			}
			running := ""
			if !k.Finished {
				running = "（送信中）"
			}
			fmt.Fprintf(s.out, "\t受理 %d/%d%s\n", k.Accepted, k.Mails, running)
		}
		return err
	})
}

type clockLimits struct {
	database
}

// Run prints one limit a line.
func (c *clockLimits) Run(s *streams) error {
	return c.with(func(ctx context.Context, st *store.Store) error {
		limits, err := st.ClockRules(ctx)
		for _, r := range limits {
			printLimit(s, r)
		}
		return err
	})
}

type setLimit struct {
	database
	Clause string         `arg:"" enum:"P5-2,P5-3,P5-4,P5-5" help:"仕様書の項（P5-2 地震速報、P5-3 地震確定、P5-4 その他、P5-5 ミサイル）。"`
	Until  string         `enum:"first_accepted,last_accepted" default:"last_accepted" help:"どの段階までの期限か（first_accepted、last_accepted）。"`
	Limit  *time.Duration `help:"期限。例 3m"`
	Warn   *float64       `help:"警告する倍率。"`
	Breach *float64       `help:"遅延報告を作る倍率。0 は作らない。"`
	Actor  string         `required:"" help:"変更する人の名前。操作記録に残る。"`
}

// Run writes a new version that differs from the present one in what was given.
func (c *setLimit) Run(s *streams) error {
	return c.with(func(ctx context.Context, st *store.Store) error {
		limits, err := st.ClockRules(ctx)
		if err != nil {
			return err
		}
		for _, r := range limits {
			if string(r.Clause) != c.Clause || string(r.Until) != c.Until {
				continue
			}
			if c.Limit != nil {
				r.Limit = *c.Limit
			}
			if c.Warn != nil {
				r.Warn = *c.Warn
			}
			if c.Breach != nil {
				r.Breach = *c.Breach
			}
			if err := st.SetClockRule(ctx, "admin:"+c.Actor, r); err != nil {
				return err
			}
			printLimit(s, r)
			return nil
		}
		return desk.Errorf(desk.NotFound, "ctl.breach", "%s にその期限はありません。breach limits で確かめてください。", c.Clause)
	})
}

func printLimit(s *streams, r desk.ClockRule) {
	breach := fmt.Sprintf("%.1f 倍で遅延報告", r.Breach)
	if r.Breach == 0 {
		breach = "遅延報告なし（目標）"
	}
	fmt.Fprintf(s.out, "%s\t%s\t%sから%sまで %s\t%.1f 倍で警告\t%s\n", r.Clause, r.Clause.Japanese(), r.From.Japanese(), r.Until.Japanese(), r.Limit, r.Warn, breach)
}

func jst(t time.Time) string { return t.In(desk.JST).Format("2006-01-02 15:04:05") }
