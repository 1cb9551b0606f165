package store_test

import (
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"yagura/store/desk"
	"yagura/store/storetest"
)

func answerAt(nonce byte, person, minute int, safety desk.Safety) desk.Response {
	return desk.Response{
		Nonce: [16]byte{nonce}, DispatchID: 1, PersonID: desk.PersonID(person), Safety: safety, Attendance: desk.AttendNow, Channel: "link",
		ReceivedAt: time.Date(2026, 1, 1, 16, minute, 0, 0, time.UTC),
	}
}

func TestStandingFollowsTheTimeOfReceiving(t *testing.T) { // F3-1-a.1, law 14
	db := storetest.New(t)
	s := db.Store(storetest.Engine)
	db.Exec(tallyBase)
	addDispatch(db, 1, "sending")
	db.Exec(`INSERT INTO recipient VALUES (1, 1, 17, 'intensity', NULL, 1)`)
	for _, step := range []struct {
		name    string
		batch   []desk.Response
		safety  desk.Safety
		answers int
		rows    int
	}{
		{"nothing", nil, "", 0, 0},
		{"two in one batch, the later first", []desk.Response{answerAt(2, 1, 20, "injured"), answerAt(1, 1, 10, "well")}, "injured", 2, 2},
		{"one drained late does not overwrite", []desk.Response{answerAt(3, 1, 15, "serious")}, "injured", 3, 3},
		{"drained twice", []desk.Response{answerAt(3, 1, 15, "serious"), answerAt(2, 1, 20, "injured")}, "injured", 3, 3},
		{"known and new in one batch, the new one twice", []desk.Response{answerAt(1, 1, 10, "well"), answerAt(4, 1, 30, "well"), answerAt(4, 1, 30, "well")}, "well", 4, 4},
		{"the same instant: what came last counts", []desk.Response{answerAt(5, 1, 30, "serious")}, "serious", 5, 5},
	} {
		if err := s.RecordResponses(t.Context(), step.batch); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		var safety desk.Safety
		var answers, rows int
		db.Scan(`SELECT coalesce(max(safety), ''), coalesce(max(answers), 0), (SELECT count(*) FROM response) FROM standing`, &safety, &answers, &rows)
		if safety != step.safety || answers != step.answers || rows != step.rows {
			t.Fatalf("%s: %s, %d answers, %d rows; want %+v", step.name, safety, answers, rows, step)
		}
	}
}

func TestOneBadAnswerRefusesTheBatchWhole(t *testing.T) {
	db := storetest.New(t)
	s := db.Store(storetest.Engine)
	bad := answerAt(2, 2, 0, "dead")
	if err := s.RecordResponses(t.Context(), []desk.Response{answerAt(1, 1, 0, "well"), bad}); desk.KindOf(err) != desk.Conflict {
		t.Fatalf("%v", err)
	}
	var rows int
	if db.Scan(`SELECT count(*) FROM response`, &rows); rows != 0 {
		t.Fatalf("half a batch was stored: %d", rows)
	}
	s.Close()
	if err := s.RecordResponses(t.Context(), []desk.Response{bad}); err == nil {
		t.Fatal("a closed store took an answer")
	}
}

func TestStrangersAnswerCountsOnceHeIsARecipient(t *testing.T) {
	db := storetest.New(t)
	s := db.Store(storetest.Engine)
	db.Exec(tallyBase)
	addDispatch(db, 1, "sending")
	if err := s.RecordResponses(t.Context(), []desk.Response{answerAt(1, 5, 0, "well")}); err != nil {
		t.Fatal(err)
	}
	check := func(sent, answered int) {
		t.Helper()
		tally, err := s.CountTally(t.Context(), 1)
		if err != nil || tally.Sent != sent || tally.Answered != answered {
			t.Fatalf("%+v %v", tally, err)
		}
	}
	check(0, 0)
	db.Exec(`INSERT INTO recipient VALUES (1, 5, 17, 'intensity', NULL, 1)`)
	check(1, 1)
}

func TestHeadings(t *testing.T) {
	db := storetest.New(t)
	s := db.Store(storetest.Engine)
	db.Exec(tallyBase)
	for i, state := range []string{"proposed", "sent", "withdrawn", "sending"} {
		addDispatch(db, i+1, state)
	}
	db.Exec(`UPDATE dispatch SET proposed_at = now() - interval '1 year' WHERE id = 2`)
	got, err := s.Headings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []desk.Heading{{DispatchID: 4, Mode: desk.Drill, Subject: "見出し"}, {DispatchID: 1, Mode: desk.Drill, Subject: "見出し"}}
	if d := gocmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
}
