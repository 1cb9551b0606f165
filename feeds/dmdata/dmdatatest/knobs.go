package dmdatatest

import (
	"slices"
	"time"
)

type knobs struct {
	drop        int  // frames not sent, though listed
	duplicate   bool // every frame twice
	reorder     int  // frames to hold back, then sent in reverse
	delay       time.Duration
	conversions bool
	halfOpen    map[int]bool
	down        map[int]bool
	expired     int // tickets that will be refused
	confuse     bool
	slots       int // 0 = no limit
	fail        int // API answers to spoil …
	failWith    int // … with this status
	pingEvery   time.Duration
	deaf        bool // pongs are not counted: 4891
}

func (s *Server) turn(change func(*knobs)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.knobs)
}

// Drop keeps the next n frames from every socket; the telegrams stay in the list.
func (s *Server) Drop(n int) { s.turn(func(k *knobs) { k.drop = n }) }

// Duplicate sends every frame twice.
func (s *Server) Duplicate(on bool) { s.turn(func(k *knobs) { k.duplicate = on }) }

// Reorder holds the next n frames back and then sends them in reverse order.
func (s *Server) Reorder(n int) { s.turn(func(k *knobs) { k.reorder = n }) }

// Delay sends each frame so much later.
func (s *Server) Delay(d time.Duration) { s.turn(func(k *knobs) { k.delay = d }) }

// Conversions sends a JSON conversion before each telegram, as a subscription with formatMode json has it.
func (s *Server) Conversions(on bool) { s.turn(func(k *knobs) { k.conversions = on }) }

// HalfOpen makes a region take handshakes and frames and never say a word again.
func (s *Server) HalfOpen(region int, on bool) { s.turn(func(k *knobs) { k.halfOpen[region] = on }) }

// Down cuts the sockets of a region without a close frame and refuses handshakes until it is up again.
func (s *Server) Down(region int, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knobs.down[region] = on
	for _, k := range s.sockets {
		if on && k.region == region {
			k.cut()
		}
	}
}

// Fault sends an error frame to the sockets of a region and closes them with the code, as the service does: 4503 is a restart.
func (s *Server) Fault(region, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.sockets {
		if k.region == region {
			k.fault(code)
		}
	}
}

// ExpireTickets makes the next n tickets worthless: 4404.
func (s *Server) ExpireTickets(n int) { s.turn(func(k *knobs) { k.expired = n }) }

// Confuse makes the next pong count as wrong: 4640.
func (s *Server) Confuse() { s.turn(func(k *knobs) { k.confuse = true }) }

// Deaf makes every pong go unheard: 4891 at the second ping.
func (s *Server) Deaf(on bool) { s.turn(func(k *knobs) { k.deaf = on }) }

// Slots limits the sockets of the account, those of other programs included: 409.
func (s *Server) Slots(n int) { s.turn(func(k *knobs) { k.slots = n }) }

// Occupy puts a socket without a client into the account, as an unclean end leaves it, and returns its id.
func (s *Server) Occupy(appName string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nextID++
	s.sockets[s.nextID] = &socket{s: s, id: s.nextID, region: -1, appName: appName, started: true}
	return s.nextID
}

// Fail spoils the next n answers of the HTTP API with a status.
func (s *Server) Fail(n, status int) { s.turn(func(k *knobs) { k.fail, k.failWith = n, status }) }

// PingEvery makes the service ping each socket so often; 0 = never.
func (s *Server) PingEvery(d time.Duration) { s.turn(func(k *knobs) { k.pingEvery = d }) }

// send brings a frame to every open socket, as the knobs say.
func (s *Server) send(frame []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := &s.knobs
	frames := [][]byte{frame}
	switch {
	case k.drop > 0:
		k.drop--
		return
	case k.reorder > 0:
		s.held = append(s.held, frame)
		if k.reorder--; k.reorder > 0 {
			return
		}
		slices.Reverse(s.held)
		frames, s.held = s.held, nil
	}
	if k.duplicate {
		frames = slices.Concat(frames, frames)
	}
	for _, each := range s.sockets {
		for _, f := range frames {
			each.later(k.delay, f)
		}
	}
}
