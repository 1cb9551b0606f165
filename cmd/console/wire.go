package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"yagura/store"
	"yagura/store/desk"
	"yagura/tui"
	"yagura/tui/sshd"
)

// config is every setting of the console; a flag wins over its environment variable.
type config struct {
	DSN        string        `name:"dsn" help:"データベースの接続先（libpq 形式）。" env:"YAGURA_DSN" required:""`
	Listen     string        `help:"SSH を受け付けるアドレス。" env:"YAGURA_LISTEN" default:"127.0.0.1:2222"`
	HostKeyDir string        `help:"SSH ホスト鍵だけを置くディレクトリ（0700 にする）。" env:"YAGURA_HOSTKEY_DIR" name:"hostkey-dir" required:""`
	Log        string        `help:"記録を書くファイル。空なら標準エラー。" env:"YAGURA_LOG"`
	Mode       string        `help:"この卓の世界。訓練の卓は drill。" env:"YAGURA_MODE" enum:"live,drill,test" default:"live"`
	Idle       time.Duration `help:"操作がなければ席を閉じるまでの時間。閉じた席では警報が鳴らない。0 なら閉じない。" env:"YAGURA_IDLE" default:"12h"`
	Lock       time.Duration `help:"操作がなければ判断・送信のキーに鍵をかけるまでの時間。どのキーでも外れる。0 ならかけない。" env:"YAGURA_LOCK" default:"15m"`
	MaxConns   int32         `help:"データベースへの接続の上限。" env:"YAGURA_MAX_CONNS" default:"8"`
}

// run opens the store, the door and the wake-up line, and ends all of them when ctx ends.
func (c *config) run(ctx context.Context) error {
	log, closeLog, err := c.logger()
	if err != nil {
		return err
	}
	defer closeLog()
	st, err := store.Open(ctx, store.Options{DSN: c.DSN, Name: "console", MaxConns: c.MaxConns, Log: log})
	if err != nil {
		return err
	}
	defer st.Close()
	hub := tui.NewHub(st)
	door, err := sshd.New(sshd.Options{
		Address: c.Listen, HostKeyDir: c.HostKeyDir, Registry: st, Log: log, Now: time.Now,
		Program: func(ctx context.Context, s sshd.Session) sshd.Program { return c.desk(ctx, st, hub, s) },
	})
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return quiet(hub.Run(ctx)) })
	group.Go(func() error { return quiet(door.Run(ctx)) })
	return group.Wait()
}

// desk makes the program of one session.
func (c *config) desk(ctx context.Context, b tui.Backend, hub *tui.Hub, s sshd.Session) sshd.Program {
	wait, leave := hub.Subscribe(ctx)
	context.AfterFunc(ctx, leave)
	return tui.New(tui.Options{
		Backend: b, Operator: s.Operator, Mode: desk.Mode(c.Mode), Now: time.Now, After: tui.Timed, Wake: wait, Idle: c.Idle, Lock: c.Lock,
	}, tui.NewRunner(ctx, s.Report))
}

// quiet drops the error of an ordinary end.
func quiet(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (c *config) logger() (*slog.Logger, func(), error) {
	if c.Log == "" {
		return slog.New(slog.NewTextHandler(os.Stderr, nil)), func() {}, nil
	}
	f, err := os.OpenFile(c.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return nil, nil, err
	}
	return slog.New(slog.NewTextHandler(f, nil)), func() { _ = f.Close() }, nil
}
