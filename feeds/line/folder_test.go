package line

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// spool is a folder source over a temporary folder, with a clock that can be moved.
type spool struct {
	*sink
	dir    string
	folder *Folder
}

func newSpool(t *testing.T) *spool {
	t.Helper()
	s := &spool{sink: new(sink), dir: t.TempDir()}
	s.folder = NewFolder(s.options())
	return s
}

func (s *spool) options() FolderOptions {
	return FolderOptions{Dir: s.dir, Every: 5 * time.Millisecond, Retry: 2 * time.Millisecond, MaxBytes: 10_000, Now: time.Now}
}

// put writes a file whole, some time ago.
func (s *spool) put(t *testing.T, name, text string, ago time.Duration) {
	t.Helper()
	hidden := filepath.Join(s.dir, ".writing")
	if err := os.WriteFile(hidden, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-ago)
	if err := os.Chtimes(hidden, at, at); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(hidden, filepath.Join(s.dir, name)); err != nil {
		t.Fatal(err)
	}
}

// in lists a sub-folder by the names the files came with.
func (s *spool) in(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(s.dir, dir))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if _, name, ok := strings.Cut(e.Name(), stampEnd); ok {
			out = append(out, name)
		} else if !e.IsDir() {
			out = append(out, e.Name())
		}
	}
	slices.Sort(out)
	return out
}

func TestFolderTakesFilesOldestFirstAndVerbatim(t *testing.T) {
	s := newSpool(t)
	s.put(t, "b_VXSE53.xml", telegramText+"\r\n", 3*time.Hour)
	s.put(t, "a.TXT", "ミサイル発射情報", time.Hour)
	s.put(t, "c.json", wrapped(t, map[string]any{"name": "x", "type": "VXSE51", "body": telegramText}), 2*time.Hour)
	s.put(t, "d.xml", telegramText, 0)
	s.put(t, "ignored.zip", "PK", time.Hour)
	s.put(t, ".hidden.xml", telegramText, time.Hour)
	run(t, s.folder, s.sink)
	until(t, "four telegrams", func() bool { return len(s.all()) == 4 })
	got := s.all()
	if want := []string{"b_VXSE53.xml", "VXSE51_x", "a.TXT", "d.xml"}; !slices.Equal(s.names(), want) {
		t.Errorf("got %q, want %q", s.names(), want)
	}
	if string(got[0].Raw) != telegramText+"\r\n" || string(got[1].Raw) != telegramText || got[0].Feed != "line-folder" || got[0].ReceivedAt.IsZero() {
		t.Errorf("not verbatim: %+v", got[0])
	}
	until(t, "all are moved", func() bool { return len(s.in(t, taken)) == 4 && len(s.in(t, taking)) == 0 })
	if left := s.in(t, "."); !slices.Equal(left, []string{".hidden.xml", "ignored.zip"}) {
		t.Errorf("left: %v", left)
	}
	if h := s.folder.Health(); h.LastContact.IsZero() || h.LastReceived.IsZero() || h.Trouble != "" || h.Detail != "受領 4 件" {
		t.Errorf("health %+v", h)
	}
}

func TestFolderWaitsForAFileThatIsStillWritten(t *testing.T) {
	for name, parts := range map[string][]string{
		"a.xml":  {"", telegramText[:20], telegramText[20:50], telegramText[50:]},
		"a.json": {`{"body":`, `"x"`, "}"},
		"a.txt":  {"ミサ", "イル発射。", "北海道"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSpool(t)
			run(t, s.folder, s.sink)
			f, err := os.Create(filepath.Join(s.dir, name))
			if err != nil {
				t.Fatal(err)
			}
			for i, part := range parts {
				if _, err := f.WriteString(part); err != nil {
					t.Fatal(err)
				}
				if i == len(parts)-1 {
					break
				}
				from := s.folder.Health().LastContact
				until(t, "some scans", func() bool { return s.folder.Health().LastContact.Sub(from) > 40*time.Millisecond })
				if got := s.all(); len(got) != 0 {
					t.Fatalf("taken after part %d: %q", i, got[0].Raw)
				}
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			until(t, "the whole file", func() bool { return len(s.all()) == 1 })
		})
	}
}

func TestFolderTakesABrokenFileInTheEnd(t *testing.T) {
	s := newSpool(t)
	s.put(t, "cut.xml", telegramText[:50], time.Minute)
	s.put(t, "wrong.json", `{"body":`, time.Minute)
	run(t, s.folder, s.sink)
	until(t, "both, as they are", func() bool { return len(s.all()) == 2 })
	if got := string(s.all()[0].Raw); got != telegramText[:50] {
		t.Errorf("got %q", got)
	}
}

func TestFolderRefuses(t *testing.T) {
	s := newSpool(t)
	s.put(t, "large.xml", strings.Repeat("x", 10_001), time.Hour)
	s.put(t, "empty.txt", " \n", time.Hour)
	s.put(t, "good.xml", telegramText, 0)
	run(t, s.folder, s.sink)
	until(t, "the good one", func() bool { return len(s.all()) == 1 })
	want := []string{"empty.txt", "empty.txt.reason", "large.xml", "large.xml.reason"}
	until(t, "the others are refused", func() bool { return slices.Equal(s.in(t, refused), want) })
	reasons, err := filepath.Glob(filepath.Join(s.dir, refused, "*large.xml.reason"))
	if err != nil || len(reasons) != 1 {
		t.Fatal(reasons, err)
	}
	if text, err := os.ReadFile(reasons[0]); err != nil || !strings.Contains(string(text), "大きすぎます") {
		t.Errorf("%q, %v", text, err)
	}
	until(t, "the desk is told", func() bool { return strings.Contains(s.folder.Health().Trouble, "refused") })
	if h := s.folder.Health(); !strings.Contains(h.Detail, "拒否 2 件") || h.Reconnects != 0 {
		t.Errorf("%+v", h)
	}
}

