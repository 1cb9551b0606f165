package store_test

import (
	"testing"
	"time"

	"yagura/store/desk"
	"yagura/store/storetest"
)

func TestSourcesShowTheEngineThatHearsBest(t *testing.T) {
	db := storetest.New(t)
	s := db.Store(storetest.Engine)
	now := time.Now()
	for _, h := range []desk.SourceHealth{
		{Name: "jma", Engine: "a", LastContact: now.Add(-10 * time.Minute), Rhythm: 3 * time.Minute, Trouble: "つながりません"},
		{Name: "jma", Engine: "b", LastContact: now.Add(-20 * time.Second), LastReceived: now.Add(-time.Hour), Rhythm: 3 * time.Minute, Lag: 2 * time.Second, Reconnects: 3},
		{Name: "dmdata", Engine: "a", LastContact: now.Add(-4 * time.Minute), Rhythm: time.Minute},
		{Name: "p2pquake", Engine: "a", Rhythm: time.Minute}, // never heard yet, begun just now
		{Name: "replay", Engine: "a", LastContact: now.Add(-time.Hour)},
	} {
		if err := s.NoteSource(t.Context(), h); err != nil {
			t.Fatal(err)
		}
	}
	all, err := db.Store(storetest.Console).Sources(t.Context())
	if err != nil || len(all) != 4 {
		t.Fatalf("%+v %v", all, err)
	}
	for i, want := range []struct {
		name, engine string
		silent       bool
	}{{"dmdata", "a", true}, {"jma", "b", false}, {"p2pquake", "a", false}, {"replay", "a", false}} {
		if h := all[i]; h.Name != want.name || h.Engine != want.engine || h.Silent != want.silent {
			t.Errorf("%+v, want %+v", h, want)
		}
	}
	if h := all[1]; h.Lag != 2*time.Second || h.Reconnects != 3 || h.LastReceived.IsZero() || h.At.IsZero() || h.Trouble != "a：つながりません" {
		t.Errorf("%+v", h)
	}
}

// TestASourceOfADeadEngineIsSilent: a door whose engine died hears nothing, though no silence of its far side would ever alarm.
func TestASourceOfADeadEngineIsSilent(t *testing.T) {
	db := storetest.New(t)
	s := db.Store(storetest.Engine)
	note := func(name, engine string, contact time.Time) {
		t.Helper()
		if err := s.NoteSource(t.Context(), desk.SourceHealth{Name: name, Engine: engine, LastContact: contact}); err != nil {
			t.Fatal(err)
		}
	}
	read := func() map[string]desk.SourceHealth {
		t.Helper()
		all, err := s.Sources(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		byName := map[string]desk.SourceHealth{}
		for _, h := range all {
			byName[h.Name] = h
		}
		return byName
	}
	note("line-http", "a", time.Now())
	note(desk.QueueReading, "watch", time.Now())
	if all := read(); all["line-http"].Silent || all[desk.QueueReading].Silent {
		t.Fatalf("%+v", all)
	}
	db.Exec(`UPDATE source_health SET at = at - interval '2 minutes'`)
	if all := read(); !all["line-http"].Silent || all[desk.QueueReading].Silent {
		t.Errorf("%+v", all)
	}
	note("line-http", "b", time.Now().Add(-time.Hour)) // the other engine holds the same door
	if h := read()["line-http"]; h.Silent || h.Engine != "b" {
		t.Errorf("%+v", h)
	}
}

// A restart must not hide a silence, and a clock that is ahead must not hide the next one.
func TestContactNeverGoesBackNorAhead(t *testing.T) {
	db := storetest.New(t)
	s := db.Store(storetest.Engine)
	note := func(contact time.Time) desk.SourceHealth {
		t.Helper()
		if err := s.NoteSource(t.Context(), desk.SourceHealth{Name: "jma", Engine: "a", LastContact: contact, Rhythm: time.Minute}); err != nil {
			t.Fatal(err)
		}
		all, err := s.Sources(t.Context())
		if err != nil || len(all) != 1 {
			t.Fatalf("%+v %v", all, err)
		}
		return all[0]
	}
	at := time.Now().Add(-5 * time.Minute).Truncate(time.Millisecond)
	if h := note(at); !h.Silent {
		t.Fatalf("%+v", h)
	}
	if h := note(time.Time{}); !h.LastContact.Equal(at) || !h.Silent {
		t.Errorf("after a restart: %+v", h)
	}
	if h := note(time.Now().Add(time.Hour)); h.LastContact.After(h.At) {
		t.Errorf("contact %v lies after the note %v", h.LastContact, h.At)
	}
	for _, bad := range []desk.SourceHealth{{Engine: "a"}, {Name: "jma"}, {Name: "jma", Engine: "a", Rhythm: -1}} {
		if err := s.NoteSource(t.Context(), bad); desk.KindOf(err) != desk.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if err := db.Store(storetest.Console).NoteSource(t.Context(), desk.SourceHealth{Name: "jma", Engine: "a"}); desk.KindOf(err) != desk.Forbidden {
		t.Errorf("a console wrote the health of a source: %v", err)
	}
}

func TestSilenceIsRecordedOnce(t *testing.T) {
	db := storetest.New(t)
	s := db.Store(storetest.Engine)
	h := desk.SourceHealth{Name: "dmdata", Engine: "a", LastContact: time.Now().Add(-4 * time.Minute), Rhythm: time.Minute, Trouble: "切れました"}
	for i, want := range []bool{true, false} {
		if fresh, err := s.NoteSilence(t.Context(), "engine@a", h); err != nil || fresh != want {
			t.Fatalf("time %d: %v %v", i, fresh, err)
		}
	}
	if ended, err := s.EndSilences(t.Context(), "engine@a", []string{"dmdata"}); err != nil || len(ended) != 0 {
		t.Fatalf("%v %v", ended, err)
	}
	if ended, err := s.EndSilences(t.Context(), "engine@a", nil); err != nil || len(ended) != 1 {
		t.Fatalf("%v %v", ended, err)
	}
	if fresh, err := s.NoteSilence(t.Context(), "engine@a", h); err != nil || !fresh {
		t.Fatalf("a second silence: %v %v", fresh, err)
	}
	all, err := s.Silences(t.Context(), 10)
	if err != nil || len(all) != 2 || !all[0].EndedAt.IsZero() || all[1].EndedAt.IsZero() || all[1].Trouble != "切れました" {
		t.Errorf("%+v %v", all, err)
	}
}
