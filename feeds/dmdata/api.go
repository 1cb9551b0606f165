package dmdata

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"yagura/feeds/jma"
	"yagura/store/desk"
)

// api speaks HTTP to the configured hosts. The key goes into a header and nowhere else.
type api struct {
	o         Options
	client    *http.Client
	apiPace   *pace
	dataPace  *pace
	onContact func()
}

func newAPI(o Options, onContact func()) *api {
	return &api{
		o: o, client: o.client(), onContact: onContact,
		apiPace: newPace(apiBurst, o.Waits.APIPer), dataPace: newPace(dataBurst, o.Waits.DataPer),
	}
}

func (a *api) url(secure, plain, host, path string, query url.Values) string {
	u := url.URL{Scheme: secure, Host: host, Path: path, RawQuery: query.Encode()}
	if a.o.Plain {
		u.Scheme = plain
	}
	return u.String()
}

// do sends one request within its pace and limit and returns at most limit bytes of a successful answer.
func (a *api) do(ctx context.Context, p *pace, method, address string, body []byte, limit int) ([]byte, error) {
	const op = "dmdata.request"
	if err := p.wait(ctx, a.o.Now); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, a.o.Waits.Request)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, scrub(op, err)
	}
	req.SetBasicAuth(a.o.APIKey, "")
	req.Header.Set("User-Agent", "yagura")
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return nil, scrub(op, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return nil, &statusError{resp.StatusCode}
	}
	got, err := io.ReadAll(io.LimitReader(resp.Body, int64(limit)+1))
	switch {
	case err != nil:
		return nil, scrub(op, err)
	case len(got) > limit:
		return nil, tooLarge()
	}
	a.onContact()
	return got, nil
}

func (a *api) json(ctx context.Context, method, address string, body, into any) error {
	var sent []byte
	if body != nil {
		var err error
		if sent, err = json.Marshal(body); err != nil {
			return err
		}
	}
	got, err := a.do(ctx, a.apiPace, method, address, sent, listLimit)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(got, into); err != nil {
		return desk.Errorf(desk.Unavailable, "dmdata.request", "DMDATAの応答がJSONとして読めません。")
	}
	return nil
}

type ticket struct {
	Ticket    string `json:"ticket"`
	WebSocket struct {
		ID number `json:"id"`
	} `json:"websocket"`
}

// ticket asks for a ticket: it works once and for 300 s, so every connection takes its own (Socket Start v2).
//
// The telegrams are asked for as JMA wrote them (formatMode raw): a JSON conversion is a second thing with its own faults, and
// the store keeps what JMA issued, verbatim (law 1).
func (a *api) ticket(ctx context.Context) (ticket, error) {
	request := struct {
		Classifications []string `json:"classifications"`
		Types           []string `json:"types,omitempty"`
		Test            string   `json:"test"`
		AppName         string   `json:"appName"`
		FormatMode      string   `json:"formatMode"`
	}{a.o.Classifications, a.o.Types, a.testOption(), a.appName(), "raw"}
	var t ticket
	if err := a.json(ctx, http.MethodPost, a.url("https", "http", a.o.APIHost, "/v2/socket", nil), request, &t); err != nil {
		return ticket{}, err
	}
	if t.Ticket == "" {
		return ticket{}, desk.Errorf(desk.Unavailable, "dmdata.ticket", "DMDATAの応答に接続チケットがありません。")
	}
	return t, nil
}

func (a *api) appName() string {
	if a.o.AppName == "" {
		return "yagura"
	}
	return a.o.AppName
}

func (a *api) testOption() string {
	if a.o.Test {
		return "including"
	}
	return "no"
}

// closeStale closes the open sockets of our own name that are stale: after an unclean end a socket keeps its slot until its ping
// times out (Socket List v2, Socket Close v2).
func (a *api) closeStale(ctx context.Context, stale func(number) bool) error {
	var list struct {
		Items []struct {
			ID      number `json:"id"`
			AppName string `json:"appName"`
			Status  string `json:"status"`
		} `json:"items"`
	}
	address := a.url("https", "http", a.o.APIHost, "/v2/socket", url.Values{"status": {"open"}, "limit": {strconv.Itoa(pageSize)}})
	if err := a.json(ctx, http.MethodGet, address, nil, &list); err != nil {
		return err
	}
	for _, item := range list.Items {
		if item.AppName != a.appName() || item.Status != "open" || item.ID == "" || !stale(item.ID) {
			continue
		}
		address := a.url("https", "http", a.o.APIHost, "/v2/socket/"+string(item.ID), nil)
		if _, err := a.do(ctx, a.apiPace, http.MethodDelete, address, nil, listLimit); err != nil {
			return err
		}
	}
	return nil
}

// listed is one telegram of the list; its body is fetched apart.
type listed struct {
	ID             string `json:"id"`
	OriginalID     string `json:"originalId"`
	Classification string `json:"classification"`
	Head           struct {
		Type string `json:"type"`
	} `json:"head"`
	ReceivedTime string `json:"receivedTime"`
	Format       string `json:"format"`
}

// before reports that the telegram came before since. One without a readable time is never too old.
func (l *listed) before(since time.Time) bool {
	at, err := time.Parse(time.RFC3339, l.ReceivedTime)
	return err == nil && at.Before(since)
}

func (l *listed) key() string { return (&frame{ID: l.ID, OriginalID: l.OriginalID}).key() }

type page struct {
	Items       []listed `json:"items"`
	NextToken   string   `json:"nextToken"`
	NextPooling string   `json:"nextPooling"` // the API's spelling
	Interval    int      `json:"nextPoolingInterval"`
}

// list is one page of the telegram list, newest first. The token holds the place and not the other parameters, so these are
// sent every time. Early warnings are never in it (Telegram List v2).
func (a *api) list(ctx context.Context, cursor string) (page, error) {
	q := url.Values{"limit": {strconv.Itoa(pageSize)}, "formatMode": {"raw"}, "test": {a.testOption()}}
	if cursor != "" {
		q.Set("cursorToken", cursor)
	}
	var p page
	err := a.json(ctx, http.MethodGet, a.url("https", "http", a.o.APIHost, "/v2/telegram", q), nil, &p)
	return p, err
}

// body fetches a listed telegram. The address in the list is not followed: the host is ours to choose.
func (a *api) body(ctx context.Context, id string) ([]byte, error) {
	address := a.url("https", "http", a.o.DataHost, "/v1/"+id, nil)
	got, err := a.do(ctx, a.dataPace, http.MethodGet, address, nil, jma.MaxBytes)
	if err != nil {
		return nil, err
	}
	compression := ""
	if bytes.HasPrefix(got, []byte{0x1f, 0x8b}) { // RFC 1952
		if _, err := gzip.NewReader(bytes.NewReader(got)); err == nil {
			compression = "gzip"
		}
	}
	return (&frame{Body: string(got), Compression: compression}).telegram()
}
