package desk

import "time"

// TsunamiStation is 潮位観測点・沖合の観測点 of a tsunami information (VTSE51, VTSE52): what is expected or was observed at one gauge.
type TsunamiStation struct {
	Code       string    // 潮位観測点コード (codes/s35)
	Name       string    // e.g. 宮古
	Area       string    // 津波予報区コード it stands under; "" for a gauge off the coast
	Sensor     string    // off the coast: ＧＰＳ波浪計, 水圧計
	HighTideAt time.Time // 満潮時刻; zero when not given
	ArrivalAt  time.Time // first wave, expected or observed as the list says; zero when not given
	Arrival    string    // FirstHeight/Condition as written: 津波到達中と推測, 第１波識別不能, 欠測 …
	Initial    string    // 押し or 引き
	MaxAt      time.Time // highest wave so far; zero when not given
	Height     string    // as written: "２．８ｍ以上", "微弱", "観測中"; "" when none is given
	HeightM    *float64  // in metres; nil when no number is given
	AtLeast    bool      // 以上: the gauge was overrun
	Rising     bool      // 上昇中: still rising when this was sent
	Condition  string    // MaxHeight/Condition as written: 重要, 観測中, 微弱, 欠測, 重要　欠測
}

// TsunamiEstimate is 沖合の観測値から推定される沿岸の津波 (VTSE52): what gauges off the coast mean for a stretch of coast.
type TsunamiEstimate struct {
	Code      string // 沿岸地域コード (codes/s34); the numbers of the 津波予報区
	Name      string
	ArrivalAt time.Time // zero when not given
	Arrival   string    // e.g. 早いところでは既に津波到達と推定
	MaxAt     time.Time // zero when not given
	Height    string    // as written: "１０ｍ超", "巨大", "推定中"
	Condition string    // as written: 重要
}

// QuakeCount is 地震回数 in a span of time (VXSE60). A count that the telegram calls unknown is nil.
type QuakeCount struct {
	Kind      string // as sent: 地震回数, １時間地震回数, 累積地震回数
	From, To  time.Time
	All       *int // every earthquake
	Felt      *int // of these, felt ones
	Condition string
}

// LongPeriodReport is 長周期地震動に関する観測情報 (VXSE62): classes 1 to 4, class 0 where nothing was felt.
type LongPeriodReport struct {
	Max         int    // 最大の長周期地震動階級, 0 to 4
	Category    string // LgCategory as sent; 3 and 4 speak of strong long-period shaking where the intensity was low
	Prefectures []LongPeriodPrefecture
	Areas       []LongPeriodArea
}

// LongPeriodPrefecture is 都道府県の最大の長周期地震動階級; the list is in JIS order.
type LongPeriodPrefecture struct {
	Code  Prefecture
	Name  string
	Class int
}

// LongPeriodArea is 細分区域の最大の長周期地震動階級, in telegram order.
type LongPeriodArea struct {
	Code  string
	Name  string
	Class int
}

// HighestTsunami is the highest grade in force in the areas: TsunamiNone when nothing is (lifted areas are not in force).
// A grade this build does not know ranks below every known one in force, and above none.
func HighestTsunami(areas []TsunamiArea) TsunamiGrade {
	highest := TsunamiNone
	for _, a := range areas {
		if rankOfTsunami(a.Grade) > rankOfTsunami(highest) {
			highest = a.Grade
		}
	}
	return highest
}

func rankOfTsunami(g TsunamiGrade) int {
	switch g {
	case TsunamiMajorWarning:
		return 5
	case TsunamiWarning:
		return 4
	case TsunamiAdvisory:
		return 3
	case TsunamiSlight:
		return 2
	case TsunamiUnknownGrade:
		return 1
	}
	return 0
}

// Level puts the grade on the scale of every hazard. A grade this build does not know is LevelNotice: it is shown, and it
// neither raises nor hides an alarm.
func (g TsunamiGrade) Level() Level {
	switch g {
	case TsunamiMajorWarning:
		return LevelSpecial
	case TsunamiWarning:
		return LevelWarning
	case TsunamiAdvisory:
		return LevelAdvisory
	case TsunamiSlight, TsunamiUnknownGrade:
		return LevelNotice
	}
	return LevelNone
}