// TestFolderTakesALongName: a Japanese name of 80 characters has no room for the stamp of the claim beside it.
func TestFolderTakesALongName(t *testing.T) {
	s := newSpool(t)
	long := "VXSE53_" + strings.Repeat("震", 80) + ".xml"
	s.put(t, long, telegramText, time.Hour)
	s.put(t, strings.Repeat("x", 251)+".xml", "", time.Hour)
	run(t, s.folder, s.sink)
	until(t, "it, and the other is refused", func() bool { return len(s.in(t, taken)) == 1 && len(s.in(t, refused)) == 2 })
	if got := s.all(); len(got) != 1 || !strings.HasPrefix(got[0].Name, "VXSE53_震") {
		t.Errorf("%+v", got)
	}
}

// TestFolderTellsTheFirstClaimAsReceived: what a restart offers again was not received then; a clock of P5-2 must not begin anew.
func TestFolderTellsTheFirstClaimAsReceived(t *testing.T) {
	s := newSpool(t)
	s.block = make(chan struct{})
	s.put(t, "a.txt", "ミサイル発射情報", time.Hour)
	stop := run(t, s.folder, s.sink)
	until(t, "the first offer", func() bool { return s.offered() == 1 })
	claimed := time.Now()
	stop()
	s.sink.mu.Lock()
	s.block = nil
	s.sink.mu.Unlock()
	o := s.options()
	o.Now = func() time.Time { return time.Now().Add(20 * time.Minute) }
	run(t, NewFolder(o), s.sink)
	until(t, "it", func() bool { return len(s.all()) == 1 })
	if at := s.all()[0].ReceivedAt; at.After(claimed) || at.Before(claimed.Add(-time.Minute)) {
		t.Errorf("received %v, claimed before %v", at, claimed)
	}
}

// TestFolderLosesNothingOverACrash: a file stays claimed until it is stored, and is offered again by the next start.
func TestFolderLosesNothingOverACrash(t *testing.T) {
	s := newSpool(t)
	s.block = make(chan struct{})
	for i := range 3 {
		s.put(t, fmt.Sprintf("f%d.xml", i), telegramText, time.Duration(10-i)*time.Minute)
	}
	stop := run(t, s.folder, s.sink)
	until(t, "the first offer", func() bool { return s.offered() == 1 })
	if n := len(s.in(t, taken)); n != 0 {
		t.Errorf("%d files were moved before they were stored", n)
	}
	stop()
	if all := slices.Concat(s.in(t, "."), s.in(t, taking)); len(all) != 3 {
		t.Fatalf("after the stop there are %v", all)
	}
	s.sink.mu.Lock()
	s.block, s.refuse = nil, 3
	s.sink.mu.Unlock()
	run(t, NewFolder(s.options()), s.sink)
	until(t, "all three", func() bool { return len(s.all()) == 3 && len(s.in(t, taken)) == 3 })
	if want := []string{"f0.xml", "f1.xml", "f2.xml"}; !slices.Equal(s.names(), want) {
		t.Errorf("got %v", s.names())
	}
}

func TestFolderTakesTheSameNameAgain(t *testing.T) {
	s := newSpool(t)
	run(t, s.folder, s.sink)
	for i := range 5 {
		s.put(t, "latest.xml", fmt.Sprintf("<Report>%d</Report>", i), 0)
		until(t, "it", func() bool { return len(s.all()) == i+1 })
	}
	until(t, "five files kept", func() bool { return len(s.in(t, taken)) == 5 })
}

func TestTwoFoldersShareOneSpool(t *testing.T) {
	s := newSpool(t)
	const n = 60
	for i := range n {
		s.put(t, fmt.Sprintf("f%02d.xml", i), fmt.Sprintf("<Report>%d</Report>", i), time.Hour)
	}
	run(t, s.folder, s.sink)
	run(t, NewFolder(s.options()), s.sink)
	until(t, "all are stored", func() bool { return len(s.in(t, taken)) == n })
	seen := map[string]bool{}
	for _, e := range s.all() {
		seen[string(e.Raw)] = true
	}
	if len(seen) != n {
		t.Errorf("%d of %d telegrams", len(seen), n)
	}
	until(t, "no trouble", func() bool { return s.folder.Health().Trouble == "" })
}

func TestFolderThatIsAway(t *testing.T) {
	s := newSpool(t)
	told := make(chan string, 10)
	o := s.options()
	o.Dir = filepath.Join(s.dir, "later")
	o.OnTrouble = func(text string) { told <- text }
	o.Silence = time.Hour
	f := NewFolder(o)
	run(t, f, s.sink)
	if text := next(t, told); !strings.Contains(text, "フォルダ") {
		t.Errorf("told %q", text)
	}
	if err := os.Mkdir(o.Dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if text := next(t, told); text != "" {
		t.Errorf("told %q", text)
	}
	if h := f.Health(); h.Reconnects != 1 || f.Rhythm() != time.Hour {
		t.Errorf("health %+v", h)
	}
}

func TestFolderDoesNotFollowLinks(t *testing.T) {
	s := newSpool(t)
	outside := filepath.Join(t.TempDir(), "secret.xml")
	if err := os.WriteFile(outside, []byte(telegramText), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(s.dir, "link.xml")); err != nil {
		t.Skip("no symbolic links here")
	}
	s.put(t, "z.xml", telegramText, 0)
	run(t, s.folder, s.sink)
	until(t, "the file behind it", func() bool { return len(s.all()) > 0 })
	if got := s.names(); !slices.Equal(got, []string{"z.xml"}) {
		t.Errorf("got %v", got)
	}
}
