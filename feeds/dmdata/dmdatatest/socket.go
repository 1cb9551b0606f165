package dmdatatest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/coder/websocket"
)

// socket is one WebSocket of the account. Its fields belong to Server.mu.
type socket struct {
	s       *Server
	id      int
	region  int
	appName string
	started bool
	out     chan []byte // nil for one without a client
	conn    *websocket.Conn
	end     context.CancelFunc
	awaited string // pingId of the last ping; "" when answered
}

// seat is what a ticket stands for.
type seat struct {
	id      int
	appName string
}

// queued is far more than a test may leave unread; a client that reads so little is cut, as the service would.
const queued = 1 << 14

func (k *socket) push(text []byte) {
	if k.out == nil || k.s.knobs.halfOpen[k.region] {
		return
	}
	select {
	case k.out <- text:
	default:
		k.cut()
	}
}

func (k *socket) later(d time.Duration, text []byte) {
	if d == 0 {
		k.push(text)
		return
	}
	k.s.all.Go(func() {
		select {
		case <-k.s.ctx.Done():
		case <-time.After(d):
			k.s.mu.Lock()
			defer k.s.mu.Unlock()
			k.push(text)
		}
	})
}

// cut drops the connection without a close frame.
func (k *socket) cut() {
	if k.end != nil {
		k.end()
	}
}

func (k *socket) fault(code int) {
	if k.out == nil || k.s.knobs.halfOpen[k.region] {
		return
	}
	text := []byte(fmt.Sprintf(`{"type":"error","error":"Error of the double.","code":%d,"close":true}`, code))
	select {
	case k.out <- text:
	default:
	}
	select {
	case k.out <- nil: // nil = now close with the code of the last error
	default:
	}
}

func (s *Server) serveSocket(region int, w http.ResponseWriter, r *http.Request) {
	s.all.Add(1)
	defer s.all.Done()
	s.mu.Lock()
	down := s.knobs.down[region]
	s.mu.Unlock()
	if down || r.URL.Path != "/v2/websocket" {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"dmdata.v2"}})
	if err != nil {
		return
	}
	defer conn.CloseNow()
	if conn.Subprotocol() != "dmdata.v2" {
		return
	}
	ctx, end := context.WithCancel(s.ctx)
	defer end()
	k, code := s.admit(region, r.URL.Query().Get("ticket"), conn, end)
	if code != 0 {
		conn.Write(ctx, websocket.MessageText, []byte(fmt.Sprintf(`{"type":"error","error":"Refused.","code":%d,"close":true}`, code)))
		conn.Close(websocket.StatusCode(code), "")
		return
	}
	defer s.forget(k)
	s.all.Go(func() { k.write(ctx) })
	s.all.Go(func() { k.ping(ctx) })
	k.read(ctx)
}

// admit uses up the ticket: 0 is welcome, else the error code.
func (s *Server) admit(region int, ticket string, conn *websocket.Conn, end context.CancelFunc) (*socket, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.happened()
	seat, known := s.tickets[ticket]
	id := seat.id
	delete(s.tickets, ticket)
	switch {
	case !known:
		return nil, 4404
	case s.knobs.expired > 0:
		s.knobs.expired--
		return nil, 4404
	case s.full():
		return nil, 4409
	}
	s.counts.Opened++
	k := &socket{s: s, id: id, region: region, appName: seat.appName, started: true, out: make(chan []byte, queued), conn: conn, end: end}
	k.push([]byte(`{"type":"start","socketId":` + strconv.Itoa(id) + `,"classifications":["telegram.earthquake"],"types":null,"test":"no",` +
		`"formats":["xml","a/n","binary"],"appName":"double","time":"` + stamp(s.Now()) + `"}`))
	s.sockets[id] = k
	return k, 0
}

func (s *Server) full() bool { return s.knobs.slots > 0 && len(s.sockets) >= s.knobs.slots }

func (s *Server) forget(k *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sockets, k.id)
	s.happened()
}

func (k *socket) write(ctx context.Context) {
	var code struct {
		Code int `json:"code"`
	}
	for {
		select {
		case <-ctx.Done():
			return
		case text := <-k.out:
			if text == nil {
				k.conn.Close(websocket.StatusCode(code.Code), "")
				k.end()
				return
			}
			json.Unmarshal(text, &code)
			if k.conn.Write(ctx, websocket.MessageText, text) != nil {
				return
			}
		}
	}
}

// ping sends a numbered ping and ends the socket when the last one was not answered.
func (k *socket) ping(ctx context.Context) {
	for n := 0; ; n++ {
		k.s.mu.Lock()
		every := k.s.knobs.pingEvery
		if every > 0 && n > 0 {
			if k.awaited != "" {
				k.fault(4891)
			} else {
				k.awaited = fmt.Sprintf("p%d-%d", k.id, n)
				k.push([]byte(`{"type":"ping","pingId":"` + k.awaited + `"}`))
			}
		}
		k.s.mu.Unlock()
		if every <= 0 {
			every = 10 * time.Millisecond // look at the knob again
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
	}
}

func (k *socket) read(ctx context.Context) {
	for {
		_, text, err := k.conn.Read(ctx)
		if err != nil {
			if websocket.CloseStatus(err) == websocket.StatusNormalClosure {
				k.s.mu.Lock()
				k.s.counts.Clean++
				k.s.mu.Unlock()
			}
			return
		}
		k.hear(text)
	}
}

func (k *socket) hear(text []byte) {
	var m struct {
		Type   string `json:"type"`
		PingID string `json:"pingId"`
	}
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	defer k.s.happened()
	knobs, counts := &k.s.knobs, &k.s.counts
	if json.Unmarshal(text, &m) != nil {
		k.fault(4641)
		return
	}
	switch m.Type {
	case "ping":
		counts.Pings++
		k.push(marshal(m2{"pong", m.PingID}))
	case "pong":
		switch {
		case knobs.deaf:
		case knobs.confuse || m.PingID != k.awaited:
			knobs.confuse = false
			counts.WrongPongs++
			k.fault(4640)
		default:
			counts.Pongs++
			k.awaited = ""
		}
	}
}

type m2 struct {
	Type   string `json:"type"`
	PingID string `json:"pingId,omitempty"`
}
