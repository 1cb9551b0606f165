// Command yagura-engine is the hand of the tower: it takes in telegrams, sends approved mails, takes answers and counts them.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"yagura/engine"
	"yagura/store/desk"
)

func main() {
	var c config
	kong.Parse(&c, kong.Name("yagura-engine"), kong.Description("安否確認の配信エンジン。設定は引数または環境変数で与える。"))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// While mails leave, the live heap is a few megabytes and the garbage many times that a second: at the default it would be
	// collected a hundred times a second, on the processors that send. Five times a small heap is still small.
	debug.SetGCPercent(400)
	if err := run(ctx, &c); err != nil {
		fmt.Fprintln(os.Stderr, "yagura-engine: "+desk.Message(err))
		slog.Error("engine ended", "err", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, c *config) error {
	level := slog.LevelInfo
	if c.Debug {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	slog.SetDefault(log)
	w, err := wire(ctx, c, log)
	if err != nil {
		return err
	}
	defer w.close()
	log.Info("engine is running", "name", c.Name, "answers", c.AnswerListen, "replay", c.Replay)
	return engine.Run(ctx, w.services(), engine.Options{Log: log, Now: time.Now})
}
