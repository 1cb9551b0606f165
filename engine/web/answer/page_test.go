package answer

import (
	"bufio"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yagura/engine/web"
	"yagura/store/desk"
)

func TestGetShowsAndNeverRecords(t *testing.T) { // F3-1-a.1: a mail scanner opens every link
	h := open(t)
	for i := range 50 {
		link := h.link(1, i+1)
		for _, suffix := range []string{"", "?lang=en", "?safety=well&attendance=now&comment=x", "."} {
			resp, body := h.get(link + suffix)
			if resp.StatusCode != 200 || !strings.Contains(body, `name="safety"`) || !strings.Contains(body, `method="post"`) {
				t.Fatalf("GET %q: %d %s", suffix, resp.StatusCode, body)
			}
		}
		if resp, body := h.do(http.MethodHead, link, "", nil); resp.StatusCode != 200 || body != "" {
			t.Fatalf("HEAD: %d %q", resp.StatusCode, body)
		}
	}
	if n, calls := h.count("response"), h.store.calls.Load(); n != 0 || calls != 0 {
		t.Fatalf("a GET recorded: %d rows, %d calls", n, calls)
	}
}

func TestPostRecordsAndSaysWhat(t *testing.T) {
	h := open(t)
	form := url.Values{"safety": {"serious"}, "attendance": {"cannot"}, "comment": {"足を骨折\r\n<b>庁舎</b>前\u202e\x07"}}
	resp, body := h.post(h.link(1, 7), form)
	if resp.StatusCode != 200 {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	for _, want := range []string{"記録しました", "重傷・救助が必要です", "登庁できません", "足を骨折", "&lt;b&gt;", "119番", "受付番号", "もう一度開いて"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q:\n%s", want, body)
		}
	}
	var safety, attendance, comment, channel string
	h.db.Scan(`SELECT safety, attendance, comment, channel FROM response WHERE person_id = 7`, &safety, &attendance, &comment, &channel)
	if safety != "serious" || attendance != "cannot" || comment != "足を骨折\n<b>庁舎</b>前" || channel != "link" {
		t.Fatal(safety, attendance, comment, channel)
	}
	// Changing it: the same link again; every answer is kept, the latest counts.
	if _, body = h.post(h.link(1, 7)+"?lang=en", well()); !strings.Contains(body, "Recorded") {
		t.Fatal(body)
	}
	var answers, rows int
	h.db.Scan(`SELECT safety, answers, (SELECT count(*) FROM response) FROM standing WHERE person_id = 7`, &safety, &answers, &rows)
	if safety != "well" || answers != 2 || rows != 2 {
		t.Fatal(safety, answers, rows)
	}
}

func TestAnswerOfAStrangerIsKeptAndMarked(t *testing.T) {
	h := open(t)
	if resp, body := h.post(h.link(1, 999999), well()); resp.StatusCode != 200 {
		t.Fatal(resp.StatusCode, body)
	}
	var channel string
	h.db.Scan(`SELECT channel FROM response WHERE person_id = 999999`, &channel)
	if channel != "link-unknown" {
		t.Fatal(channel)
	}
}

