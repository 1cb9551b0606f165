package store_test

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"yagura/store"
	"yagura/store/desk"
	"yagura/store/storetest"
)

// tallyBase writes what a dispatch needs: operator, event, incident, template and two units. Dispatches get ids from 1.
const tallyBase = `
	INSERT INTO operator OVERRIDING SYSTEM VALUE VALUES (1, 'a', 'A', 'f', 'k', NULL, now());
	INSERT INTO telegram OVERRIDING SYSTEM VALUE VALUES (1, sha256('x'), 'test', '', 'x', now(), now());
	INSERT INTO event OVERRIDING SYSTEM VALUE VALUES (1, 'earthquake', 'live', '{}', now(), now(), now(), now(), 'open', 10, 1, '{}', 1);
	INSERT INTO advice OVERRIDING SYSTEM VALUE VALUES (1, 1, 1, now(), 1, '{}');
	INSERT INTO incident OVERRIDING SYSTEM VALUE VALUES (1, 'earthquake', 'live', '', 1, now(), NULL);
	INSERT INTO groups OVERRIDING SYSTEM VALUE VALUES (1, NULL, '本省', 1, 1), (2, NULL, '北陸局', 1, 2), (3, 1, '課', 2, 1);`

func addDispatch(db *storetest.DB, id int, state string) {
	ended := "NULL"
	if state == "sent" || state == "stopped" {
		ended = "now()"
	}
	db.Exec(fmt.Sprintf(`
		INSERT INTO incident OVERRIDING SYSTEM VALUE VALUES (100 + %[1]d, 'earthquake', 'drill', '', 1, now(), %[3]s);
		INSERT INTO dispatch OVERRIDING SYSTEM VALUE VALUES (%[1]d, 100 + %[1]d, 1, 'drill', '%[2]s', '見出し', '', 'safety', 1, 0, 0, 0, 1, now(), 0, NULL, %[3]s);
		INSERT INTO approval OVERRIDING SYSTEM VALUE VALUES (%[1]d, %[1]d, 1, 0, 'one_key', 1, now(), now(), now() + interval '1 h');`, id, state, ended))
}

// history is a random past of one dispatch, kept in Go as well, to be counted naively.
type history struct {
	People  []pastPerson
	Stopped bool
}

type pastPerson struct {
	Prefecture int
	Group      int       // 0 = none
	Mails      [][]int   // outcomes of each mail, in order; empty = pending
	Answers    []pastAsk // in the order of storing
}

type pastAsk struct {
	Minute     int // of receiving, relative to the end of the dispatch
	Safety     desk.Safety
	Attendance desk.Attendance
}

func drawHistory(t *rapid.T) history {
	ask := rapid.Custom(func(t *rapid.T) pastAsk {
		return pastAsk{
			Minute: rapid.IntRange(-9, 9).Filter(func(m int) bool { return m != 0 }).Draw(t, "minute"),
			Safety: rapid.SampledFrom(desk.Safeties()).Draw(t, "safety"), Attendance: rapid.SampledFrom(desk.Attendances()).Draw(t, "attendance"),
		}
	})
	person := rapid.Custom(func(t *rapid.T) pastPerson {
		return pastPerson{
			Prefecture: rapid.SampledFrom([]int{13, 17, 18}).Draw(t, "prefecture"),
			Group:      rapid.IntRange(0, 2).Draw(t, "group"),
			Mails:      rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(1, 3), 0, 3), 0, 3).Draw(t, "mails"),
			Answers:    rapid.SliceOfN(ask, 0, 3).Draw(t, "answers"),
		}
	})
	return history{People: rapid.SliceOfN(person, 0, 30).Draw(t, "people"), Stopped: rapid.Bool().Draw(t, "stopped")}
}

