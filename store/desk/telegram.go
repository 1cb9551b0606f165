package desk

import "time"

// Mode is 運用種別 (JMA Control/Status: 通常・訓練・試験; CAP status Actual/Exercise/Test). Every row carries it, down to
// the subject line; a Drill or Test can never open a live dispatch (law 4).
type Mode string

const (
	Live  Mode = "live"  // 通常
	Drill Mode = "drill" // 訓練
	Test  Mode = "test"  // 試験
)

// Japanese is the official word for the mode.
func (m Mode) Japanese() string {
	switch m {
	case Live:
		return "本番"
	case Drill:
		return "訓練"
	case Test:
		return "試験"
	}
	return "種別不明"
}

// Phase is 情報形態 (JMA Head/InfoType: 発表・訂正・遅延・取消; CAP msgType).
type Phase string

const (
	Issued    Phase = "issued"    // 発表
	Corrected Phase = "corrected" // 訂正
	Delayed   Phase = "delayed"   // 遅延
	Cancelled Phase = "cancelled" // 取消: the telegram was wrong. Not 解除, which is an ordinary 発表
)

// Japanese is the official word for the phase.
func (p Phase) Japanese() string {
	switch p {
	case Issued:
		return "発表"
	case Corrected:
		return "訂正"
	case Delayed:
		return "遅延"
	case Cancelled:
		return "取消"
	}
	return "形態不明"
}

// Hazard is 災害種別.
type Hazard string

const (
	Earthquake Hazard = "earthquake" // 地震
	Tsunami    Hazard = "tsunami"    // 津波
	Missile    Hazard = "missile"    // 弾道ミサイル
	Weather    Hazard = "weather"    // 気象
	Volcano    Hazard = "volcano"    // 火山
	Overseas   Hazard = "overseas"   // 海外
	OtherKind  Hazard = "other"      // その他
)

// Japanese is the word for the hazard on screens and in mails.
func (h Hazard) Japanese() string {
	switch h {
	case Earthquake:
		return "地震"
	case Tsunami:
		return "津波"
	case Missile:
		return "ミサイル"
	case Weather:
		return "気象"
	case Volcano:
		return "火山"
	case Overseas:
		return "海外"
	}
	return "その他"
}

// Envelope is 受信電文: one bulletin exactly as a feed handed it over, before anybody tried to understand it (law 1).
type Envelope struct {
	Feed       string    // the name of the source, e.g. "replay", "jma"
	Name       string    // the file name or message id at the source, for people; may be empty
	Raw        []byte    // the bytes as received, never altered
	ReceivedAt time.Time // by the source's clock; in a replay the recorded time, not the wall clock
}

// Telegram is 電文: one bulletin with its envelope and what was read from it. Never altered after it is stored.
// Fields that the bulletin does not give are empty or nil; nothing is ever invented.
type Telegram struct {
	ID TelegramID
	Envelope
	Digest   [32]byte  // SHA-256 of the canonical text (feeds.Digest); the same telegram by two paths has one digest
	StoredAt time.Time // database clock

	Type       string    // data type code, e.g. "VXSE53"; "" when unknown
	Title      string    // Control/Title (情報名称)
	HeadTitle  string    // Head/Title
	Mode       Mode      // Control/Status
	Phase      Phase     // Head/InfoType
	EventIDs   []string  // Head/EventID split at blanks; usually one, several for a tsunami of several earthquakes
	Serial     string    // Head/Serial, a decimal string, often empty
	PressTime  time.Time // Control/DateTime
	ReportTime time.Time // Head/ReportDateTime
	TargetTime time.Time // Head/TargetDateTime (基点時刻); zero when absent
	ValidUntil time.Time // Head/ValidDateTime; zero when absent
	Office     string    // Control/EditorialOffice
	Headline   string    // Head/Headline/Text, trimmed

	Hazard            Hazard
	MaxIntensity      Intensity             // observed maximum, Unknown when none
	ForecastIntensity *IntensityRange       // EEW forecast maximum
	Warning           bool                  // EEW: a warning (警報), not a mere forecast
	Assumed           bool                  // EEW: 仮定震源要素; the hypocentre is a placeholder without meaning
	Final             bool                  // EEW: NextAdvisory present or cancelled
	Prefectures       []PrefectureIntensity // sorted by JIS code
	Areas             []AreaIntensity       // 細分区域 (AreaForecastLocalE), in telegram order
	StationsAtMax     int                   // VXSE53: stations that report MaxIntensity
	Stations          int                   // VXSE53: stations in all
	Unreported        []string              // 震度５弱以上未入電: cities believed 5弱 or more without a report
	Hypocenters       []Hypocenter
	Tsunami           []TsunamiArea
	Comments          []Comment // ForecastComment, VarComment, WarningComment
	Text              string    // Body/Text and free-form comments, for people

	Level    Level             // highest level in force after the telegram, on the scale of every hazard
	Warned   []WarnedArea      // weather, flood, tornado, landslide: per 府県予報区, river or city, as the telegram is keyed
	EEW      *EEWReport        // VXSE42 to 45
	Volcano  *VolcanoReport    // VFVO, VFSV
	Typhoon  *TyphoonReport    // VPTW
	Giant    *GiantQuakeReport // VYSE
	Notice   *NoticeReport     // VZSE40
	Missile  *MissileReport    // civil protection
	Place    []Prefecture      // every prefecture the telegram names, whatever the kind, in JIS order
	Surprise string            // what this build did not know in it (a new code or title), for the desk; "" when nothing

	TsunamiExpected  []TsunamiStation  // VTSE51: high tide and expected arrival at the gauges
	TsunamiObserved  []TsunamiStation  // VTSE51, VTSE52: what the gauges saw
	TsunamiEstimated []TsunamiEstimate // VTSE52: what that means for the coast
	Counts           []QuakeCount      // VXSE60
	LongPeriod       *LongPeriodReport // VXSE62
}

