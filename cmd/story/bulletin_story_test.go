package story

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"yagura/feeds"
	"yagura/feeds/dmdata"
	"yagura/feeds/dmdata/dmdatatest"
	"yagura/feeds/jma"
	"yagura/store/desk"
)

// An earthquake is told to the designated people by itself: first the 震度速報, then what was measured. The same telegrams as 訓練 or
// 試験, by whatever path, are told to nobody. // F3-1-l F3-1-m, law 4
func TestAutomaticInformationNeedsNobody(t *testing.T) {
	push := dmdatatest.New(2)
	t.Cleanup(push.Close)
	h := newHouse(t)
	options := push.Options()
	options.Test = true
	h.run(t, dmdata.New(options))
	within(t, 10*time.Second, "both sockets are open", func() bool { return push.Open(0) == 1 && push.Open(1) == 1 })
	press := time.Now().Truncate(time.Second)
	for i, mode := range []desk.Mode{desk.Drill, desk.Test, desk.Live} {
		flash, report, _ := shaking(30*i, press.Add(-100*time.Second), mode)
		push.Push(flash(press), report(press))
	}
	within(t, 60*time.Second, "all six telegrams are read", func() bool { return h.in.Counts().Judged == 6 })
	within(t, 60*time.Second, "two bulletins are accepted 250 times", func() bool { return len(h.carrier.Kept()) >= 2*designated })
	if quick, confirmed := h.mailsOf(t, "地震速報"), h.mailsOf(t, "地震確定"); quick != designated || confirmed != designated {
		t.Errorf("%d mails of 地震速報, %d of 地震確定", quick, confirmed)
	}
	var bulletins, unconsidered, foreign int
	h.db.Scan(`SELECT count(*), (SELECT count(*) FROM unconsidered), (SELECT count(*) FROM bulletin b JOIN reading r USING (telegram_id) WHERE r.mode <> 'live') FROM bulletin`,
		&bulletins, &unconsidered, &foreign)
	if bulletins != 2 || unconsidered != 0 || foreign != 0 {
		t.Errorf("%d bulletins, %d telegrams not considered, %d bulletins of drills", bulletins, unconsidered, foreign)
	}
}

// Every kind of telegram, sent as 訓練 and as 試験 by every path, reaches nobody and opens nothing live; sent as 通常 the same
// telegrams do. // law 4
func TestDrillsOfEveryKindReachNobody(t *testing.T) {
	kinds := everyKind(t)
	paths := []string{"jma-pull", "dmdata", "line-folder", "line-http", "replay"}
	as := func(status string) []feeds.Source {
		var all []feeds.Source
		for _, path := range paths {
			told := slices.Clone(kinds)
			for i := range told {
				told[i].Feed = path
				told[i].Raw = bytes.Replace(told[i].Raw, []byte("<Status>通常</Status>"), []byte("<Status>"+status+"</Status>"), 1)
			}
			all = append(all, handed{path, told})
		}
		return all
	}
	after := func(status string) (live, bulletins, mails int) {
		h := newHouse(t)
		h.run(t, as(status)...)
		within(t, 90*time.Second, "every telegram is read and considered as "+status, func() bool {
			var waiting int
			h.db.Scan(`SELECT (SELECT count(*) FROM unread) + (SELECT count(*) FROM unconsidered)`, &waiting)
			c := h.in.Counts()
			return waiting == 0 && c.Stored+c.Duplicates == int64(len(paths)*len(kinds))
		})
		h.db.Scan(`SELECT (SELECT count(*) FROM event WHERE mode = 'live'), (SELECT count(*) FROM bulletin), (SELECT count(*) FROM mail)`, &live, &bulletins, &mails)
		return live, bulletins, mails
	}
	for _, status := range []string{"訓練", "試験"} {
		if live, bulletins, mails := after(status); live+bulletins+mails != 0 {
			t.Errorf("%s: %d live events, %d bulletins, %d mails", status, live, bulletins, mails)
		}
	}
	live, bulletins, mails := after("通常")
	if live < 10 || bulletins < 10 || mails < 10*designated {
		t.Errorf("the same telegrams as 通常: %d live events, %d bulletins, %d mails; the test proves nothing", live, bulletins, mails)
	}
	t.Logf("%d telegrams by %d paths; as 通常 %d live events, %d bulletins, %d mails", len(kinds), len(paths), live, bulletins, mails)
}

// everyKind is the project's own telegrams of every kind that say 通常, received as they were issued.
func everyKind(t *testing.T) (all []desk.Envelope) {
	t.Helper()
	for _, pattern := range []string{"*.xml", "kinds/*.xml"} {
		for _, file := range must[[]string](t)(filepath.Glob(filepath.Join("..", "..", "feeds", "jma", "testdata", pattern))) {
			e := desk.Envelope{Name: filepath.Base(file), Raw: must[[]byte](t)(os.ReadFile(file))}
			read, err := jma.Parse(e)
			if err != nil || read.Mode != desk.Live {
				continue
			}
			e.ReceivedAt = read.PressTime
			all = append(all, e)
		}
	}
	if len(all) < 40 {
		t.Fatalf("only %d telegrams", len(all))
	}
	return all
}
