package dmdatatest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

func (s *Server) apiHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v2/socket", s.startSocket)
	mux.HandleFunc("GET /v2/socket", s.listSockets)
	mux.HandleFunc("DELETE /v2/socket/{id}", s.closeSocket)
	mux.HandleFunc("GET /v2/telegram", s.listTelegrams)
	mux.HandleFunc("GET /v1/{id}", s.body)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		defer s.happened()
		if key, password, ok := r.BasicAuth(); !ok || key != Key || password != "" {
			s.counts.Refused++
			refuse(w, http.StatusUnauthorized, "Authorization required.")
			return
		}
		if s.knobs.fail > 0 {
			s.knobs.fail--
			refuse(w, s.knobs.failWith, "Spoilt by the test.")
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func refuse(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]any{"status": "error", "error": map[string]any{"message": message, "code": status}})
}

func answer(w http.ResponseWriter, status int, fields map[string]any) {
	fields["responseId"], fields["responseTime"] = "83c36173ceaf9e44", "2021-04-01T00:00:00.000Z"
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(fields)
}

func (s *Server) startSocket(w http.ResponseWriter, r *http.Request) {
	var o struct {
		Classifications []string `json:"classifications"`
		Types           []string `json:"types"`
		Test            string   `json:"test"`
		AppName         string   `json:"appName"`
		FormatMode      string   `json:"formatMode"`
	}
	switch {
	case json.NewDecoder(r.Body).Decode(&o) != nil:
		refuse(w, http.StatusBadRequest, "The body of the request is not json.")
	case len(o.Classifications) == 0:
		refuse(w, http.StatusBadRequest, "At least one element of `classifications` is required.")
	case len(o.Types) > 30:
		refuse(w, http.StatusBadRequest, "The `types` is not a string or has more than 30 elements.")
	case len(o.AppName) > 24:
		refuse(w, http.StatusBadRequest, "The `appName` is up to 24 bytes.")
	case o.FormatMode != "raw" && o.FormatMode != "json":
		refuse(w, http.StatusBadRequest, "You have entered a string that is not defined in `formatMode`.")
	case s.full():
		refuse(w, http.StatusConflict, "The maximum number of simultaneous connections is full.")
	default:
		s.counts.Tickets++
		s.nextID++
		ticket := fmt.Sprintf("Tik%d", s.nextID)
		s.tickets[ticket] = seat{s.nextID, o.AppName}
		answer(w, http.StatusOK, map[string]any{
			"status": "ok", "ticket": ticket, "classifications": o.Classifications, "test": o.Test, "types": o.Types,
			"formats": []string{"xml", "a/n", "binary"}, "appName": o.AppName,
			// A host that must not be dialled: the source is to keep to its own.
			"websocket": map[string]any{"id": s.nextID, "url": "wss://elsewhere.invalid/v2/websocket?ticket=" + ticket, "protocol": []string{"dmdata.v2"}, "expiration": 300},
		})
	}
}

func (s *Server) listSockets(w http.ResponseWriter, r *http.Request) {
	items := []map[string]any{}
	for id, k := range s.sockets {
		items = append(items, map[string]any{
			"id": id, "ticket": nil, "types": nil, "test": "no", "classifications": []string{"telegram.earthquake"}, "ipAddress": "192.0.2.1",
			"status": "open", "server": "websocket-03", "start": stamp(s.Now()), "end": nil, "ping": stamp(s.Now()), "appName": k.appName,
		})
	}
	answer(w, http.StatusOK, map[string]any{"status": "ok", "items": items})
}

func (s *Server) closeSocket(w http.ResponseWriter, r *http.Request) {
	id, _ := strconv.Atoi(r.PathValue("id"))
	k, ok := s.sockets[id]
	if !ok {
		refuse(w, http.StatusNotFound, "Socket ID not found.")
		return
	}
	s.counts.Deleted = append(s.counts.Deleted, id)
	if k.out == nil {
		delete(s.sockets, id)
	} else {
		k.fault(4808)
	}
	w.WriteHeader(http.StatusOK)
}

// listTelegrams pages newest first. A token is the serial it goes on from: "before:n" or "after:n".
func (s *Server) listTelegrams(w http.ResponseWriter, r *http.Request) {
	s.counts.Lists++
	q := r.URL.Query()
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil || limit < 1 || limit > 100 {
		limit = 20
	}
	before, after := len(s.telegrams)+1, 0
	if token := q.Get("cursorToken"); token != "" {
		if n, _ := fmt.Sscanf(token, "before:%d", &before); n != 1 {
			if n, _ := fmt.Sscanf(token, "after:%d", &after); n != 1 {
				refuse(w, http.StatusBadRequest, "Unexpected data of search query `cursorToken`.")
				return
			}
		}
	}
	items, next := []map[string]any{}, 0
	for i := min(before-1, len(s.telegrams)); i > after; i-- {
		t := &s.telegrams[i-1]
		if !t.listed || t.head.Test && q.Get("test") == "no" {
			continue
		}
		if len(items) == limit {
			next = i + 1
			break
		}
		items = append(items, t.item())
	}
	fields := map[string]any{"status": "ok", "items": items, "nextPooling": fmt.Sprintf("after:%d", len(s.telegrams)), "nextPoolingInterval": 10}
	if next > 0 {
		fields["nextToken"] = fmt.Sprintf("before:%d", next)
	}
	answer(w, http.StatusOK, fields)
}

func (t *telegram) item() map[string]any {
	h := t.head
	h.XML = nil
	return map[string]any{
		"serial": t.serial, "id": t.id, "classification": t.classification(), "head": h, "receivedTime": t.received.Format(time.RFC3339Nano),
		"format": "xml", "url": "https://elsewhere.invalid/v1/" + t.id,
	}
}

func (s *Server) body(w http.ResponseWriter, r *http.Request) {
	i := slices.IndexFunc(s.telegrams, func(t telegram) bool { return t.id == r.PathValue("id") })
	if i < 0 {
		refuse(w, http.StatusNotFound, "Not found.")
		return
	}
	s.counts.Bodies++
	w.Write(s.telegrams[i].raw)
}
