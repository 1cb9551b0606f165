package rules

import (
	"fmt"
	"math"

	"yagura/store/desk"
)

// checkAreas: a strong shaking is felt over a wide area; a 6 or 7 that a single area reports is suspicious.
func checkAreas(c *Case) desk.Check {
	const code = desk.CheckAreas
	e := &c.Event
	if e.MaxIntensity == desk.IntensityUnknown || len(e.Areas) == 0 && len(e.Prefectures) == 0 {
		return check(code, desk.Undetermined, "揺れを報告した地域はまだありません。")
	}
	areas, prefectures := len(e.Areas), len(e.Prefectures)
	next := desk.IntensityUnknown
	if areas > 1 {
		next = e.Areas[1].Intensity
	}
	switch {
	case areas == 1 && e.MaxIntensity >= desk.Intensity6Lower:
		return check(code, desk.Contradicts, "震度%sを報告したのは1地域（%s）だけで、周囲の報告がありません。", e.MaxIntensity.Japanese(), e.Areas[0].Name)
	case areas == 1 && e.MaxIntensity >= desk.Intensity5Lower:
		return check(code, desk.Undetermined, "震度%sを報告したのは1地域（%s）だけです。続報を確かめてください。", e.MaxIntensity.Japanese(), e.Areas[0].Name)
	case areas > 1 && e.MaxIntensity >= desk.Intensity6Lower && next <= desk.Intensity3:
		return check(code, desk.Undetermined, "震度%sは1地域だけで、ほかの%d地域は震度%s以下です。", e.MaxIntensity.Japanese(), areas-1, next.Japanese())
	case areas == 1:
		return check(code, desk.Undetermined, "1地域（%s）の報告です。", e.Areas[0].Name)
	}
	ck := check(code, desk.Passed, "%d都道府県 %d地域が揺れを報告しています（最大は震度%s）。", prefectures, areas, e.MaxIntensity.Japanese())
	if areas > 0 {
		ck.Detail = fmt.Sprintf("最も強い地域は%s（震度%s）です。", e.Areas[0].Name, e.Areas[0].Intensity.Japanese())
	}
	return ck
}

// checkStations looks at the strongest 震源・震度 that holds, the newest of equals. One station at the maximum is common among real shocks; one station
// in all is not (feeds.md 7).
func checkStations(c *Case, all []bulletin) desk.Check {
	const code = desk.CheckStations
	var t *desk.Telegram
	for i := len(all) - 1; i >= 0; i-- {
		b := all[i]
		if b.Type == "VXSE53" && b.standing == holds && b.Stations > 0 && (t == nil || b.MaxIntensity > t.MaxIntensity) {
			t = b.Telegram
		}
	}
	switch {
	case t == nil:
		return check(code, desk.Undetermined, "観測点ごとの震度（震源・震度情報）はまだありません。")
	case t.Stations == 1 && t.MaxIntensity >= desk.Intensity5Lower:
		return check(code, desk.Contradicts, "震度%sを観測したのは1地点だけで、ほかに揺れた観測点がありません。", t.MaxIntensity.Japanese())
	case t.StationsAtMax < 2:
		return check(code, desk.Undetermined, "最大の震度%sは%d地点です（揺れた観測点は全部で%d地点）。", t.MaxIntensity.Japanese(), t.StationsAtMax, t.Stations)
	}
	ck := check(code, desk.Passed, "最大の震度%sを%d地点が観測しています（全部で%d地点）。", t.MaxIntensity.Japanese(), t.StationsAtMax, t.Stations)
	if n := len(t.Unreported); n > 0 {
		ck.Detail = fmt.Sprintf("震度５弱以上未入電の市町村が%dあります。", n)
	}
	return ck
}

// checkPlausible holds the observed maximum against the strongest that a shock of this magnitude and depth can bring.
func checkPlausible(c *Case) desk.Check {
	const code = desk.CheckPlausible
	h, felt := c.Event.Hypocenter, c.Event.MaxIntensity
	switch {
	case felt == desk.IntensityUnknown:
		return check(code, desk.Undetermined, "震度の観測がまだないため、規模と比べられません。")
	case h == nil:
		return check(code, desk.Undetermined, "震源と規模がまだ分かりません。")
	case h.MagnitudeKind == desk.MagnitudeOver8:
		return check(code, desk.Passed, "%sの地震で震度%sはありえます。", h.MagnitudeText, felt.Japanese())
	case h.Magnitude == nil:
		return check(code, desk.Undetermined, "規模が不明のため、震度%sと比べられません。", felt.Japanese())
	}
	bound := strongestPossible(*h.Magnitude, h.DepthKM)
	figures := fmt.Sprintf("Ｍ%.1f、%s", *h.Magnitude, depthText(h.DepthKM))
	if lowerEdge(felt) > bound {
		return check(code, desk.Contradicts, "%sの地震としては震度%sは強すぎます（上限の目安は計測震度%.1f）。", figures, felt.Japanese(), bound)
	}
	return check(code, desk.Passed, "%sの地震として震度%sはありえます（上限の目安は計測震度%.1f）。", figures, felt.Japanese(), bound)
}

func depthText(km *float64) string {
	switch {
	case km == nil:
		return "深さ不明"
	case *km == 0:
		return "ごく浅い所"
	}
	return fmt.Sprintf("深さ%.0fkm", *km)
}

// lowerEdge is the lowest instrumental intensity (計測震度) of a class: 5弱 begins at 4.5, 7 at 6.5.
func lowerEdge(i desk.Intensity) float64 {
	switch i {
	case desk.Intensity5Lower:
		return 4.5
	case desk.Intensity5Upper:
		return 5.0
	case desk.Intensity6Lower:
		return 5.5
	case desk.Intensity6Upper:
		return 6.0
	case desk.Intensity7:
		return 6.5
	}
	return float64(i) - 1.5 // Intensity1 is 2 in our order and begins at 0.5
}

// strongestPossible bounds the instrumental intensity of a shock, wide enough that no real one is called impossible.
//
// Peak velocity on stiff ground straight above the fault by 司・翠川 (1999), as JMA's EEW uses it (Mw = Mj − 0.171), times 0.9
// for the 700 m/s base, times 3 for soft ground; intensity = 2.68 + 1.72 log PGV; plus a margin of 1.3. The distance is the
// depth less half the fault's length, at least 3 km. Below 30 km, where slab events shake harder, 0.35 is added to the logarithm
// (the formula has 0.12). Margin and addition are chosen so that none of the 391 real shocks of 5弱 and more from 1997 to
// 2024 is refused (a test counts them).
func strongestPossible(magnitude float64, depthKM *float64) float64 {
	mw := magnitude - 0.171
	depth := 10.0
	if depthKM != nil {
		depth = *depthKM
	}
	half := math.Pow(10, 0.5*mw-1.85) / 2
	x := max(3, depth-half)
	slab := 0.0
	if depth > 30 {
		slab = 0.35
	}
	logPGV := 0.58*mw + 0.0038*depth + slab - 1.29 - math.Log10(x+0.0028*math.Pow(10, 0.5*mw)) - 0.002*x
	return 2.68 + 1.72*(logPGV+math.Log10(0.9*3)) + 1.3
}
