package replay

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"yagura/feeds"
	"yagura/feeds/jma/jmatest"
	"yagura/store/desk"
)

func builtin(t testing.TB, name string) []desk.Envelope {
	t.Helper()
	s, err := Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	envs, err := s.Envelopes()
	if err != nil {
		t.Fatal(err)
	}
	return envs
}

func written(t testing.TB, text string) []desk.Telegram {
	t.Helper()
	s, err := ParseScenario(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	envs, err := s.Envelopes()
	if err != nil {
		t.Fatal(err)
	}
	return jmatest.Parse(t, envs...)
}

// jst is a clock time of the Noto scenario.
func jst(clock string) time.Time {
	t, _ := readClock("2024-01-01", clock) // a mistyped clock is the zero time, at which there is no telegram
	return t
}

func at(telegrams []desk.Telegram, clock string) *desk.Telegram {
	for i := range telegrams {
		if telegrams[i].ReceivedAt.Equal(jst(clock)) {
			return &telegrams[i]
		}
	}
	return nil
}

func intensityIn(t *desk.Telegram, code desk.Prefecture) desk.Intensity {
	for _, p := range t.Prefectures {
		if p.Code == code {
			return p.Intensity
		}
	}
	return desk.IntensityUnknown
}

const ishikawa desk.Prefecture = 17

func TestNotoMainShock(t *testing.T) {
	all := jmatest.Parse(t, builtin(t, "noto")...)
	for _, want := range []struct {
		clock, code, serial string
		highest             desk.Intensity
		prefectures         int
	}{
		{"16:11:57", "VXSE51", "", desk.Intensity6Upper, 4},
		{"16:13:41", "VXSE51", "", desk.Intensity6Upper, 31},
		{"16:15:38", "VXSE53", "1", desk.Intensity6Upper, 45},
		{"16:16:02", "VXSE51", "", desk.Intensity6Upper, 6},
		{"16:24:29", "VXSE53", "2", desk.Intensity7, 45},
		{"21:30:19", "VXSE61", "", desk.IntensityUnknown, 0},
	} {
		got := at(all, want.clock)
		if got == nil {
			t.Errorf("no telegram at %s", want.clock)
			continue
		}
		if got.Type != want.code || got.Serial != want.serial || got.MaxIntensity != want.highest || len(got.Prefectures) != want.prefectures {
			t.Errorf("%s: %s serial %q max %q in %d prefectures, want %+v", want.clock, got.Type, got.Serial, got.MaxIntensity, len(got.Prefectures), want)
		}
		if !slices.Equal(got.EventIDs, []string{"20240101161010"}) {
			t.Errorf("%s: events %v", want.clock, got.EventIDs)
		}
		if got.Mode != desk.Live || got.Phase != desk.Issued {
			t.Errorf("%s: %s %s", want.clock, got.Mode, got.Phase)
		}
	}
	final := at(all, "16:24:29")
	if intensityIn(final, ishikawa) != desk.Intensity7 || !slices.Contains(final.Unreported, "輪島市") || final.StationsAtMax != 1 {
		t.Errorf("report no. 2: %v, unreported %v, %d stations at the maximum", final.Prefectures[:3], final.Unreported, final.StationsAtMax)
	}
	if h := final.Hypocenters[0]; *h.Lat != 37.5 || *h.Lon != 137.2 || *h.DepthKM != 0 || *h.Magnitude != 7.6 || h.MagnitudeText != "Ｍ７．６" {
		t.Errorf("hypocentre %+v", h)
	}
	if !final.HasComment("0211") || !final.HasComment("0241") {
		t.Errorf("comments %v", final.Comments)
	}
}

func TestNotoTsunamiRisesAndFalls(t *testing.T) {
	all := jmatest.Parse(t, builtin(t, "noto")...)
	for _, want := range []struct {
		clock, kind, last string
		grade             desk.TsunamiGrade
	}{
		{"16:12:24", "51", "00", desk.TsunamiWarning},
		{"16:22:32", "53", "51", desk.TsunamiMajorWarning},
		{"20:30:12", "51", "53", desk.TsunamiWarning},
	} {
		got := at(all, want.clock)
		if got == nil || got.Type != "VTSE41" || got.Hazard != desk.Tsunami {
			t.Fatalf("no tsunami telegram at %s", want.clock)
		}
		i := slices.IndexFunc(got.Tsunami, func(a desk.TsunamiArea) bool { return a.Code == "360" })
		if a := got.Tsunami[i]; a.Grade != want.grade || a.Kind != want.kind || a.LastKind != want.last || a.Name != "石川県能登" {
			t.Errorf("%s: %+v, want %+v", want.clock, a, want)
		}
		if !slices.ContainsFunc(got.Prefectures, func(p desk.PrefectureIntensity) bool { return p.Code == ishikawa }) {
			t.Errorf("%s: prefectures %v", want.clock, got.Prefectures)
		}
	}
}

// TestNotoFalseFlash is the case the desk exists for: content of an earlier bulletin, and no early warning before it.
func TestNotoFalseFlash(t *testing.T) {
	all := jmatest.Parse(t, builtin(t, "noto")...)
	false7, cancel, report, main := at(all, "23:05:21"), at(all, "23:14:30"), at(all, "23:16:05"), at(all, "16:24:29")
	if false7 == nil || cancel == nil || report == nil {
		t.Fatal("the false 震度速報, its 取消 or the report is missing")
	}
	if false7.Type != "VXSE51" || false7.MaxIntensity != desk.Intensity7 {
		t.Errorf("false bulletin: %s max %q", false7.Type, false7.MaxIntensity)
	}
	var same []desk.AreaIntensity
	for _, a := range main.Areas {
		if a.Intensity >= desk.Intensity3 {
			same = append(same, a)
		}
	}
	if !slices.Equal(same, false7.Areas) {
		t.Errorf("the false bulletin does not repeat the 16:10 areas: %d and %d", len(false7.Areas), len(same))
	}
	if cancel.Phase != desk.Cancelled || cancel.Serial != "" || !slices.Equal(cancel.EventIDs, false7.EventIDs) || len(cancel.Areas) > 0 {
		t.Errorf("cancel: %+v", cancel)
	}
	if report.MaxIntensity != desk.Intensity3 || !slices.Equal(report.EventIDs, false7.EventIDs) {
		t.Errorf("report: max %q events %v", report.MaxIntensity, report.EventIDs)
	}
	for i := range all {
		early := all[i].Type == "VXSE43" || all[i].Type == "VXSE45"
		if early && slices.Equal(all[i].EventIDs, false7.EventIDs) {
			t.Error("an early warning precedes the false bulletin")
		}
	}
}

func TestNotoCourse(t *testing.T) {
	envs := builtin(t, "noto")
	all := jmatest.Parse(t, envs...)
	strongest := make(map[string]desk.Intensity)
	warned := make(map[string]bool)
	digests := make(map[[32]byte]int)
	for i := range all {
		id := all[i].EventIDs[0]
		strongest[id] = max(strongest[id], all[i].MaxIntensity)
		warned[id] = warned[id] || all[i].Type == "VXSE43"
		digests[all[i].Digest]++
		if all[i].ReceivedAt.Before(jst("16:06:00")) || all[i].ReceivedAt.After(jst("23:59:59")) {
			t.Errorf("%s is outside the scenario", all[i].Name)
		}
		if i > 0 && all[i].ReceivedAt.Before(all[i-1].ReceivedAt) {
			t.Errorf("%s is out of order", all[i].Name)
		}
	}
	strong, light := 0, 0
	for id, i := range strongest {
		switch {
		case id == "20240101230354":
		case i >= desk.Intensity5Lower:
			strong++
			if !warned[id] {
				t.Errorf("no early warning for %s (%s)", id, i)
			}
		case i >= desk.Intensity3:
			light++
		}
	}
	if strong != 9 || light < 15 {
		t.Errorf("%d earthquakes of 5弱 and more, %d of 3 and 4", strong, light)
	}
	twice := 0
	for _, n := range digests {
		if n > 1 {
			twice++
		}
	}
	if twice != 1 {
		t.Errorf("%d digests occur twice, want the one repeated telegram", twice)
	}
}

func TestDrillIsADrillThroughout(t *testing.T) {
	all := jmatest.Parse(t, builtin(t, "drill")...)
	highest := desk.IntensityUnknown
	for i := range all {
		highest = max(highest, all[i].MaxIntensity)
		if all[i].Mode != desk.Drill || !strings.Contains(all[i].Headline, "訓練") {
			t.Errorf("%s: mode %s headline %q", all[i].Name, all[i].Mode, all[i].Headline)
		}
	}
	if highest != desk.Intensity6Upper {
		t.Errorf("highest %q", highest)
	}
}

func TestSplitInterleavesTwoEvents(t *testing.T) {
	var order []string
	for _, g := range jmatest.Parse(t, builtin(t, "split")...) {
		if g.Type == "VXSE51" {
			order = append(order, g.EventIDs[0][10:])
		}
	}
	if got := strings.Join(order, " "); got != "1750 1750 1750 1850 1850 1850" {
		t.Errorf("flashes %s", got)
	}
}

const quakeHead = "scenario x 題\ndate 2026-01-02\nquake at=10:00:00 place=390/石川県能登地方 lat=37.5 lon=137.2 depth=10 m=5.0\n"

func TestStatements(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		check func(desk.Telegram) bool
	}{
		"early warning with an open end": {"eew +8s n=3 final=yes 6-~over:390 4:381", func(g desk.Telegram) bool {
			return g.Type == "VXSE43" && g.Warning && g.Final && g.Serial == "3" && g.ForecastIntensity.Over &&
				g.ForecastIntensity.From == desk.Intensity6Lower && g.MaxIntensity == desk.IntensityUnknown &&
				intensityIn(&g, ishikawa) == desk.Intensity6Lower && intensityIn(&g, 16) == desk.Intensity4
		}},
		"forecast with an assumed source": {"forecast +8s n=1 assumed=yes 4:350,354,359", func(g desk.Telegram) bool {
			return g.Type == "VXSE45" && !g.Warning && !g.Final && g.Assumed && len(g.Prefectures) == 1 && g.Prefectures[0].Code == 13
		}},
		"hypocentre": {"hypocenter +150s comment=0215", func(g desk.Telegram) bool {
			return g.Type == "VXSE52" && g.HasComment("0215") && len(g.Areas) == 0 && *g.Hypocenters[0].DepthKM == 10
		}},
		"unknown depth and magnitude": {"hypocenter +150s depth=unknown m=unknown", func(g desk.Telegram) bool {
			h := g.Hypocenters[0]
			return h.DepthKM == nil && h.Magnitude == nil && h.MagnitudeKind == desk.MagnitudeUnknown && h.MagnitudeText == "Ｍ不明"
		}},
		"giant": {"update +5h m=over8", func(g desk.Telegram) bool {
			return g.Type == "VXSE61" && g.Hypocenters[0].MagnitudeKind == desk.MagnitudeOver8 && g.Hypocenters[0].Magnitude == nil
		}},
		"south and west": {"hypocenter +1m lat=-33.4 lon=-70.6 depth=100", func(g desk.Telegram) bool {
			h := g.Hypocenters[0]
			return *h.Lat == -33.4 && *h.Lon == -70.6 && *h.DepthKM == 100
		}},
		"unreported city": {"shake 4:381\nmissing 390 1720400/輪島市\nreport +4m n=1", func(g desk.Telegram) bool {
			return g.MaxIntensity == desk.Intensity4 && slices.Equal(g.Unreported, []string{"輪島市"}) &&
				intensityIn(&g, ishikawa) == desk.Intensity5Lower && g.Prefectures[1].Provisional
		}},
		"correction": {"flash +95s phase=corrected 4:390", func(g desk.Telegram) bool { return g.Phase == desk.Corrected }},
		"delay":      {"flash +95s phase=delayed 4:390", func(g desk.Telegram) bool { return g.Phase == desk.Delayed }},
		"cancel of a report": {"cancel report +9m n=3", func(g desk.Telegram) bool {
			return g.Phase == desk.Cancelled && g.Type == "VXSE53" && g.Serial == "3" && len(g.Prefectures) == 0
		}},
		"cancel of an early warning is final": {"cancel eew +30s n=2", func(g desk.Telegram) bool { return g.Final && g.Warning }},
		"tsunami lifted": {"tsunami +1h lifted:360,341", func(g desk.Telegram) bool {
			return g.Tsunami[0].Kind == "60" && g.Tsunami[0].Grade == desk.TsunamiLifted
		}},
		"markup in a name": {"missing 390 1720400/<輪&島>\nreport +4m", func(g desk.Telegram) bool {
			return slices.Equal(g.Unreported, []string{"<輪&島>"})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := written(t, quakeHead+c.text+"\n"); len(got) != 1 || !c.check(got[0]) {
				t.Errorf("%s gives %+v", c.text, got)
			}
		})
	}
}

