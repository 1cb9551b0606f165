package verify_test

import (
	"context"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"yagura/store/desk"
	"yagura/tui/tuitest"
	"yagura/tui/ui"
	"yagura/tui/verify"
)

func env(now func() time.Time) ui.Env {
	return ui.Env{Operator: tuitest.Yamada, Mode: desk.Live, Now: now, Run: func(op func(context.Context) tea.Msg) tea.Cmd {
		return func() tea.Msg { return op(context.Background()) }
	}}
}

func keys(s ui.Screen) string {
	out := ""
	for _, b := range s.Keys() {
		if !b.Quiet {
			out += b.Keys[0] + " "
		}
	}
	return out
}

func loaded(t *testing.T, f desk.EventFile) (ui.Screen, *tuitest.Backend) {
	t.Helper()
	clock := tuitest.NewClock(tuitest.MainShock)
	b := tuitest.NewBackend(clock.Now)
	b.Put(f)
	var s ui.Screen = verify.New(env(clock.Now), b, f.Item.Event.ID)
	if keys(s) != "v " {
		t.Fatalf("a screen without its file offers %q", keys(s))
	}
	s, _ = s.Update(s.Reload()())
	return s, b
}

func TestKeysFollowTheState(t *testing.T) {
	main := tuitest.Main(20, desk.Live, tuitest.MainShock)
	noAdvice := main
	noAdvice.Item.Advice = nil
	genuine, joined := main, main
	genuine.Item.Verification = &desk.Verification{Finding: desk.Genuine}
	joined.Item.Verification, joined.Item.IncidentID = genuine.Item.Verification, 3
	held := main
	held.Item.Verification = &desk.Verification{Finding: desk.Held}
	for name, c := range map[string]struct {
		file desk.EventFile
		want string
	}{
		"open": {main, "g h f v "}, "no advice": {noAdvice, "v "}, "genuine": {genuine, "enter h f v "},
		"in an incident": {joined, "enter h f v "}, "held": {held, "g h f v "},
	} {
		s, _ := loaded(t, c.file)
		if got := keys(s); got != c.want {
			t.Errorf("%s: keys %q, want %q", name, got, c.want)
		}
	}
}

// A second press while the first is being recorded writes nothing.
func TestJudgeOnce(t *testing.T) {
	s, _ := loaded(t, tuitest.Main(20, desk.Live, tuitest.MainShock))
	s, first := s.Update(verify.Judge{Finding: desk.Genuine})
	if s, second := s.Update(verify.Judge{Finding: desk.Genuine}); second != nil || keys(s) != "v " {
		t.Fatal("a second press was taken while the first was being recorded")
	}
	if done, ok := first().(verify.Judged); !ok || done.Err != nil {
		t.Fatalf("%+v", done)
	}
}

// A finding is bound to the advice that was on the screen when its reason was asked for.
func TestJudgeTheAdviceSeen(t *testing.T) {
	s, b := loaded(t, tuitest.Main(20, desk.Live, tuitest.MainShock))
	s, _ = s.Update(verify.Judge{Finding: desk.False})
	newer := tuitest.Main(20, desk.Live, tuitest.MainShock)
	newer.Item.Advice.ID++
	b.Put(newer)
	s, _ = s.Update(s.Reload()()) // the poll brings newer advice while the reason is typed
	s, _ = s.Update(tuitest.Key("x"))
	_, cmd := s.Update(tuitest.Key("enter"))
	if done := cmd().(verify.Judged); desk.KindOf(done.Err) != desk.Stale {
		t.Fatalf("a finding on unseen advice was recorded: %+v", done)
	}
}

func TestForeignMessagesAreIgnored(t *testing.T) {
	s, _ := loaded(t, tuitest.Main(20, desk.Live, tuitest.MainShock))
	before := s.View(ui.Frame{W: 80, H: 19, Now: tuitest.MainShock, Theme: ui.ThemeFor(desk.Live)})
	for _, msg := range []tea.Msg{verify.Loaded{ID: 99, At: tuitest.MainShock}, verify.Judged{ID: 99, Finding: desk.False}, "nonsense", tuitest.Key("g")} {
		next, cmd := s.Update(msg)
		if cmd != nil || next.View(ui.Frame{W: 80, H: 19, Now: tuitest.MainShock, Theme: ui.ThemeFor(desk.Live)}) != before {
			t.Errorf("%T changed the screen", msg)
		}
	}
}
