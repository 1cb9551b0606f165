package jma_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"yagura/feeds/jma"
	"yagura/feeds/replay/replaytest"
	"yagura/store/desk"
)

// sane fails when a value left the parser that the desk must never see.
func sane(t testing.TB, g *desk.Telegram) {
	t.Helper()
	if g.Title == "" || g.PressTime.IsZero() || g.Mode == "" || g.Phase == "" || g.Hazard == "" {
		t.Fatalf("a telegram without its envelope: %+v", g)
	}
	for _, h := range g.Hypocenters {
		for _, v := range []*float64{h.Lat, h.Lon, h.DepthKM, h.Magnitude} {
			if v != nil && (math.IsNaN(*v) || math.IsInf(*v, 0)) {
				t.Fatalf("not a number: %+v", h)
			}
		}
		if (h.Magnitude != nil) != (h.MagnitudeKind == desk.MagnitudeNumber) {
			t.Fatalf("magnitude and its kind disagree: %+v", h)
		}
	}
	for i, p := range g.Prefectures {
		if !p.Code.Valid() || i > 0 && g.Prefectures[i-1].Code >= p.Code {
			t.Fatalf("prefectures %+v", g.Prefectures)
		}
		if !slices.Contains(g.Place, p.Code) {
			t.Fatalf("%s is not among the places %v", p.Name, g.Place)
		}
	}
	saneKinds(t, g)
}

// saneKinds holds for every kind of telegram, whatever is in it.
func saneKinds(t testing.TB, g *desk.Telegram) {
	t.Helper()
	for i, p := range g.Place {
		if !p.Valid() || i > 0 && g.Place[i-1] >= p {
			t.Fatalf("places %v", g.Place)
		}
	}
	if strings.HasPrefix(g.Title, "緊急地震速報") != (g.EEW != nil) && strings.HasPrefix(g.Type, "VXSE4") {
		t.Fatalf("%s has the report %+v", g.Title, g.EEW)
	}
	if g.Assumed && len(g.Hypocenters) > 0 {
		t.Fatalf("an assumed source is given out: %+v", g.Hypocenters)
	}
	if g.EEW == nil && (g.Warning || g.Assumed || g.Final) {
		t.Fatalf("marks of an early warning on %q", g.Title)
	}
	if g.Level > desk.LevelSpecial || len(g.Tsunami) > 0 && g.Hazard == desk.Tsunami && g.Level < desk.HighestTsunami(g.Tsunami).Level() {
		t.Fatalf("level %d with %+v", g.Level, g.Tsunami)
	}
	if g.Giant != nil && g.Phase == desk.Cancelled && g.Giant.Code == "" && g.Level > desk.LevelNotice {
		t.Fatalf("a withdrawn %s has the level %d", g.Title, g.Level)
	}
	for _, list := range [][]desk.TsunamiStation{g.TsunamiObserved, g.TsunamiExpected} {
		for _, s := range list {
			if s.HeightM != nil && (math.IsNaN(*s.HeightM) || math.IsInf(*s.HeightM, 0)) {
				t.Fatalf("not a number: %+v", s)
			}
		}
	}
	if len(g.Surprise) > 2_000 || strings.ContainsAny(g.Surprise, "\n\r\x1b") || !utf8.ValidString(g.Surprise) {
		t.Fatalf("a surprise that is no line: %q", g.Surprise)
	}
	if _, err := json.Marshal(g); err != nil {
		t.Fatalf("the store cannot keep it: %v", err)
	}
}

func TestFlippedBytesNeverBreakTheParser(t *testing.T) {
	envs := replaytest.Builtin(t, "noto", "drill", "split")
	dice := rand.New(rand.NewPCG(20240101, 161010))
	refused := 0
	const rounds = 50
	for range rounds {
		e := envs[dice.IntN(len(envs))]
		raw := bytes.Clone(e.Raw)
		for range 1 + dice.IntN(8) {
			raw[dice.IntN(len(raw))] ^= byte(1 << dice.IntN(8))
		}
		got, err := jma.Parse(desk.Envelope{Raw: raw})
		switch {
		case err == nil:
			sane(t, &got)
		case desk.KindOf(err) != desk.Invalid || desk.Message(err) == "":
			t.Errorf("%s: %v", e.Name, err)
		default:
			refused++
		}
	}
	if refused == 0 || refused == rounds {
		t.Errorf("%d of %d refused: the flips do not test both ways", refused, rounds)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(telegram("震源・震度に関する情報", "<EventID>20260102100000</EventID>", seismologyBody+hypocenter("+3729.7+13716.2-16000/", `<jmx_eb:Magnitude type="Mj" condition="不明" description="Ｍ不明">NaN</jmx_eb:Magnitude>`)+unreportedBody+"</Body>")))
	f.Add([]byte(telegram("気象警報・注意報", "", `<Body xmlns="http://xml.kishou.go.jp/jmaxml1/body/meteorology1/"/>`)))
	seen := make(map[string]bool)
	for _, e := range replaytest.Builtin(f, "drill", "split", "noto") {
		code := e.Name[strings.Index(e.Name, "_V"):]
		if !seen[code] && len(e.Raw) < 6_000 {
			seen[code] = true
			f.Add(e.Raw)
		}
	}
	fixtures, err := filepath.Glob("testdata/*.xml")
	if err != nil || len(fixtures) == 0 {
		f.Fatalf("no fixtures: %v", err)
	}
	for _, file := range fixtures {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := jma.Parse(desk.Envelope{Raw: raw})
		if err != nil {
			if desk.KindOf(err) != desk.Invalid || desk.Message(err) == "" {
				t.Fatalf("an error without kind or sentence: %v", err)
			}
			return
		}
		sane(t, &got)
	})
}

// BenchmarkDecodeLargest is to stay within 2.5 times BenchmarkTokenizeLargest: what the standard tokeniser alone needs.
func BenchmarkDecodeLargest(b *testing.B) {
	raw := replaytest.Largest(b).Raw
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := jma.Parse(desk.Envelope{Raw: raw}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTokenizeLargest(b *testing.B) {
	raw := replaytest.Largest(b).Raw
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		d := xml.NewDecoder(bytes.NewReader(raw))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}