// IntensityRange is 予測震度の範囲: From and To inclusive; Over is "From or more" (to = over).
type IntensityRange struct {
	From Intensity
	To   Intensity
	Over bool
}

// PrefectureIntensity is 都道府県の最大震度. Code is the JIS prefecture code, 1 to 47.
type PrefectureIntensity struct {
	Code        Prefecture
	Name        string
	Intensity   Intensity
	Provisional bool // counted as 5弱 because of 震度５弱以上未入電
}

// AreaIntensity is 細分区域の最大震度 (188 areas, three digits). For an EEW it is the forecast's lower bound.
type AreaIntensity struct {
	Code      string
	Name      string
	Intensity Intensity
}

// Hypocenter is 震源要素. Lat and Lon in degrees (nil when 不明), DepthKM in km (0 = ごく浅い, nil = 不明).
type Hypocenter struct {
	Name          string
	Code          string // 震央地名コード
	Lat, Lon      *float64
	DepthKM       *float64
	Magnitude     *float64      // never NaN; nil when not a number
	MagnitudeKind MagnitudeKind // says which sort of "no number" it is
	MagnitudeText string        // as written, e.g. "Ｍ７．６", "Ｍ不明", "Ｍ８を超える巨大地震"
	OriginTime    time.Time     // zero when absent
	Source        string        // foreign agency, for far earthquakes
}

// MagnitudeKind is マグニチュードの状態: a number, 不明, or Ｍ８を超える巨大地震.
type MagnitudeKind string

const (
	MagnitudeAbsent  MagnitudeKind = ""
	MagnitudeNumber  MagnitudeKind = "number"
	MagnitudeUnknown MagnitudeKind = "unknown" // Ｍ不明
	MagnitudeOver8   MagnitudeKind = "over8"   // Ｍ８を超える巨大地震
)

// TsunamiGrade is 津波の等級, by Category/Kind/Code (feeds.md 1.9).
type TsunamiGrade string

const (
	TsunamiNone         TsunamiGrade = "none"          // 00
	TsunamiMajorWarning TsunamiGrade = "major_warning" // 52, 53 大津波警報
	TsunamiWarning      TsunamiGrade = "warning"       // 51 津波警報
	TsunamiAdvisory     TsunamiGrade = "advisory"      // 62 津波注意報
	TsunamiSlight       TsunamiGrade = "slight"        // 71, 72, 73 若干の海面変動
	TsunamiLifted       TsunamiGrade = "lifted"        // 50, 60 解除
	TsunamiUnknownGrade TsunamiGrade = "unknown"       // a code this build does not know; TsunamiArea.Code still tells
)

// TsunamiArea is 津波予報区: one of 66 forecast areas with its grade, read from Body items, never from the headline.
type TsunamiArea struct {
	Code     string // 津波予報区コード
	Name     string
	Grade    TsunamiGrade
	Kind     string // Category/Kind/Code as sent
	LastKind string // Category/LastKind/Code, the grade before this telegram
	Height   string // MaxHeight as written, e.g. "５ｍ", "巨大"; may be empty
	Arrival  string // FirstHeight arrival time (RFC 3339) or condition; may be empty
}

// Comment is 付加文: comment codes with their text (codes/s62).
type Comment struct {
	Codes []string
	Text  string
}

// HasComment reports whether any comment carries the code, e.g. "0242".
func (t *Telegram) HasComment(code string) bool {
	for _, c := range t.Comments {
		for _, have := range c.Codes {
			if have == code {
				return true
			}
		}
	}
	return false
}
