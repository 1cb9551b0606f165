package main

import (
	"log/slog"
	"os"
	"runtime/pprof"
	"time"
)

func benchLevel() slog.Level {
	if os.Getenv("BENCH_DEBUG") != "" {
		f, _ := os.Create("/tmp/engine.prof")
		pprof.StartCPUProfile(f)
		go func() { time.Sleep(11 * time.Second); pprof.StopCPUProfile(); f.Close() }()
		return slog.LevelInfo
	}
	return slog.LevelError
}