func TestForms(t *testing.T) {
	h := open(t)
	for _, c := range []struct {
		name, body, kind string
		status           int
		says             string
	}{
		{"nothing", "", "", 422, "「安否」を選んでください"},
		{"no attendance", "safety=well&comment=abc", "", 422, "「登庁できるか」を選んでください"},
		{"foreign value", "safety=dead&attendance=now", "", 422, "「安否」を選んでください"},
		{"no content type", "safety=well&attendance=now", "-", 200, "記録しました"},
		{"charset", "safety=well&attendance=now", "application/x-www-form-urlencoded; charset=UTF-8", 200, "記録しました"},
		{"broken escape in the comment", "safety=well&attendance=now&comment=%zz", "", 200, "記録しました"},
		{"not UTF-8", "safety=well&attendance=now&comment=%83%65%83%58%83%67", "", 200, "記録しました"},
		{"NUL", "safety=well&attendance=now&comment=a%00b", "", 200, "記録しました"},
		{"long comment is cut, not refused", "safety=well&attendance=now&comment=" + url.QueryEscape(strings.Repeat("長", 250)), "", 200, "200文字までを記録しました"},
		{"8 KB and more", "safety=well&attendance=now&comment=" + strings.Repeat("a", 9000), "", 413, "大きすぎます"},
		{"json", `{"safety":"well"}`, "application/json", 415, "形を読めません"},
	} {
		t.Run(c.name, func(t *testing.T) {
			header := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
			if c.kind != "" {
				header["Content-Type"] = strings.Trim(c.kind, "-")
			}
			resp, body := h.do(http.MethodPost, h.link(1, 100+len(c.name)), c.body, header)
			if resp.StatusCode != c.status || !strings.Contains(body, c.says) {
				t.Fatalf("%d, want %d with %q:\n%s", resp.StatusCode, c.status, c.says, body)
			}
			if c.name == "no attendance" && (!strings.Contains(body, `value="well" required checked`) || !strings.Contains(body, ">abc</textarea>")) {
				t.Errorf("what was chosen is lost:\n%s", body)
			}
		})
	}
	if n := h.count("response"); n != 6 {
		t.Fatalf("%d answers, want 6", n)
	}
}

func TestModeOnThePage(t *testing.T) { // law 4
	h := open(t)
	for _, c := range []struct {
		dispatch  int
		has, lack string
	}{
		{1, "石川県能登地方", "訓練"},
		{2, "【訓練】これは訓練です", "訓練のメールから"},
		{3, "【試験】これは試験です", "訓練"},
		{9, "訓練のメールから開いた場合も", "これは訓練です"}, // not in memory: right for both
	} {
		_, body := h.get(h.link(c.dispatch, 1))
		if !strings.Contains(body, c.has) || strings.Contains(body, c.lack) {
			t.Errorf("dispatch %d: wants %q and not %q:\n%s", c.dispatch, c.has, c.lack, body)
		}
	}
	if _, body := h.post(h.link(2, 1), well()); !strings.Contains(body, "【訓練】これは訓練です") {
		t.Error("the receipt of a drill does not say so")
	}
}

func TestLanguage(t *testing.T) {
	for _, c := range []struct{ asked, accept, want string }{
		{"", "", "ja"},
		{"en", "ja", "en"},
		{"xx", "en-GB,en;q=0.9", "en"},
		{"", "ja-JP,en;q=0.5", "ja"},
		{"", "fr-FR,fr;q=0.9,en;q=0.8", "en"},
		{"", "fr", "ja"},
		{"ja", "en", "ja"},
	} {
		if got := language(c.asked, c.accept); got != c.want {
			t.Errorf("language(%q, %q) = %s, want %s", c.asked, c.accept, got, c.want)
		}
	}
}

