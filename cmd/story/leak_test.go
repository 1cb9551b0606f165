package story

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"yagura/store/desk"
)

// trace is one text that people other than its addressee may read: a log, a screen, a page, an output.
type trace struct{ name, text string }

func (tw *tower) keep(name, text string) { tw.traces = append(tw.traces, trace{name, text}) }

var tokenLike = regexp.MustCompile(`[A-Za-z0-9_-]{36,}`)

// leaks lists what a text gives away: a local part of the roster, or a link that would be honoured. // law 11, SEC-13
func leaks(text string, keys desk.TokenKeys, now time.Time) []string {
	var found []string
	if i := strings.Index(text, secretLocal); i >= 0 {
		found = append(found, "a mailbox near "+strings.ToValidUTF8(text[max(0, i-40):i], "")+"…")
	}
	for _, run := range tokenLike.FindAllString(text, -1) {
		for i := 0; i+desk.TokenLength <= len(run); i++ {
			if _, err := keys.Verify(run[i:i+desk.TokenLength], now); err == nil {
				found = append(found, "a valid token")
			}
		}
	}
	return found
}

// leaveNoTrace ends every story: whatever the programs said and showed must name no mailbox and hold no link.
func (tw *tower) leaveNoTrace() {
	for _, p := range tw.all {
		p.stop()
		said := p.said.String()
		tw.keep("the log of "+p.name, said)
		for _, bad := range []string{"panic", "DATA RACE"} {
			if _, after, found := strings.Cut(said, bad); found {
				tw.t.Errorf("%s: %s%s", p.name, bad, after[:min(len(after), 4000)])
			}
		}
	}
	for _, tr := range tw.traces {
		for _, what := range leaks(tr.text, tw.keys, time.Now()) {
			tw.t.Errorf("%s shows %s", tr.name, what)
		}
	}
}

func TestLeakIsNoticed(t *testing.T) {
	key, _ := desk.NewTokenKey(1, make([]byte, 32))
	now := time.Now()
	token := must[string](t)(key.Sign(desk.Token{DispatchID: 1, PersonID: 2, IssuedOn: now}))
	for text, want := range map[string]int{
		"msg=ok to=…@au.example":                        0,
		"to=" + secretLocal + ".00001a@au.example":      1,
		"GET /r/" + token + " 200":                      1,
		"xx" + token + "yy":                             1,
		"id=" + strings.Repeat("A", desk.TokenLength+4): 0,
	} {
		if got := leaks(text, desk.TokenKeys{key}, now); len(got) != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
