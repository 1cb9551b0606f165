package store_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"yagura/store/desk"
	"yagura/store/storetest"
)

// keep stores one telegram of a feed and, when kind is not empty, its reading.
func keep(t *testing.T, r *room, feed, kind string, press time.Time) desk.TelegramID {
	t.Helper()
	raw := fmt.Appendf(nil, "%s %s %s", feed, kind, press)
	env := desk.Envelope{Feed: feed, Raw: raw, ReceivedAt: press}
	id, fresh, err := r.engine.StoreTelegram(t.Context(), env, sha256.Sum256(raw))
	if err != nil || !fresh {
		t.Fatalf("%v %v", fresh, err)
	}
	if kind == "" {
		return id
	}
	problem := ""
	if kind == "broken" {
		problem = "読めません。"
	}
	err = r.engine.RecordReading(t.Context(), desk.Telegram{ID: id, Envelope: env, Type: kind, Mode: desk.Live, Phase: desk.Issued, PressTime: press}, problem)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestReadingsNear(t *testing.T) {
	r := newRoom(t)
	at := storetest.Noto
	one := keep(t, r, "p2pquake", "P2P551", at.Add(2*time.Minute))
	other := keep(t, r, "p2pquake", "P2P556", at.Add(10*time.Second))
	keep(t, r, "p2pquake", "P2P551", at.Add(40*time.Minute))
	keep(t, r, "p2pquake", "broken", at.Add(time.Minute))
	keep(t, r, "jma-pull", "VXSE51", at.Add(time.Minute))
	keep(t, r, "p2pquake", "", at.Add(time.Minute))
	got, err := r.engine.ReadingsNear(t.Context(), []string{"P2P551", "P2P556"}, at.Add(-3*time.Minute), at.Add(30*time.Minute))
	if err != nil || len(got) != 2 || got[0].ID != other || got[1].ID != one || got[1].Type != "P2P551" || got[1].Raw != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := r.engine.ReadingsNear(t.Context(), nil, at, at.Add(time.Hour)); err != nil || len(got) != 0 {
		t.Errorf("without types: %d, %v", len(got), err)
	}
}

// TestTheFeedsTakeTurns: what one feed has piled up does not hold up another's telegram, and nothing is ever out of reach.
func TestTheFeedsTakeTurns(t *testing.T) {
	r := newRoom(t)
	var flood []desk.TelegramID
	for i := range 40 {
		flood = append(flood, keep(t, r, "dmdata", "", storetest.Noto.Add(time.Duration(i)*time.Second)))
	}
	quiet := []desk.TelegramID{keep(t, r, "jma-pull", "", storetest.Noto), keep(t, r, "jma-pull", "", storetest.Noto.Add(time.Second))}
	late := keep(t, r, "p2pquake", "", storetest.Noto)
	unread, err := r.engine.Unread(t.Context(), 6)
	if err != nil {
		t.Fatal(err)
	}
	var ids []desk.TelegramID
	for _, u := range unread {
		ids = append(ids, u.ID)
	}
	want := []desk.TelegramID{flood[0], quiet[0], late, flood[1], quiet[1], flood[2]}
	if !slices.Equal(ids, want) {
		t.Errorf("turns = %v, want %v", ids, want)
	}
	// A reading far ahead of the backlog, as fair reading brings it: the oldest is still found.
	r.db.Exec(`INSERT INTO telegram (id, digest, feed, name, raw, received_at, stored_at) OVERRIDING SYSTEM VALUE
		VALUES (1000000, decode(repeat('01', 32), 'hex'), 'jma-pull', '', '', now(), now())`)
	if err := r.engine.RecordReading(t.Context(), desk.Telegram{ID: 1000000, Mode: desk.Live, Phase: desk.Issued}, ""); err != nil {
		t.Fatal(err)
	}
	if unread, err = r.engine.Unread(t.Context(), 100); err != nil || len(unread) != 43 || unread[0].ID != flood[0] {
		t.Errorf("%d unread, %v", len(unread), err)
	}
	for _, id := range flood {
		if err := r.engine.RecordReading(t.Context(), desk.Telegram{ID: id, Mode: desk.Live, Phase: desk.Issued}, ""); err != nil {
			t.Fatal(err)
		}
	}
	if unread, err = r.engine.Unread(t.Context(), 100); err != nil || len(unread) != 3 {
		t.Errorf("%d unread after reading the flood, %v", len(unread), err)
	}
}

// TestGarbageLeavesTheEventsInSight: a source that sends garbage cannot push the events out of the inbox. // law 1
func TestGarbageLeavesTheEventsInSight(t *testing.T) {
	r := newRoom(t)
	for range 12 {
		one := r.telegram(t, nil)
		e := eventFrom(one, 0, 1)
		e.EventIDs = []string{fmt.Sprint(one.ID)}
		if _, _, err := r.engine.SaveEvent(t.Context(), e, one.ID, someAdvice); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 60 {
		keep(t, r, "line", "broken", storetest.Noto.Add(time.Hour+time.Duration(i)*time.Second))
	}
	items, err := r.console.Inbox(t.Context(), 20)
	if err != nil {
		t.Fatal(err)
	}
	events := 0
	for _, i := range items {
		if !i.Unreadable {
			events++
		}
	}
	if len(items) != 20 || events != 10 {
		t.Errorf("%d events of %d items", events, len(items))
	}
}

// TestAReadingKeepsWhatSpellsNULOut: a text may hold NUL, which jsonb refuses, or the six letters of its escape, which it takes.
func TestAReadingKeepsWhatSpellsNULOut(t *testing.T) {
	r := newRoom(t)
	for i, text := range []string{`訂正\u0000`, "訂正\x00", `C:\u0000x`, `\\u0000`, "\\\x00"} {
		at := storetest.Noto.Add(time.Duration(i) * time.Hour)
		id := keep(t, r, "line-http", "", at)
		err := r.engine.RecordReading(t.Context(), desk.Telegram{ID: id, Type: "VXSE56", Mode: desk.Live, Phase: desk.Issued, PressTime: at, Text: text}, "")
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		got, err := r.engine.ReadingsNear(t.Context(), []string{"VXSE56"}, at, at)
		if want := strings.ReplaceAll(text, "\x00", ""); err != nil || len(got) != 1 || got[0].Text != want {
			t.Errorf("%q came back as %+v, %v", text, got, err)
		}
	}
}
