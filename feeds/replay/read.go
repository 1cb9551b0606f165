package replay

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"yagura/store/desk"
)

const (
	maxLine      = 64 << 10
	maxBulletins = 10000
	longestDelay = 31 * 24 * time.Hour
)

// ParseScenario reads a scenario file. An error is of kind desk.Invalid and names the line.
func ParseScenario(r io.Reader) (Scenario, error) {
	p := parser{mode: desk.Live, office: "気象庁本庁"}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		p.line++
		if err := p.statement(lines.Text()); err != nil {
			return Scenario{}, desk.Errorf(desk.Invalid, "replay.ParseScenario", "シナリオの%d行目: %v", p.line, err)
		}
	}
	if err := lines.Err(); err != nil {
		return Scenario{}, desk.Errorf(desk.Invalid, "replay.ParseScenario", "シナリオの%d行目: 読めません（%v）", p.line+1, err)
	}
	if p.out.Name == "" {
		return Scenario{}, desk.Errorf(desk.Invalid, "replay.ParseScenario", "シナリオに scenario の行がありません。")
	}
	return p.out, nil
}

// parser holds what "holds from here on".
type parser struct {
	out      Scenario
	line     int
	mode     desk.Mode
	office   string
	date     string
	comments []string
	quake    *Quake
}

// statement reads one line. Its errors are sentences without the line number; the caller adds that.
func (p *parser) statement(text string) error {
	if !utf8.ValidString(text) {
		return fmt.Errorf("UTF-8ではない文字があります。")
	}
	text, _, _ = strings.Cut(strings.TrimPrefix(text, "\ufeff"), "#")
	words := strings.Fields(text)
	if len(words) == 0 {
		return nil
	}
	key, args := words[0], words[1:]
	switch key {
	case "scenario":
		return p.header(args)
	case "mode", "office", "date", "comment":
		return p.setting(key, args)
	case "quake":
		return p.startQuake(args)
	}
	if p.quake == nil {
		return fmt.Errorf("%s の前に quake の行が必要です。", key)
	}
	switch key {
	case "shake":
		levels, err := readLevels(args)
		p.quake.Shaking = append(p.quake.Shaking, levels...)
		return err
	case "city", "missing":
		return p.city(key, args)
	case "standard":
		return p.standard(args)
	case "cancel":
		if len(args) == 0 {
			return fmt.Errorf("cancel には取り消す電文の種類が必要です（例: cancel flash +10m）。")
		}
		return p.bulletin(args[0], args[1:], desk.Cancelled)
	}
	return p.bulletin(key, args, desk.Issued)
}

var scenarioName = regexp.MustCompile(`^[a-z0-9_-]{1,40}$`)

func (p *parser) header(args []string) error {
	if len(args) < 2 || !scenarioName.MatchString(args[0]) {
		return fmt.Errorf("scenario には名前（半角の英小文字と数字）と題が必要です。")
	}
	p.out.Name, p.out.Title = args[0], strings.Join(args[1:], " ")
	return nil
}

func (p *parser) setting(key string, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("%s に値がありません。", key)
	}
	switch key {
	case "mode":
		p.mode = desk.Mode(args[0])
		if !slices.Contains([]desk.Mode{desk.Live, desk.Drill, desk.Test}, p.mode) {
			return fmt.Errorf("mode %q は live, drill, test のどれでもありません。", args[0])
		}
	case "office":
		p.office = strings.Join(args, " ")
	case "date":
		if _, err := readClock(args[0], "00:00:00"); err != nil {
			return err
		}
		p.date = args[0]
	case "comment":
		return p.setComments(args)
	}
	return nil
}

func (p *parser) setComments(args []string) error {
	p.comments = nil
	if args[0] == "none" {
		return nil
	}
	for _, code := range args {
		if _, known := commentText[code]; !known {
			return fmt.Errorf("付加文コード %q の文が分かりません。", code)
		}
	}
	p.comments = slices.Clone(args)
	return nil
}

func (p *parser) startQuake(args []string) error {
	options, _, err := splitWords(args)
	if err != nil {
		return err
	}
	origin, err := readClock(p.date, options.take("at"))
	if err != nil {
		return err
	}
	q := &Quake{Origin: origin, ID: options.take("id")}
	if q.ID == "" {
		q.ID = origin.Add(detection).Format("20060102150405")
	}
	if err := checkEventID(q.ID); err != nil {
		return err
	}
	if slices.ContainsFunc(p.out.Quakes, func(other *Quake) bool { return other.ID == q.ID }) {
		return fmt.Errorf("EventID %s の地震は前の行にもあります。", q.ID)
	}
	var found bool
	if q.PlaceCode, q.Place, found = strings.Cut(options.take("place"), "/"); !found || q.Place == "" || !digits.MatchString(q.PlaceCode) {
		return fmt.Errorf("place は コード/震央地名 で書きます（例: place=390/石川県能登地方）。")
	}
	for _, key := range []string{"lat", "lon", "depth", "m"} {
		if options[key] == "" {
			return fmt.Errorf("quake に %s= がありません。", key)
		}
	}
	if q.Source, err = options.source(Source{}); err != nil {
		return err
	}
	if err := options.empty(); err != nil {
		return err
	}
	p.quake = q
	p.out.Quakes = append(p.out.Quakes, q)
	return nil
}

// detection is the usual time from the origin to the detection that names the EventID.
const detection = 6 * time.Second

var (
	digits  = regexp.MustCompile(`^[0-9]{1,10}$`)
	eventID = regexp.MustCompile(`^[0-9A-Za-z_]{1,40}$`)
)

