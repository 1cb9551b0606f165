package replay

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"yagura/feeds"
	"yagura/store/desk"
)

// maxFile bounds what is read into memory of one file. It is far above what a parser takes, so that a telegram that is too
// large for it is still kept verbatim and shown (law 1).
const maxFile = 256 << 20

// Files reads the telegram files (*.xml) of a directory and the directories below it, ordered by press time, then name.
//
// ReceivedAt is the recorded clock: the press time. A file that cannot be parsed is kept all the same, so that it is shown as
// unreadable; it takes the time in its name (14 digits, UTC) when there is one, else it comes last.
func Files(dir string) ([]desk.Envelope, error) {
	var out []desk.Envelope
	root, err := filepath.EvalSymlinks(dir) // WalkDir does not follow a link at its root
	if err != nil {
		return nil, unreadableFolder(dir, err)
	}
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() || !strings.EqualFold(filepath.Ext(path), ".xml") || strings.HasPrefix(entry.Name(), ".") {
			return nil
		}
		raw, err := readFile(path)
		if err != nil {
			return err
		}
		e := desk.Envelope{Feed: FeedName, Name: entry.Name(), Raw: raw}
		e.ReceivedAt = recordedTime(e)
		out = append(out, e)
		return nil
	})
	if err != nil {
		return nil, unreadableFolder(dir, err)
	}
	if len(out) == 0 {
		return nil, desk.Errorf(desk.Invalid, "replay.Files", "フォルダ %q に電文（*.xml）がありません。", dir)
	}
	order(out)
	return out, nil
}

func unreadableFolder(dir string, err error) error {
	return &desk.Error{Kind: desk.Invalid, Op: "replay.Files", Msg: fmt.Sprintf("再生するフォルダ %q を読めません。", dir), Err: err}
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, fmt.Errorf("%s: not a regular file of at most %d bytes", path, maxFile)
	}
	return os.ReadFile(path)
}

var timeInName = regexp.MustCompile(`(?:^|[^0-9])(20[0-9]{12})(?:[^0-9]|$)`)

// recordedTime is the press time; zero when neither the telegram nor its name tells one.
func recordedTime(e desk.Envelope) time.Time {
	if t, ok := pressTime(e.Raw); ok {
		return t
	}
	if m := timeInName.FindStringSubmatch(e.Name); m != nil {
		if t, err := time.Parse("20060102150405", m[1]); err == nil {
			return t
		}
	}
	return time.Time{}
}

// pressTime reads Control/DateTime and nothing after it: what the rest says is for the parser.
func pressTime(raw []byte) (time.Time, bool) {
	d := xml.NewDecoder(bytes.NewReader(feeds.TrimBOM(raw)))
	for {
		token, err := d.Token()
		if err != nil {
			return time.Time{}, false
		}
		start, isStart := token.(xml.StartElement)
		if !isStart || start.Name.Local != "Control" {
			continue
		}
		var control struct{ DateTime string }
		if err := d.DecodeElement(&control, &start); err != nil {
			return time.Time{}, false
		}
		t, err := time.Parse(time.RFC3339, strings.TrimSpace(control.DateTime))
		return t, err == nil
	}
}

// order sorts by time and name, and gives those without a time the last known one.
func order(envs []desk.Envelope) {
	var last time.Time
	for i := range envs {
		if envs[i].ReceivedAt.After(last) {
			last = envs[i].ReceivedAt
		}
	}
	slices.SortStableFunc(envs, func(a, b desk.Envelope) int {
		if a.ReceivedAt.IsZero() != b.ReceivedAt.IsZero() {
			if a.ReceivedAt.IsZero() {
				return 1
			}
			return -1
		}
		return cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt), cmp.Compare(a.Name, b.Name))
	})
	for i := range envs {
		if envs[i].ReceivedAt.IsZero() {
			envs[i].ReceivedAt = last
		}
	}
}
