package answer

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"yagura/store/desk"
)

// FuzzToken: no text but one we signed is taken, and none breaks the reader.
func FuzzToken(f *testing.F) {
	keys := testKeys(f)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	good, err := keys[0].Sign(desk.Token{DispatchID: 3, PersonID: 11500, IssuedOn: now})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{good, "", good[:35], good + "A", strings.Repeat("A", 36), strings.Repeat("\x00", 36), strings.ToLower(good)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, err := keys.Verify(text, now)
		if err != nil {
			if k := desk.KindOf(err); k != desk.Forbidden && k != desk.Stale {
				t.Fatalf("kind %q", k)
			}
			return
		}
		again, err := keys[0].Sign(token)
		if err != nil || again != text {
			t.Fatalf("%q was taken but is not what we sign (%q, %v)", text, again, err)
		}
	})
}

// FuzzForm: whatever is posted, what comes out fits the schema.
func FuzzForm(f *testing.F) {
	for _, seed := range []string{"safety=well&attendance=now&comment=a", "comment=%00%ff%zz", "safety=well&safety=injured", "&&&=;", "comment=" + strings.Repeat("%e9%95%b7", 300), "comment=%e2%80%ae"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r, _ := readForm(body)
		if !utf8.ValidString(r.Comment) || utf8.RuneCountInString(r.Comment) > desk.MaxComment || strings.ContainsAny(r.Comment, "\x00\r\x1b\u202e") {
			t.Fatalf("comment %q", r.Comment)
		}
		r.DispatchID, r.PersonID = 1, 1
		if err := r.Validate(); err != nil && r.Safety != "" && r.Attendance != "" {
			t.Fatal(err)
		}
	})
}

// FuzzJournal: damage anywhere costs no record that it does not touch, and no byte disappears.
func FuzzJournal(f *testing.F) {
	one, err := encode(&desk.Response{Safety: "well", Attendance: "now", Comment: "あ", DispatchID: 1, PersonID: 2, ReceivedAt: time.Unix(0, 0).UTC()})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{nil, one, one[:10], []byte(recordMark), bytes.Repeat([]byte(recordMark), 5), append([]byte("x"), one...)} {
		f.Add(seed)
	}
	want := sample(77)
	tail, err := encode(&want)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		answers, damaged := decode(data)
		total := len(damaged)
		for _, r := range answers {
			if frame, err := encode(&r); err == nil {
				total += len(frame)
			}
		}
		if len(answers) == 0 && total != len(data) {
			t.Fatalf("%d bytes in, %d accounted for", len(data), total)
		}
		answers, _ = decode(append(bytes.Clone(data), tail...))
		if len(answers) == 0 || cmp.Diff(want, answers[len(answers)-1]) != "" {
			t.Fatal("a whole record behind the damage was lost")
		}
	})
}
