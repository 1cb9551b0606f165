package jma

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"yagura/store/desk"
)

const kindFixtures = "testdata/kinds"

// kindFixture reads one telegram of ours; the file name begins with the data type code.
func kindFixture(t testing.TB, name string) desk.Telegram {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(kindFixtures, name+".xml"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(desk.Envelope{Name: name + ".xml", Raw: raw})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return got
}

// TestKindsGolden compares everything these readers fill with a text a person can check. make golden writes it anew.
func TestKindsGolden(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(kindFixtures, "*.xml"))
	if err != nil || len(files) < 30 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".xml")
		t.Run(name, func(t *testing.T) {
			got := kindFixture(t, name)
			golden := filepath.Join(kindFixtures, name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(outline(&got)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if have := outline(&got); have != string(want) {
				t.Errorf("have\n%s\nwant\n%s", have, want)
			}
		})
	}
}

// outline writes what a reader of a kind found, one fact a line.
func outline(t *desk.Telegram) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\nplace %s\n", t.Type, t.Phase, t.Level, names(t.Place))
	outlineAreas(&b, "warned", t.Warned)
	if v := t.Volcano; v != nil {
		fmt.Fprintf(&b, "volcano %s %s | %s %s %s | alert %d eruption %v plume %d m crater %q at %s\n", v.Code, v.Name, v.KindCode,
			v.KindName, v.Condition, v.AlertLevel, v.Eruption, v.PlumeM, v.Crater, v.OccurredAt.Format("2006-01-02T15:04Z07:00"))
		outlineAreas(&b, "city", v.Municipalities)
		outlineAreas(&b, "ash", v.Ash)
	}
	if y := t.Typhoon; y != nil {
		fmt.Fprintf(&b, "typhoon %s number %q name %q remark %q ended %v\n", y.ID, y.Number, y.Name, y.Remark, y.Ended)
		for _, p := range y.Positions {
			fmt.Fprintf(&b, "  %s %s | %s %s %s | %s %s %s | %s hPa %s m/s gust %s m/s | %s %s km/h\n", p.At.Format("01-02T15:04Z07:00"), p.Type,
				p.Class, p.Scale, p.Strength, p.Place, show(p.Lat), show(p.Lon), show(p.PressureHPa), show(p.WindMS), show(p.GustMS),
				p.Direction, show(p.SpeedKMH))
		}
	}
	if t.Text != "" {
		fmt.Fprintf(&b, "text %q\n", t.Text)
	}
	if t.Surprise != "" {
		fmt.Fprintf(&b, "surprise %s\n", t.Surprise)
	}
	return b.String()
}

func outlineAreas(b *strings.Builder, what string, areas []desk.WarnedArea) {
	for _, a := range areas {
		fmt.Fprintf(b, "%s %s %s %s\n", what, a.Code, a.Name, names(a.Prefectures))
		for _, k := range a.Kinds {
			fmt.Fprintf(b, "  %q %s | %s | %s lifted %v\n", k.Code, k.Name, k.Status, k.Level, k.Lifted)
		}
	}
}

func names(list []desk.Prefecture) string {
	var out []string
	for _, p := range list {
		out = append(out, p.Name())
	}
	return "[" + strings.Join(out, " ") + "]"
}

func show[V any](v *V) string {
	if v == nil {
		return "?"
	}
	return fmt.Sprint(*v)
}

