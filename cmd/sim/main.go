// Command yagura-sim is the world around the desk: carriers that misbehave, staff who answer, and a roster of people who do not exist.
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

type commands struct {
	Carriers carriersCommand `cmd:"" help:"模擬通信事業者を動かします（SMTP）。"`
	Staff    staffCommand    `cmd:"" help:"模擬職員を動かします（届いたメールのリンクを開いて答えます）。"`
	World    worldCommand    `cmd:"" help:"模擬通信事業者と模擬職員を一つのプロセスで動かします。"`
	Bench    benchCommand    `cmd:"" help:"測定して、目標と並べて示します。"`
	benchProcesses
	Seed seedCommand `cmd:"" help:"架空の名簿をデータベースに入れます。"`
	Demo demoCommand `cmd:"" help:"櫓の全体を立ち上げ、当直卓を開きます（make demo）。"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP) // a closed terminal stops the demo as Ctrl-C does
	defer stop()
	var c commands
	parser := kong.Parse(&c, kong.Name("yagura-sim"), kong.Description("櫓の外の世界の模擬: 通信事業者・職員・名簿。"))
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil)))
	parser.BindTo(ctx, (*context.Context)(nil))
	if err := parser.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "yagura-sim:", desk.Message(err), "("+err.Error()+")")
		stop()
		os.Exit(1)
	}
}
