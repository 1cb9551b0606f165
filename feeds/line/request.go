package line

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"sync"
	"time"

	"yagura/feeds"
	"yagura/store/desk"
)

// Path is where the door takes telegrams.
const Path = "/telegrams"

// problem is the body of every refusal (RFC 9457), for a person who reads the other side's log.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// receipt is the body of 202.
type receipt struct {
	Status string `json:"status"` // stored
	Digest string `json:"digest"` // SHA-256 of the telegram's canonical text, in hexadecimal
}

// serve takes one request. ctx is that of Run: a sender that hangs up after the whole body has come does not undo the storing.
func (d *Door) serve(ctx context.Context, w http.ResponseWriter, r *http.Request, out func(context.Context, desk.Envelope) error) {
	now := d.opt.Now()
	if r.URL.Path != Path {
		d.refuse(w, http.StatusNotFound, "ここには何もありません。")
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		d.refuse(w, http.StatusMethodNotAllowed, "電文は POST で送ってください。")
		return
	}
	client, ok := d.whose(r)
	if !ok {
		w.Header().Set("WWW-Authenticate", `Bearer realm="telegrams"`)
		if !d.limit.allow("?"+host(r.RemoteAddr), now) {
			d.busy(w, http.StatusTooManyRequests, "60", "認証の失敗が多すぎます。")
			return
		}
		d.opt.Log.Warn("a request without a good token", "source", DoorName)
		d.refuse(w, http.StatusUnauthorized, "トークンが正しくありません。")
		return
	}
	d.contact(now)
	if !d.limit.allow("="+client.Name, now) {
		d.busy(w, http.StatusTooManyRequests, "60", "1分あたりの回数を超えました。しばらく待って再送してください。")
		return
	}
	select {
	case d.places <- struct{}{}:
		defer func() { <-d.places }()
	default:
		d.busy(w, http.StatusServiceUnavailable, "1", "混み合っています。すぐに再送してください。")
		return
	}
	raw, ok := d.read(w, r)
	if !ok {
		return
	}
	name, telegram := unpack(raw)
	env := desk.Envelope{Feed: DoorName, Name: cmp.Or(name, showable(r.URL.Query().Get("name"))), Raw: telegram, ReceivedAt: now}
	if err := d.store(ctx, out, env); err != nil {
		d.opt.Log.Warn("telegram is not stored", "source", DoorName, "client", client.Name, "kind", desk.KindOf(err))
		d.busy(w, http.StatusServiceUnavailable, "5", "電文を保存できませんでした。再送してください。")
		return
	}
	d.taken.Add(1)
	digest := feeds.Digest(telegram)
	reply(w, http.StatusAccepted, "application/json", receipt{"stored", hex.EncodeToString(digest[:])})
}

// read takes the body of a request, or answers why not.
func (d *Door) read(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "application/xml", "text/xml", "text/plain", "application/json", "application/octet-stream":
	default:
		err = http.ErrNotSupported
	}
	if enc := r.Header.Get("Content-Encoding"); err != nil || enc != "" && enc != "identity" {
		d.refuse(w, http.StatusUnsupportedMediaType, "電文は XML、JSON、テキストのいずれかで、そのままの形で送ってください。")
		return nil, false
	}
	const tooLarge = "電文が大きすぎます。"
	if r.ContentLength > d.opt.MaxBytes {
		d.refuse(w, http.StatusRequestEntityTooLarge, tooLarge)
		return nil, false
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, d.opt.MaxBytes))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		d.refuse(w, http.StatusRequestEntityTooLarge, tooLarge)
	case err != nil:
		d.refuse(w, http.StatusBadRequest, "電文が途中で切れました。再送してください。")
	case isEmpty(raw):
		d.refuse(w, http.StatusBadRequest, "電文が空です。")
	default:
		return raw, true
	}
	return nil, false
}

func (d *Door) refuse(w http.ResponseWriter, status int, detail string) {
	d.refused.Add(1)
	reply(w, status, "application/problem+json", problem{http.StatusText(status), status, detail})
}

// busy is a refusal with the hint when to come back.
func (d *Door) busy(w http.ResponseWriter, status int, after, detail string) {
	w.Header().Set("Retry-After", after)
	d.refuse(w, status, detail)
}

func reply(w http.ResponseWriter, status int, kind string, body any) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the other side may have gone; then it sends again
}

func host(remote string) string {
	h, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	return h
}

// limiter counts per key in windows of one minute, in bounded memory.
type limiter struct {
	perMinute int

	mu     sync.Mutex
	minute int64
	counts map[string]int
}

const limitedKeys = 4096

func newLimiter(perMinute int) *limiter {
	return &limiter{perMinute: perMinute, counts: map[string]int{}}
}

// allow counts one request. Beyond the keys that are remembered strangers share one count, so memory stays bounded and a
// known client is never refused for them.
func (l *limiter) allow(key string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if minute := now.Unix() / 60; minute != l.minute {
		l.minute = minute
		clear(l.counts)
	}
	if _, known := l.counts[key]; !known && len(l.counts) >= limitedKeys && key[:1] == "?" {
		key = "?"
	}
	l.counts[key]++
	return l.counts[key] <= l.perMinute
}
