package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yagura/store/desk"
)

// kindFixtures are the project's own telegrams of every seismic kind; feeds/jma compares everything read from them.
const kindFixtures = "../../feeds/jma/testdata/"

// line decodes one fixture to its JSON object.
func line(t *testing.T, file string) map[string]json.RawMessage {
	t.Helper()
	out, err := run(t, "", filepath.Join(kindFixtures, file+".xml"))
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(out), &fields); err != nil {
		t.Fatal(err)
	}
	return fields
}

// TestEveryKindHasItsBlock: hazard, grade and level, the block of the kind, and null for all the others.
func TestEveryKindHasItsBlock(t *testing.T) {
	blocks := []string{
		"warned", "eew", "volcano", "typhoon", "giant_quake", "notice", "missile",
		"tsunami_observed", "tsunami_expected", "tsunami_estimated", "counts", "long_period",
	}
	for _, c := range []struct{ file, hazard, grade, level, blocks string }{
		{"eew-warning", "earthquake", "", "0", "eew"},
		{"eew-cancelled", "earthquake", "", "0", "eew"},
		{"quake-flash", "earthquake", "5+", "0", ""},
		{"quake-report", "earthquake", "6-", "0", ""},
		{"quake-source", "earthquake", "", "0", ""},
		{"quake-far", "earthquake", "", "0", ""},
		{"quake-count", "earthquake", "", "0", "counts"},
		{"quake-long-period", "earthquake", "6-", "0", "long_period"},
		{"eruption-abroad", "volcano", "notice", "1", "volcano"},
		{"tsunami-warning", "tsunami", "major_warning", "5", ""},
		{"tsunami-lifted", "tsunami", "slight", "1", ""},
		{"tsunami-all-lifted", "tsunami", "none", "0", ""},
		{"tsunami-information", "tsunami", "warning", "3", "tsunami_observed tsunami_expected"},
		{"tsunami-offshore", "tsunami", "", "0", "tsunami_observed tsunami_estimated"},
		{"nankai-warning", "earthquake", "warning", "3", "giant_quake"},
		{"sanriku-advisory", "earthquake", "advisory", "2", "giant_quake"},
		{"notice-drill", "earthquake", "notice", "1", "notice"},
		{"unknown-body", "other", "none", "0", ""},
	} {
		got := line(t, c.file)
		for name, want := range map[string]string{"hazard": `"` + c.hazard + `"`, "grade": `"` + c.grade + `"`, "level": c.level} {
			if string(got[name]) != want {
				t.Errorf("%s: %s is %s, want %s", c.file, name, got[name], want)
			}
		}
		for _, name := range blocks {
			wanted := strings.Contains(" "+c.blocks+" ", " "+name+" ")
			if value, ok := got[name]; !ok || (string(value) != "null") != wanted {
				t.Errorf("%s: %s is %s, want it %v", c.file, name, value, wanted)
			}
		}
	}
}

