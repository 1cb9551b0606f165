package jalert

import (
	"encoding/json"
	"strings"
	"testing"

	"yagura/store/desk"
)

func entered(t *testing.T, e desk.MissileEntry) desk.Telegram {
	t.Helper()
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if Sniff(raw) != FormatEntry {
		t.Errorf("not sniffed: %s", raw)
	}
	tg, err := ParseEntry(desk.Envelope{Feed: desk.ManualFeed, Name: "tanaka", Raw: raw, ReceivedAt: jst("2023-04-13 07:57")})
	if err != nil {
		t.Fatal(err)
	}
	return tg
}

func TestEntryByForm(t *testing.T) {
	tg := entered(t, desk.MissileEntry{
		Mode: desk.Drill, Phase: desk.Corrected, Kind: desk.MissileForecast, Source: "NHK", IssuedAt: jst("2023-04-13 07:55"), ExpectedAt: jst("2023-04-13 08:00"),
		Areas: []desk.MissileArea{{Prefecture: 13, Part: "島しょ部"}}, Place: "東京都島しょ部周辺", Supersedes: 41, Operator: "tanaka",
	})
	m := tg.Missile
	if tg.Mode != desk.Drill || tg.Phase != desk.Corrected || m.Kind != desk.MissileForecast || namesOf(m.Areas) != "東京都（島しょ部）" || m.Supersedes != "telegram:41" {
		t.Errorf("%s %s %+v", tg.Mode, tg.Phase, m)
	}
	if tg.Type != TypeEntry || tg.Office != "NHK" || tg.Title != desk.MissileTitle || !tg.PressTime.Equal(jst("2023-04-13 07:55")) || !m.ExpectedAt.Equal(jst("2023-04-13 08:00")) || tg.Headline == "" {
		t.Errorf("%+v", tg)
	}
}

func TestEntryByPastedText(t *testing.T) {
	const text = "直ちに避難。直ちに避難。ミサイルが、８時００分頃、北海道周辺に落下するものとみられます。これは訓練です。"
	tg := entered(t, desk.MissileEntry{Mode: desk.Live, Phase: desk.Issued, Source: "エムネット端末", Text: text})
	m := tg.Missile
	if m.Kind != desk.MissileForecast || namesOf(m.Areas) != "北海道" || !m.ExpectedAt.Equal(jst("2023-04-13 08:00")) || tg.Text != text {
		t.Errorf("%+v", m)
	}
	if tg.Mode != desk.Live || !m.DeclaresDrill() {
		t.Errorf("the operator says %s, the text %q", tg.Mode, m.DrillWords)
	}
	tg = entered(t, desk.MissileEntry{
		Mode: desk.Live, Phase: desk.Issued, Source: "電話", Kind: desk.MissileImpact, Areas: []desk.MissileArea{{Prefecture: 2}}, Text: "ミサイル発射。対象地域は北海道です。",
	})
	if tg.Missile.Kind != desk.MissileImpact || namesOf(tg.Missile.Areas) != "青森県" || tg.Place[0] != 1 {
		t.Errorf("what the form says does not count before the text: %+v, %v", tg.Missile, tg.Place)
	}
}

func TestEntriesThatCannotBeRead(t *testing.T) {
	for name, raw := range map[string]string{
		"empty": "", "no JSON": "ミサイル", "another field": `{"mode":"live","phase":"issued","kind":"launch","source":"x","send":true}`,
		"more behind": `{"mode":"live","phase":"issued","kind":"launch","source":"x"}{}`, "no mode": `{"phase":"issued","kind":"launch","source":"x"}`,
		"too large": `{"text":"` + strings.Repeat("x", MaxBytes) + `"}`,
	} {
		if _, err := ParseEntry(desk.Envelope{Raw: []byte(raw)}); desk.KindOf(err) != desk.Invalid || desk.Message(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
