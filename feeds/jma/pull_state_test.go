package jma

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func fixed(at time.Time) func() time.Time { return func() time.Time { return at } }

var noon = time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)

func TestTakenSurvivesACrashWhileALineIsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "taken.txt")
	first := openTaken(path, time.Hour, fixed(noon))
	if err := first.resume(); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		name := fmt.Sprintf("f%d.xml", i)
		if !first.claim(name, noon) || first.claim(name, noon) {
			t.Fatal("a file is claimed once")
		}
		if err := first.settle(name, noon); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw[:len(raw)-4], 0o600); err != nil { // the last line without its end
		t.Fatal(err)
	}
	again := openTaken(path, time.Hour, fixed(noon.Add(2*time.Hour)))
	for i, want := range []bool{false, false, true} {
		if got := again.claim(fmt.Sprintf("f%d.xml", i), noon); got != want {
			t.Errorf("f%d after the crash: claim = %v", i, got)
		}
	}
	if !again.claim("early.xml", noon.Add(-30*time.Minute)) || again.claim("older.xml", noon.Add(-2*time.Hour)) {
		t.Error("the floor of the first start is not kept")
	}
}

func TestTakenIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "taken.txt")
	for what, from := range map[string]time.Time{"the past week": noon.Add(-7 * 24 * time.Hour), "a feed that invents the future": noon.AddDate(50, 0, 0)} {
		tk := openTaken(path+what, time.Hour, fixed(noon))
		tk.limit = 100
		for i := range 1000 {
			name, press := fmt.Sprintf("f%d.xml", i), from.Add(time.Duration(i)*time.Minute)
			tk.claim(name, press)
			if err := tk.settle(name, press); err != nil {
				t.Fatal(err)
			}
			if len(tk.names) > tk.limit {
				t.Fatalf("%s: %d names are kept", what, len(tk.names))
			}
			if tk.claim(name, press) {
				t.Fatalf("%s: the newest is forgotten", what)
			}
		}
		if tk.claim("f0.xml", noon.Add(-8*24*time.Hour)) {
			t.Errorf("%s: what is forgotten and old counts as not taken", what)
		}
		if !tk.claim("live.xml", noon) {
			t.Errorf("%s: the pull is blind to the present", what)
		}
		if info, err := os.Stat(path + what); err != nil || info.Size() > 100*1024 {
			t.Errorf("%s: the record: %v, %v", what, info, err)
		}
	}
}

func TestBudgetCountsADayOfJapan(t *testing.T) {
	now := time.Date(2026, 11, 23, 14, 59, 0, 0, time.UTC) // 23:59 JST
	b := openBudget(100, "", func() time.Time { return now })
	if !b.hold(60) || b.hold(41) || !b.hold(40) {
		t.Error("held bytes do not count")
	}
	b.settle(60, 10)
	b.settle(40, 40)
	if b.hold(51) || !b.hold(50) || b.today() != 50 {
		t.Errorf("used %d", b.today())
	}
	b.settle(50, 45)
	if !b.nearly() {
		t.Error("95 of 100 is nearly used")
	}
	now = now.Add(time.Minute)
	if b.nearly() || b.today() != 0 || !b.hold(100) {
		t.Error("the new day did not begin")
	}
}

func TestBudgetLedger(t *testing.T) {
	path := filepath.Join(t.TempDir(), "budget.json")
	b := openBudget(1000, path, fixed(noon))
	b.hold(300)
	b.settle(300, 200)
	b.hold(500)
	if err := b.write(); err != nil { // and then the process dies in the middle of a body of 500 bytes at most
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		text string // "" = as written
		at   time.Time
		used int64
	}{
		"the same day":          {"", noon.Add(time.Hour), 700},
		"the next day":          {"", noon.Add(24 * time.Hour), 0},
		"the clock went back":   {"", noon.Add(-24 * time.Hour), 700},
		"garbage":               {"}{", noon, 0},
		"a negative count":      {`{"day":"2026-11-23","used":-5}`, noon, 0},
		"the record of a month": {`{"day":"2026-10-23","used":5}`, noon, 0},
	} {
		file := filepath.Join(t.TempDir(), "budget.json")
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if c.text != "" {
			raw = []byte(c.text)
		}
		if err := os.WriteFile(file, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := openBudget(1000, file, fixed(c.at)).today(); got != c.used {
			t.Errorf("%s: %d", what, got)
		}
	}
}

func TestNextPoll(t *testing.T) {
	p := &Pull{opt: PullOptions{Jitter: func(most time.Duration) time.Duration { return most }, MaxJitter: 2 * time.Second}.withDefaults()}
	at := func(text string) time.Time {
		when, err := time.Parse("15:04:05.000", text)
		if err != nil {
			t.Fatal(err)
		}
		return when.AddDate(2026, 0, 0)
	}
	for _, c := range []struct {
		now, next string
		maxAge    bool
		age       time.Duration
	}{
		{"10:00:05.000", "10:00:22.000", false, -1},
		{"10:00:20.000", "10:01:22.000", false, -1},
		{"10:00:22.400", "10:01:22.000", false, 60 * time.Second}, // just polled: not a second time in this minute
		{"10:00:59.999", "10:01:22.000", false, 0},
		{"10:00:05.000", "10:00:17.000", true, 0}, // the floor
		{"10:00:05.000", "10:00:39.000", true, 30 * time.Second},
		{"10:00:05.000", "10:00:22.000", true, -1}, // nothing told
	} {
		p.opt.MaxAge = c.maxAge
		if got := p.next(at(c.now), c.age); !got.Equal(at(c.next)) {
			t.Errorf("at %s, max-age %v: %s, want %s", c.now, c.age, got.Format("15:04:05.000"), c.next)
		}
	}
}

func TestMaxAge(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": -1, "no-store": -1, "max-age=60": time.Minute, "public, Max-Age=\"30\"": 30 * time.Second, "max-age=x": -1,
		"max-age=-1": -1, "max-age=999999": time.Hour, "s-maxage=5": -1,
	} {
		if got := maxAge(http.Header{"Cache-Control": {text}}); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestWhole(t *testing.T) {
	const ok = "\xef\xbb\xbf<?xml version=\"1.0\"?>\n<Report><Control/></Report>\n"
	if !whole([]byte(ok)) || !whole([]byte("<jmx:Report></jmx:Report>")) {
		t.Error("a whole telegram was refused")
	}
	for i := range len(strings.TrimSpace(ok)) {
		if whole([]byte(ok[:i])) {
			t.Errorf("cut at %d it is whole", i)
		}
	}
	if whole([]byte("<html></html>")) {
		t.Error("an error page is a telegram")
	}
}
