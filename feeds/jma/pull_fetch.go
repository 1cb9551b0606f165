package jma

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"yagura/feeds"
	"yagura/store/desk"
)

// validators are what a conditional GET sends back (RFC 9110, 13.1).
type validators struct{ etag, modified string }

// answer is one response that could be used.
type answer struct {
	unchanged bool // 304
	body      []byte
	validators
	maxAge time.Duration // of Cache-Control; negative when it tells none
}

var (
	errBudget   = errors.New("the day's budget does not hold another request")
	errTooLarge = errors.New("the body is larger than what is taken")
)

// get asks for one file below the base. At most most bytes of a body are received, and only when the budget holds them.
func (p *Pull) get(ctx context.Context, path string, v validators, most int64) (answer, error) {
	if !p.budget.hold(most) {
		return answer{}, errBudget
	}
	var received int64
	held := most
	defer func() { p.budget.settle(held, received) }()
	ctx, cancel := context.WithTimeout(ctx, p.opt.Timeout)
	defer cancel()
	resp, err := p.ask(ctx, path, v)
	if err != nil {
		return answer{}, desk.Wrap(desk.Unavailable, pullOp, err)
	}
	defer resp.Body.Close()
	a := answer{validators: validators{resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")}, maxAge: maxAge(resp.Header)}
	switch {
	case resp.StatusCode == http.StatusNotModified && v != (validators{}):
		a.unchanged = true
		return a, nil
	case resp.StatusCode != http.StatusOK:
		received = min(max(resp.ContentLength, 0), most) // not read, but perhaps under way
		return a, desk.Errorf(desk.Unavailable, pullOp, "気象庁のサーバーが %d を返しました。", resp.StatusCode)
	case resp.ContentLength > most:
		received = most
		return a, errTooLarge
	}
	if resp.ContentLength >= 0 { // what is recorded for the case of a crash need not be more than this
		held = resp.ContentLength
		p.budget.settle(most-held, 0)
	}
	p.noteState("budget", p.budget.write())
	a.body, err = io.ReadAll(io.LimitReader(resp.Body, most))
	received = int64(len(a.body))
	switch {
	case err != nil:
		return a, desk.Wrap(desk.Unavailable, pullOp, err)
	case received == most && resp.ContentLength != most:
		return a, errTooLarge
	}
	return a, nil
}

func (p *Pull) ask(ctx context.Context, path string, v validators) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base.JoinPath(path).String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", p.opt.UserAgent)
	if v.etag != "" {
		req.Header.Set("If-None-Match", v.etag)
	}
	if v.modified != "" {
		req.Header.Set("If-Modified-Since", v.modified)
	}
	return p.client.Do(req)
}

// maxAge reads Cache-Control: max-age (RFC 9111, 5.2.2.1). An hour is the most that is believed.
func maxAge(h http.Header) time.Duration {
	for part := range strings.SplitSeq(h.Get("Cache-Control"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if !strings.EqualFold(name, "max-age") {
			continue
		}
		if n, err := strconv.Atoi(strings.Trim(value, `"`)); err == nil && n >= 0 {
			return time.Duration(min(n, 3600)) * time.Second
		}
	}
	return -1
}

// getFeed asks for a feed. The validators are renewed only when the whole feed could be read: one that was cut off must come again.
func (p *Pull) getFeed(ctx context.Context, name string, v *validators, most int64) (feed atomFeed, a answer, err error) {
	a, err = p.get(ctx, "feed/"+name+".xml", *v, most)
	if err != nil || a.unchanged {
		if a.unchanged {
			p.health.unchanged.Add(1)
		}
		return feed, a, err
	}
	if feed, err = readAtom(bytes.NewReader(feeds.TrimBOM(a.body))); err == nil {
		*v = a.validators
	}
	return feed, a, err
}

// whole reports whether a body looks like a telegram from its first to its last tag. An error page with status 200 and a body
// that was cut off without a length do not, and are asked for again.
func whole(body []byte) bool {
	text := bytes.TrimSpace(feeds.TrimBOM(body))
	return bytes.HasPrefix(text, []byte("<")) && bytes.HasSuffix(text, []byte("Report>")) && bytes.Contains(text, []byte("</"))
}
