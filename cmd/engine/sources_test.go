package main

import (
	"log/slog"
	"strings"
	"testing"

	"yagura/store/desk"
)

// TestNoTwoEnginesShareAName: an engine closes the sockets of its own name that it does not know.
func TestNoTwoEnginesShareAName(t *testing.T) {
	long := "anpi-production-engine-"
	seen := map[string]bool{}
	for _, of := range [][2]string{{"engine", "tokyo"}, {"engine", "osaka"}, {long + "1", "tokyo"}, {long + "2", "tokyo"}, {"配信エンジン", "tokyo"}} {
		name := appName(of[0], of[1])
		if len(name) > 24 || seen[name] || !strings.HasPrefix(name, "yagura ") || strings.ToValidUTF8(name, "?") != name {
			t.Errorf("%q: %q", of, name)
		}
		if name != appName(of[0], of[1]) {
			t.Error("a restart has another name")
		}
		seen[name] = true
	}
}

func TestThePublicFeedsNeedAMemory(t *testing.T) {
	var c config
	c.JMA, c.JMABytes = true, 2_000_000_000
	if _, err := c.sources(slog.New(slog.DiscardHandler)); desk.KindOf(err) != desk.Invalid || !strings.Contains(desk.Message(err), "--jma-state") {
		t.Error(err)
	}
	c.JMAState = t.TempDir()
	if all, err := c.sources(slog.New(slog.DiscardHandler)); err != nil || len(all) != 1 {
		t.Error(all, err)
	}
}
