package tui_test

import (
	"context"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"yagura/store/desk"
	"yagura/tui"
	"yagura/tui/tuitest"
	"yagura/tui/ui"
)

// seat is one operator's desk over a shared backend and clock.
type seat struct {
	*tuitest.Driver
	b *tuitest.Backend
}

func newBackend(t *testing.T, mode desk.Mode) (*tuitest.Backend, *tuitest.Clock) {
	t.Helper()
	clock := tuitest.NewClock(tuitest.MainShock.Add(12*time.Minute + 30*time.Second))
	b := tuitest.NewBackend(clock.Now)
	tuitest.Scene(b, mode)
	return b, clock
}

func sit(t *testing.T, b *tuitest.Backend, clock *tuitest.Clock, who desk.Operator, mode desk.Mode, w, h int) seat {
	t.Helper()
	d := tuitest.NewDriver(clock)
	run := tui.NewRunner(t.Context(), func(p any) { t.Errorf("panic in a command: %v", p) })
	d.Start(tui.New(tui.Options{Backend: b, Operator: who, Mode: mode, Now: clock.Now, After: d.After, Lock: 15 * time.Minute}, run), w, h)
	return seat{d, b}
}

func (s seat) sees(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(s.Plain(), w) {
			t.Fatalf("the screen does not show %q:\n%s", w, s.Plain())
		}
	}
}

func (s seat) seesNot(t *testing.T, not ...string) {
	t.Helper()
	for _, w := range not {
		if strings.Contains(s.Plain(), w) {
			t.Fatalf("the screen shows %q:\n%s", w, s.Plain())
		}
	}
}

func (s seat) only(t *testing.T) desk.DispatchProgress {
	t.Helper()
	all, err := s.b.ActiveDispatches(context.Background())
	if err != nil || len(all) != 1 {
		t.Fatalf("dispatches: %d, %v", len(all), err)
	}
	return all[0]
}

// From the alarm to sent with clean evidence: five keys, each with one meaning.
func TestFlowFromAlarmToSent(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	s.sees(t, "本番 警報", "震度7", "未判断 警報1")
	s.Press("enter")
	s.sees(t, "[真偽の判断]", "矛盾なし", "緊急地震速報（警報）が先に出ています")
	s.Press("g")
	s.sees(t, "[併合か新規か]", "n  新しい災害にする")
	s.Press("n")
	s.sees(t, "5 最初の事象")
	s.Press("5")
	s.sees(t, "[安否確認の送信]", "送信対象", "1人で送信できます", "件名: 【安否確認】石川県能登地方 震度7")
	s.Press("s")
	p := s.only(t)
	if p.Dispatch.State != desk.Approved || p.Dispatch.Approval.Method != desk.OneKey {
		t.Fatalf("after s: %v %+v", p.Dispatch.State, p.Dispatch.Approval)
	}
	s.sees(t, "送信まで", "x または ! で停止")
	s.Advance(30 * time.Second)
	s.sees(t, "送信完了", "docomo", "受理")
	s.Press("t")
	s.sees(t, "[回答の集計]", "回答 ", " = 送信 ")
}

// A count-down is shown at every desk, and any desk stops it with one key.
func TestOtherDeskStopsCountDown(t *testing.T) {
	for _, key := range []string{"x", "!"} {
		b, clock := newBackend(t, desk.Live)
		b.Rules.CountDown = 15 * time.Second
		one := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
		two := sit(t, b, clock, tuitest.Sato, desk.Live, 80, 24)
		one.Press("enter", "g", "n", "5", "s")
		two.Send(tui.WakeMsg{Topic: desk.TopicDispatch})
		two.Advance(time.Second)
		two.sees(t, "本番 送信まで", "x 停止")
		two.Press(key)
		d := two.only(t).Dispatch
		if d.State != desk.Withdrawn || d.Stop == nil || d.Stop.Operator != "佐藤" {
			t.Fatalf("%s: %v %+v", key, d.State, d.Stop)
		}
		one.Advance(6 * time.Second)
		one.sees(t, "取下", "佐藤 さんが")
	}
}

