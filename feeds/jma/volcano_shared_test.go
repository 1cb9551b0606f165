package jma

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"yagura/store/desk"
)

var levelInHeadline = regexp.MustCompile(`噴火警戒レベル([１-５])、`)

// TestOfficialVolcanoWarnings: a volcano with code, name and the level that the headline spells out; municipalities in the
// prefectures where our own table puts the volcano.
func TestOfficialVolcanoWarnings(t *testing.T) {
	official(t, 16, []string{"VFVO50"}, func(t *testing.T, got *desk.Telegram) {
		v := got.Volcano
		if v == nil || len(v.Code) != 3 || v.Name == "" || v.KindCode == "" || v.Condition == "" {
			t.Fatalf("volcano %+v", v)
		}
		if len(got.EventIDs) != 1 || got.EventIDs[0] != v.Code {
			t.Errorf("volcano %s, event %v", v.Code, got.EventIDs)
		}
		want := 0
		if m := levelInHeadline.FindStringSubmatch(got.Headline); m != nil {
			want = int([]rune(m[1])[0] - '０')
		}
		if v.AlertLevel != want || want > 0 && got.Level != desk.Level(want) {
			t.Errorf("alert level %d, level %s, the headline says %d: %q", v.AlertLevel, got.Level, want, got.Headline)
		}
		lifted := strings.Contains(got.HeadTitle, "警報解除")
		if (got.Level >= desk.LevelAdvisory) == lifted || got.Level == desk.LevelNone {
			t.Errorf("level %s under %q", got.Level, got.HeadTitle)
		}
		for _, a := range v.Municipalities {
			if len(a.Code) != 7 || len(a.Prefectures) != 1 || !strings.HasPrefix(a.Name, a.Prefectures[0].Name()) {
				t.Errorf("municipality %+v", a)
			}
			for _, k := range a.Kinds {
				if lifted && k.Level > desk.LevelNotice || k.Lifted != (k.Status == "解除") {
					t.Errorf("%s: %+v", a.Name, k)
				}
			}
		}
		for _, p := range got.Place {
			found := false
			for _, q := range prefecturesOfVolcano(v.Code) {
				found = found || p == q
			}
			if !found {
				t.Errorf("%s of %s is not in the table %v", p.Name(), v.Name, prefecturesOfVolcano(v.Code))
			}
		}
	})
}

// TestOfficialEruptions: what erupted, when and where.
func TestOfficialEruptions(t *testing.T) {
	official(t, 7, []string{"VFVO52", "VFVO56", "VFVO60"}, func(t *testing.T, got *desk.Telegram) {
		v := got.Volcano
		if v == nil || v.Name == "" || !v.Eruption || v.OccurredAt.IsZero() || !v.OccurredAt.Equal(got.TargetTime) || len(got.Place) == 0 {
			t.Errorf("volcano %+v, place %v", v, got.Place)
		}
		if strings.Contains(string(got.Raw), `description="火口上`) != (v.PlumeM > 0) {
			t.Errorf("plume %d m", v.PlumeM)
		}
	})
}

// TestOfficialAsh: every municipality of the telegram, with its amount and prefecture.
func TestOfficialAsh(t *testing.T) {
	city := regexp.MustCompile(`<Code>(\d{7})</Code>`)
	official(t, 6, []string{"VFVO53", "VFVO54", "VFVO55"}, func(t *testing.T, got *desk.Telegram) {
		want := make(map[string]bool)
		for _, m := range city.FindAllStringSubmatch(string(got.Raw), -1) {
			want[m[1]] = true
		}
		if len(got.Volcano.Ash) == 0 || len(got.Volcano.Ash) != len(want) || len(got.Volcano.Municipalities) > 0 {
			t.Errorf("%d areas with ash, %d cities in the telegram", len(got.Volcano.Ash), len(want))
		}
		for _, a := range got.Volcano.Ash {
			if !want[a.Code] || len(a.Prefectures) != 1 || len(a.Kinds) == 0 {
				t.Errorf("ash %+v", a)
			}
		}
		if got.Level != desk.Highest(got.Volcano.Ash) {
			t.Errorf("level %s", got.Level)
		}
	})
}

// TestOfficialVolcanoWords: 解説情報 of one volcano and of all, and the sea warning.
func TestOfficialVolcanoWords(t *testing.T) {
	official(t, 6, []string{"VFVO51", "VFSV"}, func(t *testing.T, got *desk.Telegram) {
		if got.Volcano == nil || got.Text == "" || len(got.Place) == 0 {
			t.Fatalf("volcano %+v, place %v", got.Volcano, got.Place)
		}
		for _, a := range got.Warned {
			if len(a.Kinds) != 1 || a.Kinds[0].Level > got.Level {
				t.Errorf("%+v under level %s", a, got.Level)
			}
		}
	})
}

// TestVolcanoCodes: the tables hold every code of the official ones (codes/s81, s82).
func TestVolcanoCodes(t *testing.T) {
	root := filepath.Join(sharedFolder(t), "jma", "codes")
	for _, line := range officialCodes(t, filepath.Join(root, "s81_VolcanicWarning.csv"), 45) {
		code, name := strings.TrimSpace(line[0]), line[1]
		k, ok := lookUpKind(volcanoKinds, code)
		if !ok {
			t.Errorf("kind %s %s is unknown", code, name)
			continue
		}
		if strings.Contains(name, "解除") != k.lifts() || !k.lifts() && k.name != name {
			t.Errorf("kind %s is %q, officially %q", code, k.name, name)
		}
		if strings.Contains(name, "噴火したもよう") && !erupts(code) || strings.Contains(name, "停止") && erupts(code) {
			t.Errorf("kind %s %s: eruption %v", code, name, erupts(code))
		}
	}
	for _, line := range officialCodes(t, filepath.Join(root, "s82_PointVolcano.csv"), 115) {
		if where := prefecturesOfVolcano(line[0]); (len(where) == 0) != (line[0] >= "900") {
			t.Errorf("volcano %s %s is in %v", line[0], line[1], where)
		}
	}
}

func officialCodes(t *testing.T, path string, atLeast int) [][]string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil || len(lines) <= atLeast {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	return lines[1:]
}
