package jalert

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"yagura/store/desk"
)

// read parses a text of testdata as received two minutes after the given JST time, which is also when it is taken to be issued.
func read(t *testing.T, name string, received time.Time) desk.Telegram {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	tg, err := ParseText(desk.Envelope{Feed: "line-emnet", Name: name, Raw: raw, ReceivedAt: received})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return tg
}

func jst(text string) time.Time {
	at, err := time.ParseInLocation("2006-01-02 15:04", text, desk.JST)
	if err != nil {
		panic(err)
	}
	return at
}

func namesOf(areas []desk.MissileArea) string {
	var names []string
	for _, a := range areas {
		names = append(names, a.Name())
	}
	return strings.Join(names, " ")
}

func removedOf(tg desk.Telegram) string {
	var names []string
	for _, w := range tg.Warned {
		if w.Kinds[0].Lifted {
			names = append(names, w.Name)
		}
	}
	return strings.Join(names, " ")
}

const twelve = "北海道 青森県 岩手県 宮城県 秋田県 山形県 福島県 茨城県 栃木県 群馬県 新潟県 長野県"

// The ten uses of feeds.md 4.3, in our own words after the fixed wording.
func TestTheTenCases(t *testing.T) {
	for _, c := range []struct {
		name     string
		kind     desk.MissileKind
		phase    desk.Phase
		issued   string // JST
		areas    string
		removed  string
		expected string
	}{
		{"2016-02-07/0934.txt", desk.MissileLaunch, desk.Issued, "2016-02-07 09:34", "沖縄県", "", ""},
		{"2016-02-07/0945.txt", desk.MissilePass, desk.Issued, "2016-02-07 09:45", "沖縄県", "", "2016-02-07 09:41"},
		{"2017-08-29/0602.txt", desk.MissileLaunch, desk.Issued, "2017-08-29 06:02", twelve, "", ""},
		{"2017-08-29/0614.txt", desk.MissilePass, desk.Issued, "2017-08-29 06:14", twelve, "", ""},
		{"2017-09-15/0700.txt", desk.MissileLaunch, desk.Issued, "2017-09-15 07:00", twelve, "", ""},
		{"2017-09-15/0707.txt", desk.MissilePass, desk.Issued, "2017-09-15 07:07", twelve, "", "2017-09-15 07:06"},
		{"2022-10-04/0727.txt", desk.MissileLaunch, desk.Issued, "2022-10-04 07:27", "北海道 東京都（島しょ部）", "", ""},
		{"2022-10-04/0729.txt", desk.MissileLaunch, desk.Issued, "2022-10-04 07:29", "青森県 東京都（大島町） 東京都（利島村） 東京都（新島村） 東京都（神津島村） 東京都（三宅村） 東京都（御蔵島村） 東京都（八丈町） 東京都（青ヶ島村） 東京都（小笠原村）", "", ""},
		{"2022-10-04/0742.txt", desk.MissilePass, desk.Issued, "2022-10-04 07:42", "北海道 青森県", "", "2022-10-04 07:28"},
		{"2022-10-04/0830.txt", desk.MissileCorrected, desk.Corrected, "2022-10-04 08:30", "北海道 青森県", "東京都（島しょ部）", ""},
		{"2022-11-03/0750.txt", desk.MissileLaunch, desk.Issued, "2022-11-03 07:50", "宮城県 山形県 新潟県", "", ""},
		{"2022-11-03/0800.txt", desk.MissilePass, desk.Issued, "2022-11-03 08:00", "宮城県 山形県 新潟県", "", "2022-11-03 07:48"},
		{"2022-11-03/0924.txt", desk.MissileCorrected, desk.Corrected, "2022-11-03 09:24", "", "", ""},
		{"2023-04-13/0755.txt", desk.MissileForecast, desk.Issued, "2023-04-13 07:55", "北海道", "", "2023-04-13 08:00"},
		{"2023-04-13/0756-emnet.txt", desk.MissileForecast, desk.Issued, "2023-04-13 07:56", "北海道", "", "2023-04-13 08:00"},
		{"2023-04-13/0816.txt", desk.MissileCorrected, desk.Corrected, "2023-04-13 08:16", "", "北海道", ""},
		{"2023-05-31/0630.txt", desk.MissileLaunch, desk.Issued, "2023-05-31 06:30", "沖縄県", "", ""},
		{"2023-05-31/0704.txt", desk.MissileLifted, desk.Issued, "2023-05-31 07:04", "沖縄県", "", ""},
		{"2023-08-24/0354.txt", desk.MissileLaunch, desk.Issued, "2023-08-24 03:54", "沖縄県", "", ""},
		{"2023-08-24/0407.txt", desk.MissilePass, desk.Issued, "2023-08-24 04:07", "沖縄県", "", "2023-08-24 04:00"},
		{"2023-11-21/2246.txt", desk.MissileLaunch, desk.Issued, "2023-11-21 22:46", "沖縄県", "", ""},
		{"2023-11-21/2255.txt", desk.MissilePass, desk.Issued, "2023-11-21 22:55", "沖縄県", "", "2023-11-21 22:55"},
		{"2023-11-21/2315.txt", desk.MissileLifted, desk.Issued, "2023-11-21 23:15", "沖縄県", "", ""},
		{"2024-05-27/2246.txt", desk.MissileLaunch, desk.Issued, "2024-05-27 22:46", "沖縄県", "", ""},
		{"2024-05-27/2303.txt", desk.MissileLifted, desk.Issued, "2024-05-27 23:03", "沖縄県", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			tg := read(t, c.name, jst(c.issued).Add(2*time.Minute))
			m := tg.Missile
			if m.Kind != c.kind || tg.Mode != desk.Live || tg.Phase != c.phase || len(m.DrillWords) > 0 || tg.Surprise != "" {
				t.Errorf("%s %s %s, drill %q, %q", m.Kind, tg.Mode, tg.Phase, m.DrillWords, tg.Surprise)
			}
			if got := namesOf(m.Areas); got != c.areas {
				t.Errorf("areas %q", got)
			}
			if got := removedOf(tg); got != c.removed {
				t.Errorf("removed %q", got)
			}
			if !tg.PressTime.Equal(jst(c.issued)) || !m.IssuedAt.Equal(tg.PressTime) || !tg.ReportTime.Equal(tg.PressTime) {
				t.Errorf("issued %v", tg.PressTime.In(desk.JST))
			}
			if c.expected == "" && !m.ExpectedAt.IsZero() || c.expected != "" && !m.ExpectedAt.Equal(jst(c.expected)) {
				t.Errorf("expected %v", m.ExpectedAt.In(desk.JST))
			}
			if tg.Type != TypeText || tg.Title != desk.MissileTitle || tg.Hazard != desk.Missile || tg.Level != c.kind.Level() || tg.HeadTitle == "" || tg.Headline == "" || tg.Text == "" {
				t.Errorf("head: %q %q %q %q, level %s", tg.Type, tg.Title, tg.HeadTitle, tg.Headline, tg.Level)
			}
		})
	}
}

