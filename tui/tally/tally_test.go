package tally_test

import (
	"context"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"yagura/store/desk"
	"yagura/tui/tally"
	"yagura/tui/tuitest"
	"yagura/tui/ui"
)

func show(t *testing.T, change func(*tuitest.Backend), id desk.DispatchID) string {
	t.Helper()
	clock := tuitest.NewClock(tuitest.MainShock)
	b := tuitest.NewBackend(clock.Now)
	change(b)
	env := ui.Env{Mode: desk.Live, Now: clock.Now, Run: func(op func(context.Context) tea.Msg) tea.Cmd {
		return func() tea.Msg { return op(context.Background()) }
	}}
	var s ui.Screen = tally.New(env, b, id)
	s, _ = s.Update(s.Reload()())
	return s.View(ui.Frame{W: 120, H: 40, Now: clock.Now(), Theme: ui.ThemeFor(s.Mode())})
}

func sent(b *tuitest.Backend, id desk.DispatchID, mode desk.Mode) desk.DispatchProgress {
	p := desk.DispatchProgress{Mails: 100, Dispatch: desk.Dispatch{
		ID: id, Mode: mode, State: desk.Sending, Subject: "件", Approval: &desk.Approval{NotBefore: tuitest.MainShock.Add(-time.Minute)},
		Triggered: []desk.TriggeredBy{{Prefecture: 17}, {Prefecture: 15}},
	}}
	b.Sent[id] = &p
	return p
}

func TestSumIsShownAndChecked(t *testing.T) {
	good := show(t, func(b *tuitest.Backend) { sent(b, 3, desk.Live) }, 3)
	for _, want := range []string{"回答 253 + 未回答 493 + 不達 14 + 停止 0 = 送信 760人", "石川県", "助けが必要"} {
		if !strings.Contains(good, want) {
			t.Errorf("%q is missing:\n%s", want, good)
		}
	}
	bad := show(t, func(b *tuitest.Backend) {
		tl := tuitest.TallyFor(sent(b, 3, desk.Live), tuitest.MainShock)
		tl.Answered++
		b.Tallies[3] = tl
	}, 3)
	if !strings.Contains(bad, "合計が合いません") || strings.Contains(good, "合計が合いません") {
		t.Error("a sum that does not add up is not said, or said without cause")
	}
}

func TestLatestAndNone(t *testing.T) {
	if got := show(t, func(*tuitest.Backend) {}, 0); !strings.Contains(got, "まだ集計はありません") {
		t.Errorf("none: %s", got)
	}
	got := show(t, func(b *tuitest.Backend) { sent(b, 3, desk.Live); sent(b, 5, desk.Drill) }, 0)
	if !strings.Contains(got, "送信 #5") || !strings.Contains(got, "【訓練】") {
		t.Errorf("latest: %s", got)
	}
}
