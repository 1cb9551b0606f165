package p2pquake_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagura/feeds"
	"yagura/feeds/jma"
	"yagura/feeds/p2pquake"
	"yagura/feeds/p2pquake/p2pquaketest"
	"yagura/store/desk"
)

func parse(t *testing.T, raw []byte) desk.Telegram {
	t.Helper()
	got, err := p2pquake.Parse(desk.Envelope{Feed: "p2pquake", Raw: raw})
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	if got.Mode != desk.Live || got.Phase != desk.Issued || got.Digest != feeds.Digest(raw) || got.PressTime.IsZero() || got.Office != "P2PQuake" {
		t.Errorf("%v %v %v %q", got.Mode, got.Phase, got.PressTime, got.Office)
	}
	return got
}

func TestScalePrompt(t *testing.T) {
	got := parse(t, p2pquaketest.ScalePrompt("q", at, at.Add(100*time.Second), map[desk.Prefecture]desk.Intensity{
		17: desk.Intensity6Upper, 16: desk.Intensity5Lower, 1: desk.Intensity3, 47: desk.Intensity1,
	}))
	if got.Type != "P2P551" || got.Title != "P2PQuake 地震情報" || got.HeadTitle != "震度速報" || got.Hazard != desk.Earthquake || len(got.Hypocenters) != 0 {
		t.Errorf("%+v", got)
	}
	want := []desk.PrefectureIntensity{
		{Code: 1, Name: "北海道", Intensity: desk.Intensity3},
		{Code: 16, Name: "富山県", Intensity: desk.Intensity5Lower},
		{Code: 17, Name: "石川県", Intensity: desk.Intensity6Upper},
		{Code: 47, Name: "沖縄県", Intensity: desk.Intensity1},
	}
	if diff := cmp.Diff(want, got.Prefectures); diff != "" {
		t.Error(diff)
	}
	if got.MaxIntensity != desk.Intensity6Upper || !got.TargetTime.Equal(at) || !got.PressTime.Equal(at.Add(100*time.Second)) {
		t.Errorf("%v %v %v", got.MaxIntensity, got.TargetTime, got.PressTime)
	}
	if len(got.Areas) != 4 || got.Areas[0].Code != "390" || got.Stations != 0 || got.Text != "国内の津波：調査中" {
		t.Errorf("%+v %d %q", got.Areas, got.Stations, got.Text)
	}
}

func TestDetail(t *testing.T) {
	got := parse(t, p2pquaketest.Detail("q", at, at.Add(3*time.Minute), "能登半島沖", 37.5, 137.2, 0, 7.6, map[desk.Prefecture]desk.Intensity{17: desk.Intensity7, 15: desk.Intensity6Lower}))
	h := got.Hypocenters[0]
	if h.Name != "能登半島沖" || *h.Lat != 37.5 || *h.Lon != 137.2 || *h.DepthKM != 0 || *h.Magnitude != 7.6 || h.MagnitudeKind != desk.MagnitudeNumber || !h.OriginTime.Equal(at) {
		t.Errorf("%+v", h)
	}
	if got.Stations != 2 || got.StationsAtMax != 1 || len(got.Areas) != 0 {
		t.Errorf("%d %d %v", got.Stations, got.StationsAtMax, got.Areas)
	}
}

// frame551 is a 551 whose parts the cases change.
func frame551(hypocenter, points, issue string) []byte {
	return []byte(`{"id":"x","code":551,"time":"2026/11/23 12:03:00.1","issue":{"source":"気象庁","time":"2026/11/23 12:02:00","correct":"None"` + issue + `},
"earthquake":{"time":"2026/11/23 12:00:00","hypocenter":` + hypocenter + `,"maxScale":-1,"domesticTsunami":"None"},"points":` + points + `}`)
}

func TestSentinelsAreAbsent(t *testing.T) {
	for name, c := range map[string]struct {
		hypocenter              string
		depth, magnitude, place bool
	}{
		"depth unknown":      {`{"name":"x","latitude":30,"longitude":140,"depth":-1,"magnitude":5}`, false, true, true},
		"magnitude unknown":  {`{"name":"x","latitude":30,"longitude":140,"depth":0,"magnitude":-1}`, true, false, true},
		"place unknown":      {`{"name":"x","latitude":-200,"longitude":-200,"depth":10,"magnitude":5}`, true, true, false},
		"nonsense":           {`{"name":"x","latitude":91,"longitude":140,"depth":99999,"magnitude":99}`, false, false, false},
		"not given":          {`{"name":"x"}`, false, false, false},
		"shallow, very weak": {`{"name":"x","latitude":30,"longitude":140,"depth":0,"magnitude":-0.3}`, true, true, true},
	} {
		h := parse(t, frame551(c.hypocenter, "[]", `,"type":"Destination"`)).Hypocenters[0]
		if (h.DepthKM != nil) != c.depth || (h.Magnitude != nil) != c.magnitude || (h.Lat != nil && h.Lon != nil) != c.place {
			t.Errorf("%s: %+v", name, h)
		}
		if (h.MagnitudeKind == desk.MagnitudeNumber) != c.magnitude {
			t.Errorf("%s: %q", name, h.MagnitudeKind)
		}
	}
}

