package dispatch_test

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"yagura/store/desk"
	"yagura/tui/dispatch"
	"yagura/tui/tuitest"
	"yagura/tui/ui"
)

func by(p desk.Prefecture, i desk.Intensity, r desk.TriggerReason) desk.TriggeredBy {
	return desk.TriggeredBy{Prefecture: p, Intensity: i, Reason: r}
}

// Only who was not asked, or was asked at a lower level, is asked. // F3-1-k.4
func TestAudience(t *testing.T) {
	triggered := []desk.TriggeredBy{by(17, desk.Intensity7, desk.ReasonIntensity), by(15, desk.Intensity5Lower, desk.ReasonIntensity), by(1, 0, desk.ReasonNationwide)}
	asked := func(p desk.Prefecture, i desk.Intensity) desk.Notified {
		return desk.Notified{Prefecture: p, Intensity: i}
	}
	for name, c := range map[string]struct {
		notified []desk.Notified
		want     []desk.TriggeredBy
	}{
		"new incident":        {nil, triggered},
		"all asked as strong": {[]desk.Notified{asked(17, desk.Intensity7), asked(15, desk.Intensity5Upper), asked(1, 0)}, nil},
		"one raised":          {[]desk.Notified{asked(17, desk.Intensity5Lower), asked(15, desk.Intensity5Lower), asked(1, 0)}, []desk.TriggeredBy{by(17, desk.Intensity7, desk.ReasonRaised)}},
		"same shaking rose":   {[]desk.Notified{{Prefecture: 17, Intensity: desk.Intensity6Upper, EventIDs: []desk.EventID{3}}, asked(15, desk.Intensity7), asked(1, 0)}, nil},
		"one added":           {[]desk.Notified{asked(17, desk.Intensity7), asked(1, 0)}, []desk.TriggeredBy{triggered[1]}},
	} {
		got := dispatch.Audience(desk.InboxItem{Event: desk.Event{ID: 3}, Advice: &desk.Advice{Triggered: triggered}}, desk.Intensity5Lower, c.notified)
		if len(got) != len(c.want) || len(got) > 0 && !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if dispatch.Audience(desk.InboxItem{}, desk.Intensity5Lower, nil) != nil {
		t.Error("an event without advice has an audience")
	}
}

func TestFill(t *testing.T) {
	e := desk.Event{Title: "石川県能登地方 震度7", OccurredAt: tuitest.MainShock.UTC()}
	subject, body := dispatch.Fill("【安否確認】{title}", "{title}\n\n{link}", e)
	if subject != "【安否確認】石川県能登地方 震度7" || body != "1月1日16時10分ごろ 石川県能登地方 震度7\n\n{link}" {
		t.Errorf("%q %q", subject, body)
	}
}

func env(now func() time.Time) ui.Env {
	return ui.Env{Operator: tuitest.Yamada, Mode: desk.Live, Now: now, Run: func(op func(context.Context) tea.Msg) tea.Cmd {
		return func() tea.Msg { return op(context.Background()) }
	}}
}

// ready brings the main shock to the dispatch screen with a finding.
func ready(t *testing.T, finding desk.Finding, change func(*tuitest.Backend)) (ui.Screen, *tuitest.Backend) {
	t.Helper()
	clock := tuitest.NewClock(tuitest.MainShock)
	b := tuitest.NewBackend(clock.Now)
	b.Team[1] = tuitest.Yamada
	b.Put(tuitest.Main(20, desk.Live, tuitest.MainShock))
	verify := func(f desk.Finding) {
		if _, err := b.Verify(t.Context(), 1, desk.Verification{EventID: 20, AdviceID: 120, Finding: f}); err != nil {
			t.Fatal(err)
		}
	}
	verify(desk.Genuine)
	in, err := b.Decide(t.Context(), 1, desk.IncidentChoice{EventID: 20, Title: "能登"})
	if err != nil {
		t.Fatal(err)
	}
	if finding != desk.Genuine {
		verify(finding)
	}
	if change != nil {
		change(b)
	}
	var s ui.Screen = dispatch.New(env(clock.Now), b, ui.Go{Event: 20, Incident: in})
	s, _ = s.Update(s.Reload()())
	return s, b
}

func has(s ui.Screen, key string) bool {
	_, ok := ui.Match(s.Keys(), key)
	return ok
}

func TestWhoMaySend(t *testing.T) {
	for name, c := range map[string]struct {
		finding   desk.Finding
		change    func(*tuitest.Backend)
		one, two  bool
		explained string
	}{
		"clean":      {desk.Genuine, nil, true, false, "1人で送信できます"},
		"policy":     {desk.Genuine, func(b *tuitest.Backend) { b.Rules.OnePersonMay = false }, false, true, "運用方針が2人"},
		"taken back": {desk.False, nil, false, false, "真報と判断されていません"},
		"held later": {desk.Held, nil, false, false, "真報と判断されていません"},
		"nobody": {desk.Genuine, func(b *tuitest.Backend) {
			f := tuitest.Main(20, desk.Live, tuitest.MainShock)
			old := b.Files[20]
			old.Item.Advice = f.Item.Advice
			old.Item.Advice.Triggered = nil
			b.Put(old)
		}, false, false, "追加で確認する人はいません"},
	} {
		s, _ := ready(t, c.finding, c.change)
		if has(s, "s") != c.one || has(s, "p") != c.two {
			t.Errorf("%s: s %v, p %v", name, has(s, "s"), has(s, "p"))
		}
		view := s.View(ui.Frame{W: 120, H: 30, Now: tuitest.MainShock, Theme: ui.ThemeFor(desk.Live)})
		if !strings.Contains(view, c.explained) {
			t.Errorf("%s: the screen does not say %q", name, c.explained)
		}
		for _, intent := range []ui.Intent{dispatch.Send{}, dispatch.Propose{}} { // an intent without its key must do nothing
			_, cmd := s.Update(intent)
			if allowed := c.one || c.two && intent == (dispatch.Propose{}); !allowed && cmd != nil {
				t.Errorf("%s: %T acted", name, intent)
			}
		}
	}
}

// The roster changed between looking and pressing: nothing is approved, and the new number is shown.
func TestHeadCountChangedMeanwhile(t *testing.T) {
	s, b := ready(t, desk.Genuine, nil)
	_, cmd := s.Update(dispatch.Send{})
	if cmd == nil {
		t.Fatal("s does nothing")
	}
	s2, _ := s.Update(s.Reload()())
	more := b.Files[20]
	advice := *more.Item.Advice
	advice.ID++
	more.Item.Advice = &advice
	b.Put(more) // newer advice arrives before the key is carried out
	done := cmd().(dispatch.Ordered)
	if desk.KindOf(done.Err) != desk.Stale {
		t.Fatalf("approved on old advice: %+v", done)
	}
	next, _ := s2.Update(done)
	next, _ = next.Update(next.Reload()())
	if !has(next, "s") {
		t.Fatal("what was not approved cannot be sent after looking again")
	}
	all, _ := b.ActiveDispatches(t.Context())
	if len(all) != 1 || all[0].Dispatch.State != desk.Withdrawn { // the draft about what was is not left behind
		t.Fatalf("%+v", all)
	}
}

func TestCountingDown(t *testing.T) {
	now := tuitest.MainShock
	a := &desk.Approval{NotBefore: now.Add(time.Second)}
	for _, c := range []struct {
		d    desk.Dispatch
		want bool
	}{
		{desk.Dispatch{State: desk.Approved, Approval: a}, true},
		{desk.Dispatch{State: desk.Approved, Approval: &desk.Approval{NotBefore: now}}, false},
		{desk.Dispatch{State: desk.Approved, Approval: a, Stop: &desk.Stop{}}, false},
		{desk.Dispatch{State: desk.Withdrawn, Approval: a}, false},
		{desk.Dispatch{State: desk.Proposed}, false},
	} {
		if got := dispatch.CountingDown(c.d, now); got != c.want {
			t.Errorf("%v: %v", c.d.State, got)
		}
	}
}
