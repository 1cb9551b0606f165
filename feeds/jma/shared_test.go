package jma

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"yagura/store/desk"
)

// sharedFolder finds the project's reference data, which is not part of the repository.
func sharedFolder(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("YAGURA_SHARED"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		candidate := filepath.Join(dir, "shared")
		if _, err := os.Stat(filepath.Join(candidate, "jma", "INDEX.tsv")); err == nil {
			return candidate
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Skip("the shared reference data is absent; set YAGURA_SHARED to test against official telegrams")
		}
		dir = parent
	}
}

func readIndex(t *testing.T, path string) []map[string]string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(bytes.NewReader(raw))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = '\t', true, -1
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, line := range lines[1:] {
		row := make(map[string]string)
		for i, name := range lines[0] {
			if i < len(line) {
				row[name] = line[i]
			}
		}
		out = append(out, row)
	}
	return out
}

// TestOfficialTelegrams decodes every official sample and every real telegram and compares with the independent index.
func TestOfficialTelegrams(t *testing.T) {
	root := filepath.Join(sharedFolder(t), "jma")
	files := 0
	for _, row := range readIndex(t, filepath.Join(root, "INDEX.tsv")) {
		files++
		raw, err := os.ReadFile(filepath.Join(root, row["file"]))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Parse(desk.Envelope{Name: filepath.Base(row["file"]), Raw: raw})
		if err != nil {
			t.Errorf("%s: %v", row["file"], err)
			continue
		}
		compareWithIndex(t, row, &got)
	}
	if files < 535 {
		t.Fatalf("only %d telegrams in the index", files)
	}
}

func compareWithIndex(t *testing.T, row map[string]string, got *desk.Telegram) {
	t.Helper()
	check := func(field, have string) {
		if want := row[field]; have != want {
			t.Errorf("%s: %s = %q, index says %q", row["file"], field, have, want)
		}
	}
	// One sample of 震源に関する情報 is filed under an early-warning code; there the title is right.
	if row["type"] != "VXSE41" || row["title"] != "震源に関する情報" {
		check("type", got.Type)
	}
	check("title", got.Title)
	check("head_title", got.HeadTitle)
	check("status", map[desk.Mode]string{desk.Live: "通常", desk.Drill: "訓練", desk.Test: "試験"}[got.Mode])
	check("infotype", got.Phase.Japanese())
	check("eventid", strings.Join(got.EventIDs, " "))
	check("serial", got.Serial)
	check("control_datetime", got.PressTime.Format("2006-01-02T15:04:05Z07:00"))
	check("report_datetime", got.ReportTime.Format("2006-01-02T15:04:05Z07:00"))
	check("target_datetime", got.TargetTime.Format("2006-01-02T15:04:05Z07:00"))
	if have := strings.Join(strings.Fields(got.Headline), " "); !strings.HasPrefix(have, strings.Join(strings.Fields(row["headline"]), " ")) {
		check("headline", have)
	}
	if strings.HasPrefix(got.Type, "VXSE") || strings.HasPrefix(got.Type, "VTSE") {
		check("maxint", intensityColumn(got))
		comparePrefectures(t, row, got)
		compareHypocenters(t, row, got)
		compareTsunami(t, row, got)
	}
}

func intensityColumn(got *desk.Telegram) string {
	if f := got.ForecastIntensity; f != nil {
		to := f.To.String()
		if f.Over {
			to = "over"
		}
		return "F:" + f.From.String() + "-" + to
	}
	return got.MaxIntensity.String()
}

func comparePrefectures(t *testing.T, row map[string]string, got *desk.Telegram) {
	t.Helper()
	if strings.HasPrefix(got.Type, "VTSE") || row["kind"] == "edited" {
		return // the index has no prefectures for tsunami telegrams; in edited ones name and code disagree
	}
	var want, have []string
	for _, name := range strings.Split(row["prefs"], ",") {
		if name != "" {
			want = append(want, prefectureOfRegion(name))
		}
	}
	for _, p := range got.Prefectures {
		have = append(have, p.Name)
	}
	slices.Sort(want)
	slices.Sort(have)
	if want = slices.Compact(want); !slices.Equal(want, have) {
		t.Errorf("%s: prefectures %v, index says %v", row["file"], have, want)
	}
	if !slices.IsSortedFunc(got.Prefectures, func(a, b desk.PrefectureIntensity) int { return int(a.Code) - int(b.Code) }) {
		t.Errorf("%s: prefectures are not in JIS order: %v", row["file"], got.Prefectures)
	}
}