// What did not happen yet, or must not be read wrongly when it does.
func TestMadeUpTexts(t *testing.T) {
	for _, c := range []struct {
		name  string
		kind  desk.MissileKind
		mode  desk.Mode
		phase desk.Phase
		areas string
		drill bool // the text speaks of a drill
		says  bool // it declares itself one
	}{
		{"impact-aomori.txt", desk.MissileImpact, desk.Live, desk.Issued, "青森県（青森市）", false, false},
		{"impact-territorial-sea.txt", desk.MissileImpact, desk.Live, desk.Issued, "新潟県（佐渡市）", false, false},
		{"coast.txt", desk.MissileImpact, desk.Live, desk.Issued, "山形県", false, false},
		{"offshore.txt", desk.MissileImpact, desk.Live, desk.Issued, "青森県", false, false},
		{"sea-fall.txt", desk.MissileSeaFall, desk.Live, desk.Issued, "", false, false},
		{"news.txt", desk.MissileSeaFall, desk.Live, desk.Issued, "", true, false},
		{"tokyo-fuchu.txt", desk.MissileImpact, desk.Live, desk.Issued, "東京都（府中市）", false, false},
		{"no-place.txt", desk.MissileImpact, desk.Live, desk.Issued, "秋田県 山形県", false, false},
		{"forecast-islands.txt", desk.MissileForecast, desk.Live, desk.Issued, "東京都（島しょ部）", false, false},
		{"wrapped.txt", desk.MissileForecast, desk.Live, desk.Issued, "秋田県（男鹿市）", false, false},
		{"correct-impact.txt", desk.MissileImpact, desk.Live, desk.Corrected, "岩手県（宮古市）", false, false},
		{"changed-list.txt", desk.MissileCorrected, desk.Live, desk.Corrected, "北海道 青森県", false, false},
		{"two-columns.txt", desk.MissileCorrected, desk.Live, desk.Corrected, "北海道 青森県", false, false},
		{"withdrawn.txt", desk.MissileCorrected, desk.Live, desk.Cancelled, "", false, false},
		{"lifting-withdrawn.txt", desk.MissileLifted, desk.Live, desk.Issued, "", false, false},
		{"terror.txt", desk.MissileAttack, desk.Live, desk.Issued, "東京都（千代田区）", false, false},
		{"unknown.txt", desk.MissileOther, desk.Live, desk.Issued, "", false, false},
		{"drill-head.txt", desk.MissileForecast, desk.Drill, desk.Issued, "北海道", true, true},
		{"drill-footer.txt", desk.MissileForecast, desk.Live, desk.Issued, "北海道", true, true},
		{"drill-in-passing.txt", desk.MissileForecast, desk.Live, desk.Issued, "北海道", true, false},
		{"test-announced.txt", desk.MissileLaunch, desk.Test, desk.Issued, "", true, true},
		{"no-drill.txt", desk.MissileImpact, desk.Live, desk.Issued, "秋田県", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			tg := read(t, "made-up/"+c.name, jst("2030-04-01 08:05"))
			m := tg.Missile
			if m.Kind != c.kind || tg.Mode != c.mode || tg.Phase != c.phase {
				t.Errorf("%s %s %s", m.Kind, tg.Mode, tg.Phase)
			}
			if got := namesOf(m.Areas); got != c.areas {
				t.Errorf("areas %q", got)
			}
			if (len(m.DrillWords) > 0) != c.drill || m.DeclaresDrill() != c.says {
				t.Errorf("drill words %q, declares %v", m.DrillWords, m.DeclaresDrill())
			}
		})
	}
}

