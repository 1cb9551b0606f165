package jma

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"yagura/store/desk"
)

// update is the custom of every package with golden files (make golden).
var update = flag.Bool("update", false, "write the golden files of testdata anew")

// TestGoldenKinds reads every fixture of testdata, one or more for each kind of telegram, and compares all that was read with
// NAME.json beside it. The fixtures are the project's own: real shapes, invented events.
func TestGoldenKinds(t *testing.T) {
	files, err := filepath.Glob("testdata/*.xml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("only %d fixtures", len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".xml"), func(t *testing.T) {
			got := goldenText(t, fixture(t, filepath.Base(file)))
			golden := strings.TrimSuffix(file, ".xml") + ".json"
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s differs; look at it and run make golden:\n%s", golden, got)
			}
		})
	}
}

// fixture parses a file of testdata; its name carries no type code, as a telegram from a push path has no file name.
func fixture(t testing.TB, name string) desk.Telegram {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(desk.Envelope{Raw: raw})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return got
}

// goldenText is the telegram as the store keeps it, without the bytes and what is empty, so that a golden shows what was read.
func goldenText(t *testing.T, g desk.Telegram) []byte {
	t.Helper()
	raw, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Raw", "Digest", "ReceivedAt", "StoredAt", "ID", "Feed", "Name"} {
		delete(all, name)
	}
	prune(all)
	if len(g.Place) > 0 {
		all["Place"] = numbers(g.Place) // JSON writes a list of bytes as base64, which nobody can review
	}
	var out bytes.Buffer
	lines := json.NewEncoder(&out)
	lines.SetEscapeHTML(false)
	lines.SetIndent("", "  ")
	if err := lines.Encode(all); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func numbers(prefectures []desk.Prefecture) []int {
	var out []int
	for _, p := range prefectures {
		out = append(out, int(p))
	}
	return out
}

func prune(value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, v := range value {
			prune(v)
			if v == nil || v == "" || v == "0001-01-01T00:00:00Z" {
				delete(value, name)
			}
			if list, ok := v.([]any); ok && len(list) == 0 {
				delete(value, name)
			}
		}
	case []any:
		for _, v := range value {
			prune(v)
		}
	}
}