func checkEventID(id string) error {
	if !eventID.MatchString(id) {
		return fmt.Errorf("EventID %q は半角の英数字で書きます。", id)
	}
	return nil
}

func (p *parser) city(key string, args []string) error {
	want := 3
	if key == "missing" {
		want = 2
	}
	if len(args) != want {
		return fmt.Errorf("%s は 細分区域 コード/市町村 の順に書きます。", key)
	}
	if err := checkLocalArea(args[0]); err != nil {
		return err
	}
	c := CityLevel{Area: args[0]}
	var found bool
	if c.Code, c.Name, found = strings.Cut(args[1], "/"); !found || c.Name == "" || len(c.Code) != 7 || !digits.MatchString(c.Code) {
		return fmt.Errorf("市町村は 7桁のコード/名前 で書きます（例: 1738400/志賀町）。")
	}
	if key == "missing" {
		p.quake.Missing = append(p.quake.Missing, c)
		return nil
	}
	level, stations, err := readCount(args[2])
	if err != nil {
		return err
	}
	if c.Intensity = desk.ParseIntensity(level); c.Intensity == desk.IntensityUnknown {
		return fmt.Errorf("震度 %q は読めません。", level)
	}
	c.Stations = stations
	p.quake.Cities = append(p.quake.Cities, c)
	return nil
}

// standard writes the telegrams that follow an ordinary earthquake, at the delays measured on real ones (feeds.md 1.5).
func (p *parser) standard(args []string) error {
	highest := maximum(p.quake.Shaking)
	if highest == desk.IntensityUnknown {
		return fmt.Errorf("standard の前に shake の行が必要です。")
	}
	report := "+182s"
	var lines [][]string
	if highest >= desk.Intensity5Lower {
		lines = append(lines, []string{string(EEW), "+10s", "n=1"})
		report = "+240s"
	}
	if highest >= desk.Intensity3 {
		lines = append(lines, []string{string(Flash), "+95s"})
	}
	lines = append(lines, []string{string(Report), report, "n=1"})
	for _, line := range lines {
		if err := p.bulletin(line[0], append(line[1:], args...), desk.Issued); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) bulletin(kind string, args []string, phase desk.Phase) error {
	b := Bulletin{
		Kind: Kind(kind), Quake: p.quake, Mode: p.mode, Office: p.office, Phase: phase,
		EventID: p.quake.ID, Comments: p.comments, Source: p.quake.Source, line: p.line,
	}
	if _, known := kinds[b.Kind]; !known && b.Kind != Repeat {
		return fmt.Errorf("%q という文は分かりません。", kind)
	}
	if len(p.out.Bulletins) >= maxBulletins {
		return fmt.Errorf("電文が多すぎます（上限は%d）。", maxBulletins)
	}
	options, words, err := splitWords(args)
	if err != nil {
		return err
	}
	if len(words) == 0 {
		return fmt.Errorf("%s に時刻がありません（例: +95s、16:11:57）。", kind)
	}
	if b.Press, err = p.press(words[0]); err != nil {
		return err
	}
	if err := p.contents(&b, words[1:], options); err != nil {
		return err
	}
	if err := b.apply(options); err != nil {
		return err
	}
	p.out.Bulletins = append(p.out.Bulletins, b)
	return nil
}

// press reads "+95s" as a delay after the origin, anything else as a clock time.
func (p *parser) press(word string) (time.Time, error) {
	delay, found := strings.CutPrefix(word, "+")
	if !found {
		return readClock(p.date, word)
	}
	d, err := time.ParseDuration(delay)
	if err != nil || d < 0 || d > longestDelay {
		return time.Time{}, fmt.Errorf("時間 %q は読めません（例: +95s、+1h2m）。", word)
	}
	return p.quake.Origin.Add(d).Truncate(time.Second), nil
}

// contents reads the list of a telegram, or takes that of the quake.
func (p *parser) contents(b *Bulletin, words []string, o options) error {
	var err error
	if b.Kind == TsunamiKey {
		if b.Tsunami, err = readTsunami(words); err == nil && len(b.Tsunami) == 0 && b.Phase != desk.Cancelled {
			err = fmt.Errorf("tsunami には津波予報区が必要です（例: warning:340,341）。")
		}
		return err
	}
	if b.Levels, err = readLevels(words); err != nil {
		return err
	}
	from := p.quake
	if id := o.take("like"); id != "" {
		i := slices.IndexFunc(p.out.Quakes, func(q *Quake) bool { return q.ID == id })
		if i < 0 {
			return fmt.Errorf("like=%s の地震は前の行にありません。", id)
		}
		from = p.out.Quakes[i]
	}
	if b.Phase == desk.Cancelled {
		return nil
	}
	return b.fill(from)
}

// fill completes the list from what the quake shook in the end.
func (b *Bulletin) fill(q *Quake) error {
	switch b.Kind {
	case Flash, EEW:
		if len(b.Levels) > 0 {
			break
		}
		floor := desk.Intensity3 // 震度速報 names areas of 3 and more
		if b.Kind == EEW {
			floor = desk.Intensity4 // a warning names areas of 4 and more
		}
		for _, l := range q.Shaking {
			if l.From >= floor {
				b.Levels = append(b.Levels, l)
			}
		}
		if len(b.Levels) == 0 {
			return fmt.Errorf("%s に載せる区域がありません（shake の行か、区域の一覧が必要です）。", b.Kind)
		}
	case Report:
		own := make(map[string]bool)
		for _, l := range b.Levels {
			own[l.Area] = true
		}
		for _, l := range q.Shaking {
			if !own[l.Area] {
				b.Levels = append(b.Levels, l)
			}
		}
	}
	return nil
}