func TestCorrectionsNameWhatWasWrong(t *testing.T) {
	for name, want := range map[string]string{
		"correct-impact.txt": "青森県（青森市）", "changed-list.txt": "東京都（島しょ部）", "two-columns.txt": "東京都（島しょ部）",
	} {
		tg := read(t, "made-up/"+name, jst("2030-04-01 08:15"))
		if got := removedOf(tg); got != want {
			t.Errorf("%s: removed %q, want %q", name, got, want)
		}
	}
	if tg := read(t, "made-up/correct-impact.txt", jst("2030-04-01 08:15")); tg.Missile.Supersedes != "8時04分" {
		t.Errorf("supersedes %q", tg.Missile.Supersedes)
	}
	if tg := read(t, "made-up/offshore.txt", jst("2030-04-01 08:15")); !strings.Contains(tg.Surprise, "領海") {
		t.Errorf("nobody is told that the sea is not named: %q", tg.Surprise)
	}
}

func TestThePlaceKeepsEveryPrefecture(t *testing.T) {
	tg := read(t, "made-up/impact-aomori.txt", jst("2030-04-01 08:05"))
	if want := []desk.Prefecture{1, 2, 3, 5}; !slices.Equal(tg.Place, want) {
		t.Errorf("place %v, want %v", tg.Place, want)
	}
	if tg.Missile.Place != "青森県青森市周辺" {
		t.Errorf("place words %q", tg.Missile.Place)
	}
}

func TestTimesFallOnTheNearestDay(t *testing.T) {
	received := jst("2024-01-01 00:01")
	for text, want := range map[string]string{
		"23時58分":             "2023-12-31 23:58",
		"0時3分頃":              "2024-01-01 00:03",
		"午後11時半":             "2023-12-31 23:30",
		"24時00分":             "2024-01-01 00:00",
		"7:55":               "2024-01-01 07:55",
		"12月31日 23時50分":      "2023-12-31 23:50",
		"令和5年4月13日07時55分":    "2023-04-13 07:55",
		"令和元年5月2日 1時00分":     "2019-05-02 01:00",
		"2023/04/13 07:56 発": "2023-04-13 07:56",
	} {
		if got := timeIn(text, received); !got.Equal(jst(want)) {
			t.Errorf("%s became %v, want %s", text, got.In(desk.JST), want)
		}
	}
	for _, text := range []string{"", "29時00分", "8時75分", "2024年13月40日 8時00分", "午前"} {
		if got := timeIn(text, received); !got.IsZero() {
			t.Errorf("%q became %v", text, got)
		}
	}
}

func TestAreasInText(t *testing.T) {
	for text, want := range map[string]string{
		"東京都府中市と京都府": "東京都（府中市） 京都府",
		"青森周辺":       "青森県",
		"福島町":        "",
		"三重県四日市市、東京都東村山市": "三重県（四日市市） 東京都（東村山市）",
		"沖縄県先島諸島、鹿児島県":    "沖縄県（先島諸島） 鹿児島県",
		"沖縄県宮古島市、石垣市":     "沖縄県（宮古島市） 沖縄県（石垣市）",
		"北海道の全市町村":        "北海道",
		"青森県、青森県弘前市":      "青森県",
		"神奈川県及び和歌山県":      "神奈川県 和歌山県",
		"大阪府内の該当区域":       "大阪府",
		"小笠原村(東京都)":       "東京都",
	} {
		if got := namesOf(areasIn(text)); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	if got := namesOf(areaList("青森 岩手、山口")); got != "青森県 岩手県 山口県" {
		t.Errorf("a bare list: %q", got)
	}
}