// count is the naive recount: one look at each person, in plain words.
func (h history) count(id desk.DispatchID, ended time.Time) desk.Tally {
	t := desk.Tally{DispatchID: id, Safety: map[desk.Safety]int{}, Attendance: map[desk.Attendance]int{}}
	byPrefecture, byGroup := map[string]*desk.TallyLine{}, map[string]*desk.TallyLine{}
	for _, p := range h.People {
		group := []string{"所属なし", "本省", "北陸局"}[p.Group]
		for _, l := range []*desk.TallyLine{lineOf(byPrefecture, desk.Prefecture(p.Prefecture).Name()), lineOf(byGroup, group), nil} {
			total := desk.TallyLine{}
			if l == nil {
				l = &total
			}
			p.count(l, h.Stopped)
			t.Sent, t.Answered, t.Unanswered = t.Sent+total.Sent, t.Answered+total.Answered, t.Unanswered+total.Unanswered
			t.Undeliverable, t.Withdrawn = t.Undeliverable+total.Undeliverable, t.Withdrawn+total.Withdrawn
		}
		if len(p.Answers) == 0 {
			continue
		}
		last := p.latest()
		t.Safety[last.Safety]++
		t.Attendance[last.Attendance]++
		if h.Stopped && last.Minute > 0 {
			t.Late++
		}
		if len(p.Answers) > 1 {
			t.Changed++
		}
		at := ended.Add(time.Duration(last.Minute) * time.Minute)
		if t.FirstAnswer.IsZero() || at.Before(t.FirstAnswer) {
			t.FirstAnswer = at
		}
		if at.After(t.LastAnswer) {
			t.LastAnswer = at
		}
	}
	t.ByPrefecture, t.ByGroup = linesOf(byPrefecture), linesOf(byGroup)
	return t
}

func (p pastPerson) latest() pastAsk {
	best := p.Answers[0]
	for _, a := range p.Answers[1:] {
		if a.Minute >= best.Minute {
			best = a
		}
	}
	return best
}

func (p pastPerson) count(l *desk.TallyLine, stopped bool) {
	l.Sent++
	accepted, refused := false, 0
	for _, outcomes := range p.Mails {
		switch {
		case slices.Contains(outcomes, int(desk.Accepted)):
			accepted = true
		case slices.Contains(outcomes, int(desk.Refused)):
			refused++
		}
	}
	switch {
	case len(p.Answers) > 0:
		l.Answered++
		if p.latest().Safety != desk.SafetyWell {
			l.NeedHelp++
		}
	case refused == len(p.Mails):
		l.Undeliverable++
	case stopped && !accepted:
		l.Withdrawn++
	default:
		l.Unanswered++
	}
}

func lineOf(m map[string]*desk.TallyLine, name string) *desk.TallyLine {
	if m[name] == nil {
		m[name] = &desk.TallyLine{Name: name}
	}
	return m[name]
}

func linesOf(m map[string]*desk.TallyLine) []desk.TallyLine {
	lines := []desk.TallyLine{}
	for _, l := range m {
		lines = append(lines, *l)
	}
	return byName(lines)
}

func byName(lines []desk.TallyLine) []desk.TallyLine {
	return slices.SortedFunc(slices.Values(lines), func(a, b desk.TallyLine) int { return cmp.Compare(a.Name, b.Name) })
}

func TestTallyEqualsANaiveRecount(t *testing.T) { // F3-1-j
	db := storetest.New(t)
	s := db.Store(storetest.Engine)
	db.Exec(tallyBase)
	owner := db.Conn(storetest.Owner)
	id := 0
	rapid.Check(t, func(rt *rapid.T) {
		h := drawHistory(rt)
		id++
		state := "sending"
		if h.Stopped {
			state = "stopped"
		}
		addDispatch(db, id, state)
		// An hour ago: answers after the end must not lie in the future, where they would be cut back to now.
		for _, sql := range []string{`UPDATE dispatch SET ended_at = ended_at - interval '1 hour' WHERE id = $1`, `UPDATE incident SET closed_at = closed_at - interval '1 hour' WHERE id = 100 + $1`} {
			if _, err := owner.Exec(t.Context(), sql, id); err != nil {
				rt.Fatal(err)
			}
		}
		var ended time.Time
		if err := owner.QueryRow(t.Context(), `SELECT coalesce(ended_at, now() - interval '1 hour') FROM dispatch WHERE id = $1`, id).Scan(&ended); err != nil {
			rt.Fatal(err)
		}
		writeHistory(rt, t, owner, s, id, h, ended.UTC())
		got, err := s.CountTally(t.Context(), desk.DispatchID(id))
		if err != nil {
			rt.Fatal(err)
		}
		if err := got.Check(); err != nil {
			rt.Fatal(err)
		}
		got.ByGroup, got.ByPrefecture = byName(got.ByGroup), byName(got.ByPrefecture)
		want := h.count(desk.DispatchID(id), ended.UTC())
		want.AsOf = got.AsOf
		if d := gocmp.Diff(want, got); d != "" {
			rt.Fatal(d)
		}
		// Everybody was counted so far. Once the fan-out is complete only answers and the unreachable are: the same must come out.
		if _, err := owner.Exec(t.Context(), `UPDATE dispatch SET expanded_at = now() WHERE id = $1`, id); err != nil {
			rt.Fatal(err)
		}
		for range 2 { // the second time from what is remembered
			quick, err := s.CountTally(t.Context(), desk.DispatchID(id))
			if err != nil {
				rt.Fatal(err)
			}
			quick.ByGroup, quick.ByPrefecture, quick.AsOf = byName(quick.ByGroup), byName(quick.ByPrefecture), got.AsOf
			if d := gocmp.Diff(want, quick); d != "" {
				rt.Fatal("counted by the answers: ", d)
			}
		}
	})
}