// TestWeatherKinds states by hand what the desk must conclude, so that a golden text written anew cannot hide a mistake.
func TestWeatherKinds(t *testing.T) {
	for _, c := range []struct {
		fixture  string
		level    desk.Level
		place    []desk.Prefecture
		code     string // of the first kind of the first area
		lifted   bool
		surprise bool
	}{
		{"VPWW55_danger", desk.LevelDanger, []desk.Prefecture{17}, "43", false, false},
		{"VPWW61_unknown_code", desk.LevelAdvisory, []desk.Prefecture{42}, "14", false, true},
		{"VPWW56_lifted", desk.LevelNone, []desk.Prefecture{34}, "29", true, false},
		{"VPWW54_notice", desk.LevelWarning, []desk.Prefecture{32}, "03", false, false},
		{"VPWW55_other_granularity", desk.LevelAdvisory, []desk.Prefecture{46}, "10", false, true},
		{"VPNO50_special", desk.LevelSpecial, []desk.Prefecture{46}, "35", false, false},
		{"VPNO50_lifted", desk.LevelNone, []desk.Prefecture{46}, "00", true, false},
		{"VPBS50_rainband", desk.LevelDanger, []desk.Prefecture{39}, "線状降水帯発生", false, false},
		{"VPBS50_unknown_tag", desk.LevelWarning, []desk.Prefecture{18}, "線状降水帯直前", false, true},
		{"VPOA50_record_rain", desk.LevelDanger, []desk.Prefecture{1}, "1", false, false},
		{"VPHW50_tornado", desk.LevelAdvisory, []desk.Prefecture{13}, "1", false, false},
		{"VPHW51_sighting", desk.LevelWarning, []desk.Prefecture{13}, "1", false, false},
		{"VPHW51_no_sighting", desk.LevelAdvisory, []desk.Prefecture{13}, "1", false, false},
		{"VXWW50_landslide", desk.LevelDanger, []desk.Prefecture{1}, "3", false, false},
		{"VXWW50_lifted", desk.LevelNone, []desk.Prefecture{1}, "1", true, false},
		{"VXKO64_flooded", desk.LevelSpecial, []desk.Prefecture{15, 20}, "51", false, false},
		{"VXKO64_lifted", desk.LevelNone, []desk.Prefecture{15, 20}, "10", true, false},
		{"VXSU50_river", desk.LevelAdvisory, []desk.Prefecture{4}, "21", false, false},
	} {
		t.Run(c.fixture, func(t *testing.T) {
			got := kindFixture(t, c.fixture)
			if got.Hazard != desk.Weather || got.Level != c.level || !slices.Equal(got.Place, c.place) || (got.Surprise != "") != c.surprise {
				t.Fatalf("hazard %s, level %s, place %v, surprise %q", got.Hazard, got.Level, got.Place, got.Surprise)
			}
			if len(got.Warned) == 0 || len(got.Warned[0].Kinds) == 0 {
				t.Fatalf("warned %+v", got.Warned)
			}
			if k := got.Warned[0].Kinds[0]; k.Code != c.code || k.Lifted != c.lifted || k.Lifted && k.Level != desk.LevelNone {
				t.Fatalf("kind %+v", k)
			}
		})
	}
}

// TestPlaceWithoutWarning: words without a warning are 情報 and speak of what they name. 010800 is 四国地方 and not Hokkaido.
func TestPlaceWithoutWarning(t *testing.T) {
	for name, want := range map[string][]desk.Prefecture{
		"VPZJ51_region":    {36, 37, 38, 39},
		"VPCJ50_heading":   {25, 26, 27, 28, 29, 30},
		"VPBS50_cancelled": {39},
		"VPWW55_cancelled": {17},
		"VPWS50_rollup":    {16, 17},
	} {
		got := kindFixture(t, name)
		level := desk.LevelNotice
		if got.Phase == desk.Cancelled {
			level = desk.LevelNone
		}
		if !slices.Equal(got.Place, want) || got.Level != level {
			t.Errorf("%s: place %v level %s", name, got.Place, got.Level)
		}
		for _, a := range got.Warned {
			if got.Phase != desk.Cancelled || len(a.Kinds) > 0 || a.Code == "" {
				t.Errorf("%s: %+v", name, a)
			}
		}
	}
}

