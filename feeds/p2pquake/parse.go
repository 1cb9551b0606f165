package p2pquake

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"yagura/feeds"
	"yagura/feeds/jma"
	"yagura/store/desk"
)

// report is a frame of any kept code, by P2PQuake's API specification v2.
type report struct {
	Code      int    `json:"code"`
	Time      string `json:"time"` // when P2PQuake received it, JST
	Test      bool   `json:"test"` // 556 only
	Cancelled bool   `json:"cancelled"`
	Type      string `json:"type"` // 554: Full, Chime
	Issue     struct {
		Source  string `json:"source"`
		Time    string `json:"time"` // JMA's announcement, JST
		Type    string `json:"type"`
		Correct string `json:"correct"`
		EventID string `json:"eventId"` // 556 only
		Serial  string `json:"serial"`
	} `json:"issue"`
	Earthquake *quake  `json:"earthquake"`
	Points     []point `json:"points"`
	Areas      []area  `json:"areas"`
	Comments   struct {
		FreeForm string `json:"freeFormComment"`
	} `json:"comments"`
}

type quake struct {
	Time            string     `json:"time"`
	OriginTime      string     `json:"originTime"` // 556
	ArrivalTime     string     `json:"arrivalTime"`
	Condition       string     `json:"condition"`
	Hypocenter      hypocenter `json:"hypocenter"`
	MaxScale        *float64   `json:"maxScale"`
	DomesticTsunami string     `json:"domesticTsunami"`
	ForeignTsunami  string     `json:"foreignTsunami"`
}

// hypocenter: latitude and longitude −200, depth −1 and magnitude −1 say that the value is missing.
type hypocenter struct {
	Name      string   `json:"name"`
	Latitude  *float64 `json:"latitude"`
	Longitude *float64 `json:"longitude"`
	Depth     *float64 `json:"depth"`
	Magnitude *float64 `json:"magnitude"`
}

type point struct {
	Pref   string  `json:"pref"`
	Addr   string  `json:"addr"`
	IsArea bool    `json:"isArea"`
	Scale  float64 `json:"scale"`
}

// area is one of 552 (grade) or of 556 (scale).
type area struct {
	Pref      string   `json:"pref"`
	Name      string   `json:"name"`
	Grade     string   `json:"grade"`
	Immediate bool     `json:"immediate"`
	ScaleFrom *float64 `json:"scaleFrom"`
	ScaleTo   *float64 `json:"scaleTo"`
	KindCode  string   `json:"kindCode"`

	FirstHeight struct {
		ArrivalTime string `json:"arrivalTime"`
		Condition   string `json:"condition"`
	} `json:"firstHeight"`
	MaxHeight struct {
		Description string `json:"description"`
	} `json:"maxHeight"`
}

const op = "p2pquake.Parse"

// Parse reads one report into the words of the desk. It is pure: no clock, no file, no network.
//
// Type is "P2P551" and so on; Mode is Live, but Test where a 556 says so. Phase is always Issued: the stream neither marks 訂正 nor
// carries 取消 reliably, so nothing of it may correct or retract. A cancelled 552 is a lifting (解除): its areas are lifted and it
// names no others; a cancelled 556 carries no forecast, so that it cannot be taken for a warning.
//
// The result carries the envelope and the digest also when the error says why the rest could not be read.
func Parse(env desk.Envelope) (desk.Telegram, error) {
	t := desk.Telegram{Envelope: env, Digest: feeds.Digest(env.Raw)}
	if len(env.Raw) > jma.MaxBytes {
		return t, desk.Errorf(desk.Invalid, op, "P2PQuakeの情報が大きすぎます（%dバイト）。", len(env.Raw))
	}
	var r report
	if err := json.Unmarshal(env.Raw, &r); err != nil {
		return t, &desk.Error{Kind: desk.Invalid, Op: op, Msg: "P2PQuakeの情報がJSONとして読めません。", Err: err}
	}
	read := t
	read.Mode, read.Phase, read.Hazard, read.Office = desk.Live, desk.Issued, desk.Earthquake, "P2PQuake"
	if r.Test {
		read.Mode = desk.Test
	}
	switch r.Code {
	case 551:
		readQuake(&read, &r)
	case 552:
		readTsunami(&read, &r)
	case 554:
		readHeard(&read, &r)
	case 556:
		readWarning(&read, &r)
	default:
		return t, desk.Errorf(desk.Invalid, op, "P2PQuakeの情報の種類（code %d）が分かりません。", r.Code)
	}
	read.ReportTime = clock(r.Issue.Time)
	read.PressTime = read.ReportTime
	if read.PressTime.IsZero() {
		read.PressTime = clock(r.Time)
	}
	if read.PressTime.IsZero() {
		return t, desk.Errorf(desk.Invalid, op, "P2PQuakeの情報に発表時刻がありません。")
	}
	return read, nil
}