func TestAnAnswerOfAnUnknownPersonCountsWhenTheRecipientIsBack(t *testing.T) { // a failover lost the fan-out
	db := storetest.New(t)
	s := db.Store(storetest.Engine)
	db.Exec(tallyBase)
	addDispatch(db, 1, "sending")
	db.Exec(`UPDATE dispatch SET expanded_at = now(); INSERT INTO recipient VALUES (1, 1, 17, 'intensity', 1, 1)`)
	for person := range 2 {
		answer := desk.Response{DispatchID: 1, PersonID: desk.PersonID(person + 1), ReceivedAt: time.Now(), Safety: "well", Attendance: "now", Channel: "link"}
		answer.Nonce[0] = byte(person)
		if err := s.RecordResponses(t.Context(), []desk.Response{answer}); err != nil {
			t.Fatal(err)
		}
	}
	check := func(sent int) {
		t.Helper()
		got, err := s.CountTally(t.Context(), 1)
		if err != nil || got.Sent != sent || got.Answered != sent || got.Unanswered != 0 {
			t.Fatalf("%+v, %v; want %d sent and answered", got, err, sent)
		}
	}
	check(1)
	db.Exec(`UPDATE dispatch SET expanded_at = now() + interval '1 s'; INSERT INTO recipient VALUES (1, 2, 17, 'intensity', 1, 1)`)
	check(2)
}

func writeHistory(rt *rapid.T, t *testing.T, owner *pgx.Conn, s *store.Store, id int, h history, ended time.Time) {
	b := &pgx.Batch{}
	if h.Stopped {
		b.Queue(`INSERT INTO stop (dispatch_id, operator_id, reason, at) VALUES ($1, 1, '', now())`, id)
	}
	var answers []desk.Response
	for i, p := range h.People {
		var group *int
		if p.Group > 0 {
			group = &p.Group
		}
		b.Queue(`INSERT INTO recipient VALUES ($1, $2, $3, 'intensity', $4, $5)`, id, i+1, p.Prefecture, group, len(p.Mails))
		for m, outcomes := range p.Mails {
			b.Queue(`INSERT INTO mail (dispatch_id, approval_id, person_id, address_id, lane, sealed, domain, created_at) VALUES ($1, $1, $2, $3, $4, '', 'd', now())`,
				id, i+1, i*10+m, fmt.Sprint("lane", m))
			for n, o := range outcomes {
				b.Queue(`INSERT INTO attempt SELECT id, $1, 1, $2, lane, now(), $3, 'rcpt', 0, '', '', now() FROM mail ORDER BY id DESC LIMIT 1`, n, id, o)
			}
		}
		for n, a := range p.Answers {
			r := desk.Response{
				DispatchID: desk.DispatchID(id), PersonID: desk.PersonID(i + 1), ReceivedAt: ended.Add(time.Duration(a.Minute) * time.Minute),
				Safety: a.Safety, Attendance: a.Attendance, Channel: "link",
			}
			binary.BigEndian.PutUint64(r.Nonce[:], uint64(id))
			r.Nonce[8], r.Nonce[9] = byte(i), byte(n)
			answers = append(answers, r)
		}
	}
	if err := owner.SendBatch(t.Context(), b).Close(); err != nil {
		rt.Fatal(err)
	}
	cut := rapid.IntRange(0, len(answers)).Draw(rt, "cut")
	for _, part := range [][]desk.Response{answers[:cut], answers[cut:], answers[:cut]} { // the last is a repetition
		if err := s.RecordResponses(t.Context(), part); err != nil {
			rt.Fatal(err)
		}
	}
}

