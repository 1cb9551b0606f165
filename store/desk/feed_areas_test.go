package desk

import (
	"slices"
	"testing"
)

func TestForecastAreas(t *testing.T) {
	n := 0
	for p := Prefecture(1); p.Valid(); p++ {
		areas := LocalAreas(p)
		if len(areas) == 0 || !slices.IsSortedFunc(areas, func(a, b ForecastArea) int {
			return int(a.Code[2]) + 10*int(a.Code[1]) + 100*int(a.Code[0]) - int(b.Code[2]) - 10*int(b.Code[1]) - 100*int(b.Code[0])
		}) {
			t.Errorf("%s: %v", p.Name(), areas)
		}
		for _, a := range areas {
			if a.Name == "" || !slices.Equal(a.Prefectures, []Prefecture{p}) {
				t.Errorf("%+v", a)
			}
		}
		n += len(areas)
	}
	if n != 188 || len(tsunamiAreas()) != 66 {
		t.Errorf("%d 細分区域 and %d 津波予報区, want 188 and 66", n, len(tsunamiAreas()))
	}
	if a, ok := LocalArea("390"); !ok || a.Name != "石川県能登" || a.Prefectures[0] != 17 {
		t.Errorf("390 is %+v", a)
	}
	if a, ok := TsunamiForecastArea("712"); !ok || a.Name != "有明・八代海" || !slices.Equal(a.Prefectures, []Prefecture{40, 41, 42, 43}) {
		t.Errorf("712 is %+v", a)
	}
	if _, ok := LocalArea("999"); ok {
		t.Error("999 is no area")
	}
	for code, a := range tsunamiAreas() {
		for _, p := range a.Prefectures {
			if !p.Valid() {
				t.Errorf("%s: %+v", code, a)
			}
		}
	}
}