func TestRefusedLinks(t *testing.T) {
	h := open(t)
	other, err := desk.NewTokenKey(1, []byte(strings.Repeat("x", 32)))
	if err != nil {
		t.Fatal(err)
	}
	forged, _ := other.Sign(desk.Token{DispatchID: 1, PersonID: 1, IssuedOn: time.Now()})
	old, _ := h.keys[0].Sign(desk.Token{DispatchID: 1, PersonID: 1, IssuedOn: time.Now().Add(-desk.TokenLife - 48*time.Hour)})
	good := h.token(1, 1)
	for _, c := range []struct {
		path   string
		status int
		says   string
	}{
		{"/r/" + forged, 403, "正しくありません"},
		{"/r/" + good[:30], 403, "正しくありません"},
		{"/r/" + strings.Repeat("A", 4000), 403, "正しくありません"},
		{"/r/" + old, 410, "有効期限"},
		{"/r/" + old + "?lang=en", 410, "expired"},
		{"/", 404, "ページがありません"},
		{"/r/", 404, "ページがありません"},
		{"/r/" + good + "/x", 404, "ページがありません"},
		{"/r/..%2f..%2fetc%2fpasswd", 403, "正しくありません"},
		{"/r/%00%00", 403, "正しくありません"},
		{"/assets/../answer.html", 404, ""},
		{"/assets/", 404, "ページがありません"},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			resp, body := h.do(method, h.base+c.path, "safety=well&attendance=now", map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
			moved := resp.StatusCode/100 == 3 && c.says == ""
			if !moved && (resp.StatusCode != c.status || !strings.Contains(body, c.says)) {
				t.Errorf("%s %s: %d %s", method, c.path, resp.StatusCode, body)
			}
		}
	}
	for _, method := range []string{"PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"} {
		resp, _ := h.do(method, h.link(1, 1), "", nil)
		if resp.StatusCode != 405 || resp.Header.Get("Allow") != "GET, HEAD, POST" {
			t.Errorf("%s: %d, Allow %q", method, resp.StatusCode, resp.Header.Get("Allow"))
		}
	}
	long, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, h.base+"/r/"+strings.Repeat("A", 20000), nil)
	if resp, err := http.DefaultTransport.RoundTrip(long); err == nil { // else cut off while still sending
		_ = resp.Body.Close()
		if resp.StatusCode != 431 {
			t.Errorf("a 20 kB address: %d", resp.StatusCode)
		}
	}
	if h.count("response") != 0 {
		t.Error("a refused link recorded something")
	}
	if h.stop(); strings.Contains(h.log.String(), good) || strings.Contains(h.log.String(), forged) {
		t.Error("a token is in the log")
	}
}

func TestRandomTokensNeverHit(t *testing.T) {
	h := open(t)
	handler := h.s.handler()
	hits := 0
	for range 10000 {
		var raw [27]byte
		_, _ = rand.Read(raw[:])
		raw[0] = 0x11 // the present version and key, so that the code is what refuses
		w := &headless{header: http.Header{}}
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "/r/"+base64.RawURLEncoding.EncodeToString(raw[:]), strings.NewReader("safety=well&attendance=now"))
		r.RemoteAddr = "203.0.113.9:1234"
		handler.ServeHTTP(w, r)
		if w.status != 403 && w.status != 429 {
			hits++
		}
	}
	if hits != 0 || h.count("response") != 0 || h.s.Stats().Refused != 10000 {
		t.Fatalf("%d hits, stats %+v", hits, h.s.Stats())
	}
}

// headless is a response nobody reads.
type headless struct {
	header http.Header
	status int
}

func (w *headless) Header() http.Header         { return w.header }
func (w *headless) WriteHeader(status int)      { w.status = status }
func (w *headless) Write(p []byte) (int, error) { return len(p), nil }

