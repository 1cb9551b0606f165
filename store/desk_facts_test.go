package store_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"yagura/store/desk"
	"yagura/store/storetest"
)

func TestOperatorsAreAddedFoundAndShutOut(t *testing.T) {
	db := storetest.New(t)
	owner, console := db.Store(storetest.Owner), db.Store(storetest.Console)
	id, err := owner.AddOperator(t.Context(), desk.Operator{Name: "tanaka", Display: "田中", Fingerprint: "SHA256:abc"}, "ssh-ed25519 AAAA tanaka\n")
	if err != nil {
		t.Fatal(err)
	}
	got, err := console.OperatorByFingerprint(t.Context(), "SHA256:abc")
	if want := (desk.Operator{ID: id, Name: "tanaka", Display: "田中", Fingerprint: "SHA256:abc"}); err != nil || got != want {
		t.Fatalf("%+v, %v", got, err)
	}
	session, err := console.OpenSession(t.Context(), id, "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	if err := console.TouchSession(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	if err := owner.DisableOperator(t.Context(), "tanaka"); err != nil {
		t.Fatal(err)
	}
	_, err = console.OperatorByFingerprint(t.Context(), "SHA256:abc")
	refused(t, err, desk.Forbidden, "無効")
	refused(t, console.TouchSession(t.Context(), session), desk.Forbidden, "無効")
	_, err = console.OpenSession(t.Context(), id, "192.0.2.1")
	refused(t, err, desk.Forbidden, "無効")
	refused(t, owner.DisableOperator(t.Context(), "tanaka"), desk.NotFound, "登録されていません")
	all, err := console.Operators(t.Context())
	if err != nil || len(all) != 1 || !all[0].Disabled {
		t.Errorf("%+v, %v", all, err)
	}
	if rows, bad, err := owner.VerifyAudit(t.Context()); err != nil || rows != 3 || bad != 0 {
		t.Errorf("audit rows %d, bad %d, %v", rows, bad, err)
	}
}

func TestOperatorRefusals(t *testing.T) {
	db := storetest.New(t)
	owner := db.Store(storetest.Owner)
	good := desk.Operator{Name: "tanaka", Display: "田中", Fingerprint: "SHA256:abc"}
	if _, err := owner.AddOperator(t.Context(), good, "ssh-ed25519 AAAA"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		o    desk.Operator
		key  string
		kind desk.Kind
		part string
	}{
		{"same name", desk.Operator{Name: "tanaka", Display: "田", Fingerprint: "SHA256:def"}, "k", desk.Conflict, "すでに登録"},
		{"same key", desk.Operator{Name: "sato", Display: "佐藤", Fingerprint: "SHA256:abc"}, "k", desk.Conflict, "すでに登録"},
		{"name", desk.Operator{Name: "Tanaka", Display: "田中", Fingerprint: "SHA256:x"}, "k", desk.Invalid, "英小文字"},
		{"empty name", desk.Operator{Display: "田中", Fingerprint: "SHA256:x"}, "k", desk.Invalid, "英小文字"},
		{"display", desk.Operator{Name: "sato", Display: "佐\x1b藤", Fingerprint: "SHA256:x"}, "k", desk.Invalid, "制御文字"},
		{"fingerprint", desk.Operator{Name: "sato", Display: "佐藤", Fingerprint: "MD5:x"}, "k", desk.Invalid, "公開鍵"},
		{"no key", desk.Operator{Name: "sato", Display: "佐藤", Fingerprint: "SHA256:x"}, " ", desk.Invalid, "公開鍵"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := owner.AddOperator(t.Context(), c.o, c.key)
			refused(t, err, c.kind, c.part)
		})
	}
	_, err := owner.OperatorByFingerprint(t.Context(), "SHA256:none")
	refused(t, err, desk.NotFound, "登録されていません")
	_, err = db.Store(storetest.Console).AddOperator(t.Context(), desk.Operator{Name: "x", Display: "x", Fingerprint: "SHA256:y"}, "k")
	if desk.KindOf(err) != desk.Forbidden {
		t.Errorf("the console registered an operator: %v", err)
	}
}

func TestClosedSessionIsClosed(t *testing.T) {
	db := storetest.New(t)
	s := db.Store(storetest.Console)
	session, err := s.OpenSession(t.Context(), storetest.Operator(t, db, "tanaka"), "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.CloseSession(t.Context(), session); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.TouchSession(t.Context(), session); desk.KindOf(err) != desk.Conflict {
		t.Errorf("touched a closed session: %v", err)
	}
	if err := s.TouchSession(t.Context(), 99); desk.KindOf(err) != desk.NotFound {
		t.Errorf("touched no session: %v", err)
	}
	var closes int
	if db.Scan(`SELECT count(*) FROM audit WHERE act = 'session.close'`, &closes); closes != 1 {
		t.Errorf("%d closes recorded", closes)
	}
}

