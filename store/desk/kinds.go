package desk

import "time"

// Level is 警戒の段階: one scale for every hazard, so that thresholds, grades and mails can compare. The five levels are those
// of the warning system of 2026-05-28; older names and other hazards are put beside them.
type Level uint8

const (
	LevelNone     Level = 0 // nothing in force, or lifted
	LevelNotice   Level = 1 // 情報, 予報, 若干の海面変動, 噴火警戒レベル1
	LevelAdvisory Level = 2 // 注意報, 津波注意報, 噴火警戒レベル2
	LevelWarning  Level = 3 // 警報, 津波警報, 噴火警戒レベル3, 氾濫警戒
	LevelDanger   Level = 4 // 危険警報, 土砂災害警戒情報, 氾濫危険, 噴火警戒レベル4, 線状降水帯発生
	LevelSpecial  Level = 5 // 特別警報, 大津波警報, 噴火警戒レベル5, 氾濫発生, EEW 警報 is not on this scale
)

// String is the level's name in JSON and logs.
func (l Level) String() string {
	switch l {
	case LevelNotice:
		return "notice"
	case LevelAdvisory:
		return "advisory"
	case LevelWarning:
		return "warning"
	case LevelDanger:
		return "danger"
	case LevelSpecial:
		return "special"
	}
	return "none"
}

// Japanese is the word for the level on screens.
func (l Level) Japanese() string {
	switch l {
	case LevelNotice:
		return "情報"
	case LevelAdvisory:
		return "注意報級"
	case LevelWarning:
		return "警報級"
	case LevelDanger:
		return "危険警報級"
	case LevelSpecial:
		return "特別警報級"
	}
	return "なし"
}

// WarnedArea is 対象地域: a forecast area, city, river or municipality with what is in force there after the telegram. An area
// whose kinds are all lifted is listed with Lifted kinds, so that a lifting is never mistaken for an omission.
type WarnedArea struct {
	Code        string
	Name        string
	Prefectures []Prefecture // the prefectures it lies in, in JIS order; empty when the telegram does not tell
	Kinds       []WarnedKind
}

// WarnedKind is 警報等の種別 of one area.
type WarnedKind struct {
	Code   string // Kind/Code as sent, e.g. "33"
	Name   string // as sent, e.g. "レベル５大雨特別警報"
	Level  Level  // LevelNone when lifted; LevelNotice for a code this build does not know
	Status string // Kind/Status as sent: 発表, 継続, 解除, 警報から注意報 …; may be empty
	Lifted bool
}

// Highest is the highest level in force in the areas.
func Highest(areas []WarnedArea) Level {
	highest := LevelNone
	for _, a := range areas {
		for _, k := range a.Kinds {
			highest = max(highest, k.Level)
		}
	}
	return highest
}

// EEWReport is 緊急地震速報の内容 beyond hypocentre and intensities (feeds.md 1.10).
type EEWReport struct {
	EpicenterRank  int      // Epicenter@rank: 1 one station or level method, 2 two stations, 3 three or four, 4 five or more; 0 unknown
	EpicenterRank2 int      // 9 = the hypocentre is settled
	DepthRank      int      // Depth@rank
	MagnitudeRank  int      // MagnitudeCalculation@rank; 8 = level method or assumed source
	MagnitudesUsed int      // NumberOfMagnitudeCalculation
	OneStation     bool     // one station or level method: shown to trained people alone, triggers nothing public
	PLUM           bool     // forecast by propagation of what was observed, at least in part
	Arrived        []string // codes of 細分区域 where the main motion is thought to have arrived
	WarnedAreas    []string // codes of 細分区域 under a warning
	NewlyWarned    []string // of these, those not under one before (LastKind)
	MaxLongPeriod  string   // forecast 長周期地震動階級 as written; "" when none
	ChangeReason   int      // Forecast/Appendix/MaxIntChangeReason; 0 when absent
}

