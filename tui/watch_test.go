package tui_test

import (
	"strings"
	"testing"
	"time"

	"yagura/store/desk"
	"yagura/tui"
	"yagura/tui/tuitest"
)

// After 15 minutes without a key a confirming key only wakes the desk; the next one counts. Stop is never locked.
func TestConfirmingKeysLock(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	s.Press("enter")
	s.Advance(16 * time.Minute)
	s.sees(t, "鍵をかけました")
	s.Press("g")
	s.sees(t, "鍵を外しました", "[真偽の判断]")
	if f, _ := b.EventFile(s.ctx(), 20); f.Item.Verification != nil {
		t.Fatal("the first key after a long pause judged")
	}
	s.Press("g")
	s.sees(t, "[併合か新規か]")
	s.Press("n")
	s.Advance(16 * time.Minute)
	s.Press("5") // answers a question left open
	s.sees(t, "新しい災害にする理由")
	s.Press("5", "s")
	if p := s.only(t); p.Dispatch.State != desk.Approved {
		t.Fatalf("awake again: %v", p.Dispatch.State)
	}
}

// Stopping costs nothing and must never wait for a key that wakes the desk.
func TestStopIsNeverLocked(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	b.Rules.CountDown = 40 * time.Minute
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	s.Press("enter", "g", "n", "5", "s")
	s.Advance(20 * time.Minute)
	s.Press("x")
	if p := s.only(t); p.Dispatch.State != desk.Withdrawn {
		t.Fatalf("after x: %v", p.Dispatch.State)
	}
	s.sees(t, "1通も出ていません", "r 送信の準備に戻る")
	s.seesNot(t, "t 集計")
	s.Press("r")
	s.sees(t, "1人で送信できます", "s 本番送信")
}

// The bell rings once for an alarm however often it is read, reminds every half minute, and is silent after a key.
func TestBellOncePerAlarm(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	if s.Bells != 1 {
		t.Fatalf("%d bells on entry, want 1", s.Bells)
	}
	for range 20 {
		s.Send(tui.WakeMsg{Topic: desk.TopicEvent})
		s.Advance(time.Second)
	}
	if s.Bells != 1 {
		t.Fatalf("%d bells after twenty readings, want 1", s.Bells)
	}
	s.Advance(15 * time.Second)
	if s.Bells != 2 {
		t.Fatalf("%d bells after half a minute, want the reminder", s.Bells)
	}
	s.Press("down")
	s.Advance(2 * time.Minute)
	if s.Bells != 2 {
		t.Fatalf("%d bells after a key", s.Bells)
	}
	gone, _ := b.EventFile(s.ctx(), 20)
	back := gone
	gone.Item.Advice = &desk.Advice{ID: 999, EventID: 20, Grade: desk.GradeWatch}
	b.Put(gone)
	s.Advance(6 * time.Second)
	b.Put(back)
	s.Advance(6 * time.Second)
	if s.Bells != 2 {
		t.Fatalf("the same alarm rang again: %d", s.Bells)
	}
}

// The header's clock never goes back when the count-down ends and it slows down again.
func TestClockNeverGoesBack(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	s.Advance(1700 * time.Millisecond)
	shown := func() string { return strings.Fields(s.Plain())[2] }
	last := shown()
	see := func() {
		if now := shown(); now < last {
			t.Fatalf("the clock went from %s back to %s", last, now)
		}
		last = shown()
	}
	for _, key := range []string{"enter", "g", "n", "5", "s", "x", "esc"} {
		s.Press(key)
		see()
	}
	for range 12 {
		s.Advance(time.Second)
		see()
	}
}

// An incident is closed by two different keys, never while a dispatch of it is under way, and takes no event afterwards.
func TestCloseIncident(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	s.Press("enter", "g", "n", "5", "s", "O")
	s.sees(t, "最後の揺れ 16:10", "が未完了")
	s.seesNot(t, "z 対応を終える")
	s.Press("z", "9")
	if open, _ := b.OpenIncidents(s.ctx(), desk.Live); len(open) != 1 {
		t.Fatal("an incident was closed while its mails were leaving")
	}
	s.Advance(40 * time.Second)
	s.sees(t, "送信 1回", "z 対応を終える")
	s.Press("z", "esc")
	if open, _ := b.OpenIncidents(s.ctx(), desk.Live); len(open) != 1 {
		t.Fatal("Esc closed the incident")
	}
	s.Press("z")
	s.sees(t, "本番の災害", "元には戻せません", "9 対応を終える")
	s.Press("9")
	s.sees(t, "対応を終えたと記録しました", "対応中の災害はありません")
	if open, _ := b.OpenIncidents(s.ctx(), desk.Live); len(open) != 0 {
		t.Fatal("the incident is still open")
	}
}

// Two people with one display name are two people: the proposer is known by number.
func TestNamesakesAreTwoPeople(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	b.Rules.OnePersonMay = false
	twin := desk.Operator{ID: 9, Name: "yamada2", Display: tuitest.Yamada.Display}
	b.Team[twin.ID] = twin
	one := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	two := sit(t, b, clock, twin, desk.Live, 80, 24)
	one.Press("enter", "g", "n", "5", "p")
	one.sees(t, "自分の起案は自分では承認できません")
	two.Advance(6 * time.Second)
	two.Press("D", "enter")
	two.seesNot(t, "自分の起案")
	two.sees(t, "c 人数を入力して承認")
}

// What cannot be done is said in words: no engine, no database.
func TestHeaderNamesWhatIsAway(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	s.sees(t, "送信系 2 稼働")
	b.NoEngine = true
	s.Advance(6 * time.Second)
	s.sees(t, "送信系が停止中。メールは出ません")
	s.Press("enter", "g", "n", "5", "s")
	s.Advance(10 * time.Second)
	s.sees(t, "まだ1通も出ていません", "失効し")
	s.seesNot(t, "0%")
	s.Press("I")
	b.Down = true
	s.Advance(20 * time.Second)
	s.sees(t, "データベースにつながりません", "送信系 不明")
	b.Down, b.NoEngine = false, false
	s.Advance(6 * time.Second)
	s.sees(t, "送信系 2 稼働")
}
