package replay

import (
	"time"

	"yagura/store/desk"
)

// Scenario is シナリオ: the facts of a course of events and the telegrams that told of them, in the order of the file.
type Scenario struct {
	Name      string
	Title     string
	Quakes    []*Quake
	Bulletins []Bulletin
}

// Quake is one earthquake with what was observed in the end.
type Quake struct {
	ID        string    // EventID of its telegrams
	Origin    time.Time // JST
	PlaceCode string    // 震央地名コード
	Place     string
	Source    Source
	Shaking   []Level
	Cities    []CityLevel
	Missing   []CityLevel // 震度５弱以上未入電
}

// Source is 震源要素 as a telegram states it. DepthKM nil is unknown, 0 is ごく浅い.
type Source struct {
	Lat, Lon      float64
	DepthKM       *float64
	Magnitude     float64
	MagnitudeKind desk.MagnitudeKind
}

// Level is the intensity of one 細分区域: observed (From), or forecast (From to To, or From and over).
type Level struct {
	Area     string
	From, To desk.Intensity
	Over     bool
	Stations int
}

// CityLevel is the intensity of one municipality.
type CityLevel struct {
	Area, Code, Name string
	Intensity        desk.Intensity
	Stations         int
}

// TsunamiLevel is the grade of one 津波予報区.
type TsunamiLevel struct {
	Area  string
	Grade desk.TsunamiGrade
}

// Kind is the sort of telegram that a statement writes.
type Kind string

const (
	EEW        Kind = "eew"        // VXSE43 緊急地震速報（警報）
	Forecast   Kind = "forecast"   // VXSE45 緊急地震速報（地震動予報）
	Flash      Kind = "flash"      // VXSE51 震度速報
	Hypocenter Kind = "hypocenter" // VXSE52 震源に関する情報
	Report     Kind = "report"     // VXSE53 震源・震度に関する情報
	Update     Kind = "update"     // VXSE61 顕著な地震の震源要素更新のお知らせ
	TsunamiKey Kind = "tsunami"    // VTSE41 津波警報・注意報・予報
	Repeat     Kind = "repeat"     // the telegram before, byte differences only
)

// Bulletin is one telegram to be written.
type Bulletin struct {
	Kind     Kind
	Quake    *Quake
	Press    time.Time
	Mode     desk.Mode
	Phase    desk.Phase
	Office   string
	EventID  string
	Serial   string
	Levels   []Level
	Tsunami  []TsunamiLevel
	Source   Source
	Comments []string
	Final    bool // eew, forecast: the last report
	Assumed  bool // eew, forecast: 仮定震源要素
	line     int
}
