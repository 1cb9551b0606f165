package answer

import (
	"context"

	"yagura/store/desk"
)

// pending is an answer on its way to a durable place; done hears once whether it got there.
type pending struct {
	answer desk.Response
	done   chan error
}

// batcher is a self-clocking group commit: one goroutine hands over whatever arrived while the last batch was being written.
// Batches grow with the load by themselves, and no timer adds delay when there is none. // limits.md §5
type batcher struct {
	in    chan pending
	most  int
	write func(context.Context, []desk.Response) error
}

func newBatcher(queue, most int, write func(context.Context, []desk.Response) error) *batcher {
	return &batcher{in: make(chan pending, queue), most: most, write: write}
}

// put hands over one answer and waits until its batch is durable, has failed, or ctx ends. In the last case the answer may
// still become durable; the caller must be content with twice, never with not at all.
func (b *batcher) put(ctx context.Context, r desk.Response) error {
	p := pending{answer: r, done: make(chan error, 1)}
	select {
	case b.in <- p:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-p.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run writes batches until ctx ends, and then what is still queued.
func (b *batcher) run(ctx context.Context) error {
	work := context.WithoutCancel(ctx)
	var batch []pending
	var answers []desk.Response
	for {
		batch, answers = batch[:0], answers[:0]
		select {
		case p := <-b.in:
			batch = append(batch, p)
		case <-ctx.Done():
			if len(b.in) == 0 {
				return nil
			}
			continue
		}
		for len(batch) < b.most && len(b.in) > 0 { // the only receiver: what is queued cannot go away
			batch = append(batch, <-b.in)
		}
		for _, p := range batch {
			answers = append(answers, p.answer)
		}
		err := b.write(work, answers)
		for _, p := range batch {
			p.done <- err
		}
	}
}