func TestPolicyKeepsItsHistory(t *testing.T) { // F3-1-k.1
	db := storetest.New(t)
	first := mustPolicy(t, db)
	if first.PrefectureFrom != desk.Intensity5Lower || first.NationwideFrom != desk.Intensity6Upper || first.CountDown != 5*time.Second ||
		first.NotAfter != 15*time.Minute || first.MergeWindow != 6*time.Hour || first.MergeKM != 100 || !first.OnePersonMay {
		t.Errorf("shipped policy %+v", first)
	}
	next := first
	next.PrefectureFrom, next.NationwideFrom, next.CountDown, next.OnePersonMay = desk.Intensity6Lower, desk.IntensityUnknown, 1500*time.Millisecond, false
	if err := db.Store(storetest.Owner).SetPolicy(t.Context(), "admin:sato", next); err != nil {
		t.Fatal(err)
	}
	got := mustPolicy(t, db)
	next.Version, next.At = first.Version+1, got.At
	if got != next || got.At.Before(first.At) {
		t.Errorf("got %+v, want %+v", got, next)
	}
	var versions int
	if db.Scan(`SELECT count(*) FROM policy`, &versions); versions != 2 {
		t.Errorf("%d versions kept", versions)
	}
	if err := db.Store(storetest.Console).SetPolicy(t.Context(), "admin:sato", next); desk.KindOf(err) != desk.Forbidden {
		t.Errorf("the console changed the policy: %v", err)
	}
}

func TestPolicyRefusals(t *testing.T) {
	db := storetest.New(t)
	owner := db.Store(storetest.Owner)
	for name, change := range map[string]func(*desk.Policy){
		"設定震度": func(p *desk.Policy) { p.PrefectureFrom = desk.IntensityUnknown },
		"全国一斉": func(p *desk.Policy) { p.NationwideFrom = 11 },
		"猶予":   func(p *desk.Policy) { p.CountDown = -time.Second },
		"60 秒": func(p *desk.Policy) { p.CountDown = 2 * time.Minute },
		"有効期限": func(p *desk.Policy) { p.NotAfter = time.Second },
		"より長く": func(p *desk.Policy) { p.NotAfter, p.CountDown = 30*time.Second, 30*time.Second },
		"併合":   func(p *desk.Policy) { p.MergeKM = math.NaN() },
		"30 日": func(p *desk.Policy) { p.MergeWindow = -1 },
	} {
		p := mustPolicy(t, db)
		change(&p)
		refused(t, owner.SetPolicy(t.Context(), "admin:sato", p), desk.Invalid, name)
	}
}

func TestTemplateIsTheLatestVersion(t *testing.T) { // F3-2-c
	db := storetest.New(t)
	db.Exec(`INSERT INTO template (id, version, subject, body, at) VALUES ('safety', 2, '件名', '本文', now())`)
	s := db.Store(storetest.Console)
	subject, body, version, err := s.Template(t.Context(), "safety")
	if err != nil || subject != "件名" || body != "本文" || version != 2 {
		t.Errorf("%q, %q, %d, %v", subject, body, version, err)
	}
	_, _, _, err = s.Template(t.Context(), "none")
	refused(t, err, desk.NotFound, "文例")
}

func TestHealthShowsWhoIsThereAndWhoFellSilent(t *testing.T) {
	db := storetest.New(t)
	engine, console := db.Store(storetest.Engine), db.Store(storetest.Console)
	empty, err := console.Health(t.Context())
	if err != nil || len(empty.Engines) != 0 || len(empty.Operators) != 0 || !empty.LastTelegram.IsZero() || empty.AsOf.IsZero() {
		t.Fatalf("%+v, %v", empty, err)
	}
	for _, b := range []desk.Heartbeat{{Process: "engine@tokyo"}, {Process: "engine@osaka"}, {Process: "old"}, {Process: "engine@tokyo", Lanes: []string{"au", "docomo"}, Note: "journal 3"}} {
		if err := engine.Beat(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	db.Exec(`UPDATE heartbeat SET at = now() - interval '2 hours' WHERE process = 'engine@osaka'`)
	db.Exec(`UPDATE heartbeat SET at = now() - interval '2 days' WHERE process = 'old'`)
	tanaka, sato := storetest.Operator(t, db, "tanaka"), storetest.Operator(t, db, "sato")
	for _, o := range []desk.OperatorID{tanaka, tanaka, sato} {
		if _, err := console.OpenSession(t.Context(), o, "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
	}
	db.Exec(`UPDATE desk_session SET seen_at = now() - interval '5 minutes' WHERE operator_id = $1`, sato)
	storetest.Event(t, db, storetest.Happening{})
	h, err := console.Health(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Engines) != 2 || h.Engines[0].Process != "engine@osaka" || h.Engines[1].Note != "journal 3" || strings.Join(h.Engines[1].Lanes, " ") != "au docomo" {
		t.Errorf("engines %+v", h.Engines)
	}
	if silent := h.AsOf.Sub(h.Engines[0].At); silent < 2*time.Hour {
		t.Errorf("the silent engine looks %v old", silent)
	}
	if len(h.Operators) != 1 || h.Operators[0].Operator != "tanaka" {
		t.Errorf("operators %+v", h.Operators)
	}
	if h.LastFeed != "replay" || h.LastTelegram.IsZero() || h.LastStored.IsZero() {
		t.Errorf("last telegram %+v", h)
	}
}
