package jma

import (
	"slices"
	"testing"

	"yagura/store/desk"
)

// TestVolcanoKinds states by hand what the desk must conclude from our own telegrams of every kind.
func TestVolcanoKinds(t *testing.T) {
	for _, c := range []struct {
		fixture    string
		code, kind string
		alert      int
		level      desk.Level
		eruption   bool
		place      []desk.Prefecture
		cities     int
		ash        int
		warned     int
		surprise   bool
	}{
		{"VFVO50_level4", "503", "14", 4, desk.LevelDanger, false, []desk.Prefecture{43, 44}, 2, 0, 0, false},
		{"VFVO50_no_levels", "217", "24", 0, desk.LevelDanger, false, []desk.Prefecture{6}, 0, 0, 0, false},
		{"VFVO50_border", "315", "12", 2, desk.LevelAdvisory, false, []desk.Prefecture{14}, 1, 0, 0, false},
		{"VFVO50_lifted", "503", "11", 1, desk.LevelNotice, false, []desk.Prefecture{43}, 1, 0, 0, false},
		{"VFVO50_unknown_code", "777", "16", 0, desk.LevelNotice, false, nil, 0, 0, 0, true},
		{"VFVO50_cancelled", "503", "", 0, desk.LevelNone, false, []desk.Prefecture{43}, 0, 0, 0, false},
		{"VFVO51_several", "506", "13", 3, desk.LevelWarning, false, []desk.Prefecture{10, 20, 46}, 0, 0, 3, false},
		{"VFVO52_eruption", "511", "51", 0, desk.LevelNotice, true, []desk.Prefecture{46}, 0, 0, 0, false},
		{"VFVO52_stopped", "511", "55", 0, desk.LevelNotice, false, []desk.Prefecture{46}, 0, 0, 0, false},
		{"VFVO54_ash", "506", "07", 0, desk.LevelWarning, false, []desk.Prefecture{45, 46}, 0, 2, 0, false},
		{"VFVO56_flash", "312", "62", 0, desk.LevelWarning, true, []desk.Prefecture{20, 21}, 2, 0, 0, false},
		{"VFSV50_sea", "331", "36", 0, desk.LevelWarning, false, []desk.Prefecture{13}, 0, 0, 1, false},
	} {
		t.Run(c.fixture, func(t *testing.T) {
			got := kindFixture(t, c.fixture)
			v := got.Volcano
			if v == nil || v.Code != c.code || v.Name == "" || v.KindCode != c.kind || v.AlertLevel != c.alert || v.Eruption != c.eruption {
				t.Fatalf("volcano %+v", v)
			}
			if got.Hazard != desk.Volcano || got.Level != c.level || !slices.Equal(got.Place, c.place) || (got.Surprise != "") != c.surprise {
				t.Errorf("hazard %s, level %s, place %v, surprise %q", got.Hazard, got.Level, got.Place, got.Surprise)
			}
			if len(v.Municipalities) != c.cities || len(v.Ash) != c.ash || len(got.Warned) != c.warned {
				t.Errorf("cities %v, ash %v, warned %v", v.Municipalities, v.Ash, got.Warned)
			}
		})
	}
}

// TestMunicipalLevels: 火口周辺警報 stands for levels 2 and 3 and follows the volcano, never beyond 3.
func TestMunicipalLevels(t *testing.T) {
	got := kindFixture(t, "VFVO50_level4").Volcano.Municipalities
	if len(got) != 2 || len(got[0].Kinds) != 2 || len(got[1].Kinds) != 1 {
		t.Fatalf("municipalities %+v", got)
	}
	aso, taketa := got[0], got[1]
	if aso.Kinds[0].Level != desk.LevelDanger || aso.Kinds[1].Level != desk.LevelSpecial || taketa.Kinds[0].Level != desk.LevelWarning {
		t.Errorf("%+v", got)
	}
	if aso.Prefectures[0] != 43 || taketa.Prefectures[0] != 44 {
		t.Errorf("%+v", got)
	}
	for _, a := range kindFixture(t, "VFVO50_lifted").Volcano.Municipalities {
		for _, k := range a.Kinds {
			if !k.Lifted || k.Level != desk.LevelNone {
				t.Errorf("%s: %+v is not lifted", a.Name, k)
			}
		}
	}
}

func TestEruption(t *testing.T) {
	v := kindFixture(t, "VFVO52_eruption").Volcano
	if v.PlumeM != 1800 || v.Crater != "御岳火口" || v.OccurredAt.Format("2006-01-02T15:04:05Z07:00") != "2026-07-01T09:58:00+09:00" {
		t.Errorf("%+v", v)
	}
	if v := kindFixture(t, "VFVO52_stopped").Volcano; v.PlumeM != 0 {
		t.Errorf("a plume of unknown height is %d m", v.PlumeM)
	}
	if v := kindFixture(t, "VFVO54_ash").Volcano; v.PlumeM != 4500 || v.OccurredAt.IsZero() || len(v.Ash[0].Kinds) != 3 {
		t.Errorf("%+v", v)
	}
}

// TestVolcanoNotice: お知らせ names no volcano and that is no surprise.
func TestVolcanoNotice(t *testing.T) {
	got := kindFixture(t, "VZVO40_notice")
	if got.Volcano != nil || got.Level != desk.LevelNotice || got.Surprise != "" || got.Text == "" {
		t.Errorf("volcano %v, level %s, surprise %q, text %q", got.Volcano, got.Level, got.Surprise, got.Text)
	}
}

func FuzzReadVolcanology(f *testing.F) {
	seedKinds(f, "V[FZ]*.xml")
	f.Fuzz(func(t *testing.T, dataType string, raw []byte) {
		got := desk.Telegram{Type: dataType}
		if err := readVolcanology(raw, &got); err != nil {
			mustBeInvalid(t, err)
			return
		}
		checkFilled(t, &got)
	})
}
