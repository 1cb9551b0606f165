package web

import (
	"context"
	"log/slog"
)

// quiet passes net/http's own remarks on as one fixed sentence: their text holds client addresses and could hold a path.
type quiet struct{ slog.Handler }

func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	return q.Handler.Handle(ctx, slog.NewRecord(r.Time, r.Level, "接続を処理できませんでした（TLS または HTTP の形が不正）", r.PC))
}
