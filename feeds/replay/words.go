package replay

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"yagura/store/desk"
)

// options are the key=value words of a statement. Reading one removes it, so that what is left is a mistake.
type options map[string]string

func splitWords(args []string) (options, []string, error) {
	o := make(options)
	var rest []string
	for _, word := range args {
		key, value, found := strings.Cut(word, "=")
		if !found {
			rest = append(rest, word)
			continue
		}
		if value == "" {
			return nil, nil, fmt.Errorf("%s= に値がありません。", key)
		}
		if _, twice := o[key]; twice {
			return nil, nil, fmt.Errorf("%s= が二度あります。", key)
		}
		o[key] = value
	}
	return o, rest, nil
}

func (o options) take(key string) string {
	v := o[key]
	delete(o, key)
	return v
}

func (o options) empty() error {
	for key := range o {
		return fmt.Errorf("%s= はここでは使えません。", key)
	}
	return nil
}

// source reads lat, lon, depth and m; what is not given stays as it was.
func (o options) source(s Source) (Source, error) {
	var err error
	if s.Lat, err = o.number("lat", s.Lat, -90, 90); err != nil {
		return s, err
	}
	if s.Lon, err = o.number("lon", s.Lon, -180, 180); err != nil {
		return s, err
	}
	switch o["depth"] {
	case "":
	case "unknown":
		s.DepthKM = nil
		delete(o, "depth")
	default:
		depth, err := o.number("depth", 0, 0, 700)
		if err != nil {
			return s, err
		}
		s.DepthKM = &depth
	}
	switch o["m"] {
	case "":
	case "unknown":
		s.MagnitudeKind = desk.MagnitudeUnknown
		delete(o, "m")
	case "over8":
		s.MagnitudeKind = desk.MagnitudeOver8
		delete(o, "m")
	default:
		if s.Magnitude, err = o.number("m", 0, 0, 9.9); err != nil {
			return s, err
		}
		s.MagnitudeKind = desk.MagnitudeNumber
	}
	return s, nil
}

func (o options) number(key string, otherwise, least, most float64) (float64, error) {
	text := o.take(key)
	if text == "" {
		return otherwise, nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || v < least || v > most {
		return 0, fmt.Errorf("%s=%s は %v から %v までの数で書きます。", key, text, least, most)
	}
	return v, nil
}

// apply reads the options that every telegram takes.
func (b *Bulletin) apply(o options) error {
	if n := o.take("n"); n != "" {
		if !digits.MatchString(n) {
			return fmt.Errorf("n=%s は番号ではありません。", n)
		}
		b.Serial = n
	}
	if id := o.take("id"); id != "" {
		if err := checkEventID(id); err != nil {
			return err
		}
		b.EventID = id
	}
	switch phase := o.take("phase"); phase {
	case "":
	case string(desk.Corrected), string(desk.Delayed), string(desk.Issued):
		b.Phase = desk.Phase(phase)
	default:
		return fmt.Errorf("phase=%s は分かりません（issued, corrected, delayed。取消は cancel の行）。", phase)
	}
	if codes := o.take("comment"); codes != "" {
		b.Comments = strings.Split(codes, ",")
		for _, code := range b.Comments {
			if _, known := commentText[code]; !known {
				return fmt.Errorf("付加文コード %q の文が分かりません。", code)
			}
		}
	}
	b.Final, b.Assumed = o.take("final") == "yes", o.take("assumed") == "yes"
	var err error
	if b.Source, err = o.source(b.Source); err != nil {
		return err
	}
	return o.empty()
}

// readClock reads a JST clock time on a date, or a whole "2024-01-02T01:15:00".
func readClock(date, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, fmt.Errorf("時刻がありません（例: at=16:10:22）。")
	}
	if d, clock, found := strings.Cut(text, "T"); found {
		date, text = d, clock
	}
	if date == "" {
		return time.Time{}, fmt.Errorf("時刻の前に date の行が必要です（例: date 2024-01-01）。")
	}
	if strings.Count(text, ":") == 1 {
		text += ":00"
	}
	t, err := time.ParseInLocation("2006-01-02T15:04:05", date+"T"+text, desk.JST)
	if err != nil || t.Year() < 1900 || t.Year() > 2999 {
		return time.Time{}, fmt.Errorf("時刻 %q は読めません（日付 %s）。", text, date)
	}
	return t.Truncate(time.Second), nil
}

// readLevels reads words such as "7:390*2", "5-~5+:391,380" and "6-~over:390".
func readLevels(words []string) ([]Level, error) {
	var out []Level
	seen := make(map[string]bool)
	for _, word := range words {
		level, areas, found := strings.Cut(word, ":")
		if !found {
			return nil, fmt.Errorf("%q は 震度:区域 ではありません（例: 5+:390,391）。", word)
		}
		from, to, isRange := strings.Cut(level, "~")
		l := Level{From: desk.ParseIntensity(from), Over: to == "over"}
		l.To = l.From
		if isRange && !l.Over {
			l.To = desk.ParseIntensity(to)
		}
		if l.From == desk.IntensityUnknown || l.To < l.From {
			return nil, fmt.Errorf("震度 %q は読めません。", level)
		}
		for _, item := range strings.Split(areas, ",") {
			var err error
			if l.Area, l.Stations, err = readCount(item); err != nil {
				return nil, err
			}
			if err := checkLocalArea(l.Area); err != nil {
				return nil, err
			}
			if seen[l.Area] {
				return nil, fmt.Errorf("細分区域 %s が二度あります。", l.Area)
			}
			seen[l.Area] = true
			out = append(out, l)
		}
	}
	return out, nil
}

func checkLocalArea(code string) error {
	if _, known := desk.LocalArea(code); !known {
		return fmt.Errorf("細分区域コード %q はありません。", code)
	}
	return nil
}

// maxStations bounds the stations of one area: no real one has more than a few dozen.
const maxStations = 200

// readCount splits "390*2" into what stands before the star and the number, 1 when there is none.
func readCount(word string) (string, int, error) {
	name, count, found := strings.Cut(word, "*")
	if !found {
		return name, 1, nil
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 || n > maxStations {
		return "", 0, fmt.Errorf("%q の観測点数は1から%dまでです。", word, maxStations)
	}
	return name, n, nil
}

var gradeWords = map[string]desk.TsunamiGrade{
	"major": desk.TsunamiMajorWarning, "warning": desk.TsunamiWarning, "advisory": desk.TsunamiAdvisory,
	"slight": desk.TsunamiSlight, "lifted": desk.TsunamiLifted,
}

func readTsunami(words []string) ([]TsunamiLevel, error) {
	var out []TsunamiLevel
	seen := make(map[string]bool)
	for _, word := range words {
		name, areas, _ := strings.Cut(word, ":")
		grade, known := gradeWords[name]
		if !known {
			return nil, fmt.Errorf("津波の等級 %q は分かりません（major, warning, advisory, slight, lifted）。", name)
		}
		for _, area := range strings.Split(areas, ",") {
			if _, known := desk.TsunamiForecastArea(area); !known {
				return nil, fmt.Errorf("津波予報区コード %q はありません。", area)
			}
			if seen[area] {
				return nil, fmt.Errorf("津波予報区 %s が二度あります。", area)
			}
			seen[area] = true
			out = append(out, TsunamiLevel{Area: area, Grade: grade})
		}
	}
	return out, nil
}

// maximum is the highest observed intensity of a list.
func maximum(levels []Level) desk.Intensity {
	highest := desk.IntensityUnknown
	for _, l := range levels {
		highest = max(highest, l.From)
	}
	return highest
}