// quakeTitles are the kinds of 551 by issue.type.
var quakeTitles = map[string]string{
	"ScalePrompt": "震度速報", "Destination": "震源に関する情報", "ScaleAndDestination": "震度・震源に関する情報",
	"DetailScale": "各地の震度に関する情報", "Foreign": "遠地地震に関する情報", "Other": "その他の情報",
}

var domesticTsunami = map[string]string{
	"None": "国内の津波：なし", "Unknown": "国内の津波：不明", "Checking": "国内の津波：調査中", "NonEffective": "国内の津波：若干の海面変動",
	"Watch": "国内の津波：津波注意報", "Warning": "国内の津波：津波予報（種類不明）",
}

func readQuake(t *desk.Telegram, r *report) {
	t.Type, t.Title = "P2P551", "P2PQuake 地震情報"
	if t.HeadTitle = quakeTitles[r.Issue.Type]; t.HeadTitle == "" {
		t.Surprise = "P2PQuakeの地震情報の種類 " + clip(r.Issue.Type) + " を知りません。"
	}
	var text []string
	if q := r.Earthquake; q != nil {
		t.TargetTime = clock(q.Time)
		t.MaxIntensity, _ = intensity(q.MaxScale)
		t.Hypocenters = hypocenters(&q.Hypocenter, t.TargetTime)
		text = append(text, domesticTsunami[q.DomesticTsunami])
	}
	text = append(text, clean(r.Comments.FreeForm))
	t.Text = strings.TrimSpace(strings.Join(text, "\n"))
	// A large eruption abroad comes in the shape of a far earthquake without a magnitude (feeds.md 1.7).
	if r.Issue.Type == "Foreign" && strings.Contains(t.Text, "噴火") && (len(t.Hypocenters) == 0 || t.Hypocenters[0].Magnitude == nil) {
		t.Hazard = desk.Volcano
	}
	readPoints(t, r.Points)
}

func readPoints(t *desk.Telegram, points []point) {
	highest := map[desk.Prefecture]desk.PrefectureIntensity{}
	atMax := desk.IntensityUnknown
	for _, p := range points {
		scale, provisional := intensity(&p.Scale)
		code := prefecture(p.Pref)
		if code.Valid() && scale != desk.IntensityUnknown {
			was, known := highest[code]
			if !known || scale > was.Intensity || scale == was.Intensity && was.Provisional {
				highest[code] = desk.PrefectureIntensity{Code: code, Name: code.Name(), Intensity: scale, Provisional: provisional}
			}
		}
		name := clip(p.Addr)
		if provisional {
			t.Unreported = append(t.Unreported, name)
		}
		if p.IsArea {
			t.Areas = append(t.Areas, desk.AreaIntensity{Code: localArea(code, name), Name: name, Intensity: scale})
			continue
		}
		t.Stations++
		if scale > atMax {
			atMax, t.StationsAtMax = scale, 0
		}
		if scale == atMax && !provisional {
			t.StationsAtMax++
		}
	}
	for _, p := range highest {
		t.Prefectures = append(t.Prefectures, p)
		t.Place = append(t.Place, p.Code)
		t.MaxIntensity = max(t.MaxIntensity, p.Intensity)
	}
	slices.SortFunc(t.Prefectures, func(a, b desk.PrefectureIntensity) int { return int(a.Code) - int(b.Code) })
	slices.Sort(t.Place)
}

// grades are those of 552, with their level on the common scale.
var grades = map[string]struct {
	grade desk.TsunamiGrade
	level desk.Level
}{
	"MajorWarning": {desk.TsunamiMajorWarning, desk.LevelSpecial},
	"Warning":      {desk.TsunamiWarning, desk.LevelWarning},
	"Watch":        {desk.TsunamiAdvisory, desk.LevelAdvisory},
	"Unknown":      {desk.TsunamiUnknownGrade, desk.LevelNotice},
}

