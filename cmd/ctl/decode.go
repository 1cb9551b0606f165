package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"yagura/feeds/jalert"
	"yagura/feeds/jma"
	"yagura/feeds/p2pquake"
	"yagura/store/desk"
)

// decodeCommand prints one JSON object a line for each telegram file.
type decodeCommand struct {
	Files []string `arg:"" name:"file" help:"電文のファイル。- は標準入力。"`
}

// decoded is one line of output. Values the telegram does not give are null or empty, never invented.
type decoded struct {
	File              string              `json:"file"`
	Type              string              `json:"type"`
	Title             string              `json:"title"`
	Mode              desk.Mode           `json:"mode"`
	Phase             desk.Phase          `json:"phase"`
	EventIDs          []string            `json:"event_ids"`
	Serial            string              `json:"serial"`
	PressTime         *string             `json:"press_time"`
	ReportTime        *string             `json:"report_time"`
	MaxIntensity      desk.Intensity      `json:"max_intensity"`
	ForecastIntensity *decodedRange       `json:"forecast_intensity"`
	Prefectures       []decodedPrefecture `json:"prefectures"`
	Areas             []decodedArea       `json:"areas"`
	Hypocenters       []decodedHypocenter `json:"hypocenters"`
	Tsunami           []decodedTsunami    `json:"tsunami"`
	Headline          string              `json:"headline"`

	Hazard           desk.Hazard        `json:"hazard"`
	Grade            string             `json:"grade"`
	Level            desk.Level         `json:"level"`
	ValidUntil       *string            `json:"valid_until"`
	Warned           []decodedWarned    `json:"warned"`
	EEW              *decodedEEW        `json:"eew"`
	Volcano          *decodedVolcano    `json:"volcano"`
	Typhoon          *decodedTyphoon    `json:"typhoon"`
	GiantQuake       *decodedGiant      `json:"giant_quake"`
	Notice           *decodedNotice     `json:"notice"`
	Missile          *decodedMissile    `json:"missile"`
	TsunamiObserved  []decodedStation   `json:"tsunami_observed"`
	TsunamiExpected  []decodedStation   `json:"tsunami_expected"`
	TsunamiEstimated []decodedEstimate  `json:"tsunami_estimated"`
	Counts           []decodedCount     `json:"counts"`
	LongPeriod       *decodedLongPeriod `json:"long_period"`
	Surprise         string             `json:"surprise"`
}

// decodedRange is a forecast; To is "over" for "From or more".
type decodedRange struct {
	From desk.Intensity `json:"from"`
	To   *string        `json:"to"`
}

// decodedPrefecture has the two-digit code of JIS X 0401, "01" to "47". In an early warning the intensity is the forecast's
// lower bound; in every telegram but those of earthquakes it is null.
type decodedPrefecture struct {
	Code      string         `json:"code"`
	Name      string         `json:"name"`
	Intensity desk.Intensity `json:"intensity"`
}

type decodedArea struct {
	Code      string         `json:"code"`
	Name      string         `json:"name"`
	Intensity desk.Intensity `json:"intensity"`
}

type decodedHypocenter struct {
	Name          string   `json:"name"`
	Code          string   `json:"code"`
	Lat           *float64 `json:"lat"`
	Lon           *float64 `json:"lon"`
	DepthKM       *float64 `json:"depth_km"`
	Magnitude     *float64 `json:"magnitude"`
	MagnitudeText string   `json:"magnitude_text"`
	OriginTime    *string  `json:"origin_time"`
}

type decodedTsunami struct {
	Code  string            `json:"code"`
	Name  string            `json:"name"`
	Grade desk.TsunamiGrade `json:"grade"`
}

// unreadable is the line of a file that could not be read.
type unreadable struct {
	File  string `json:"file"`
	Error string `json:"error"`
}