func TestLimits(t *testing.T) {
	h := open(t)
	var last int
	limited := false
	for range 2*badPerNetwork + 2 { // the minute may turn once in between
		resp, _ := h.get(h.base + "/r/" + strings.Repeat("A", desk.TokenLength))
		limited = limited || resp.StatusCode == 429
	}
	if !limited {
		t.Error("bad links of one network go on for ever")
	}
	// A carrier hides thousands of people behind one address: their good links work as ever.
	for p := range 700 {
		if resp, body := h.post(h.link(1, p+1), well()); resp.StatusCode != 200 {
			t.Fatalf("answer %d refused: %d %s", p, resp.StatusCode, body)
		}
	}
	for range postsPerToken {
		last = h.statusOf(h.post(h.link(1, 5000), well()))
	}
	if last != 200 {
		t.Errorf("%d answers of one person in a minute: %d", postsPerToken, last)
	}
	resp, body := h.post(h.link(1, 5000), well())
	if resp.StatusCode == 200 { // the minute may have turned in between: once more must hit
		for range postsPerToken {
			resp, body = h.post(h.link(1, 5000), well())
		}
	}
	if resp.StatusCode != 429 || strings.Contains(body, ">記録しました<") || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

func (h *house) statusOf(r *http.Response, _ string) int { return r.StatusCode }

func TestHeadersOnEveryResponse(t *testing.T) { // S8-2 SEC-17.1 SEC-18 reliability.md 3.2
	h := open(t)
	check := func(what string, resp *http.Response) {
		for name, want := range map[string]string{
			"Content-Security-Policy": string(web.AnswerPolicy), "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"X-Frame-Options": "DENY", "Cache-Control": "no-store",
		} {
			if name == "Cache-Control" && what == "stylesheet" {
				want = "public, max-age=31536000, immutable"
			}
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s: %s = %q, want %q", what, name, got, want)
			}
		}
		if len(resp.Header.Values("Set-Cookie")) > 0 || resp.Header.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s: a cookie, or HSTS without TLS", what)
		}
	}
	for what, path := range map[string]string{
		"form": "/r/" + h.token(1, 1), "forged": "/r/" + strings.Repeat("A", desk.TokenLength), "none": "/x", "stylesheet": web.StylesheetPath(), "unclean": "//r//x",
	} {
		resp, _ := h.get(h.base + path)
		check(what, resp)
	}
	for what, body := range map[string]string{"done": well().Encode(), "wrong": "", "too big": strings.Repeat("a", 10000)} {
		resp, _ := h.do(http.MethodPost, h.link(1, 1), body, nil)
		check(what, resp)
	}
}

func TestPageIsSmallAndSelfContained(t *testing.T) { // F3-1-c SEC-18-1c
	h := open(t)
	_, css := h.get(h.base + web.StylesheetPath())
	full := well()
	full.Set("comment", strings.Repeat("長", 200))
	pages := map[string]string{}
	_, pages["form"] = h.get(h.link(2, 1))
	_, pages["form-en"] = h.get(h.link(2, 1) + "?lang=en")
	_, pages["unknown"] = h.get(h.link(9, 1))
	_, pages["done"] = h.post(h.link(1, 1), full)
	_, pages["done-en"] = h.post(h.link(2, 2)+"?lang=en", url.Values{"safety": {"serious"}, "attendance": {"later"}, "comment": {"At the office"}})
	_, pages["missing"] = h.post(h.link(1, 2), url.Values{"safety": {"injured"}})
	_, pages["forged"] = h.get(h.base + "/r/x")
	_, pages["live"] = h.get(h.link(1, 1))
	for name, body := range pages {
		if n := len(body) + len(css); n > 15<<10 {
			t.Errorf("%s: %d bytes with style", name, n)
		}
		for _, foreign := range []string{"<script", "http://", "https://", "<iframe", "<img", "style=\"", " onclick", " onload"} {
			if strings.Contains(body, foreign) {
				t.Errorf("%s holds %q", name, foreign)
			}
		}
	}
	if strings.Contains(css, "url(") || strings.Contains(css, "@import") {
		t.Error("the stylesheet fetches something")
	}
	if dir := os.Getenv("YAGURA_SHOTS"); dir != "" { // for a look in a browser: style inlined
		for name, body := range pages {
			link := `<link rel="stylesheet" href="` + web.StylesheetPath() + `">`
			if err := os.WriteFile(filepath.Join(dir, "answer-"+name+".html"), []byte(strings.Replace(body, link, "<style>"+css+"</style>", 1)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestSlowClientIsCutOff(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as the server's patience")
	}
	h := open(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "GET /r/%s HTTP/1.1\r\nHost: x\r\n", h.token(1, 1)); err != nil { // and never the rest
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(9 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, err = bufio.NewReader(conn).ReadString(0)
	if nerr, ok := err.(net.Error); ok && nerr.Timeout() {
		t.Fatal("half a request holds a connection for ever")
	}
}