func TestBlocksOfSeismicKinds(t *testing.T) {
	for _, c := range []struct{ file, field, want string }{
		{"eew-warning", "eew", `{"warning":true,"final":false,"assumed":false,"one_station":false,"plum":true,"epicenter_rank":4,"epicenter_rank2":9,"depth_rank":4,"magnitude_rank":5,"magnitudes_used":5,"arrived":["390"],"warned_areas":["390","391","381","400"],"newly_warned":["391","381"],"max_long_period":"3以上","change_reason":1}`},
		{"eew-assumed-final", "hypocenters", `[]`},
		{"nankai-warning", "giant_quake", `{"code":"120","name":"巨大地震警戒"}`},
		{"notice-drill", "notice", `{"announces_drill":true}`},
		{"quake-long-period", "long_period", `{"max":4,"category":"4","prefectures":[{"code":"15","name":"新潟県","class":4},{"code":"16","name":"富山県","class":2}],"areas":[{"code":"381","name":"富山県西部","class":2},{"code":"370","name":"新潟県上越","class":4}]}`},
		{"tsunami-warning", "prefectures", `[{"code":"06","name":"山形県","intensity":null},{"code":"15","name":"新潟県","intensity":null},{"code":"17","name":"石川県","intensity":null},{"code":"40","name":"福岡県","intensity":null},{"code":"41","name":"佐賀県","intensity":null},{"code":"42","name":"長崎県","intensity":null},{"code":"43","name":"熊本県","intensity":null}]`},
		{"tsunami-lifted", "valid_until", `"2026-01-06T18:00:00+09:00"`},
		{"quake-count", "counts", `[{"kind":"１時間地震回数","from":"2026-01-06T09:00:00+09:00","to":"2026-01-06T10:00:00+09:00","all":null,"felt":12,"condition":"精査中"},{"kind":"累積地震回数","from":"2026-01-06T08:00:00+09:00","to":"2026-01-06T10:00:00+09:00","all":431,"felt":37,"condition":""}]`},
	} {
		if got := string(line(t, c.file)[c.field]); got != c.want {
			t.Errorf("%s: %s is\n%s, want\n%s", c.file, c.field, got, c.want)
		}
	}
	observed := string(line(t, "tsunami-information")["tsunami_observed"])
	if !strings.Contains(observed, `"height":"２．８ｍ以上","height_m":2.8,"at_least":true,"rising":true,"condition":"重要"`) {
		t.Errorf("observed %s", observed)
	}
}

// TestBlocksOfOtherKinds turns the words of the other rooms into JSON; their readers have their own tests.
func TestBlocksOfOtherKinds(t *testing.T) {
	at := time.Date(2026, 6, 1, 9, 0, 0, 0, time.FixedZone("JST", 9*3600))
	lat, lon, hpa := 30.5, 131.0, 945
	area := desk.WarnedArea{Code: "460100", Name: "鹿児島県", Prefectures: []desk.Prefecture{46}, Kinds: []desk.WarnedKind{
		{Code: "33", Name: "レベル５大雨特別警報", Level: desk.LevelSpecial, Status: "発表"}, {Code: "19", Status: "解除", Lifted: true},
	}}
	full := lineOf("f", &desk.Telegram{
		Hazard: desk.Weather, Level: desk.LevelSpecial, Place: []desk.Prefecture{46}, Warned: []desk.WarnedArea{area},
		Volcano: &desk.VolcanoReport{Code: "506", Name: "桜島", AlertLevel: 5, OccurredAt: at, Municipalities: []desk.WarnedArea{area}},
		Typhoon: &desk.TyphoonReport{ID: "TC2601", Positions: []desk.TyphoonPosition{{At: at, Lat: &lat, Lon: &lon, PressureHPa: &hpa}}},
		Missile: &desk.MissileReport{Kind: desk.MissileImpact, IssuedAt: at, Areas: []desk.MissileArea{{Prefecture: 13, Part: "島しょ部"}}},
	})
	raw, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"prefectures":[{"code":"46","name":"鹿児島県","intensity":null}]`,
		`"grade":"special","level":5`,
		`"warned":[{"code":"460100","name":"鹿児島県","prefectures":["46"],"kinds":[{"code":"33","name":"レベル５大雨特別警報","level":5,"status":"発表","lifted":false},{"code":"19","name":"","level":0,"status":"解除","lifted":true}]}]`,
		`"alert_level":5,"condition":"","eruption":false,"occurred_at":"2026-06-01T09:00:00+09:00"`,
		`"lat":30.5,"lon":131,"pressure_hpa":945,"wind_ms":null`,
		`"missile":{"kind":"impact","issued_at":"2026-06-01T09:00:00+09:00","expected_at":null,"areas":[{"code":"13","part":"島しょ部"}]`,
	} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("no %s in\n%s", want, raw)
		}
	}
}
