package inbox_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"yagura/store/desk"
	"yagura/tui/inbox"
	"yagura/tui/tuitest"
	"yagura/tui/ui"
)

func open(t *testing.T, change func(*tuitest.Backend)) (inbox.Model, *tuitest.Backend, *tuitest.Clock) {
	t.Helper()
	clock := tuitest.NewClock(tuitest.MainShock)
	b := tuitest.NewBackend(clock.Now)
	change(b)
	env := ui.Env{Mode: desk.Live, Now: clock.Now, Run: func(op func(context.Context) tea.Msg) tea.Cmd {
		return func() tea.Msg { return op(context.Background()) }
	}}
	m := inbox.New(env, b)
	s, _ := m.Update(m.Reload()())
	return s.(inbox.Model), b, clock
}

func TestWhatNeedsJudgement(t *testing.T) {
	alarm := tuitest.Main(20, desk.Live, tuitest.MainShock).Item
	judged, watch, unread, bare := alarm, alarm, alarm, alarm
	judged.Verification = &desk.Verification{Finding: desk.Held}
	watch.Advice = &desk.Advice{Grade: desk.GradeWatch}
	unread.Unreadable = true
	bare.Advice = nil
	for name, c := range map[string]struct {
		it   desk.InboxItem
		want bool
	}{"alarm": {alarm, true}, "judged": {judged, false}, "watch": {watch, false}, "unreadable": {unread, false}, "no advice": {bare, false}} {
		if inbox.NeedsJudgement(c.it) != c.want {
			t.Errorf("%s", name)
		}
	}
}

func TestRows(t *testing.T) {
	m, _, _ := open(t, func(b *tuitest.Backend) {
		tuitest.Scene(b, desk.Live)
		b.Put(tuitest.False(90, desk.Live, tuitest.MainShock))
		b.Put(tuitest.After(91, desk.Live, tuitest.MainShock, 3))
		retracted := tuitest.Main(92, desk.Live, tuitest.MainShock)
		retracted.Item.Event.Status = desk.EventRetracted
		retracted.Item.Event.MaxIntensity, retracted.Item.IncidentID = desk.IntensityUnknown, 7
		b.Put(retracted)
		partly := tuitest.Main(93, desk.Live, tuitest.MainShock)
		partly.Item.Advice.Checks[1] = desk.Check{Code: desk.CheckPhase, Result: desk.Undetermined, Text: "取消が1通ありました。"}
		partly.Item.Advice.Grade = desk.GradeInfo
		b.Put(partly)
	})
	view := ansi.Strip(m.View(ui.Frame{W: 80, H: 19, Now: tuitest.MainShock, Theme: ui.ThemeFor(desk.Live)}))
	for _, want := range []string{"矛盾 2 件", "#3 に併合?", "【取消】", "災害 #7", "取消電文あり", "読めず", "訓練 情報", "6強"} {
		if !strings.Contains(view, want) {
			t.Errorf("%q is missing:\n%s", want, view)
		}
	}
	alarms, others := m.Alarms()
	if len(alarms) != 4 || others != 1 || m.Drills() != 1 {
		t.Errorf("%d alarms, %d others, %d drills", len(alarms), others, m.Drills())
	}
}

// An unreadable telegram is shown and counted but opens nothing; a failed reading keeps what was shown.
func TestUnreadableAndFailure(t *testing.T) {
	m, _, _ := open(t, func(b *tuitest.Backend) {
		b.Items = []desk.InboxItem{{Unreadable: true, TelegramID: 77, Event: desk.Event{Headline: "壊れた\x1b[2J電文"}}}
	})
	if _, ok := ui.Match(m.Keys(), "enter"); ok {
		t.Error("an unreadable telegram can be judged")
	}
	if _, cmd := m.Update(inbox.Open{}); cmd != nil {
		t.Error("an unreadable telegram opens a screen")
	}
	f := ui.Frame{W: 80, H: 19, Now: tuitest.MainShock, Theme: ui.ThemeFor(desk.Live)}
	before := m.View(f)
	next, cmd := m.Update(inbox.Loaded{Err: errors.New("pq: secret detail")})
	if next.View(f) != before {
		t.Error("a failed reading changed the list")
	}
	if n, ok := cmd().(ui.Notice); !ok || strings.Contains(n.Text.JA, "secret") {
		t.Errorf("the notice leaks the cause: %+v", n)
	}
}

// A later, weaker alarm never stands above a stronger one that still waits; a judged one gives up its place.
func TestStrongestAlarmFirst(t *testing.T) {
	m, _, _ := open(t, func(b *tuitest.Backend) {
		b.Put(tuitest.Main(20, desk.Live, tuitest.MainShock))
		for i := range 3 {
			b.Put(tuitest.After(desk.EventID(91+i), desk.Live, tuitest.MainShock.Add(time.Duration(i+1)*time.Hour), 3))
		}
	})
	alarms, _ := m.Alarms()
	if len(alarms) != 4 || alarms[0].Event.ID != 20 || alarms[1].Event.ID != 93 {
		t.Errorf("the order is %v", []desk.EventID{alarms[0].Event.ID, alarms[1].Event.ID})
	}
	rows := strings.Split(ansi.Strip(m.View(ui.Frame{W: 80, H: 19, Now: tuitest.MainShock, Theme: ui.ThemeFor(desk.Live)})), "\n")
	if !strings.Contains(rows[1], "M7.6") {
		t.Errorf("on top stands %q", rows[1])
	}
}

// TestAMissileStandsFirst: minutes are left; a 震度5弱 an hour ago can wait. A tsunami warning counts though nothing was felt yet.
func TestAMissileStandsFirst(t *testing.T) {
	m, _, _ := open(t, func(b *tuitest.Backend) {
		b.Put(tuitest.Main(20, desk.Live, tuitest.MainShock))
		for i, change := range []func(*desk.Event){
			func(e *desk.Event) { e.MaxIntensity, e.Tsunami = desk.Intensity5Lower, desk.TsunamiNone },
			func(e *desk.Event) { e.MaxIntensity, e.Tsunami = desk.IntensityUnknown, desk.TsunamiWarning },
			func(e *desk.Event) {
				e.Hazard, e.MaxIntensity, e.Tsunami = desk.Missile, desk.IntensityUnknown, desk.TsunamiNone
			},
		} {
			file := tuitest.Main(desk.EventID(21+i), desk.Live, tuitest.MainShock)
			change(&file.Item.Event)
			b.Put(file)
		}
	})
	alarms, _ := m.Alarms()
	var ids []desk.EventID
	for _, a := range alarms {
		ids = append(ids, a.Event.ID)
	}
	if !slices.Equal(ids, []desk.EventID{23, 20, 22, 21}) {
		t.Errorf("the order is %v", ids)
	}
}