func TestPublishKeepsTheNewestAndRefusesAWrongSum(t *testing.T) {
	db := storetest.New(t)
	s := db.Store(storetest.Engine)
	db.Exec(tallyBase)
	addDispatch(db, 1, "sending")
	ctx := t.Context()
	if _, err := s.Tally(ctx, 1); desk.KindOf(err) != desk.NotFound {
		t.Fatalf("unpublished: %v", err)
	}
	newer := desk.Tally{DispatchID: 1, AsOf: time.Date(2026, 1, 1, 0, 0, 2, 0, time.UTC), Sent: 2, Answered: 2, Safety: map[desk.Safety]int{"well": 2}}
	older := desk.Tally{DispatchID: 1, AsOf: newer.AsOf.Add(-time.Second), Sent: 2, Unanswered: 2}
	for _, tally := range []desk.Tally{newer, older} {
		if err := s.PublishTally(ctx, tally); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Tally(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	if d := gocmp.Diff(newer, got); d != "" {
		t.Fatal(d)
	}
	if err := s.PublishTally(ctx, desk.Tally{DispatchID: 1, AsOf: newer.AsOf.Add(time.Hour), Sent: 1}); desk.KindOf(err) != desk.Internal {
		t.Fatalf("a sum that does not add up was published: %v", err)
	}
	if _, err := s.CountTally(ctx, 99); desk.KindOf(err) != desk.NotFound {
		t.Fatalf("a dispatch that does not exist was counted: %v", err)
	}
}

func TestTalliedDispatches(t *testing.T) {
	db := storetest.New(t)
	s := db.Store(storetest.Engine)
	db.Exec(tallyBase)
	for i, state := range []string{"proposed", "approved", "sending", "sent", "withdrawn", "stopped"} {
		addDispatch(db, i+1, state)
	}
	check := func(want ...desk.DispatchID) {
		t.Helper()
		got, err := s.TalliedDispatches(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if d := gocmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	}
	check(6, 4, 3, 2)
	db.Exec(`UPDATE dispatch SET ended_at = now() - interval '1 hour' WHERE ended_at IS NOT NULL`)
	db.Exec(`INSERT INTO tally SELECT id, now(), '{}' FROM dispatch WHERE state IN ('sent', 'stopped')`)
	check(3, 2)
	answer := desk.Response{DispatchID: 4, PersonID: 1, ReceivedAt: time.Now(), Safety: "well", Attendance: "now", Channel: "link"}
	if err := s.RecordResponses(t.Context(), []desk.Response{answer}); err != nil {
		t.Fatal(err)
	}
	check(4, 3, 2)
	db.Exec(`UPDATE response SET stored_at = now() - interval '2 min'`)
	check(3, 2)
}

func BenchmarkTally11500(b *testing.B) { // limits.md §9 row 19
	for _, stopped := range []bool{false, true} {
		b.Run(fmt.Sprintf("stopped=%v", stopped), func(b *testing.B) {
			db := storetest.New(b)
			s := db.Store(storetest.Engine)
			db.Exec(tallyBase)
			addDispatch(db, 1, "sending")
			addDispatch(db, 2, "sending")
			for id := range 2 { // an earlier dispatch in the same tables
				db.Exec(fmt.Sprintf(`
				INSERT INTO recipient SELECT %d, p, 1 + p %% 47, 'intensity', 1 + p %% 12, 1 FROM generate_series(1, 11500) p;
				INSERT INTO mail (dispatch_id, approval_id, person_id, address_id, lane, sealed, domain, created_at)
					SELECT %[1]d, %[1]d, 1 + p %% 11500, p, 'lane' || p %% 5, sha256('x'), 'd', now() FROM generate_series(1, 15500) p;
				INSERT INTO attempt SELECT id, 1, 1, dispatch_id, lane, now(), CASE WHEN id %% 100 = 0 THEN 3 ELSE 1 END, 'data', 250, '2.0.0 ok', 'host:25', now() FROM mail WHERE dispatch_id = %[1]d;
				INSERT INTO standing SELECT %[1]d, p, p, now(), CASE WHEN p %% 50 = 0 THEN 'injured' ELSE 'well' END, (ARRAY['now','later','cannot'])[1 + p %% 3], 1 FROM generate_series(1, 8000) p`, id+1))
			}
			if stopped {
				db.Exec(`INSERT INTO stop (dispatch_id, operator_id, reason, at) VALUES (2, 1, '', now())`)
			}
			for b.Loop() {
				t, err := s.CountTally(b.Context(), 2)
				if err != nil || t.Sent != 11500 || t.Answered != 8000 {
					b.Fatal(t, err)
				}
			}
		})
	}
}