// In mid-send the stop asks for its reason, and the true counts are shown.
func TestStopInMidSend(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	s.Press("enter", "g", "n", "5", "s")
	s.Advance(6 * time.Second)
	s.Press("x")
	s.sees(t, "停止します。理由を数字で", "1 誤報とわかった")
	s.Press("q")
	if s.only(t).Dispatch.Stop != nil {
		t.Fatal("a key that is no answer stopped the dispatch")
	}
	s.Press("2")
	p := s.only(t)
	if p.Dispatch.Stop == nil || p.Dispatch.Stop.Reason != "対象の誤り" || p.Accepted == 0 {
		t.Fatalf("stop %+v accepted %d", p.Dispatch.Stop, p.Accepted)
	}
	s.sees(t, "止めた ", "すでに引き渡した ")
}

// Two people: why is said, one's own proposal cannot be approved, a wrong number never approves, the right one does.
func TestTwoPeople(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	b.Rules.OnePersonMay = false
	one := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	two := sit(t, b, clock, tuitest.Sato, desk.Live, 80, 24)
	one.Press("enter", "g", "n", "5")
	one.sees(t, "2人必要: 運用方針が2人での送信を求めています")
	one.Press("s")
	if all, _ := b.ActiveDispatches(t.Context()); len(all) != 0 {
		t.Fatal("s sent although two people are needed")
	}
	one.Press("p")
	one.sees(t, "自分の起案は自分では承認できません")
	one.Press("c")
	if one.prompting() {
		t.Fatal("the proposer was asked for the head-count")
	}
	two.Advance(6 * time.Second)
	two.sees(t, "承認待ち")
	two.Press("D", "enter")
	two.sees(t, "山田 さんが", "送信対象")
	two.Press("c")
	two.sees(t, "本番の送信です")
	two.Type("99999")
	two.Press("enter")
	two.sees(t, "人数が違います")
	if two.only(t).Dispatch.State != desk.Proposed {
		t.Fatal("a wrong number approved")
	}
	two.Press("c")
	two.Send(tea.PasteMsg{Content: "12345"})
	two.Press("esc", "c")
	two.Type(itoa(two.only(t).Dispatch.HeadCount))
	two.Press("enter")
	d := two.only(t).Dispatch
	if d.State != desk.Approved || d.Approval.Method != desk.TwoPeople || d.Approval.Operator != "佐藤" {
		t.Fatalf("%v %+v", d.State, d.Approval)
	}
}

func itoa(n int) string { return strings.ReplaceAll(ui.Count(n), ",", "") }

func (s seat) prompting() bool { return strings.Contains(s.Plain(), "Enter 決定") }

// The false bulletin of 23:05: contradictions on top, judged false with a reason, nothing can be sent.
func TestFalseBulletin(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	b.Put(tuitest.False(90, desk.Live, tuitest.MainShock.Add(6*time.Minute)))
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	s.sees(t, "矛盾 2 件")
	s.Press("enter")
	plain := s.Plain()
	if strings.Index(plain, "緊急地震速報が出ていません") > strings.Index(plain, "通常の電文です") {
		t.Fatalf("contradictions are not first:\n%s", plain)
	}
	s.Press("g")
	s.sees(t, "矛盾があります。それでも真報とする理由")
	s.Press("esc", "f")
	s.Press("enter")
	s.sees(t, "空欄では進めません")
	for _, r := range "取消を確認" {
		s.Press(string(r))
	}
	s.Press("enter")
	s.sees(t, "誤報と記録しました", "[受付一覧]")
	if f, _ := b.EventFile(t.Context(), 90); f.Item.Verification == nil || f.Item.Verification.Finding != desk.False || f.Item.Verification.Reason != "取消を確認" {
		t.Fatalf("finding: %+v", f.Item.Verification)
	}
}