func TestUnreportedCountsAsProvisional(t *testing.T) {
	got := parse(t, frame551(`{}`, `[{"pref":"宮城県","addr":"仙台","isArea":false,"scale":46},{"pref":"宮城県","addr":"名取","isArea":false,"scale":40},
{"pref":"岩手県","addr":"一関","isArea":false,"scale":46},{"pref":"岩手県","addr":"北上","isArea":false,"scale":45},{"pref":"火星","addr":"?","isArea":false,"scale":99}]`, `,"type":"Novel"`))
	want := []desk.PrefectureIntensity{
		{Code: 3, Name: "岩手県", Intensity: desk.Intensity5Lower}, {Code: 4, Name: "宮城県", Intensity: desk.Intensity5Lower, Provisional: true},
	}
	if diff := cmp.Diff(want, got.Prefectures); diff != "" {
		t.Error(diff)
	}
	if strings.Join(got.Unreported, " ") != "仙台 一関" || got.MaxIntensity != desk.Intensity5Lower || got.StationsAtMax != 1 || got.Surprise == "" {
		t.Errorf("%v %v %d %q", got.Unreported, got.MaxIntensity, got.StationsAtMax, got.Surprise)
	}
}

func TestNothingRetractsAnything(t *testing.T) {
	for name, raw := range map[string][]byte{
		"a lifted tsunami":      p2pquaketest.Tsunami("t", at, true, "Watch", "石川県能登"),
		"a lifting of nothing":  p2pquaketest.Tsunami("t", at, true, ""),
		"a cancelled warning":   []byte(`{"code":556,"cancelled":true,"issue":{"time":"2026/11/23 12:00:00","eventId":"20261123115900","serial":"2"},"areas":[]}`),
		"a marked correction":   frame551(`{}`, `[]`, `,"type":"DetailScale","correct":"ScaleOnly"`),
		"a cancelled heard EEW": []byte(`{"code":554,"time":"2026/11/23 12:00:00.000","type":"Full","cancelled":true}`),
	} {
		got := parse(t, raw)
		if got.Phase != desk.Issued || got.ForecastIntensity != nil || got.Level != desk.LevelNone {
			t.Errorf("%s: %+v", name, got)
		}
		for _, a := range got.Tsunami {
			if a.Grade != desk.TsunamiLifted {
				t.Errorf("%s: %+v", name, a)
			}
		}
		if got.Type == "P2P556" && (got.Warning || len(got.Areas) > 0) {
			t.Errorf("%s would confirm a warning", name)
		}
	}
}

func TestTsunami(t *testing.T) {
	for grade, want := range map[string]desk.TsunamiArea{
		"MajorWarning": {Code: "360", Name: "石川県能登", Grade: desk.TsunamiMajorWarning},
		"Warning":      {Code: "360", Name: "石川県能登", Grade: desk.TsunamiWarning},
		"Watch":        {Code: "360", Name: "石川県能登", Grade: desk.TsunamiAdvisory},
		"Other":        {Code: "360", Name: "石川県能登", Grade: desk.TsunamiUnknownGrade},
	} {
		got := parse(t, p2pquaketest.Tsunami("t", at, false, grade, "石川県能登", "伊勢・三河湾", "新しい区域"))
		if diff := cmp.Diff(want, got.Tsunami[0]); diff != "" || len(got.Tsunami) != 3 || got.Hazard != desk.Tsunami || got.Level == desk.LevelNone {
			t.Errorf("%s: %s %+v", grade, diff, got)
		}
		if diff := cmp.Diff([]desk.Prefecture{17, 23, 24}, got.Place); diff != "" || (got.Surprise != "") != (grade == "Other") {
			t.Errorf("%s: %s %q", grade, diff, got.Surprise)
		}
	}
	got := parse(t, []byte(`{"code":552,"cancelled":false,"issue":{"time":"2011/03/11 14:53:00"},"areas":[
{"name":"岩手県","grade":"MajorWarning","immediate":true,"firstHeight":{"condition":"既に津波到達と推測"},"maxHeight":{"description":"巨大"}},
{"name":"宮城県","grade":"MajorWarning","immediate":true},{"name":"福島県","grade":"Warning","firstHeight":{"arrivalTime":"2011/03/11 15:10:00"}}]}`))
	want := []desk.TsunamiArea{
		{Code: "210", Name: "岩手県", Grade: desk.TsunamiMajorWarning, Height: "巨大", Arrival: "既に津波到達と推測"},
		{Code: "220", Name: "宮城県", Grade: desk.TsunamiMajorWarning, Arrival: "直ちに津波来襲と予測"},
		{Code: "250", Name: "福島県", Grade: desk.TsunamiWarning, Arrival: "2011-03-11T15:10:00+09:00"},
	}
	if diff := cmp.Diff(want, got.Tsunami); diff != "" {
		t.Error(diff)
	}
}