func TestMistakesNameTheirLine(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "scenario の行がありません"},
		{"scenario X y\n", "1行目"},
		{"scenario x y\nmode real\n", "2行目"},
		{"scenario x y\nflash +95s 3:390\n", "quake の行が必要"},
		{"scenario x y\nquake at=10:00 place=1/a lat=1 lon=1 depth=0 m=5\n", "date の行が必要"},
		{"scenario x y\ndate 2026-13-01\n", "2行目"},
		{quakeHead + "flash +95s\n", "4行目: flash に載せる区域がありません"},
		{quakeHead + "flash +95s 3:999\n", "細分区域コード \"999\""},
		{quakeHead + "flash +95s 8:390\n", "震度 \"8\""},
		{quakeHead + "flash +95s 3:390,390\n", "二度"},
		{quakeHead + "flash soon 3:390\n", "時刻 \"soon\""},
		{quakeHead + "flash -5s 3:390\n", "時刻 \"-5s\""},
		{quakeHead + "report +95s m=NaN\n", "m=NaN"},
		{quakeHead + "report +95s wind=3\n", "wind= はここでは使えません"},
		{quakeHead + "tsunami +95s warning:999\n", "津波予報区コード \"999\""},
		{quakeHead + "tsunami +95s\n", "津波予報区が必要"},
		{quakeHead + "typhoon +95s\n", "\"typhoon\" という文"},
		{quakeHead + "comment 9999\n", "付加文コード"},
		{quakeHead + "flash +95s like=1 3:390\n", "like=1"},
		{quakeHead + "standard\n", "shake の行が必要"},
		{quakeHead + "city 390 17/志賀町 7\n", "7桁"},
		{quakeHead + strings.Repeat("x", maxLine+1), "4行目"},
		{quakeHead + "cancel\n", "取り消す電文"},
		{quakeHead + "report +95s \xff\n", "UTF-8"},
	} {
		_, err := ParseScenario(strings.NewReader(c.text))
		if desk.KindOf(err) != desk.Invalid || !strings.Contains(desk.Message(err), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
	s, err := ParseScenario(strings.NewReader(quakeHead + "repeat +1s\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Envelopes(); desk.KindOf(err) != desk.Invalid {
		t.Errorf("repeat without a telegram: %v", err)
	}
	if _, err := Builtin("nothing"); desk.KindOf(err) != desk.NotFound {
		t.Errorf("unknown built-in: %v", err)
	}
}

func TestRepeatDiffersInBytesOnly(t *testing.T) {
	s, err := ParseScenario(strings.NewReader(quakeHead + "flash +95s 3:390\nrepeat +99s\n"))
	if err != nil {
		t.Fatal(err)
	}
	envs, err := s.Envelopes()
	if err != nil || len(envs) != 2 {
		t.Fatalf("%d envelopes, %v", len(envs), err)
	}
	if bytes.Equal(envs[0].Raw, envs[1].Raw) || feeds.Digest(envs[0].Raw) != feeds.Digest(envs[1].Raw) {
		t.Error("a repeat must have other bytes and the same digest")
	}
}

func TestEveryForecastRegion(t *testing.T) {
	short := make(map[string]string)
	for p := desk.Prefecture(1); p.Valid(); p++ {
		for _, area := range desk.LocalAreas(p) {
			code := area.Code
			r := forecastRegion(area)
			short[r.Code] = r.Name
			if r.Code[1:3] != fmt.Sprintf("%02d", p) {
				t.Errorf("%s %s lies in region %v", code, area.Name, r)
			}
			if c := cityOf()[code]; c.name == "" || c.code[:2] != fmt.Sprintf("%02d", p) {
				t.Errorf("%s %s has the municipality %+v", code, area.Name, c)
			}
		}
	}
	if len(short) != 56 || short["9260"] != "京都" || short["9472"] != "大東島" {
		t.Errorf("%d regions, want the 56 of code table 22: %v", len(short), short)
	}
}

func TestFilesOfAFolder(t *testing.T) {
	dir := t.TempDir()
	envs := builtin(t, "split")
	files := map[string][]byte{
		"b/late.xml":                         envs[4].Raw,
		"early.XML":                          envs[0].Raw,
		"20260106011900_0_VXSE51_broken.xml": []byte("<Report>"),
		"zz-unreadable.xml":                  []byte("\xff\xfe"),
		"notes.txt":                          []byte("not a telegram"),
		".hidden.xml":                        envs[1].Raw,
	}
	if err := os.Mkdir(filepath.Join(dir, "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, raw := range files {
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	got, err := Files(link)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range got {
		names = append(names, e.Name)
	}
	want := []string{"early.XML", "20260106011900_0_VXSE51_broken.xml", "late.xml", "zz-unreadable.xml"}
	if !slices.Equal(names, want) {
		t.Errorf("order %v, want %v", names, want)
	}
	if !got[3].ReceivedAt.Equal(got[2].ReceivedAt) || !bytes.Equal(got[1].Raw, []byte("<Report>")) {
		t.Errorf("unreadable files: %v %q", got[3].ReceivedAt, got[1].Raw)
	}
	for _, bad := range []string{filepath.Join(dir, "absent"), t.TempDir()} {
		if _, err := Files(bad); desk.KindOf(err) != desk.Invalid {
			t.Errorf("Files(%q): %v", bad, err)
		}
	}
}

func FuzzScenario(f *testing.F) {
	f.Add(quakeHead + "shake 7:390*2 5+:370\nmissing 390 1720400/輪島市\nstandard\ncancel flash +10m\nrepeat +11m\n")
	f.Add(quakeHead + "eew +8s 6-~over:390\ntsunami 2026-01-03T01:15 major:360 slight:100\nupdate +2h depth=unknown m=over8\n")
	for _, name := range BuiltinNames() {
		raw, err := scenarioFiles.ReadFile("scenarios/" + name + ".scenario")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(raw[:min(len(raw), 4000)]))
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseScenario(strings.NewReader(text))
		if err != nil {
			if desk.KindOf(err) != desk.Invalid {
				t.Fatalf("kind %s: %v", desk.KindOf(err), err)
			}
			return
		}
		envs, err := s.Envelopes()
		if err != nil {
			if desk.KindOf(err) != desk.Invalid {
				t.Fatalf("kind %s: %v", desk.KindOf(err), err)
			}
			return
		}
		for _, e := range envs {
			if len(e.Raw) < 1<<20 {
				jmatest.Parse(t, e) // a scenario that was accepted gives telegrams that can be read
			}
		}
	})
}