// Genuine in spite of contradictions: with a reason, and then two people.
func TestContradictionNeedsTwo(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	b.Put(tuitest.False(90, desk.Live, tuitest.MainShock.Add(6*time.Minute)))
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	s.Press("enter", "g")
	s.Type("電話で確認")
	s.Press("enter", "n", "5")
	s.sees(t, "2人必要: 判断の材料に矛盾があります")
	s.seesNot(t, "s 本番送信")
}

// An aftershock that joins asks only the raised and the added; joining again asks nobody.
func TestJoinAsksOnlyWhatIsNew(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	s.Press("enter", "g", "n", "5", "s")
	into := s.only(t).Dispatch.IncidentID
	s.Advance(20 * time.Second)
	b.Put(tuitest.After(91, desk.Live, tuitest.MainShock.Add(8*time.Minute), into))
	s.Advance(6 * time.Second)
	s.Press("a", "g")
	s.sees(t, "最後の揺れからの時間", "8分00秒", "12km", "愛知県 3>5弱")
	s.Press("j")
	s.sees(t, "1 同じ揺れの続報")
	s.Press("2")
	s.sees(t, "送信対象 450人", "通知済みの震度を超過")
	b.Put(tuitest.After(92, desk.Live, tuitest.MainShock.Add(9*time.Minute), into))
	s.Press("s")
	s.Advance(20 * time.Second)
	s.Press("a", "g", "j", "2")
	s.sees(t, "追加で確認する人はいません")
	s.seesNot(t, "本番送信")
}

// Drill words stand in every header line, and the confirming words differ.
func TestDrillLooksDifferent(t *testing.T) {
	b, clock := newBackend(t, desk.Drill)
	s := sit(t, b, clock, tuitest.Yamada, desk.Drill, 80, 24)
	for range 2 {
		for i, l := range strings.SplitN(s.Plain(), "\n", 4)[:3] {
			if !strings.HasPrefix(l, "訓練 ") {
				t.Fatalf("header line %d: %q", i, l)
			}
		}
		s.Press("enter")
	}
	s.Press("g", "n", "5")
	s.sees(t, "訓練送信", "件名: 【訓練】【安否確認】")
	s.seesNot(t, "本番送信")
}

func TestHandsAreGuarded(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	s.Send(tuitest.Key("enter"))
	s.Send(tuitest.Key("g")) // at once after the screen changed
	s.Advance(60 * time.Millisecond)
	s.sees(t, "画面が変わった直後のキーは受け付けません")
	s.Advance(time.Second)
	for range 20 { // a dropped pen: g twenty times in no time
		s.Send(tuitest.Key("g"))
	}
	s.Advance(time.Second)
	s.sees(t, "すべて捨てました")
	s.Send(tea.PasteMsg{Content: "g"})
	s.Advance(time.Second)
	s.Send(tuitest.Key("あ"))
	s.Advance(time.Second)
	s.sees(t, "日本語入力が入っています")
	if f, _ := b.EventFile(t.Context(), 20); f.Item.Verification != nil {
		t.Fatal("a guarded key judged the event")
	}
}

func TestNothingMovesUnderTheCursor(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	s.Press("down", "down")
	row := selectedRow(s.Plain())
	b.Put(tuitest.False(90, desk.Live, tuitest.MainShock.Add(6*time.Minute)))
	s.Advance(6 * time.Second)
	if got := selectedRow(s.Plain()); got != row {
		t.Fatalf("the selection moved: %q, then %q", row, got)
	}
	s.sees(t, "新着 1 件", "未判断 警報2")
	if s.Bells == 0 {
		t.Fatal("no bell for a new grade-1 alarm")
	}
	s.Press("n")
	s.seesNot(t, "新着 1 件")
	if selectedRow(s.Plain()) == row {
		t.Fatal("showing the new ones did not go to the top")
	}
}

