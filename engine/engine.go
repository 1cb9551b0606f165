// Package engine runs the chosen services of one engine process: it starts them, restarts what fails and stops them in order.
package engine

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// Service is one room of the engine: Run blocks, waits for its own goroutines and returns (law 12).
type Service struct {
	Name string
	Run  func(context.Context) error
}

// Options says how services are kept alive.
type Options struct {
	Log      *slog.Logger
	Now      func() time.Time
	FirstGap time.Duration // wait before the first restart; 0 = 200 ms
	MaxGap   time.Duration // longest wait; 0 = 10 s
	Patience time.Duration // how long one service may take to stop before it is named in the log; 0 = 5 s
}

func (o Options) withDefaults() Options {
	if o.FirstGap == 0 {
		o.FirstGap = 200 * time.Millisecond
	}
	if o.MaxGap == 0 {
		o.MaxGap = 10 * time.Second
	}
	if o.Patience == 0 {
		o.Patience = 5 * time.Second
	}
	return o
}

// Run keeps every service running until ctx ends, then stops them one by one in reverse order, each waited for, so that the
// last-named service, which takes work in, is gone before the ones that finish it. A service that fails or panics is started
// again after a growing wait; the others do not notice. Run returns nil after an orderly stop.
func Run(ctx context.Context, services []Service, o Options) error {
	o = o.withDefaults()
	running := make([]*keeper, 0, len(services))
	for _, s := range services {
		own, cancel := context.WithCancel(context.WithoutCancel(ctx))
		k := &keeper{Service: s, Options: o, cancel: cancel, done: make(chan struct{})}
		running = append(running, k)
		go k.keep(own)
	}
	<-ctx.Done()
	for i := len(running) - 1; i >= 0; i-- {
		running[i].stop()
	}
	return nil
}

// keeper is one service with its restarts.
type keeper struct {
	Service
	Options
	cancel context.CancelFunc
	done   chan struct{}
}

func (k *keeper) keep(ctx context.Context) {
	defer close(k.done)
	gap := k.FirstGap
	for ctx.Err() == nil {
		started := k.Now()
		err := k.once(ctx)
		if ctx.Err() != nil {
			return
		}
		if k.Now().Sub(started) > k.MaxGap {
			gap = k.FirstGap // it had been running well
		}
		k.Log.Error("service ended; starting it again", "service", k.Name, "err", err, "after", gap)
		select {
		case <-ctx.Done():
		case <-time.After(gap):
		}
		gap = min(2*gap, k.MaxGap)
	}
}

// once runs the service and turns a panic into an error, so that one room cannot bring the house down.
func (k *keeper) once(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			k.Log.Error("service panicked", "service", k.Name, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return k.Service.Run(ctx)
}

func (k *keeper) stop() {
	k.cancel()
	late := time.NewTimer(k.Patience)
	defer late.Stop()
	select {
	case <-k.done:
		return
	case <-late.C:
		k.Log.Warn("service is slow to stop", "service", k.Name)
	}
	<-k.done
}
