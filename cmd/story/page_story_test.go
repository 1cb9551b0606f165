package story

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"yagura/store/desk"
)

// get opens a link's page as a telephone does and keeps what it shows.
func (tw *tower) get(token string) (int, string) {
	tw.t.Helper()
	return tw.do(http.MethodGet, token, "", nil)
}

func (tw *tower) submit(token string, form url.Values) (int, string) {
	tw.t.Helper()
	return tw.do(http.MethodPost, token, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

func (tw *tower) do(method, token, kind string, body io.Reader) (int, string) {
	tw.t.Helper()
	req := must[*http.Request](tw.t)(http.NewRequestWithContext(tw.t.Context(), method, "http://"+tw.answers+"/r/"+token, body))
	req.Header.Set("Accept-Language", "ja")
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		tw.t.Fatalf("%s: the answer page is gone", method)
	}
	defer res.Body.Close()
	page := string(must[[]byte](tw.t)(io.ReadAll(io.LimitReader(res.Body, 1<<20))))
	tw.keep("the answer page", page)
	if strings.Contains(page, secretName) {
		tw.t.Errorf("the answer page names a person") // SEC-17.1
	}
	return res.StatusCode, page
}

func (tw *tower) token(d desk.DispatchID, person int, issued time.Time) string {
	tw.t.Helper()
	return must[string](tw.t)(tw.keys[0].Sign(desk.Token{DispatchID: d, PersonID: desk.PersonID(person), IssuedOn: issued}))
}

func wellAndComing() url.Values {
	return url.Values{"safety": {string(desk.SafetyWell)}, "attendance": {string(desk.AttendNow)}}
}

// Links that are forged, expired, random or mangled, posts that are too large, and scanners that open every link: each gets a
// clear page, nothing is recorded, and who has a true link is served as ever. // law 14, SEC-13, reliability.md 3.3
func TestAnswerPageAgainstWhatTheNetworkSends(t *testing.T) {
	t.Parallel()
	tw := raise(t, plan{People: 94})
	engine, item := tw.happened()
	d := tw.one.orders(item)
	tw.settles(20*time.Second, d.ID)
	now := time.Now()
	good := tw.token(d.ID, 1, now)
	answered := func() int { return must[desk.Tally](t)(tw.owner.CountTally(t.Context(), d.ID)).Answered }

	for person := 1; person <= 50; person++ { // a scanner of a mail service: every link, several times, no post
		for range 3 {
			if status, _ := tw.get(tw.token(d.ID, person, now)); status != http.StatusOK {
				t.Fatalf("a true link gave %d", status)
			}
		}
		tw.do(http.MethodHead, tw.token(d.ID, person, now), "", nil)
	}
	if n := answered(); n != 0 {
		t.Fatalf("opening links recorded %d answers", n)
	}

	foreign := must[desk.TokenKey](t)(desk.NewTokenKey(1, make([]byte, 32)))
	forged := must[string](t)(foreign.Sign(desk.Token{DispatchID: d.ID, PersonID: 1, IssuedOn: now}))
	flipped := []byte(good)
	flipped[20] ^= 1
	huge := "safety=well&attendance=now&comment=" + strings.Repeat("a", 5<<20)
	for _, c := range []struct {
		name, method, token, body string
		status                    int
		says                      string
	}{
		{"forged", "GET", forged, "", 403, "正しくありません"},
		{"forged, posted", "POST", forged, wellAndComing().Encode(), 403, "正しくありません"},
		{"one letter changed", "POST", string(flipped), wellAndComing().Encode(), 403, "正しくありません"},
		{"cut short", "GET", good[:30], "", 403, "正しくありません"},
		{"expired", "GET", tw.token(d.ID, 1, now.Add(-100*24*time.Hour)), "", 410, "有効期限が過ぎました"},
		{"expired, posted", "POST", tw.token(d.ID, 1, now.Add(-100*24*time.Hour)), wellAndComing().Encode(), 410, "有効期限が過ぎました"},
		{"oversized", "POST", good, huge, 413, "大きすぎます"},
		{"nothing chosen", "POST", good, "", 422, "選んでください"},
		{"an answer of no question", "POST", good, "safety=great&attendance=perhaps", 422, "選んでください"},
		{"deleted", "DELETE", good, "", 405, "この操作はできません"},
	} {
		status, page := tw.do(c.method, c.token, "application/x-www-form-urlencoded", strings.NewReader(c.body))
		if status != c.status || !strings.Contains(page, c.says) {
			t.Errorf("%s: status %d, want %d with %q", c.name, status, c.status, c.says)
		}
	}
	refused := 0
	for i := range 200 { // somebody tries numbers
		guess := strings.Repeat(string(rune('A'+i%26)), desk.TokenLength)
		if status, _ := tw.get(guess); status == http.StatusForbidden || status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused != 200 {
		t.Errorf("%d of 200 guesses were refused", refused)
	}
	if n := answered(); n != 0 {
		t.Errorf("%d answers were recorded of all that", n)
	}
	if status, page := tw.submit(good, wellAndComing()); status != http.StatusOK || !strings.Contains(page, "記録しました") {
		t.Errorf("a true answer after the storm: status %d", status)
	}
	if n := answered(); n != 1 {
		t.Errorf("%d answers, one was given", n)
	}
	if !engine.alive() {
		t.Error("the engine has ended")
	}
}