// VolcanoReport is 火山に関する情報 (feeds.md 1.13).
type VolcanoReport struct {
	Code           string // three digits, codes/s82
	Name           string
	KindCode       string // codes/s81, e.g. "14"
	KindName       string // as sent
	AlertLevel     int    // 噴火警戒レベル 1 to 5; 0 where the volcano has none or the telegram tells none
	Condition      string // 発表, 引上げ, 引下げ, 切替, 継続, 解除
	Eruption       bool   // an eruption or explosion was observed (噴火, 爆発, 噴火速報)
	OccurredAt     time.Time
	PlumeM         int          // height of the plume over the crater in metres; 0 unknown
	Crater         string       // 火口
	Municipalities []WarnedArea // Code is the city code
	Ash            []WarnedArea // 降灰予報: areas and amounts, for all times of the telegram together
}

// TyphoonReport is 台風解析・予報情報.
type TyphoonReport struct {
	ID        string // "TCyynn"
	Number    string // 台風番号, e.g. "2410"; "" before it has one
	Name      string // 呼び名, e.g. "サンサン"
	Remark    string // e.g. 台風発生, 台風消滅（熱帯低気圧に変わる）
	Ended     bool   // 温帯低気圧に変わった, 消滅, 域外へ
	Positions []TyphoonPosition
}

// TyphoonPosition is one analysis or forecast of a typhoon; numbers are nil when not given.
type TyphoonPosition struct {
	At          time.Time
	Type        string // 実況, 推定　１時間後, 予報　２４時間後 …, as sent
	Place       string // e.g. 南大東島の南南東約１６０ｋｍ
	Class       string // 台風, 熱帯低気圧, 温帯低気圧 …
	Scale       string // 大きさ階級, e.g. 大型
	Strength    string // 強さ階級, e.g. 非常に強い
	Lat, Lon    *float64
	PressureHPa *int
	WindMS      *int // maximum sustained wind, m/s
	GustMS      *int // maximum gust, m/s
	Direction   string
	SpeedKMH    *int
}

// GiantQuakeReport is 南海トラフ地震・北海道三陸沖後発地震に関する情報 (VYSE).
type GiantQuakeReport struct {
	Code string // EarthquakeInfo/InfoSerial/Code, codes/s52
	Name string // e.g. 巨大地震警戒, 巨大地震注意, 調査中, 調査終了
}

// NoticeReport is 地震・津波に関するお知らせ (VZSE40). A drill may be announced inside a live telegram.
type NoticeReport struct {
	AnnouncesDrill bool // the text speaks of 訓練 or 試験
}

// MissileKind is 国民保護情報の種別 (feeds.md 4.2).
type MissileKind string

const (
	MissileLaunch    MissileKind = "launch"          // 発射情報, 避難の呼びかけ
	MissileForecast  MissileKind = "impact_forecast" // 直ちに避難: 落下予測
	MissileImpact    MissileKind = "impact"          // 落下場所
	MissilePass      MissileKind = "pass"            // 通過
	MissileSeaFall   MissileKind = "sea_fall"        // 領海外の海域に落下
	MissileLifted    MissileKind = "lifted"          // 避難の呼びかけの解除
	MissileCorrected MissileKind = "corrected"       // 訂正
	MissileAttack    MissileKind = "attack"          // 航空攻撃, ゲリラ・特殊部隊攻撃, 大規模テロ
	MissileOther     MissileKind = "other"           // wording this build does not know; kept and shown
)

// MissileReport is 国民保護に関する情報: one notice from whichever door it came. // F3-1-o P5-5
type MissileReport struct {
	Kind       MissileKind
	IssuedAt   time.Time     // by the text; zero when it tells none
	ExpectedAt time.Time     // expected impact or passage; zero when it tells none
	Areas      []MissileArea // whom it addresses, as fine as it tells
	Place      string        // the place words as written, e.g. 北海道周辺, 太平洋
	Supersedes string        // the number or time of the notice it corrects, as written
	DrillWords []string      // words of drill or test found in the text; in a live notice they are a contradiction
}

// MissileArea is 対象地域 at finer grain than the prefecture: 東京都島しょ部 must not call out all of Tokyo.
type MissileArea struct {
	Prefecture Prefecture
	Part       string // "" = the whole prefecture; else the part as written, e.g. 島しょ部, 青森市
}