// Run prints a line for every file, in the order given. An unreadable one is a line with an error; the rest go on.
func (c *decodeCommand) Run(s *streams) error {
	out := bufio.NewWriter(s.out)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	var failed bool
	for _, file := range c.Files {
		var line any
		t, err := decodeFile(file, s.in)
		if err != nil {
			failed = true
			line = unreadable{File: file, Error: sentence(err)}
		} else {
			line = lineOf(file, &t)
		}
		if err := lines.Encode(line); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if failed {
		return errReported
	}
	return nil
}

func decodeFile(file string, stdin io.Reader) (desk.Telegram, error) {
	raw, err := readFile(file, stdin)
	if err != nil {
		return desk.Telegram{}, err
	}
	return understand(desk.Envelope{Feed: "file", Name: file, Raw: raw})
}

// understand chooses the reader by content, as the intake does. Text is read only where it has the wording of civil protection:
// anything else is a file that is no telegram.
func understand(env desk.Envelope) (desk.Telegram, error) {
	switch jalert.Sniff(env.Raw) {
	case jalert.FormatEDXL:
		return jalert.ParseEDXL(env)
	case jalert.FormatP2P:
		return p2pquake.Parse(env)
	case jalert.FormatText:
		if t, err := jalert.ParseText(env); err == nil && t.Missile != nil && t.Missile.Kind != desk.MissileOther {
			return t, nil
		}
	}
	return jma.Parse(env)
}

// readFile reads one byte more than the limit at most, so that a file of any size is refused without being held.
func readFile(file string, stdin io.Reader) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(io.LimitReader(stdin, jma.MaxBytes+1))
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, desk.Errorf(desk.Invalid, "decode", "ディレクトリは読めません。電文のファイルを指定してください。")
	}
	if info.Size() > jma.MaxBytes {
		return nil, desk.Errorf(desk.Invalid, "decode", "電文が大きすぎます（%dバイト。上限は%dバイト）。", info.Size(), jma.MaxBytes)
	}
	return io.ReadAll(io.LimitReader(f, jma.MaxBytes+1))
}

func sentence(err error) string {
	var known *desk.Error
	switch {
	case errors.As(err, &known):
		if known.Err != nil {
			return known.Msg + "（" + known.Err.Error() + "）"
		}
		return known.Msg
	case errors.Is(err, fs.ErrNotExist):
		return "ファイルがありません。"
	case errors.Is(err, fs.ErrPermission):
		return "ファイルを読む権限がありません。"
	}
	return "ファイルを読めません（" + err.Error() + "）。"
}

func lineOf(file string, t *desk.Telegram) decoded {
	d := decoded{
		File: file, Type: t.Type, Title: t.Title, Mode: t.Mode, Phase: t.Phase,
		EventIDs: append([]string{}, t.EventIDs...), Serial: t.Serial,
		PressTime: rfc3339(t.PressTime), ReportTime: rfc3339(t.ReportTime),
		MaxIntensity: t.MaxIntensity, ForecastIntensity: rangeOf(t.ForecastIntensity),
		Prefectures: prefecturesOf(t), Areas: []decodedArea{},
		Hypocenters: []decodedHypocenter{}, Tsunami: []decodedTsunami{},
		Headline: t.Headline,
	}
	for _, a := range t.Areas {
		d.Areas = append(d.Areas, decodedArea(a))
	}
	for _, h := range t.Hypocenters {
		d.Hypocenters = append(d.Hypocenters, decodedHypocenter{
			Name: h.Name, Code: h.Code, Lat: h.Lat, Lon: h.Lon, DepthKM: h.DepthKM,
			Magnitude: h.Magnitude, MagnitudeText: h.MagnitudeText, OriginTime: rfc3339(h.OriginTime),
		})
	}
	for _, a := range t.Tsunami {
		d.Tsunami = append(d.Tsunami, decodedTsunami{Code: a.Code, Name: a.Name, Grade: a.Grade})
	}
	d.fillKinds(t)
	return d
}

// jisCode is the two-digit code of JIS X 0401.
func jisCode(p desk.Prefecture) string { return fmt.Sprintf("%02d", p) }

func rangeOf(r *desk.IntensityRange) *decodedRange {
	if r == nil {
		return nil
	}
	d := &decodedRange{From: r.From}
	to := r.To.String()
	if r.Over {
		to = "over"
	}
	if to != "" {
		d.To = &to
	}
	return d
}

// rfc3339 writes a time with the offset it was given in; null for an absent one.
func rfc3339(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.Format(time.RFC3339)
	return &s
}
