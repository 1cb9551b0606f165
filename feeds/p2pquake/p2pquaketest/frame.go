package p2pquaketest

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"yagura/store/desk"
)

var scales = map[desk.Intensity]int{
	desk.Intensity1: 10, desk.Intensity2: 20, desk.Intensity3: 30, desk.Intensity4: 40, desk.Intensity5Lower: 45,
	desk.Intensity5Upper: 50, desk.Intensity6Lower: 55, desk.Intensity6Upper: 60, desk.Intensity7: 70,
}

func clock(t time.Time) string {
	return t.In(time.FixedZone("JST", 9*60*60)).Format("2006/01/02 15:04:05")
}

func frame(id string, code int, at time.Time, fields map[string]any) []byte {
	fields["id"], fields["code"], fields["time"] = id, code, clock(at)+".958"
	text, err := json.Marshal(fields)
	if err != nil {
		panic(err) // every value here can be written
	}
	return text
}

// ScalePrompt is the 551 of a 震度速報: the strongest area of each prefecture, without a hypocentre.
func ScalePrompt(id string, occurred, issued time.Time, prefectures map[desk.Prefecture]desk.Intensity) []byte {
	points, highest := []map[string]any{}, -1
	for p, i := range prefectures {
		points = append(points, map[string]any{"pref": p.Name(), "addr": desk.LocalAreas(p)[0].Name, "isArea": true, "scale": scales[i]})
		highest = max(highest, scales[i])
	}
	slices.SortFunc(points, func(a, b map[string]any) int { return b["scale"].(int) - a["scale"].(int) })
	return frame(id, 551, issued, map[string]any{
		"issue": map[string]any{"source": "気象庁", "time": clock(issued), "correct": "None", "type": "ScalePrompt"},
		"earthquake": map[string]any{
			"time": clock(occurred), "maxScale": highest, "domesticTsunami": "Checking", "foreignTsunami": "Unknown",
			"hypocenter": map[string]any{"depth": -1, "latitude": -200, "longitude": -200, "magnitude": -1, "name": ""},
		},
		"points": points,
	})
}

// Detail is the 551 of a 震源・震度に関する情報: a hypocentre and stations, each named by the caller in its prefecture.
func Detail(id string, occurred, issued time.Time, place string, lat, lon, depthKM, magnitude float64, stations map[desk.Prefecture]desk.Intensity) []byte {
	points, highest := []map[string]any{}, -1
	for p, i := range stations {
		points = append(points, map[string]any{"pref": p.Name(), "addr": p.Name() + "の観測点", "isArea": false, "scale": scales[i]})
		highest = max(highest, scales[i])
	}
	return frame(id, 551, issued, map[string]any{
		"issue": map[string]any{"source": "気象庁", "time": clock(issued), "correct": "None", "type": "DetailScale"},
		"earthquake": map[string]any{
			"time": clock(occurred), "maxScale": highest, "domesticTsunami": "None", "foreignTsunami": "Unknown",
			"hypocenter": map[string]any{"depth": depthKM, "latitude": lat, "longitude": lon, "magnitude": magnitude, "name": place},
		},
		"points": points,
	})
}

// Tsunami is a 552 with one grade (MajorWarning, Warning, Watch) for some forecast areas; cancelled is 解除 and names none.
func Tsunami(id string, issued time.Time, cancelled bool, grade string, areas ...string) []byte {
	list := []map[string]any{}
	for _, a := range areas {
		list = append(list, map[string]any{"grade": grade, "immediate": false, "name": a})
	}
	return frame(id, 552, issued, map[string]any{
		"cancelled": cancelled, "issue": map[string]any{"source": "気象庁", "time": clock(issued), "type": "Focus"}, "areas": list,
	})
}

// Peers is a 555, of which there are many.
func Peers(n int, at time.Time) []byte {
	return frame(fmt.Sprintf("peers%d", n), 555, at, map[string]any{"areas": []map[string]any{{"id": 10, "peer": n}}})
}
