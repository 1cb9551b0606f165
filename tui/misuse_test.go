package tui_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"yagura/store/desk"
	"yagura/tui"
	"yagura/tui/tuitest"
	"yagura/tui/ui"
)

// Random keys at human pace: nothing panics, no layout breaks, and every dispatch has the path the rules ask for.
func TestRandomKeys(t *testing.T) {
	keys := strings.Split("enter esc up down pgdown pgup home end j k g f h n v p s c w x ! t u a D T I E ? 1 2 3 4 5 6 7 8 9 0 あ backspace ctrl+l", " ")
	for seed := range uint64(6) {
		random := rand.New(rand.NewPCG(seed, 1))
		b, clock := newBackend(t, desk.Live)
		b.Rules.OnePersonMay = seed%2 == 0
		b.Put(tuitest.False(90, desk.Live, tuitest.MainShock))
		s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
		for range 600 {
			k := keys[random.IntN(len(keys))]
			s.Press(k)
			if random.IntN(40) == 0 {
				s.Send(tea.WindowSizeMsg{Width: 80 + random.IntN(200), Height: 24 + random.IntN(60)})
			}
			lines := strings.Split(s.Plain(), "\n")
			for i, l := range lines {
				if w := ui.Width(l); w != ui.Width(lines[0]) || w < 80 {
					t.Fatalf("seed %d after %q: line %d has %d cells: %q", seed, k, i, w, l)
				}
			}
		}
		all, err := b.ActiveDispatches(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range all {
			d := p.Dispatch
			if d.Approval == nil {
				continue
			}
			f, _ := b.EventFile(t.Context(), d.EventID)
			if !b.Rules.OnePersonMay || d.Approval.Method != desk.OneKey || f.Item.Advice.Contradictions() > 0 {
				t.Fatalf("seed %d: one operator alone approved %+v by %s", seed, d.ID, d.Approval.Method)
			}
		}
	}
}

// Foreign text with escapes, wide and combining characters never breaks a line or reaches the terminal as a command.
func TestHostileText(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	f := tuitest.Main(20, desk.Live, tuitest.MainShock)
	evil := "\x1b[2J\x1b]0;x\x07" + strings.Repeat("①ｶﾞ\u202e😀\r\n", 40)
	f.Item.Event.Title, f.Item.Event.Hypocenter.Name, f.Telegrams[0].Title = evil, evil, evil
	advice := *f.Item.Advice
	advice.Checks = []desk.Check{{Result: desk.Passed, Text: evil, Detail: evil}}
	f.Item.Advice = &advice
	b.Put(f)
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 200, 50)
	for _, k := range []string{"", "enter", "v", "g", "n", "5"} {
		if k != "" {
			s.Press(k)
		}
		for i, l := range strings.Split(s.Plain(), "\n") {
			if ui.Width(l) != 200 || strings.ContainsAny(l, "\x1b\x07\r") {
				t.Fatalf("after %q, line %d: %d cells %q", k, i, ui.Width(l), l)
			}
		}
		if n := strings.Count(s.Screen(), "\x1b[2J"); n > 0 {
			t.Fatalf("after %q the screen carries a foreign escape", k)
		}
	}
}

// The desk's clock is the database's: a count-down is right on a machine whose clock is an hour off.
func TestDatabaseClock(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	machine := func() time.Time { return clock.Now().Add(-time.Hour) }
	d := tuitest.NewDriver(clock)
	run := tui.NewRunner(t.Context(), func(p any) { t.Errorf("panic: %v", p) })
	d.Start(tui.New(tui.Options{Backend: b, Operator: tuitest.Yamada, Now: machine, After: d.After}, run), 80, 24)
	s := seat{d, b}
	s.Press("enter", "g", "n", "5", "s")
	s.sees(t, "2024-01-01 16:22", "送信まで")
	s.seesNot(t, "データが古い")
}

func TestIdleSeatIsClosed(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	d := tuitest.NewDriver(clock)
	run := tui.NewRunner(t.Context(), func(p any) { t.Errorf("panic: %v", p) })
	d.Start(tui.New(tui.Options{Backend: b, Operator: tuitest.Yamada, Now: clock.Now, After: d.After, Idle: 15 * time.Minute}, run), 80, 24)
	d.Advance(14 * time.Minute)
	d.Press("down")
	d.Advance(14 * time.Minute)
	if d.Quit {
		t.Fatal("the seat was closed although a key was pressed")
	}
	d.Advance(time.Minute)
	if !d.Quit {
		t.Fatal("an idle seat stays open")
	}
}

// A wake-up is a hint that is gathered: ten of them cause one reading, a lost line causes one at once.
func TestWakesAreGathered(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	before := count(b, "Inbox")
	for range 10 {
		s.Send(tui.WakeMsg{Topic: desk.TopicEvent})
	}
	s.Advance(200 * time.Millisecond)
	if n := count(b, "Inbox") - before; n != 1 {
		t.Fatalf("ten wake-ups caused %d readings", n)
	}
	s.Send(tui.WakeMsg{Topic: desk.TopicLost})
	if n := count(b, "Inbox") - before; n != 2 {
		t.Fatalf("a lost line caused %d readings", n-1)
	}
}

func count(b *tuitest.Backend, call string) int {
	n := 0
	for _, c := range b.Calls {
		if c == call {
			n++
		}
	}
	return n
}
