package send

import (
	"container/heap"
	"sync"
	"time"

	"yagura/store/desk"
)

// retries keeps the mails of a tenure that are to be tried again, by time. The database knows them too: a new tenure reads
// them with desk.Mail.NextAt.
type retries struct {
	mu   sync.Mutex
	heap mailHeap
}

func (r *retries) put(m desk.Mail, at time.Time) {
	m.NextAt = at
	r.mu.Lock()
	heap.Push(&r.heap, m)
	r.mu.Unlock()
}

// due takes at most n mails of one dispatch whose time has come. next is when the earliest of the rest falls due, zero when
// there is none.
func (r *retries) due(now time.Time, n int) (mails []desk.Mail, next time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.heap) > 0 && len(mails) < n {
		first := r.heap[0]
		if first.NextAt.After(now) || (len(mails) > 0 && first.DispatchID != mails[0].DispatchID) {
			break
		}
		mails = append(mails, heap.Pop(&r.heap).(desk.Mail))
	}
	if len(r.heap) > 0 {
		next = r.heap[0].NextAt
	}
	return mails, next
}

// keep forgets the mails of dispatches that are over.
func (r *retries) keep(active func(desk.DispatchID) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := r.heap[:0]
	for _, m := range r.heap {
		if active(m.DispatchID) {
			kept = append(kept, m)
		}
	}
	clear(r.heap[len(kept):])
	r.heap = kept
	heap.Init(&r.heap)
}

type mailHeap []desk.Mail

func (h mailHeap) Len() int           { return len(h) }
func (h mailHeap) Less(i, j int) bool { return h[i].NextAt.Before(h[j].NextAt) }
func (h mailHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *mailHeap) Push(x any)        { *h = append(*h, x.(desk.Mail)) }
func (h *mailHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = desk.Mail{}
	*h = old[:len(old)-1]
	return last
}