func readTsunami(t *desk.Telegram, r *report) {
	t.Type, t.Title, t.HeadTitle, t.Hazard = "P2P552", "P2PQuake 津波予報", "津波予報", desk.Tsunami
	if r.Cancelled {
		t.Text = "津波予報の解除"
	}
	for _, a := range r.Areas {
		g, known := grades[a.Grade]
		if !known {
			g = grades["Unknown"]
			t.Surprise = "P2PQuakeの津波予報の等級 " + clip(a.Grade) + " を知りません。"
		}
		if r.Cancelled {
			g.grade, g.level = desk.TsunamiLifted, desk.LevelNone
		}
		where := tsunamiArea(clip(a.Name))
		t.Tsunami = append(t.Tsunami, desk.TsunamiArea{
			Code: where.Code, Name: clip(a.Name), Grade: g.grade, Height: clip(a.MaxHeight.Description), Arrival: arrival(&a),
		})
		t.Level = max(t.Level, g.level)
		t.Place = append(t.Place, where.Prefectures...)
	}
	slices.Sort(t.Place)
	t.Place = slices.Compact(t.Place)
}

func arrival(a *area) string {
	if at := clock(a.FirstHeight.ArrivalTime); !at.IsZero() {
		return at.Format(time.RFC3339)
	}
	if a.FirstHeight.Condition == "" && a.Immediate {
		return "直ちに津波来襲と予測"
	}
	return clip(a.FirstHeight.Condition)
}

// readHeard is 554: a receiver heard the broadcast chime of an early warning. Full is chime and voice.
func readHeard(t *desk.Telegram, r *report) {
	t.Type, t.Title, t.HeadTitle = "P2P554", "P2PQuake 緊急地震速報 発表検出", "緊急地震速報 発表検出"
	t.Warning = r.Type == "Full"
	t.TargetTime = clock(r.Time)
}

func readWarning(t *desk.Telegram, r *report) {
	t.Type, t.Title, t.HeadTitle = "P2P556", "P2PQuake 緊急地震速報（警報）", "緊急地震速報（警報）"
	t.Serial = clip(r.Issue.Serial)
	t.EventIDs = strings.Fields(clip(r.Issue.EventID))
	if r.Cancelled {
		t.Final, t.Text = true, "P2PQuakeは緊急地震速報の取消を伝えています。撤回の根拠にはしません。"
		return
	}
	t.Warning = true
	if q := r.Earthquake; q != nil {
		t.TargetTime = clock(q.ArrivalTime)
		t.Assumed = q.Condition == "仮定震源要素"
		t.Hypocenters = hypocenters(&q.Hypocenter, clock(q.OriginTime))
	}
	t.EEW = new(desk.EEWReport)
	var reach desk.IntensityRange
	for _, a := range r.Areas {
		from, _ := intensity(a.ScaleFrom)
		to, _ := intensity(a.ScaleTo)
		code := prefecture(a.Pref)
		name := clip(a.Name)
		local := localArea(code, name)
		t.Areas = append(t.Areas, desk.AreaIntensity{Code: local, Name: name, Intensity: from})
		reach.From, reach.To = max(reach.From, from), max(reach.To, to)
		reach.Over = reach.Over || a.ScaleTo != nil && *a.ScaleTo == 99 // 99 = ～程度以上
		if code.Valid() {
			t.Place = append(t.Place, code)
		}
		if local != "" {
			t.EEW.WarnedAreas = append(t.EEW.WarnedAreas, local)
			if a.KindCode == "11" { // 11 既に主要動到達と予測
				t.EEW.Arrived = append(t.EEW.Arrived, local)
			}
		}
		t.EEW.PLUM = t.EEW.PLUM || a.KindCode == "19" // 19 PLUM法による予測
	}
	slices.Sort(t.Place)
	t.Place = slices.Compact(t.Place)
	if reach.From != desk.IntensityUnknown || reach.To != desk.IntensityUnknown || reach.Over {
		reach.To = max(reach.To, reach.From)
		t.ForecastIntensity = &reach
	}
}