// prefectureOfRegion turns a 府県予報区 of the early warning into the name of its prefecture.
func prefectureOfRegion(name string) string {
	special := map[string]string{
		"伊豆諸島": "東京都", "小笠原": "東京都", "奄美": "鹿児島県", "奄美群島": "鹿児島県",
		"沖縄本島": "沖縄県", "大東島": "沖縄県", "宮古島": "沖縄県", "八重山": "沖縄県",
	}
	if p, ok := special[name]; ok {
		return p
	}
	for p := desk.Prefecture(1); p.Valid(); p++ {
		if p.Name() == name || strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(p.Name(), "県"), "府"), "都") == name || strings.HasPrefix(name, p.Name()) {
			return p.Name()
		}
	}
	return name
}

func compareHypocenters(t *testing.T, row map[string]string, got *desk.Telegram) {
	t.Helper()
	if row["hypo"] == "" {
		if len(got.Hypocenters) > 0 {
			t.Errorf("%s: hypocentres %v, index has none", row["file"], got.Hypocenters)
		}
		return
	}
	if len(got.Hypocenters) == 0 {
		t.Errorf("%s: no hypocentre, index says %q", row["file"], row["hypo"])
		return
	}
	h := got.Hypocenters[0]
	for _, want := range []string{h.Name, h.MagnitudeText} {
		if !strings.Contains(row["hypo"], want) {
			t.Errorf("%s: hypocentre has %q, index says %q", row["file"], want, row["hypo"])
		}
	}
	if h.Lat == nil || h.Lon == nil {
		t.Errorf("%s: no coordinates, index says %q", row["file"], row["hypo"])
	}
	if strings.Contains(row["hypo"], "NaN") != (h.Magnitude == nil) {
		t.Errorf("%s: magnitude %v, index says %q", row["file"], h.Magnitude, row["hypo"])
	}
	if !h.OriginTime.IsZero() && !strings.HasPrefix(row["hypo"], h.OriginTime.Format("2006-01-02T15:04:05Z07:00")) {
		t.Errorf("%s: origin %v, index says %q", row["file"], h.OriginTime, row["hypo"])
	}
}

func compareTsunami(t *testing.T, row map[string]string, got *desk.Telegram) {
	t.Helper()
	if !strings.HasPrefix(got.Type, "VTSE") {
		return
	}
	var have []string
	for _, a := range got.Tsunami {
		have = append(have, a.Kind)
		if a.Grade == desk.TsunamiUnknownGrade {
			t.Errorf("%s: %s has an unknown grade %q", row["file"], a.Name, a.Kind)
		}
	}
	slices.Sort(have)
	if codes := strings.Join(slices.Compact(have), ","); codes != row["cats"] {
		t.Errorf("%s: categories %q, index says %q", row["file"], codes, row["cats"])
	}
}

// TestAreaTables compares the tables of this package with the code tables they were made from.
func TestAreaTables(t *testing.T) {
	root := filepath.Join(sharedFolder(t), "jma", "codes")
	for _, row := range readIndex(t, filepath.Join(root, "area_local_e_to_pref.tsv")) {
		a, ok := desk.LocalArea(row["area_local_e"])
		if !ok || a.Name != row["name"] || len(a.Prefectures) != 1 || a.Prefectures[0].Name() != row["pref_name"] {
			t.Errorf("area %v: have %+v", row, a)
		}
	}
	for _, row := range readIndex(t, filepath.Join(root, "tsunami_area_to_pref.tsv")) {
		a, ok := desk.TsunamiForecastArea(row["tsunami_area"])
		if !ok || a.Name != row["name"] || len(a.Prefectures) != len(strings.Split(row["pref_codes"], ",")) {
			t.Errorf("area %v: have %+v", row, a)
		}
	}
}

func largest(b *testing.B) []byte {
	b.Helper()
	found, err := filepath.Glob(filepath.Join(sharedFolder(b), "jma", "real", "VXSE53", "20240101072429*"))
	if err != nil || len(found) != 1 {
		b.Skip("the largest real VXSE53 is absent")
	}
	raw, err := os.ReadFile(found[0])
	if err != nil {
		b.Fatal(err)
	}
	return raw
}

func BenchmarkDecodeReal(b *testing.B) {
	raw := largest(b)
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := Parse(desk.Envelope{Raw: raw}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTokenizeReal(b *testing.B) {
	raw := largest(b)
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		d := xml.NewDecoder(bytes.NewReader(raw))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}