func TestWarning(t *testing.T) {
	got := parse(t, []byte(`{"code":556,"id":"e","time":"2026/11/23 12:00:30.0","cancelled":false,"issue":{"time":"2026/11/23 12:00:25","eventId":"20261123120016","serial":"1"},
"earthquake":{"originTime":"2026/11/23 12:00:12","arrivalTime":"2026/11/23 12:00:16","condition":"仮定震源要素","hypocenter":{"name":"能登半島沖","latitude":37.3,"longitude":136.6,"depth":10,"magnitude":5.7}},
"areas":[{"pref":"石川","name":"石川県能登","scaleFrom":40,"scaleTo":99,"kindCode":"11"},{"pref":"富山","name":"富山県西部","scaleFrom":45,"scaleTo":45,"kindCode":"10"},{"pref":"北海道","name":"石狩地方北部","scaleFrom":30,"scaleTo":30,"kindCode":"19"}]}`))
	if !got.Warning || !got.Assumed || got.Type != "P2P556" || got.Serial != "1" || strings.Join(got.EventIDs, "") != "20261123120016" {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff(&desk.IntensityRange{From: desk.Intensity5Lower, To: desk.Intensity5Lower, Over: true}, got.ForecastIntensity); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]desk.Prefecture{1, 16, 17}, got.Place); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&desk.EEWReport{WarnedAreas: []string{"390", "381", "100"}, Arrived: []string{"390"}, PLUM: true}, got.EEW); diff != "" {
		t.Error(diff)
	}
	trial, err := p2pquake.Parse(desk.Envelope{Raw: []byte(`{"code":556,"test":true,"issue":{"time":"2026/11/23 12:00:25"}}`)})
	if err != nil || trial.Mode != desk.Test {
		t.Errorf("a test is %v, %v", trial.Mode, err) // law 4
	}
}

func TestUnreadableReportsKeepTheirEnvelope(t *testing.T) {
	for _, raw := range []string{"", "x", "[]", "null", "{}", `{"code":555,"time":"2026/11/23 12:00:00"}`, `{"code":551}`, `{"code":551,"issue":{"time":"yesterday"}}`, `{"code":551,"points":7}`, strings.Repeat(" ", jma.MaxBytes+1)} {
		got, err := p2pquake.Parse(desk.Envelope{Name: "n", Raw: []byte(raw)})
		if desk.KindOf(err) != desk.Invalid || got.Name != "n" || got.Type != "" || got.Digest != feeds.Digest([]byte(raw)) {
			t.Errorf("%.60q: %v %+v", raw, err, got.Type)
		}
	}
}

// shared finds the folder of real frames, or skips.
func shared(t testing.TB, path string) string {
	t.Helper()
	dir := os.Getenv("YAGURA_SHARED")
	if dir == "" {
		for at := "."; ; at = filepath.Join(at, "..") {
			full, err := filepath.Abs(at)
			if err != nil || full == filepath.Dir(full) {
				break
			}
			if _, err := os.Stat(filepath.Join(full, "shared", "jma")); err == nil {
				dir = filepath.Join(full, "shared")
				break
			}
		}
	}
	path = filepath.Join(dir, path)
	if _, err := os.Stat(path); dir == "" || err != nil {
		t.Skip("the folder shared is not here: ", path)
	}
	return path
}

