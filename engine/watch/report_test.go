package watch

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"yagura/store/desk"
)

func breach() desk.Breach {
	at := time.Date(2026, 11, 23, 7, 10, 0, 0, time.UTC)
	return desk.Breach{
		ID: 3, Subject: desk.ClockSubject{Kind: desk.SubjectBulletin, ID: 12}, Clause: desk.ClauseQuick, Ratio: 1.5, Limit: 3 * time.Minute,
		From: desk.StageOccurred, Until: desk.StageLastAccepted, OpenedAt: at.Add(271 * time.Second),
		Clock: desk.StageClock{
			Clause: desk.ClauseQuick, Mode: desk.Live, Title: "【地震速報】<石川県> & 能登", Feed: "jma", OccurredAt: at, IssuedAt: at.Add(90 * time.Second),
			ReceivedAt: at.Add(92 * time.Second), ReadAt: at.Add(92 * time.Second), JudgedAt: at.Add(93 * time.Second), QueuedAt: at.Add(93 * time.Second),
			FirstAccepted: at.Add(94 * time.Second), LastAccepted: at.Add(290 * time.Second), Mails: 250, Accepted: 249, Refused: 1, Finished: true,
		},
	}
}

// P5-6: an office program can open the report: ODF's package rules, well-formed parts, and everything the text says.
func TestReportIsOpenDocument(t *testing.T) {
	d := report(breach())
	file, err := d.odt()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file[30:38+len(odtType)], []byte("mimetype"+odtType)) { // ODF 1.3 part 2, 3.3: uncompressed, first, no extra field
		t.Errorf("the file does not begin with its media type: %q", file[:90])
	}
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var content string
	for i, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		part, err := io.ReadAll(r)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err) // the checksum too
		}
		if (i == 0) != (f.Name == "mimetype") {
			t.Errorf("entry %d is %s", i, f.Name)
		}
		if f.Name == "mimetype" {
			continue
		}
		text := read(t, f.Name, part)
		if f.Name == "content.xml" {
			content = text
		}
	}
	for _, line := range strings.FieldsFunc(d.text(), func(r rune) bool { return r == '\n' || r == '\t' }) {
		if line = strings.TrimLeft(line, "　"); !strings.Contains(content, line) {
			t.Errorf("the document lacks %q", line)
		}
	}
	again, err := report(breach()).odt()
	if err != nil || !bytes.Equal(file, again) {
		t.Error("the same report gave other bytes")
	}
}

// read parses a part to its end and gives its text.
func read(t *testing.T, name string, part []byte) string {
	t.Helper()
	var text strings.Builder
	for dec := xml.NewDecoder(bytes.NewReader(part)); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return text.String()
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if chars, ok := token.(xml.CharData); ok {
			text.Write(chars)
			text.WriteByte('\n')
		}
	}
}

func TestReportSaysWhatIsKnown(t *testing.T) {
	finished := report(breach()).text()
	for _, want := range []string{
		"報告番号　遅延 3", "自動配信 第12号", "件名　【地震速報】<石川県> & 能登", "実績　発生から最後の受理まで 4分50秒（期限の 1.6 倍）",
		"発表\t2026-11-23 16:11:30\t1分30秒\t1分30秒", "メール 250 通（受理 249 通、拒否 1 通）",
		"最も長くかかった段階は「最初の受理」から「最後の受理」までの3分16秒です",
	} {
		if !strings.Contains(finished, want) {
			t.Errorf("lacks %q:\n%s", want, finished)
		}
	}
	b := breach()
	b.Clock.Finished = false
	running := report(b).text()
	for _, want := range []string{"実績　発生から記録の時点まで 4分31秒（期限の 1.5 倍）", "最後の受理\t未了または不明"} {
		if !strings.Contains(running, want) {
			t.Errorf("while running lacks %q:\n%s", want, running)
		}
	}
	b.Clock.Accepted, b.Clock.LastAccepted = 100, b.Clock.LastAccepted.Add(time.Second)
	if report(b).text() != running {
		t.Error("the draft changes with every mail")
	}
	b.Clock.OccurredAt = time.Time{} // a telegram without an origin time
	if text := report(b).text(); !strings.Contains(text, "発生\t未了または不明") || !strings.Contains(text, "発表から記録の時点まで") {
		t.Errorf("without an origin time:\n%s", text)
	}
}

// Whatever a title or a person's words hold, the document stays well-formed and the text keeps its lines.
func FuzzReport(f *testing.F) {
	f.Add("<&>\"'", "原因\n二行目")
	f.Add("\x00\x1b]0;x\a", "\u202e\ufffe\uffff")
	f.Fuzz(func(t *testing.T, title, cause string) {
		b := breach()
		b.Clock.Title, b.Cause = title, cause
		d := report(b)
		for _, line := range strings.Split(d.text(), "\n") {
			if strings.ContainsRune(line, '\x1b') {
				t.Fatalf("a control character in the text: %q", line)
			}
		}
		read(t, "content.xml", []byte(d.content()))
	})
}
