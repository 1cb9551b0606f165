package story

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yagura/store/desk"
	"yagura/store/storetest"
)

// One story with everything open, and then every text that anybody could read is searched for the roster's mailboxes and for
// links. Every other story ends with the same search. // F3-2-m, law 11, SEC-13
func TestNothingShowsAMailboxOrALink(t *testing.T) {
	t.Parallel()
	tw := raise(t, plan{
		People: 94, PerPerson: 2, Staff: 300 * time.Millisecond, Share: 1,
		Lanes: []lane{carrier("docomo", 4, behaviour{Unknown: 0.3}), carrier("other", 4, behaviour{RefuseData: 0.3})},
	})
	folder, n := tw.telegrams(strongQuake)
	tw.engine("east", append(playing(folder), "--debug")...) // the most talkative engine there is
	tw.hasRead(20*time.Second, n)
	item := tw.one.sees(5*time.Second, "the earthquake", strongest(desk.Intensity6Upper))
	tw.console()
	d := tw.one.orders(item)
	tw.settles(20*time.Second, d.ID)
	within(t, 20*time.Second, "everybody has answered", func() bool { s := tw.seen().Staff; return s.Waiting == 0 && s.Answered > 0 })

	one := tw.one.sits()
	one.shows(10*time.Second, "本番", "石川県能登地方")
	for _, step := range []struct{ key, shows string }{
		{"\r", "真偽の判断"}, {"v", "判断の材料"}, {"\r", "災害 #"}, {"D", "送信の一覧"}, {"\r", "送信完了"}, {"T", "回答"}, {"?", "今使えるキー"},
	} {
		one.presses(step.key)
		one.shows(8*time.Second, step.shows)
	}
	tw.get(tw.token(d.ID, 1, time.Now()))
	tw.submit(tw.token(d.ID, 2, time.Now()), wellAndComing())
	tw.get("A" + tw.token(d.ID, 1, time.Now())[1:])

	files := must[[]string](t)(filepath.Glob(filepath.Join(folder, "*.xml")))
	tw.ctl(append([]string{"decode"}, files...)...)
	tw.ctl("operators", "list", "--dsn", tw.db.DSN(storetest.Owner))
	tw.ctl("policy", "show", "--dsn", tw.db.DSN(storetest.Owner))
	for _, tr := range tw.traces {
		if strings.TrimSpace(tr.text) == "" && !strings.Contains(tr.name, "page") {
			t.Errorf("%s is empty: nothing was searched", tr.name)
		}
	}
	if len(tw.traces) < 6 { // the logs and the screen join them at the end
		t.Errorf("only %d texts are searched", len(tw.traces))
	}
}

// ctl runs a verb of yagura-ctl and keeps what it says.
func (tw *tower) ctl(args ...string) {
	tw.t.Helper()
	said, err := exec.Command(filepath.Join(programs, "yagura-ctl"), args...).CombinedOutput()
	if err != nil {
		tw.t.Errorf("ctl %s: %v\n%s", args[0], err, said)
	}
	tw.keep("yagura-ctl "+args[0], string(said))
}
