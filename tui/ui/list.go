package ui

import "slices"

// List is an order of keys with a selection that sticks to its key. Nothing moves under the cursor: while the operator is at work the
// order is frozen and what is new is only counted (field.md 5.2-29). The zero value is an empty list.
type List[K comparable] struct {
	order []K
	sel   K
	some  bool // a selection was made or given
	top   int
	fresh []K // the latest order from the store
}

// Set takes the latest order. Frozen keeps what is shown; otherwise the new order is shown and the selection stays on its key, or goes
// to the first row when follow is set or its key is gone.
func (l List[K]) Set(keys []K, frozen, follow bool) List[K] {
	l.fresh = keys
	if !frozen || len(l.order) == 0 {
		l.order = keys
	}
	if len(l.order) > 0 && (follow && !frozen || !l.some || !slices.Contains(l.order, l.sel)) {
		l.sel, l.some, l.top = l.order[0], true, 0
	}
	return l
}

// New counts the keys that the store has and the frozen order does not.
func (l List[K]) New() int {
	n := 0
	for _, k := range l.fresh {
		if !slices.Contains(l.order, k) {
			n++
		}
	}
	return n
}

// Refresh shows the latest order and selects its first row.
func (l List[K]) Refresh() List[K] { return l.Set(l.fresh, false, true) }

// Selected is the selected key; ok is false for an empty list.
func (l List[K]) Selected() (k K, ok bool) {
	return l.sel, l.some && slices.Contains(l.order, l.sel)
}

// Select moves the selection to a key that is in the list; another key changes nothing.
func (l List[K]) Select(k K) List[K] {
	if slices.Contains(l.order, k) {
		l.sel, l.some = k, true
	}
	return l
}

// Move moves the selection in a window of h rows.
func (l List[K]) Move(by Move, h int) List[K] {
	if len(l.order) == 0 {
		return l
	}
	at := clamp(slices.Index(l.order, l.sel)+by.Lines(h), 0, len(l.order)-1)
	l.sel, l.some = l.order[at], true
	l.top = l.topFor(h)
	return l
}

func (l List[K]) topFor(h int) int {
	at := max(0, slices.Index(l.order, l.sel))
	return clamp(l.top, at-max(1, h)+1, at)
}

// Visible gives the keys to draw in h rows.
func (l List[K]) Visible(h int) []K {
	top := clamp(l.topFor(h), 0, max(0, len(l.order)-1))
	return l.order[min(top, len(l.order)):min(len(l.order), top+max(0, h))]
}

// Len is the number of rows shown or reachable.
func (l List[K]) Len() int { return len(l.order) }
