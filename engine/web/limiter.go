package web

import (
	"net/netip"
	"sync"
	"time"
)

// Limiter counts per key in windows of one minute, in bounded memory. It is safe for concurrent use.
type Limiter[K comparable] struct {
	perMinute int
	keys      int

	mu     sync.Mutex
	minute int64
	counts map[K]int
}

// NewLimiter allows perMinute hits a key and minute and remembers at most keys of them; a key beyond that is allowed, because
// a limiter that forgets is better than one that refuses people it never saw.
func NewLimiter[K comparable](perMinute, keys int) *Limiter[K] {
	return &Limiter[K]{perMinute: perMinute, keys: keys, counts: map[K]int{}}
}

// Allow counts one hit and reports whether it is within the limit.
func (l *Limiter[K]) Allow(key K, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if minute := now.Unix() / 60; minute != l.minute {
		l.minute = minute
		clear(l.counts)
	}
	n, known := l.counts[key]
	if !known && len(l.counts) >= l.keys {
		return true
	}
	if n < l.perMinute {
		l.counts[key] = n + 1
	}
	return n < l.perMinute
}

// Network is whom a limit is for: one IPv4 address or one IPv6 /64, which is what a single customer is given. remote is
// http.Request.RemoteAddr; an unreadable one is the zero Prefix, shared by all such.
func Network(remote string) netip.Prefix {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	addr := ap.Addr().Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits) // bits are within range for the family
	return p
}
