package incident_test

import (
	"context"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"yagura/store/desk"
	"yagura/tui/incident"
	"yagura/tui/tuitest"
	"yagura/tui/ui"
)

func open(t *testing.T, mode desk.Mode, incidents ...desk.Incident) (ui.Screen, *tuitest.Backend) {
	t.Helper()
	clock := tuitest.NewClock(tuitest.MainShock)
	b := tuitest.NewBackend(clock.Now)
	b.Put(tuitest.After(91, mode, tuitest.MainShock, 2))
	if _, err := b.Verify(t.Context(), 1, desk.Verification{EventID: 91, AdviceID: 191, Finding: desk.Genuine}); err != nil {
		t.Fatal(err)
	}
	for _, in := range incidents {
		b.Open[in.ID] = &desk.IncidentFile{Incident: in}
	}
	env := ui.Env{Operator: tuitest.Yamada, Mode: mode, Now: clock.Now, Run: func(op func(context.Context) tea.Msg) tea.Cmd {
		return func() tea.Msg { return op(context.Background()) }
	}}
	var s ui.Screen = incident.NewModel(env, b, 91)
	s, _ = s.Update(s.Reload()())
	return s, b
}

// answer presses a digit in the reason prompt and carries the decision out.
func answer(t *testing.T, s ui.Screen, keys ...string) incident.Decided {
	t.Helper()
	var cmd tea.Cmd
	for _, k := range keys {
		s, cmd = s.Update(tuitest.Key(k))
	}
	if cmd == nil {
		t.Fatal("no decision was made")
	}
	return cmd().(incident.Decided)
}

func TestJoinNeedsAReasonAndPrefersTheAdvised(t *testing.T) {
	s, b := open(t, desk.Live, desk.Incident{ID: 1, Mode: desk.Live, Title: "別の災害"}, desk.Incident{ID: 2, Mode: desk.Live, Title: "能登"})
	s, cmd := s.Update(incident.Join{})
	if cmd != nil || s.Prompt() == nil {
		t.Fatal("joining needs no reason")
	}
	if s2, cmd := s.Update(tuitest.Key("3")); cmd != nil || s2.Prompt() == nil {
		t.Fatal("a reason for opening was taken for joining")
	}
	if d := answer(t, s, "2"); d.Err != nil || d.Incident != 2 {
		t.Fatalf("%+v", d)
	}
	if len(b.Open[1].Incident.Events) != 0 || len(b.Open[2].Incident.Events) != 1 {
		t.Fatal("the event joined the wrong incident")
	}
}

func TestOtherReasonNeedsWords(t *testing.T) {
	s, _ := open(t, desk.Live)
	s, _ = s.Update(incident.New{})
	s, cmd := s.Update(tuitest.Key("6"))
	if cmd != nil || s.Prompt() == nil || s.Prompt().Kind != ui.FreeText {
		t.Fatal("その他 needs no words")
	}
	if d := answer(t, s, "理", "由", "enter"); d.Err != nil || d.Incident == 0 {
		t.Fatalf("%+v", d)
	}
}

// A live incident is never offered to a drill event (law 4).
func TestWorldsAreNotOfferedToEachOther(t *testing.T) {
	s, _ := open(t, desk.Drill, desk.Incident{ID: 2, Mode: desk.Live, Title: "本物の災害"})
	if _, ok := ui.Match(s.Keys(), "j"); ok {
		t.Error("a drill event may join a live incident")
	}
	view := s.View(ui.Frame{W: 80, H: 19, Now: tuitest.MainShock, Theme: ui.ThemeFor(desk.Drill)})
	if strings.Contains(view, "本物の災害") {
		t.Error("a live incident is shown to a drill event")
	}
	if next, cmd := s.Update(incident.Join{}); cmd != nil || next.Prompt() != nil {
		t.Error("join acted without an incident")
	}
}
