package answer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagura/store/desk"
	"yagura/store/storetest"
)

func sample(n int) desk.Response {
	r := desk.Response{
		DispatchID: 1, PersonID: desk.PersonID(n), ReceivedAt: time.Date(2026, 1, 1, 16, 10, n%60, 123456000, time.UTC),
		Safety: "well", Attendance: "later", Comment: "連絡\n" + strings.Repeat("長", n%100), Channel: "link",
	}
	r.Nonce[0], r.Nonce[1], r.Nonce[2] = byte(n), byte(n>>8), 7
	return r
}

func samples(from, to int) (list []desk.Response) {
	for n := from; n < to; n++ {
		list = append(list, sample(n))
	}
	return list
}

func quietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

func openTestJournal(t *testing.T, dir string) *journal {
	t.Helper()
	j, err := openJournal(dir, quietLog())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.close() })
	return j
}

// all reads what the journal would drain.
func all(t *testing.T, j *journal) (list []desk.Response) {
	t.Helper()
	numbers, err := j.sealed()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range numbers {
		part, err := j.read(n)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, part...)
	}
	return list
}

func TestJournalKeepsWhatItTook(t *testing.T) {
	dir := t.TempDir()
	j := openTestJournal(t, dir)
	for i := range 5 {
		if err := j.append(t.Context(), samples(i*20, i*20+20)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := openJournal(dir, quietLog()); desk.KindOf(err) != desk.Unavailable {
		t.Fatalf("two processes on one journal: %v", err)
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	j = openTestJournal(t, dir) // the next start
	if d := cmp.Diff(samples(0, 100), all(t, j)); d != "" {
		t.Fatal(d)
	}
	// A later append goes to a new segment, never to one that is being drained.
	if err := j.append(t.Context(), samples(100, 101)); err != nil {
		t.Fatal(err)
	}
	if n, err := j.segments(); err != nil || len(n) != 2 {
		t.Fatal(n, err)
	}
}

func TestJournalDamage(t *testing.T) {
	whole := func() (data []byte) {
		for _, r := range samples(0, 10) {
			frame, err := encode(&r)
			if err != nil {
				t.Fatal(err)
			}
			data = append(data, frame...)
		}
		return data
	}()
	for _, c := range []struct {
		name string
		harm func([]byte) []byte
		left int
	}{
		{"torn tail", func(b []byte) []byte { return b[:len(b)-3] }, 9},
		{"only a head", func(b []byte) []byte { return append(b, recordMark+"\x00"...) }, 10},
		{"zeros at the end, as after a power cut", func(b []byte) []byte { return append(b, make([]byte, 4096)...) }, 10},
		{"a flipped bit in the first record", func(b []byte) []byte { b[20] ^= 1; return b }, 9},
		{"an absurd length", func(b []byte) []byte { b[4] = 0xff; return b }, 9},
		{"rubbish before all", func(b []byte) []byte { return append([]byte("rubbish"), b...) }, 10},
		{"nothing", func([]byte) []byte { return nil }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			harmed := c.harm(bytes.Clone(whole))
			if err := os.WriteFile(filepath.Join(dir, "00000003.journal"), harmed, 0o600); err != nil {
				t.Fatal(err)
			}
			j := openTestJournal(t, dir)
			if got := all(t, j); len(got) != c.left {
				t.Fatalf("%d readable, want %d", len(got), c.left)
			}
			aside, _ := filepath.Glob(filepath.Join(dir, "*.damaged"))
			if damaged := !bytes.Equal(harmed, whole) && len(harmed) > 0; damaged != (len(aside) == 1) {
				t.Fatalf("damaged bytes kept aside: %v", aside)
			}
		})
	}
}

// fullDisk writes part of the bytes and fails, as a disk does.
type fullDisk struct {
	*os.File
	full *atomic.Bool
}

func (f fullDisk) Write(p []byte) (int, error) {
	if !f.full.Load() {
		return f.File.Write(p)
	}
	n, _ := f.File.Write(p[:len(p)/2])
	return n, syscall.ENOSPC
}

func TestFullDiskTakesNothingAndLosesNothing(t *testing.T) {
	var full atomic.Bool
	j := openTestJournal(t, t.TempDir())
	plain := j.create
	j.create = func(path string) (segmentFile, error) {
		f, err := plain(path)
		if err != nil {
			return nil, err
		}
		return fullDisk{f.(*os.File), &full}, nil
	}
	if err := j.append(t.Context(), samples(0, 5)); err != nil {
		t.Fatal(err)
	}
	full.Store(true)
	for range 20 {
		if err := j.append(t.Context(), samples(5, 10)); desk.KindOf(err) != desk.Unavailable {
			t.Fatalf("a full disk said %v", err)
		}
	}
	full.Store(false)
	if err := j.append(t.Context(), samples(10, 12)); err != nil {
		t.Fatal(err)
	}
	if n, _ := j.segments(); len(n) != 2 {
		t.Errorf("a full disk left %d files", len(n))
	}
	if d := cmp.Diff(append(samples(0, 5), samples(10, 12)...), all(t, j)); d != "" {
		t.Fatal(d)
	}
}

func TestBothPlacesAwaySaysSo(t *testing.T) {
	h := open(t)
	h.store.away.Store(true)
	h.s.journal.create = func(string) (segmentFile, error) { return nil, syscall.ENOSPC }
	resp, body := h.post(h.link(1, 1), well())
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" || strings.Contains(body, "記録しました") || !strings.Contains(body, "まだ記録できていません") {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	if !strings.Contains(body, `value="well" required checked`) {
		t.Error("the answer must be typed again")
	}
	if h.s.Stats().Failed != 1 {
		t.Errorf("%+v", h.s.Stats())
	}
}

func TestJournalDrainsByItself(t *testing.T) {
	h := open(t)
	h.store.away.Store(true)
	for p := range 50 {
		if resp, body := h.post(h.link(1, p+1), well()); resp.StatusCode != 200 || !strings.Contains(body, "記録しました") {
			t.Fatalf("%d %s", resp.StatusCode, body)
		}
	}
	if n, got := h.count("response"), h.s.Stats(); n != 0 || got.Journaled != 50 {
		t.Fatalf("%d rows, %+v", n, got)
	}
	if calls := h.store.calls.Load(); calls > 5 { // skipped for 3 s after the first failure
		t.Errorf("the absent database was asked %d times", calls)
	}
	h.store.away.Store(false)
	h.until("draining", func() bool { return h.count("response") == 50 })
	h.until("removal", func() bool { return !h.s.journal.waiting() })
	var late int
	h.db.Scan(`SELECT count(*) FROM response WHERE received_at >= stored_at OR received_at < now() - interval '1 min'`, &late)
	if late != 0 {
		t.Errorf("%d answers lost the time they were received", late)
	}
}

func TestHangingDatabaseKeepsNobodyWaiting(t *testing.T) {
	h := open(t)
	h.store.hang.Store(true)
	began := time.Now()
	if resp, body := h.post(h.link(1, 1), well()); resp.StatusCode != 200 {
		t.Fatal(resp.StatusCode, body)
	}
	if took := time.Since(began); took > 10*time.Second { // under 1 s on a quiet machine; for ever if it waited for the database
		t.Errorf("the sender waited %v", took)
	}
	h.store.hang.Store(false)
	h.until("draining", func() bool { return h.count("response") == 1 })
}

func TestKilledBetweenStoringAndRemoving(t *testing.T) {
	h := open(t)
	h.store.away.Store(true)
	for p := range 20 {
		h.post(h.link(1, p+1), well())
	}
	h.stop() // the answers are in the journal only; a stop does not wait for the database
	h.store.away.Store(false)

	// Another process got as far as storing them, and was killed before it removed the segment.
	j := openTestJournal(t, h.dir)
	answers := all(t, j)
	if len(answers) != 20 {
		t.Fatalf("%d in the journal", len(answers))
	}
	if err := h.store.RecordResponses(t.Context(), answers); err != nil {
		t.Fatal(err)
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	h.start() // replays at start
	h.until("removal", func() bool { return !h.s.journal.waiting() })
	var rows, most int
	h.db.Scan(`SELECT (SELECT count(*) FROM response), (SELECT max(answers) FROM standing)`, &rows, &most)
	if rows != 20 || most != 1 {
		t.Fatalf("%d rows, %d answers a person: the replay counted twice", rows, most)
	}
}

func TestOneBadAnswerKeepsNoOtherBack(t *testing.T) {
	h := open(t)
	h.stop()
	j := openTestJournal(t, h.dir)
	bad := sample(3)
	bad.Comment = strings.Repeat("長", 201) // the schema refuses it
	if err := j.append(t.Context(), []desk.Response{sample(1), bad, sample(2)}); err != nil {
		t.Fatal(err)
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	h.start()
	h.until("the good ones", func() bool { return h.count("response") == 2 })
	h.until("the log", func() bool { return strings.Contains(h.log.String(), "消さずに残し") })
	if !h.s.journal.waiting() {
		t.Error("the bad answer was thrown away")
	}
}

// TestDatabaseStoppedMidRun refuses connections and cuts those there are, while people answer without pause.
func TestDatabaseStoppedMidRun(t *testing.T) { // law 14
	h := open(t)
	var name string
	h.db.Scan(`SELECT current_database()`, &name)
	admin := storetest.New(t).Conn(storetest.Owner) // from next door: one cannot shut the door behind oneself
	ctx, cancel := context.WithCancel(t.Context())
	var acknowledged sync.Map
	var count atomic.Int64
	var people sync.WaitGroup
	for w := range 8 {
		people.Go(func() {
			for p := w + 1; ctx.Err() == nil && p <= 12000; p += 8 {
				r, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodPost, h.link(1, p), strings.NewReader(well().Encode()))
				if err != nil {
					t.Error(err)
					return
				}
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				_ = resp.Body.Close()
				if resp.StatusCode != 200 {
					t.Errorf("an answer was refused: %d", resp.StatusCode)
					return
				}
				acknowledged.Store(p, true)
				count.Add(1)
			}
		})
	}
	h.until("answers", func() bool { return count.Load() > 100 })
	for _, stop := range []string{`ALTER DATABASE %s ALLOW_CONNECTIONS false`, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s'`} {
		if _, err := admin.Exec(t.Context(), fmt.Sprintf(stop, name)); err != nil {
			t.Fatal(err)
		}
	}
	h.until("answers without a database", func() bool { return h.s.Stats().Journaled > 100 })
	if _, err := admin.Exec(t.Context(), fmt.Sprintf(`ALTER DATABASE %s ALLOW_CONNECTIONS true`, name)); err != nil {
		t.Fatal(err)
	}
	before := h.s.Stats().Stored
	h.until("answers into the database again", func() bool { return h.s.Stats().Stored > before+50 || count.Load() == 12000 })
	cancel()
	people.Wait()
	h.until("draining", func() bool { return !h.s.journal.waiting() })
	stored := map[int]bool{}
	rows, err := h.db.Conn(storetest.Owner).Query(t.Context(), `SELECT person_id FROM standing`)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var p int
		if err := rows.Scan(&p); err != nil {
			t.Fatal(err)
		}
		stored[p] = true
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	acknowledged.Range(func(p, _ any) bool {
		if !stored[p.(int)] {
			t.Errorf("the answer of %d was acknowledged and is lost", p)
		}
		return true
	})
	t.Logf("%d acknowledged, %+v", count.Load(), h.s.Stats())
}

func TestRunRefusesAHalfSetUp(t *testing.T) {
	for name, o := range map[string]Options{
		"no keys":    {Store: &switchable{}, Now: time.Now, JournalDir: t.TempDir()},
		"no journal": {Store: &switchable{}, Now: time.Now, Keys: testKeys(t)},
	} {
		if err := New(o).Run(t.Context()); desk.KindOf(err) != desk.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := New(Options{Store: &switchable{}, Now: time.Now, Keys: testKeys(t), JournalDir: file}).Run(t.Context())
	if desk.KindOf(err) != desk.Unavailable || errors.Is(err, context.Canceled) {
		t.Errorf("journal that is a file: %v", err)
	}
}