// TestRealFrames reads what P2PQuake's own converter made of real telegrams, and its specification's examples.
func TestRealFrames(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared(t, "jma/p2pquake/converted"), "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(text, &fields); err != nil {
			t.Fatal(err)
		}
		code := "551"
		if fields["cancelled"] != nil {
			code = "552"
			if fields["earthquake"] != nil {
				code = "556"
			}
		}
		fields["code"] = json.RawMessage(code) // the converter leaves the outer fields to its caller
		raw, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		got := parse(t, raw)
		if got.Surprise != "" || got.Type != "P2P"+code {
			t.Errorf("%s: %s %q", filepath.Base(file), got.Type, got.Surprise)
		}
		for _, p := range got.Areas {
			if p.Code == "" || p.Intensity == desk.IntensityUnknown {
				t.Errorf("%s: area %+v", filepath.Base(file), p)
			}
		}
		for _, a := range got.Tsunami {
			if a.Code == "" && a.Name != "奄美諸島・トカラ列島" { // the name before 2013; kept by name, without a code
				t.Errorf("%s: area %+v", filepath.Base(file), a)
			}
		}
		if code == "551" && got.MaxIntensity == desk.IntensityUnknown && got.HeadTitle != "震源に関する情報" && got.HeadTitle != "遠地地震に関する情報" {
			t.Errorf("%s: %s without an intensity", filepath.Base(file), got.HeadTitle)
		}
	}
	t.Logf("%d files", len(files))
}

// TestTheDoubleSpeaksAsTheSpecification compares the fields of the double's frames with those of the specification's examples.
func TestTheDoubleSpeaksAsTheSpecification(t *testing.T) {
	text, err := os.ReadFile(shared(t, "jma/p2pquake/spec_examples.json"))
	if err != nil {
		t.Fatal(err)
	}
	var examples []map[string]any
	if err := json.Unmarshal(text, &examples); err != nil {
		t.Fatal(err)
	}
	for i, ours := range map[int][]byte{
		0: p2pquaketest.Detail("x", at, at, "宮古島近海", 24.4, 125.2, 50, 4, map[desk.Prefecture]desk.Intensity{47: desk.Intensity1}),
		3: p2pquaketest.ScalePrompt("x", at, at, map[desk.Prefecture]desk.Intensity{36: desk.Intensity5Upper}),
		1: p2pquaketest.Tsunami("x", at, false, "Warning", "福島県"),
	} {
		var frame map[string]any
		if err := json.Unmarshal(ours, &frame); err != nil {
			t.Fatal(err)
		}
		for _, outer := range []string{"ver", "user-agent", "id", "time"} { // not in all examples
			delete(examples[i], outer)
			delete(frame, outer)
		}
		if diff := cmp.Diff(shape(examples[i]), shape(frame)); diff != "" {
			t.Errorf("example %d: %s", i, diff)
		}
	}
}

// shape is the value with every scalar replaced by its kind and every list by its first element.
func shape(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			out[k] = shape(e)
		}
		return out
	case []any:
		if len(v) == 0 {
			return []any{}
		}
		return []any{shape(v[0])}
	case string:
		return "text"
	case float64:
		return "number"
	case bool:
		return "truth"
	}
	return v
}

func FuzzParse(f *testing.F) {
	f.Add(prompt(1))
	f.Add(p2pquaketest.Detail("q", at, at, "沖", 1, 2, -1, -1, map[desk.Prefecture]desk.Intensity{13: desk.Intensity7}))
	f.Add(p2pquaketest.Tsunami("t", at, true, "Watch", "石川県能登"))
	f.Add([]byte(`{"code":556,"cancelled":false,"issue":{"time":"2026/11/23 12:00:25"},"areas":[{"pref":"石川","scaleFrom":1e308,"scaleTo":99}]}`))
	f.Add([]byte(`{"code":554,"time":"2026/11/23 12:00:25","type":"Full"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := p2pquake.Parse(desk.Envelope{Raw: raw})
		if err != nil {
			if desk.KindOf(err) != desk.Invalid {
				t.Fatal(err)
			}
			return
		}
		if got.Phase != desk.Issued || got.PressTime.IsZero() {
			t.Fatalf("%v %v", got.Phase, got.PressTime)
		}
		for i, p := range got.Prefectures {
			if !p.Code.Valid() || i > 0 && got.Prefectures[i-1].Code >= p.Code {
				t.Fatalf("prefectures %+v", got.Prefectures)
			}
		}
		for _, h := range got.Hypocenters {
			if h.DepthKM != nil && *h.DepthKM < 0 || h.Magnitude != nil && *h.Magnitude <= -1 {
				t.Fatalf("a sentinel passed: %+v", h)
			}
		}
		if _, err := json.Marshal(got); err != nil {
			t.Fatal(err)
		}
	})
}
