package tui_test

import (
	"strings"
	"testing"
	"time"

	"yagura/store/desk"
	"yagura/tui/tuitest"
)

// The system line says in plain words which source is silent and for how long, and forgets it when the source is back.
func TestSystemLineNamesSilentSources(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	s.seesNot(t, "受信が止まっています")
	hearing(s, 0)
	s.Advance(6 * time.Second)
	s.sees(t, "最新 16:22", "DM 3秒", "JMA 17秒", "P2P 不調 1分")
	s.Advance(2 * time.Minute)
	s.sees(t, "受信が止まっています: DMDATA 2分", "JMA 2分", "送信系 2 稼働")
	s.Advance(time.Minute)
	s.sees(t, "受信が止まっています: DMDATA 3分、気象庁（JMA） 3分")
	for i := range b.Heard {
		b.Heard[i].LastContact, b.Heard[i].Trouble = clock.Now(), ""
	}
	s.Advance(6 * time.Second)
	s.seesNot(t, "受信が止まっています", "!")
}

// A report that is owed stands on every screen until it is marked as sent. // P5-6
func TestOwedReportIsRemindedOfUntilSent(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	b.Owed = []desk.Breach{{ID: 3}, {ID: 4}}
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	for _, key := range []string{"", "enter", "g", "n", "5", "s", "D", "T", "I", "?"} {
		if key != "" {
			s.Press(key)
		}
		if line := strings.Split(s.Plain(), "\n")[1]; !strings.Contains(line, "遅延報告 2件") {
			t.Errorf("after %q: %q", key, line)
		}
	}
	b.Owed = nil
	s.Advance(6 * time.Second)
	s.seesNot(t, "遅延報告")
}

// A source that falls silent and a report that is newly owed ring once, however often they are read.
func TestBellOnceForASilentSource(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	s.Press("down") // the alarm's own bell is quiet
	want := s.Bells
	rings := func(n int, what string) {
		t.Helper()
		for range 4 {
			s.Advance(6 * time.Second)
		}
		if want += n; s.Bells != want {
			t.Errorf("%s: %d bells, want %d", what, s.Bells, want)
		}
	}
	hearing(s, 0)
	rings(0, "all is well")
	b.Heard[0].LastContact = clock.Now().Add(-10 * time.Minute)
	rings(1, "silent")
	b.Owed = []desk.Breach{{ID: 3}}
	rings(1, "a report is owed")
	b.Heard[0].LastContact = clock.Now()
	rings(0, "heard again")
}

// Old news about the sources would be wrong news: while the database is away nothing is said of them.
func TestSourcesAreNotShownFromAnOldReading(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	hearing(s, 0)
	s.Advance(6 * time.Second)
	s.sees(t, "DM 3秒")
	b.Down = true
	s.Advance(20 * time.Second)
	s.seesNot(t, "DM ", "P2P")
	s.sees(t, "送信系 不明")
}

// What waits too long inside the tower is said like what was never received; a queue that flows is not mentioned.
func TestStuckQueueIsNamed(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	b.Heard = []desk.SourceHealth{{Name: desk.QueueReading, LastContact: clock.Now()}, {Name: desk.QueueBulletin, LastContact: clock.Now()}}
	s.Advance(6 * time.Second)
	s.seesNot(t, "処理が止まっています", "queue", "解析 ")
	b.Heard[0].Rhythm = 30 * time.Second
	s.Advance(2 * time.Minute)
	s.sees(t, "処理が止まっています: 電文の解析 2分")
	s.seesNot(t, "受信が止まっています", "判断 2分", "期限を")
	b.Heard = append(b.Heard, desk.SourceHealth{Name: desk.QueueDeadline, LastContact: clock.Now(), Rhythm: time.Millisecond})
	s.Advance(66 * time.Second)
	s.sees(t, "期限を 1分過ぎて送信中 処理が止まっています: 電文の解析 3分")
}

// A recording has no far side: a desk that replays says so and names no source.
func TestReplayIsNoSource(t *testing.T) {
	b, clock := newBackend(t, desk.Live)
	b.Feed, b.Heard = desk.ReplayFeed, []desk.SourceHealth{{Name: desk.ReplayFeed, LastContact: clock.Now().Add(-time.Hour), Rhythm: time.Second}}
	s := sit(t, b, clock, tuitest.Yamada, desk.Live, 80, 24)
	s.Advance(6 * time.Second)
	s.sees(t, "【再生】")
	s.seesNot(t, "受信が止まっています", "replay")
}
