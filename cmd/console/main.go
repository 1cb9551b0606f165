// Command console is the duty desk: an SSH server through which operators judge, send and stop.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"yagura/store/desk"
)

func main() {
	var c config
	kong.Parse(&c, kong.Name("yagura-console"), kong.Description("当直卓。SSH で接続した当直者が判断し、送信し、停止する。"), kong.UsageOnError())
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := c.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "yagura-console: "+desk.Message(err))
		slog.Error("console ended", "error", err)
		os.Exit(1)
	}
}