func TestTyphoonKinds(t *testing.T) {
	got := kindFixture(t, "VPTW62_forecast")
	y := got.Typhoon
	if y == nil || y.ID != "TC2611" || y.Number != "2607" || y.Name != "サンプル" || y.Ended || len(y.Positions) != 2 {
		t.Fatalf("typhoon %+v", y)
	}
	if got.Level != desk.LevelNotice || got.Place != nil || got.Warned != nil {
		t.Errorf("level %s, place %v, warned %v", got.Level, got.Place, got.Warned)
	}
	now, later := y.Positions[0], y.Positions[1]
	if now.Class != "台風" || *now.Lat != 24.4 || *now.Lon != 131.2 || *now.WindMS != 45 || *now.GustMS != 65 || *now.SpeedKMH != 15 {
		t.Errorf("analysis %+v", now)
	}
	if *later.Lat != 26.8 || later.SpeedKMH != nil || *later.PressureHPa != 935 || later.At.Format("02T15:04") != "02T09:00" {
		t.Errorf("forecast %+v", later)
	}
	if got := kindFixture(t, "VPTW62_ended"); !got.Typhoon.Ended || got.Level != desk.LevelNone || got.Typhoon.Positions[0].WindMS != nil {
		t.Errorf("ended %+v", got.Typhoon)
	}
	if got := kindFixture(t, "VPTW62_cancelled"); got.Typhoon == nil || got.Typhoon.ID != "TC2611" || got.Level != desk.LevelNone {
		t.Errorf("cancelled %+v", got.Typhoon)
	}
}

func TestTyphoonRemarks(t *testing.T) {
	for remark, want := range map[string]bool{
		"": false, "台風発生": false, "台風発生予想": false, "台風消滅（温帯低気圧化）": true, "台風消滅（熱帯低気圧化）": true,
		"台風消滅（域外へ出る）": true, "台風発生の可能性が小さくなった": true, "台風発生（域外から入る）": false,
		"温帯低気圧化しつつある": false, "発表間隔変更（毎時から３時間毎）": false,
	} {
		if ended(remark) != want {
			t.Errorf("ended(%q) = %v", remark, !want)
		}
	}
}

func FuzzReadMeteorology(f *testing.F) {
	seedKinds(f, "V[PX]*.xml")
	f.Fuzz(func(t *testing.T, dataType string, raw []byte) {
		got := desk.Telegram{Type: dataType}
		if err := readMeteorology(raw, &got); err != nil {
			mustBeInvalid(t, err)
			return
		}
		checkFilled(t, &got)
	})
}

func seedKinds(f *testing.F, pattern string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join(kindFixtures, pattern))
	if err != nil || len(files) == 0 {
		f.Fatal(pattern, err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(filepath.Base(file)[:6], raw)
	}
}

func mustBeInvalid(t *testing.T, err error) {
	t.Helper()
	if desk.KindOf(err) != desk.Invalid {
		t.Fatalf("error of kind %v: %v", desk.KindOf(err), err)
	}
}

// checkFilled states what holds for any telegram whatever.
func checkFilled(t *testing.T, got *desk.Telegram) {
	t.Helper()
	if !slices.IsSorted(got.Place) || len(slices.Compact(slices.Clone(got.Place))) != len(got.Place) {
		t.Fatalf("place %v", got.Place)
	}
	lists := [][]desk.WarnedArea{got.Warned}
	if got.Volcano != nil {
		lists = append(lists, got.Volcano.Municipalities, got.Volcano.Ash)
	}
	for _, list := range lists {
		for _, a := range list {
			for _, p := range a.Prefectures {
				if !p.Valid() {
					t.Fatalf("prefecture %d of %s", p, a.Code)
				}
			}
			for _, k := range a.Kinds {
				if k.Lifted && k.Level != desk.LevelNone || k.Level > desk.LevelSpecial {
					t.Fatalf("kind %+v", k)
				}
			}
		}
	}
	if got.Level < desk.Highest(got.Warned) {
		t.Fatalf("level %s below its areas %s", got.Level, desk.Highest(got.Warned))
	}
	if len(got.Surprise) > 1200 {
		t.Fatalf("surprise of %d bytes", len(got.Surprise))
	}
}
