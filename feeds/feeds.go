// Package feeds says what a source of telegrams is: a named stream that hands over each bulletin exactly as it came.
package feeds

import (
	"context"

	"yagura/store/desk"
)

// Source is 受信系統: one named stream of telegrams, whatever the path behind it (replay, pull, push).
type Source interface {
	// Name is the name of the stream, as it stands in desk.Envelope.Feed, e.g. "replay".
	Name() string
	// Run hands over envelopes in the order of arrival until ctx ends or the stream is exhausted, and then returns;
	// it starts no goroutine that outlives it. It returns nil for an exhausted stream and ctx.Err() when stopped.
	//
	// out stores the envelope. When out returns an error the envelope is not durable yet, and Run must offer the same
	// envelope again before the next one (law 1: store first; a duplicate rather than a miss).
	Run(ctx context.Context, out func(context.Context, desk.Envelope) error) error
}
