package desk_test

import (
	"testing"

	"yagura/store/desk"
)

func TestHighestTsunami(t *testing.T) {
	areas := func(grades ...desk.TsunamiGrade) []desk.TsunamiArea {
		var out []desk.TsunamiArea
		for _, g := range grades {
			out = append(out, desk.TsunamiArea{Grade: g})
		}
		return out
	}
	for _, c := range []struct {
		grades []desk.TsunamiGrade
		want   desk.TsunamiGrade
		level  desk.Level
	}{
		{nil, desk.TsunamiNone, desk.LevelNone},
		{[]desk.TsunamiGrade{desk.TsunamiLifted, desk.TsunamiNone}, desk.TsunamiNone, desk.LevelNone},
		{[]desk.TsunamiGrade{desk.TsunamiLifted, desk.TsunamiSlight}, desk.TsunamiSlight, desk.LevelNotice},
		{[]desk.TsunamiGrade{desk.TsunamiUnknownGrade, desk.TsunamiLifted}, desk.TsunamiUnknownGrade, desk.LevelNotice},
		{[]desk.TsunamiGrade{desk.TsunamiUnknownGrade, desk.TsunamiSlight}, desk.TsunamiSlight, desk.LevelNotice},
		{[]desk.TsunamiGrade{desk.TsunamiSlight, desk.TsunamiAdvisory}, desk.TsunamiAdvisory, desk.LevelAdvisory},
		{[]desk.TsunamiGrade{desk.TsunamiWarning, desk.TsunamiAdvisory}, desk.TsunamiWarning, desk.LevelWarning},
		{[]desk.TsunamiGrade{desk.TsunamiWarning, desk.TsunamiMajorWarning}, desk.TsunamiMajorWarning, desk.LevelSpecial},
	} {
		if got := desk.HighestTsunami(areas(c.grades...)); got != c.want || got.Level() != c.level {
			t.Errorf("%v: %s at level %s", c.grades, got, got.Level())
		}
	}
}
