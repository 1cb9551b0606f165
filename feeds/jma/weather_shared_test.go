package jma

import (
	"encoding/xml"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"yagura/store/desk"
)

// official parses every official sample and real telegram of the given types and hands each to the check.
func official(t *testing.T, atLeast int, prefixes []string, check func(t *testing.T, got *desk.Telegram)) {
	t.Helper()
	root := filepath.Join(sharedFolder(t), "jma")
	files := 0
	for _, row := range readIndex(t, filepath.Join(root, "INDEX.tsv")) {
		if row["kind"] == "edited" || !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(row["type"], p) }) {
			continue
		}
		files++
		raw, err := os.ReadFile(filepath.Join(root, row["file"]))
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(row["file"]), func(t *testing.T) {
			got, err := Parse(desk.Envelope{Name: filepath.Base(row["file"]), Raw: raw})
			if err != nil {
				t.Fatal(err)
			}
			if got.Surprise != "" {
				t.Errorf("surprise %q", got.Surprise)
			}
			checkFilled(t, &got)
			check(t, &got)
		})
	}
	if files < atLeast {
		t.Fatalf("%d telegrams of %v", files, prefixes)
	}
}

// kindsOfHeadline reads the headline by a way of its own: what is in force at one granularity, "area code|kind code".
func kindsOfHeadline(t *testing.T, raw []byte, granularity string) []string {
	t.Helper()
	var r struct {
		Information []struct {
			Type string `xml:"type,attr"`
			Item []struct {
				Kind []struct{ Code, Condition string }
				Area []struct{ Code string } `xml:"Areas>Area"`
			}
		} `xml:"Head>Headline>Information"`
	}
	if err := xml.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, i := range r.Information {
		if !strings.Contains(i.Type, granularity) {
			continue
		}
		for _, it := range i.Item {
			for _, k := range it.Kind {
				for _, a := range it.Area {
					if k.Code != "00" {
						out = append(out, a.Code+"|"+k.Code+k.Condition)
					}
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// inForce lists "area code|kind code" of what is not lifted.
func inForce(areas []desk.WarnedArea) []string {
	var out []string
	for _, a := range areas {
		for _, k := range a.Kinds {
			if k.Level > desk.LevelNone {
				out = append(out, a.Code+"|"+k.Code)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// levelOfName reads the level out of the words of a kind, apart from its code.
func levelOfName(name string) desk.Level {
	switch {
	case strings.Contains(name, "特別警報"):
		return desk.LevelSpecial
	case strings.Contains(name, "危険警報"):
		return desk.LevelDanger
	case strings.Contains(name, "警報"):
		return desk.LevelWarning
	case strings.Contains(name, "注意報"):
		return desk.LevelAdvisory
	}
	return desk.LevelNone
}

// TestOfficialWarnings: every VPWW and VPNO gives an area with its one prefecture, the levels agree with the words, and what is in
// force agrees with the headline.
func TestOfficialWarnings(t *testing.T) {
	official(t, 55, []string{"VPWW", "VPNO"}, func(t *testing.T, got *desk.Telegram) {
		if len(got.Warned) == 0 {
			t.Fatal("no area")
		}
		highest := desk.LevelNone
		for _, a := range got.Warned {
			if len(a.Prefectures) != 1 || len(a.Code) != 6 || len(a.Kinds) == 0 || a.Name == "" {
				t.Errorf("area %+v", a)
			}
			for _, k := range a.Kinds {
				want := levelOfName(k.Name)
				if k.Status == "解除" || k.Code == "00" {
					want = desk.LevelNone
				}
				if k.Level != want || k.Lifted != (want == desk.LevelNone) {
					t.Errorf("%+v, the words say %s", k, want)
				}
				highest = max(highest, want)
			}
		}
		if got.Level != highest || len(got.Place) == 0 {
			t.Errorf("level %s, want %s, place %v", got.Level, highest, got.Place)
		}
		// The condition 土砂災害、浸水害 is not part of the code.
		var want []string
		for _, h := range kindsOfHeadline(t, got.Raw, "府県予報区") {
			area, kind, _ := strings.Cut(h, "|")
			want = append(want, area+"|"+kind[:2])
		}
		if have := inForce(got.Warned); !slices.Equal(have, slices.Compact(want)) {
			t.Errorf("in force %v, headline %v", have, want)
		}
	})
}

// TestOfficialShortWarnings: tornado, record rain and 気象防災速報 name an area with its prefecture and a level.
func TestOfficialShortWarnings(t *testing.T) {
	levels := map[string][]desk.Level{
		"VPHW50": {desk.LevelAdvisory}, "VPHW51": {desk.LevelAdvisory, desk.LevelWarning}, "VPOA50": {desk.LevelDanger},
		"VPBS50": {desk.LevelWarning, desk.LevelDanger},
	}
	official(t, 22, []string{"VPHW", "VPOA", "VPBS"}, func(t *testing.T, got *desk.Telegram) {
		if !slices.Contains(levels[got.Type], got.Level) || len(got.Place) != 1 || len(got.Warned) == 0 {
			t.Errorf("%s: level %s, place %v, warned %v", got.Type, got.Level, got.Place, got.Warned)
		}
		if got.Type == "VPBS50" {
			return
		}
		if seen := strings.Contains(got.Headline, "目撃情報あり"); got.Type == "VPHW51" && seen != (got.Level == desk.LevelWarning) {
			t.Errorf("seen %v, level %s", seen, got.Level)
		}
		var areas []string
		for _, have := range inForce(got.Warned) {
			areas = append(areas, have+"発表")
		}
		if want := kindsOfHeadline(t, got.Raw, "発表細分"); !slices.Equal(areas, want) {
			t.Errorf("in force %v, headline %v", areas, want)
		}
	})
}

// TestOfficialLandslides: the one area is in force exactly when the headline names a city under 警戒 (code 3).
func TestOfficialLandslides(t *testing.T) {
	official(t, 14, []string{"VXWW"}, func(t *testing.T, got *desk.Telegram) {
		if len(got.Warned) != 1 || len(got.Warned[0].Prefectures) != 1 || len(got.Warned[0].Kinds) != 1 {
			t.Fatalf("warned %+v", got.Warned)
		}
		force := strings.Contains(strings.Join(kindsOfHeadline(t, got.Raw, ""), " "), "|3")
		want := desk.LevelNone
		if force {
			want = desk.LevelDanger
		}
		if k := got.Warned[0].Kinds[0]; got.Level != want || k.Lifted == force {
			t.Errorf("level %s, want %s, kind %+v", got.Level, want, k)
		}
	})
}

// TestOfficialFloods: each river of the headline, with the level its words say.
func TestOfficialFloods(t *testing.T) {
	words := []struct {
		word  string
		level desk.Level
	}{
		{"発生", desk.LevelSpecial}, {"危険", desk.LevelDanger}, {"警戒", desk.LevelWarning}, {"注意", desk.LevelAdvisory},
	}
	official(t, 10, []string{"VXKO", "VXSU"}, func(t *testing.T, got *desk.Telegram) {
		if len(got.Warned) == 0 {
			t.Fatal("no river")
		}
		for _, a := range got.Warned {
			for _, k := range a.Kinds {
				want := desk.LevelNone
				for _, w := range words {
					if strings.Contains(k.Name, w.word) {
						want = w.level
						break
					}
				}
				if k.Level != want || got.Level != want {
					t.Errorf("%+v, the words say %s", k, want)
				}
			}
		}
		invented := strings.Contains(string(got.Raw), "○○")
		if (len(got.Place) == 0) != invented {
			t.Errorf("place %v", got.Place)
		}
		var want []string
		for _, h := range kindsOfHeadline(t, got.Raw, "（河川）") {
			area, kind, _ := strings.Cut(h, "|")
			want = append(want, area+"|"+kind[:2])
		}
		if have := inForce(got.Warned); !slices.Equal(have, want) {
			t.Errorf("rivers %v, headline %v", have, want)
		}
	})
}

// TestOfficialTyphoons: an id, and a place in the sea for every analysis and forecast.
func TestOfficialTyphoons(t *testing.T) {
	official(t, 13, []string{"VPTW"}, func(t *testing.T, got *desk.Telegram) {
		y := got.Typhoon
		if y == nil || len(y.ID) != 6 || !strings.HasPrefix(y.ID, "TC") || len(y.Positions) == 0 {
			t.Fatalf("typhoon %+v", y)
		}
		if n := strings.Count(string(got.Raw), "<MeteorologicalInfo>"); n != len(y.Positions) {
			t.Errorf("%d positions, %d in the telegram", len(y.Positions), n)
		}
		for i, p := range y.Positions {
			if p.Lat == nil || p.Lon == nil || math.Abs(*p.Lat) > 70 || *p.Lon < 90 || p.At.IsZero() || p.Type == "" || p.Class == "" {
				t.Errorf("position %d: %+v", i, p)
			}
			if i > 0 && !p.At.After(y.Positions[i-1].At) {
				t.Errorf("position %d at %v is not after the one before", i, p.At)
			}
		}
		if p := y.Positions[0]; p.Type != "実況" || p.PressureHPa == nil || p.Place == "" {
			t.Errorf("analysis %+v", p)
		}
		if (y.Number == "") != (y.Name == "") || y.Ended != (len(y.Positions) == 1) {
			t.Errorf("number %q, name %q, remark %q, ended %v", y.Number, y.Name, y.Remark, y.Ended)
		}
	})
}

// TestOfficialWords: information without a warning is 情報, has words to show, and no level of its own.
func TestOfficialWords(t *testing.T) {
	official(t, 40, []string{"VPZJ", "VPCJ", "VPFJ", "VPTI", "VMCJ", "VPAW", "VPFD", "VPFW", "VPWP"}, func(t *testing.T, got *desk.Telegram) {
		if got.Level != desk.LevelNotice || len(got.Warned) > 0 {
			t.Errorf("level %s, warned %v", got.Level, got.Warned)
		}
		switch got.Type[:4] {
		case "VPFJ", "VPFD", "VPFW", "VPWP", "VPAW", "VPCJ":
			if len(got.Place) == 0 {
				t.Errorf("no place; heading %q", got.HeadTitle)
			}
		}
		switch got.Type[:4] {
		case "VPZJ", "VPCJ", "VPFJ", "VPTI", "VMCJ":
			if got.Text == "" {
				t.Error("no words")
			}
		}
	})
}

// BenchmarkLargestWarning reads the largest official VPWW54 (feeds.md 9: half a megabyte).
func BenchmarkLargestWarning(b *testing.B) {
	raw, err := os.ReadFile(filepath.Join(sharedFolder(b), "jma", "samples", "VPWW54", "15_12_02_161130_VPWW54.xml"))
	if err != nil {
		b.Skip(err)
	}
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		t := desk.Telegram{Type: "VPWW54"}
		if err := readMeteorology(raw, &t); err != nil || len(t.Warned) == 0 {
			b.Fatal(err)
		}
	}
}
