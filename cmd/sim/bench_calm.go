package main

import (
	"context"
	"os"
	"strconv"
	"strings"
	"time"
)

// Strangers on the same processors disturb a measurement more than anything in it (limits.md, Noise), so each round waits for a
// moment at which the machine is idle, but not for long: the whole bench must end.
const (
	calmWindow   = 300 * time.Millisecond
	calmPatience = 10 * time.Second
	calmIdle     = 0.85
)

// calm returns at the end of an idle window, or when patience is over.
func calm(ctx context.Context, patience time.Duration) {
	end := time.Now().Add(patience)
	tick := time.NewTicker(calmWindow)
	defer tick.Stop()
	idle, all := processorTime()
	for time.Now().Before(end) {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		nowIdle, nowAll := processorTime()
		if nowAll <= all || nowIdle-idle >= calmIdle*(nowAll-all) {
			return
		}
		idle, all = nowIdle, nowAll
	}
}

// processorTime is the idle and the whole time of all processors since the machine was started; proc(5), zeros elsewhere.
func processorTime() (idle, all float64) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	for i, field := range strings.Fields(line) {
		n, err := strconv.ParseFloat(field, 64)
		if err != nil { // the first word is the name of the line
			continue
		}
		all += n
		if i == 4 || i == 5 { // idle, and waiting for a disk
			idle += n
		}
	}
	return idle, all
}
