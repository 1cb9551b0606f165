package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"yagura/feeds/jma"
	"yagura/feeds/replay"
)

var update = flag.Bool("update", false, "write the fixtures and golden files of testdata anew")

// fixtures are telegrams of the built-in scenarios: scenario, clock of the press time (JST), file.
var fixtures = [][3]string{
	{"drill", "10:00:21", "eew.xml"},
	{"drill", "10:01:36", "flash.xml"},
	{"drill", "10:03:00", "tsunami.xml"},
	{"drill", "12:00:00", "tsunami-lifted.xml"},
	{"split", "10:22:07", "hypocenter.xml"},
	{"split", "10:24:04", "report.xml"},
	{"noto", "21:30:19", "update.xml"},
	{"noto", "23:14:30", "cancel.xml"},
	{"noto", "16:10:40", "eew-over.xml"},
}

func writeFixtures(t *testing.T) {
	t.Helper()
	for _, f := range fixtures {
		s, err := replay.Builtin(f[0])
		if err != nil {
			t.Fatal(err)
		}
		envs, err := s.Envelopes()
		if err != nil {
			t.Fatal(err)
		}
		i := -1
		for n := range envs {
			if envs[n].ReceivedAt.Format("15:04:05") == f[1] {
				i = n
			}
		}
		if i < 0 {
			t.Fatalf("%s has no telegram at %s", f[0], f[1])
		}
		if err := os.WriteFile(filepath.Join("testdata", f[2]), envs[i].Raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// run decodes files and gives the lines.
func run(t *testing.T, stdin string, files ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := (&decodeCommand{Files: files}).Run(&streams{in: strings.NewReader(stdin), out: &out})
	return out.String(), err
}

func TestDecodeGolden(t *testing.T) {
	if *update {
		writeFixtures(t)
	}
	files, err := filepath.Glob("testdata/*.xml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < len(fixtures) {
		t.Fatalf("only %d fixtures", len(files))
	}
	for i := range files {
		files[i] = filepath.ToSlash(files[i])
	}
	got, err := run(t, "", files...)
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/decode.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the output differs from %s; look at it and run with -update:\n%s", golden, got)
	}
}

func TestDecodeHasExactlyTheAgreedFields(t *testing.T) {
	out, err := run(t, "", "testdata/cancel.xml")
	if err != nil {
		t.Fatal(err)
	}
	var line map[string]json.RawMessage
	if err := json.Unmarshal([]byte(out), &line); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{ // a cancel has nothing but its envelope: null or empty, never invented
		"file": `"testdata/cancel.xml"`, "type": `"VXSE51"`, "title": `"震度速報"`, "mode": `"live"`, "phase": `"cancelled"`,
		"event_ids": `["20240101230354"]`, "serial": `""`, "press_time": `"2024-01-01T14:14:30Z"`, "report_time": `"2024-01-01T23:14:00+09:00"`,
		"max_intensity": "null", "forecast_intensity": "null", "prefectures": "[]", "areas": "[]", "hypocenters": "[]", "tsunami": "[]",
		"headline": `"震度速報を取り消します。"`,
		"hazard":   `"earthquake"`, "grade": `""`, "level": "0", "valid_until": "null", "warned": "null", "eew": "null", "volcano": "null",
		"typhoon": "null", "giant_quake": "null", "notice": "null", "missile": "null", "tsunami_observed": "null",
		"tsunami_expected": "null", "tsunami_estimated": "null", "counts": "null", "long_period": "null", "surprise": `""`,
	}
	for name, value := range want {
		if string(line[name]) != value {
			t.Errorf("%s = %s, want %s", name, line[name], value)
		}
	}
	if len(line) != len(want) {
		t.Errorf("%d fields, want %d: %s", len(line), len(want), out)
	}
}

func TestDecodeGoesOnAfterAnUnreadableFile(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large.xml")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 100<<20); err != nil { // a sparse file of 100 MB
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty.xml")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := run(t, "", filepath.Join(dir, "absent.xml"), dir, large, empty, "testdata/flash.xml")
	if !errors.Is(err, errReported) {
		t.Errorf("error %v, want the one that gives exit code 1", err)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	wants := []string{"ファイルがありません", "ディレクトリは読めません", "大きすぎます", "空です", `"type":"VXSE51"`}
	if len(lines) != len(wants) {
		t.Fatalf("%d lines:\n%s", len(lines), out)
	}
	for i, want := range wants {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d: %s, want %q", i, lines[i], want)
		}
		var line map[string]any
		if err := json.Unmarshal([]byte(lines[i]), &line); err != nil {
			t.Errorf("line %d is not JSON: %v", i, err)
		}
		if _, failed := line["error"]; failed != (i < 4) || failed && len(line) != 2 {
			t.Errorf("line %d: %s", i, lines[i])
		}
	}
}

func TestDecodeStandardInput(t *testing.T) {
	raw, err := os.ReadFile("testdata/report.xml")
	if err != nil {
		t.Fatal(err)
	}
	out, err := run(t, string(raw), "-")
	if err != nil || !strings.HasPrefix(out, `{"file":"-","type":"VXSE53"`) {
		t.Errorf("%v: %.80s", err, out)
	}
	if out, err := run(t, strings.Repeat("x", jma.MaxBytes+100), "-"); !errors.Is(err, errReported) || !strings.Contains(out, "大きすぎます") {
		t.Errorf("%v: %.200s", err, out)
	}
}

func TestDecodeWritesOverAndTsunamiGrades(t *testing.T) {
	out, err := run(t, "", "testdata/eew-over.xml", "testdata/tsunami.xml", "testdata/tsunami-lifted.xml")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"forecast_intensity":{"from":"6-","to":"over"}`, `"grade":"major_warning"`, `"grade":"advisory"`, `"grade":"lifted"`} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
}

// TestFixturesAreCurrent keeps the fixtures from drifting away from what the scenarios write today.
func TestFixturesAreCurrent(t *testing.T) {
	for _, f := range fixtures {
		s, err := replay.Builtin(f[0])
		if err != nil {
			t.Fatal(err)
		}
		envs, err := s.Envelopes()
		if err != nil {
			t.Fatal(err)
		}
		have, err := os.ReadFile(filepath.Join("testdata", f[2]))
		if err != nil {
			t.Fatal(err)
		}
		var found bool
		for i := range envs {
			found = found || slices.Equal(envs[i].Raw, have)
		}
		if !found {
			t.Errorf("testdata/%s is not a telegram of %s any more; run with -update", f[2], f[0])
		}
	}
}