func selectedRow(plain string) string {
	for _, l := range strings.Split(plain, "\n") {
		if strings.HasPrefix(l, "> ") {
			return l
		}
	}
	return ""
}

func TestLostAndStale(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	b.Down = true
	s.Send(tui.WakeMsg{Topic: desk.TopicLost})
	s.Advance(20 * time.Second)
	s.sees(t, "再接続中", "データが古い")
	b.Down = false
	s.Advance(6 * time.Second)
	s.seesNot(t, "再接続中", "データが古い")
}

// A newer advice makes the finding Stale: it is refused, said, and everything is read again.
func TestStaleAdvice(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	s.Press("enter")
	f, _ := b.EventFile(t.Context(), 20)
	a := *f.Item.Advice
	a.ID += 1000
	f.Item.Advice = &a
	b.Put(f)
	s.Press("g")
	s.sees(t, "判断の元になる情報が変わりました", "[真偽の判断]")
	s.Press("g")
	s.sees(t, "[併合か新規か]")
}

// Newer advice that lands on the screen just before the key is pressed: the key does nothing, and the desk says why.
func TestKeyOnWhatJustChanged(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	s.Press("enter")
	f, _ := b.EventFile(t.Context(), 20)
	a := *f.Item.Advice
	a.ID += 1000
	f.Item.Advice = &a
	b.Put(f)
	s.Send(tui.WakeMsg{Topic: desk.TopicEvent})
	s.Advance(160 * time.Millisecond)
	s.sees(t, "判断の元になる情報が変わりました")
	s.Send(tuitest.Key("g"))
	s.Advance(60 * time.Millisecond)
	if f, _ := b.EventFile(t.Context(), 20); f.Item.Verification != nil {
		t.Fatal("a finding was recorded on advice that nobody can have read")
	}
	s.Advance(time.Second)
	s.Press("g")
	s.sees(t, "[併合か新規か]")
}

// Without colour the header, the selection and the alarms are reversed, and no colour is sent.
func TestPlainTerminal(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	s.Send(tea.ColorProfileMsg{Profile: colorprofile.ASCII})
	s.Press("enter")
	lines := strings.Split(s.Screen(), "\n")
	if !strings.HasPrefix(lines[1], "\x1b[7m本番") || strings.Contains(s.Screen(), "38;5;") {
		t.Fatalf("%q", lines[:3])
	}
}

func TestWindowSizes(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	for _, screen := range []string{"", "enter"} {
		if screen != "" {
			s.Press(screen)
		}
		for _, size := range [][2]int{{1, 1}, {79, 24}, {80, 23}, {80, 24}, {139, 30}, {140, 30}, {200, 50}, {500, 200}} {
			s.Send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
			wantW, wantH := min(size[0], tui.MaxW), min(size[1], tui.MaxH)
			lines := strings.Split(s.Plain(), "\n")
			if len(lines) != wantH {
				t.Fatalf("%v: %d lines", size, len(lines))
			}
			for i, l := range lines {
				if w := ui.Width(l); w > wantW || size[0] >= tui.MinW && size[1] >= tui.MinH && w != wantW {
					t.Fatalf("%v line %d: %d cells: %q", size, i, w, l)
				}
			}
			if (size[0] < 80 || size[1] < 24) && size[0] > 40 {
				s.sees(t, "画面が小さすぎます")
			}
		}
	}
}

func TestLeaveTwice(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	s.Press("ctrl+c")
	if s.Quit {
		t.Fatal("one Ctrl-C left the desk")
	}
	s.Press("j", "ctrl+c")
	if s.Quit {
		t.Fatal("Ctrl-C, another key, Ctrl-C left the desk")
	}
	s.Press("ctrl+c")
	if !s.Quit {
		t.Fatal("Ctrl-C twice did not leave")
	}
}

func (s seat) ctx() context.Context { return context.Background() }
