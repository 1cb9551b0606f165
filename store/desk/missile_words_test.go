package desk

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestMissileKindsHaveWordsAndLevels(t *testing.T) {
	levels := map[MissileKind]Level{
		MissileLaunch: LevelDanger, MissileForecast: LevelSpecial, MissileImpact: LevelSpecial, MissilePass: LevelWarning, MissileSeaFall: LevelNotice,
		MissileLifted: LevelNone, MissileCorrected: LevelWarning, MissileAttack: LevelSpecial, MissileOther: LevelDanger,
	}
	seen := map[string]bool{}
	for _, k := range MissileKinds() {
		if k.Level() != levels[k] {
			t.Errorf("%s is level %s", k, k.Level())
		}
		if word := k.Japanese(); word == "" || seen[word] || (word == "種別不明") != (k == MissileOther) {
			t.Errorf("%s is called %q", k, word)
		}
		seen[k.Japanese()] = true
	}
	if len(seen) != len(levels) {
		t.Errorf("%d kinds are listed", len(seen))
	}
	if ReasonMissile.Japanese() == "理由不明" {
		t.Error("the reason has no word")
	}
}

func TestDeclaresDrill(t *testing.T) {
	for words, want := range map[string]bool{"": false, "訓練": false, "試験 テスト": false, "これは訓練です": true, "訓練 【訓練": true} {
		m := &MissileReport{DrillWords: strings.Fields(words)}
		if m.DeclaresDrill() != want {
			t.Errorf("%q declares %v", words, !want)
		}
	}
	if (*MissileReport)(nil).DeclaresDrill() {
		t.Error("nothing declares a drill")
	}
}

func TestMissileEntryValidate(t *testing.T) {
	good := func() MissileEntry {
		return MissileEntry{Mode: Live, Phase: Issued, Kind: MissileImpact, Source: "エムネット端末", Areas: []MissileArea{{Prefecture: 13, Part: "島しょ部"}}}
	}
	if err := good().Validate(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*MissileEntry)
		says   string
	}{
		"no mode":             {func(e *MissileEntry) { e.Mode = "" }, "運用種別"},
		"no phase":            {func(e *MissileEntry) { e.Phase = Delayed }, "情報形態"},
		"nothing said":        {func(e *MissileEntry) { e.Kind = "" }, "本文"},
		"another kind":        {func(e *MissileEntry) { e.Kind = "rain" }, "種別"},
		"corrects as issued":  {func(e *MissileEntry) { e.Supersedes = 3 }, "訂正・取消"},
		"impact nowhere":      {func(e *MissileEntry) { e.Areas = nil }, "落下した場所"},
		"no source":           {func(e *MissileEntry) { e.Source = "" }, "情報源"},
		"long text":           {func(e *MissileEntry) { e.Text = strings.Repeat("あ", 4001) }, "本文は4000文字まで"},
		"control in source":   {func(e *MissileEntry) { e.Source = "a\x1b[31m" }, "使えない文字"},
		"line in place":       {func(e *MissileEntry) { e.Place = "a\nb" }, "場所"},
		"a year before radio": {func(e *MissileEntry) { e.IssuedAt = time.Date(1800, 1, 1, 0, 0, 0, 0, JST) }, "年"},
		"no such prefecture":  {func(e *MissileEntry) { e.Areas[0].Prefecture = 48 }, "都道府県"},
		"an area twice":       {func(e *MissileEntry) { e.Areas = append(e.Areas, e.Areas[0]) }, "東京都（島しょ部）が二度"},
		"a part too long":     {func(e *MissileEntry) { e.Areas[0].Part = strings.Repeat("島", 41) }, "地域名"},
		"too many areas":      {func(e *MissileEntry) { e.Areas = make([]MissileArea, 201) }, "200まで"},
	} {
		e := good()
		c.change(&e)
		if err := e.Validate(); KindOf(err) != Invalid || !strings.Contains(Message(err), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMissileEntryKeepsItsForm(t *testing.T) {
	e := MissileEntry{
		Mode: Drill, Phase: Corrected, Kind: MissileLaunch, Source: "NHK", IssuedAt: time.Date(2023, 4, 13, 7, 55, 0, 0, time.UTC), Areas: []MissileArea{{Prefecture: 1}},
		Supersedes: 4, Operator: "tanaka", EnteredAt: time.Date(2023, 4, 13, 7, 56, 0, 0, time.UTC),
	}
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var back MissileEntry
	if err := json.Unmarshal(raw, &back); err != nil || !reflect.DeepEqual(back, e) {
		t.Errorf("%s became %+v, %v", raw, back, err)
	}
	if strings.Contains(string(raw), "expected_at") {
		t.Errorf("an unknown time is written: %s", raw)
	}
}
