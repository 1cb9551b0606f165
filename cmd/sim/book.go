package main

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"strings"
	"sync/atomic"
	"time"
)

// counts is what one carrier saw. All are mails, TooMany is sessions.
type counts struct {
	Accepted    int `json:"accepted"` // every 250 after a final dot, and mails kept before a cut
	Mailboxes   int `json:"mailboxes"`
	Mails       int `json:"mails"`      // distinct Message-IDs
	Duplicates  int `json:"duplicates"` // accepted again under a known Message-ID
	Dropped     int `json:"dropped"`    // accepted and never shown to anybody
	Unknown     int `json:"unknown"`
	Deferred    int `json:"deferred"`
	RefusedData int `json:"refused_data"`
	Resets      int `json:"resets"`
	TooMany     int `json:"too_many_sessions"`
}

// carrierStats is one carrier in GET /stats.
type carrierStats struct {
	Lane string `json:"lane"`
	counts
	Sessions    int       `json:"sessions"`
	SessionsMax int       `json:"sessions_max"`
	FirstAt     time.Time `json:"first_at"`
	LastAt      time.Time `json:"last_at"`
}

// box is one mailbox.
type box struct {
	Count     int    `json:"count"`
	MessageID string `json:"message_id"` // the latest
	Link      string `json:"link"`
}

type try struct {
	n     int
	first time.Time
}

// book is what a carrier remembers. Guarded by its sink's lock.
type book struct {
	counts
	sessions, sessionsMax int
	first, last           time.Time
	boxes                 map[string]*box
	ids                   map[string]int
	tries                 map[string]*try
	mailings              map[string]*Mailing // kept with a spool only: a measured sink does no more than it must
}

func newBook() book {
	return book{boxes: map[string]*box{}, ids: map[string]int{}, tries: map[string]*try{}, mailings: map[string]*Mailing{}}
}

// Mailing is what mailboxes got of one mailing, as the carriers saw it. Silently dropped mails are not in it.
type Mailing struct {
	Linked    int            `json:"linked"`    // deliveries with a link to answer by
	Mailboxes map[string]int `json:"mailboxes"` // how often each got it
}

func (b *book) deliver(number, to, link string) {
	m := b.mailings[number]
	if m == nil {
		m = &Mailing{Mailboxes: map[string]int{}}
		b.mailings[number] = m
	}
	m.Mailboxes[to]++
	if link != "" {
		m.Linked++
	}
}

// mailingOf is the number of the mailing in a Message-ID such as 12.345@host.
func mailingOf(messageID string) string {
	number, _, _ := strings.Cut(messageID, ".")
	return number
}

func (k *sink) count(f func(*counts)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f(&k.book.counts)
}

// tried notes one more try of a mailbox and says how many there were before, and since when.
func (k *sink) tried(to string) (before int, since time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	t := k.book.tries[to]
	if t == nil {
		t = &try{first: now}
		k.book.tries[to] = t
	}
	t.n++
	return t.n - 1, now.Sub(t.first)
}

// keep books an accepted mail and passes it to the staff. It returns how often this mailbox had mail before.
func (k *sink) keep(to string, body []byte, dropped bool) int {
	id, link := messageID(body), ""
	if k.spool != nil && !dropped {
		link = linkIn(body)
	}
	now := time.Now()
	k.mu.Lock()
	b := &k.book
	if b.first.IsZero() {
		b.first = now
	}
	b.last = now
	b.Accepted++
	if b.ids[id]++; b.ids[id] > 1 {
		b.Duplicates++
	}
	if dropped {
		b.Dropped++
	}
	mine := b.boxes[to]
	if mine == nil {
		mine = &box{}
		b.boxes[to] = mine
	}
	before := mine.Count
	mine.Count++
	mine.MessageID, mine.Link = id, link
	if k.spool != nil && !dropped {
		b.deliver(mailingOf(id), to, link)
	}
	k.mu.Unlock()
	if k.spool != nil && !dropped {
		k.spool.put(Delivery{To: to, MessageID: id, Link: link, At: now})
	}
	return before
}

func (k *sink) stats() carrierStats {
	k.mu.Lock()
	defer k.mu.Unlock()
	b := &k.book
	s := carrierStats{Lane: k.profile.Lane, counts: b.counts, Sessions: b.sessions, SessionsMax: b.sessionsMax, FirstAt: b.first, LastAt: b.last}
	s.Mailboxes, s.Mails = len(b.boxes), len(b.ids)
	return s
}

// reset forgets everything but the open sessions.
func (k *sink) reset() {
	k.mu.Lock()
	defer k.mu.Unlock()
	open := k.book.sessions
	k.book = newBook()
	k.book.sessions, k.book.sessionsMax = open, open
}

var messageIDField = []byte("\r\nMessage-ID: <")

func messageID(mail []byte) string {
	_, rest, found := bytes.Cut(mail, messageIDField)
	if !found {
		return ""
	}
	id, _, _ := bytes.Cut(rest, []byte(">"))
	return string(id)
}

var linkLine = regexp.MustCompile(`(?m)^https?://\S+/r/[A-Za-z0-9_-]+`)

// linkIn is the link on a line of its own in a base64 text body, "" when there is none.
func linkIn(mail []byte) string {
	_, body, found := bytes.Cut(mail, []byte("\r\n\r\n"))
	if !found {
		return ""
	}
	text := make([]byte, base64.StdEncoding.DecodedLen(len(body)))
	n, err := base64.StdEncoding.Decode(text, body) // line ends are skipped by the decoder
	if err != nil {
		return string(linkLine.Find(body))
	}
	return string(linkLine.Find(text[:n]))
}

// spool carries deliveries to the staff without ever holding up a carrier.
type spool struct {
	ch   chan Delivery
	lost atomic.Int64 // deliveries that found the spool full
}

func newSpool(size int) *spool { return &spool{ch: make(chan Delivery, size)} }

func (s *spool) put(d Delivery) {
	select {
	case s.ch <- d:
	default:
		s.lost.Add(1)
	}
}
