package story

import (
	"encoding/base64"
	"io"
	"mime"
	"net/http"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"yagura/feeds"
	"yagura/feeds/replay"
	"yagura/store/desk"
)

const stamp = "【訓練】"

// A drill runs beside a real earthquake: it never touches the live world, and everything of it says 訓練. // law 4
func TestDrillNeverReachesTheLiveWorld(t *testing.T) {
	t.Parallel()
	tw := raise(t, plan{People: 94, Letters: true, CountDown: 3 * time.Second}) // longer than the page takes to learn of a dispatch
	folder, n := tw.telegrams(strongQuake)
	for i, e := range must[[]desk.Envelope](t)(must[replay.Scenario](t)(replay.Builtin("drill")).Envelopes()) {
		if err := os.WriteFile(filepath.Join(folder, "drill-"+string(rune('a'+i))+".xml"), e.Raw, 0o600); err != nil {
			t.Fatal(err)
		}
		n++
	}
	tw.engine("east", playing(folder)...)
	tw.hasRead(20*time.Second, n)
	live := tw.one.sees(5*time.Second, "the real earthquake", func(i desk.InboxItem) bool { return i.Advice != nil && i.Event.Mode == desk.Live })
	drill := tw.one.sees(5*time.Second, "the drill", func(i desk.InboxItem) bool {
		return i.Advice != nil && i.Event.Mode == desk.Drill && i.Event.MaxIntensity == desk.Intensity6Upper
	})
	if !contradicts(drill.Advice, desk.CheckMode) {
		t.Error("the evidence of the drill does not say that it is one")
	}
	tw.one.finds(live, desk.Genuine, "")
	liveOne := tw.one.opens(live)
	tw.one.finds(drill, desk.Genuine, "訓練として真報と扱う")
	ctx := t.Context()
	_, err := tw.one.store.Decide(ctx, tw.one.id, desk.IncidentChoice{EventID: drill.Event.ID, Incident: liveOne, Reason: desk.SameSeries})
	if desk.KindOf(err) != desk.Conflict {
		t.Errorf("the drill joined the live incident: %v", err)
	}
	_, err = tw.one.store.Propose(ctx, tw.one.id, desk.Draft{
		IncidentID: liveOne, EventID: drill.Event.ID, Triggered: drill.Advice.Triggered, TemplateID: "safety", Subject: "安否確認", Body: "本文",
	})
	if desk.KindOf(err) != desk.Conflict {
		t.Errorf("a live dispatch was proposed on a drill: %v", err)
	}
	d := tw.one.proposes(drill, tw.one.opens(drill))
	if d.Mode != desk.Drill {
		t.Fatalf("the dispatch of a drill is %s", d.Mode)
	}
	if _, err := tw.one.tries(drill, d, desk.OneKey); desk.KindOf(err) != desk.Forbidden {
		t.Errorf("one key on a drill, whose mode is a contradiction: %v", err)
	}
	must[desk.Approval](t)(tw.two.tries(drill, d, desk.TwoPeople))
	p := tw.settles(20*time.Second, d.ID)
	letters := tw.post.Kept()
	if len(letters) != p.Mails || p.Mails == 0 {
		t.Fatalf("%d letters came, %d were written", len(letters), p.Mails)
	}
	for _, l := range letters {
		subject, _ := read(t, l.Data)
		if !strings.HasPrefix(subject, stamp) {
			t.Fatalf("a mail of the drill has the subject %q", subject)
		}
	}
	_, link := read(t, letters[0].Data)
	status, page := tw.get(link)
	if status != http.StatusOK || !strings.Contains(page, stamp) {
		t.Errorf("the page of the drill (status %d) does not say that it is one", status)
	}
	for _, p := range must[[]desk.DispatchProgress](t)(tw.one.store.ActiveDispatches(ctx)) {
		if p.Dispatch.Mode != desk.Drill {
			t.Errorf("dispatch %d is %s", p.Dispatch.ID, p.Dispatch.Mode)
		}
	}
	if got := must[[]desk.Incident](t)(tw.one.store.OpenIncidents(ctx, desk.Live)); len(got) != 1 || len(got[0].Events) != 1 || got[0].Events[0] != live.Event.ID {
		t.Errorf("the live incidents are not only the earthquake's own: %+v", got)
	}
}

var linkLine = regexp.MustCompile(`/r/([A-Za-z0-9_-]+)`)

// read gives the subject of a mail and the token of its link.
func read(t testing.TB, raw string) (subject, token string) {
	t.Helper()
	m := must[*mail.Message](t)(mail.ReadMessage(strings.NewReader(raw)))
	subject = must[string](t)(new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")))
	body := must[[]byte](t)(io.ReadAll(m.Body))
	if strings.EqualFold(m.Header.Get("Content-Transfer-Encoding"), "base64") {
		body = must[[]byte](t)(io.ReadAll(base64.NewDecoder(base64.StdEncoding, strings.NewReader(string(body)))))
	}
	found := linkLine.FindStringSubmatch(string(body))
	if found == nil {
		t.Fatal("a mail without a link")
	}
	return subject, found[1]
}

func digest(raw []byte) [32]byte { return feeds.Digest(raw) }
