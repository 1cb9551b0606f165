// Package jma reads 気象庁防災情報XML telegrams into desk.Telegram.
package jma

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"yagura/feeds"
	"yagura/store/desk"
)

// MaxBytes is the largest telegram that is read. Real ones reach 548 kB (VPWW54; feeds.md 9).
const MaxBytes = 4 << 20

// Parse reads one telegram. It is pure: no clock, no file, no network.
//
// A title, a code or a body that this build does not know is no error: what can be read is read, and Surprise says what was not
// known. The result always carries the envelope and the digest, also when the error says why the rest could not be read
// (law 1: what cannot be parsed is shown, never dropped). Every error is of kind desk.Invalid.
func Parse(env desk.Envelope) (desk.Telegram, error) {
	t := desk.Telegram{Envelope: env, Digest: feeds.Digest(env.Raw)}
	r, err := decode(env.Raw)
	if err != nil {
		return t, err
	}
	read := t
	if err := readEnvelope(&read, r); err != nil {
		return t, err
	}
	read.Type = TypeOf(read.Title, env.Name)
	read.Hazard = hazardOf(read.Type, r)
	surpriseOfTitle(&read)
	if err := readBody(&read, r); err != nil {
		return t, err
	}
	readPlaces(&read)
	return read, nil
}

func readBody(t *desk.Telegram, r *report) error {
	switch {
	case r.Seismology != nil:
		readSeismology(t, r)
	case r.Meteorology != nil:
		return readMeteorology(t.Raw, t)
	case r.Volcanology != nil:
		return readVolcanology(t.Raw, t)
	default:
		readUnknownBody(t)
	}
	return nil
}

const op = "jma.Parse"

func decode(raw []byte) (*report, error) {
	text := bytes.TrimSpace(feeds.TrimBOM(raw))
	switch {
	case len(text) == 0:
		return nil, desk.Errorf(desk.Invalid, op, "電文が空です。")
	case len(raw) > MaxBytes:
		return nil, desk.Errorf(desk.Invalid, op, "電文が大きすぎます（%dバイト。上限は%dバイト）。", len(raw), MaxBytes)
	case !utf8.Valid(text):
		return nil, desk.Errorf(desk.Invalid, op, "電文の文字コードがUTF-8ではありません。")
	case text[0] != '<':
		return nil, desk.Errorf(desk.Invalid, op, "XMLの電文ではありません。")
	case bytes.Contains(text, []byte("<!DOCTYPE")), bytes.Contains(text, []byte("<!ENTITY")):
		// JMA telegrams have no DTD. Refusing it here shuts out every entity bomb, before anything is expanded.
		return nil, desk.Errorf(desk.Invalid, op, "電文に文書型宣言（DTD）があります。読み取りません。")
	}
	d := xml.NewDecoder(bytes.NewReader(text))
	d.CharsetReader = utf8Only
	r := new(report)
	if err := d.Decode(r); err != nil {
		return nil, explain(err)
	}
	if err := onlySpaceLeft(d); err != nil {
		return nil, err
	}
	return r, nil
}

func utf8Only(charset string, _ io.Reader) (io.Reader, error) {
	return nil, desk.Errorf(desk.Invalid, op, "電文の文字コード宣言がUTF-8ではありません（%q）。", charset)
}

func explain(err error) error {
	var known *desk.Error
	var syntax *xml.SyntaxError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &syntax) && strings.Contains(syntax.Msg, "unexpected EOF"):
		return &desk.Error{Kind: desk.Invalid, Op: op, Msg: "電文が途中で切れています。", Err: err}
	case errors.As(err, &syntax):
		return &desk.Error{Kind: desk.Invalid, Op: op, Msg: "電文のXMLが壊れています。", Err: err}
	}
	return &desk.Error{Kind: desk.Invalid, Op: op, Msg: "気象庁防災情報XMLの電文として読めません。", Err: err}
}

func onlySpaceLeft(d *xml.Decoder) error {
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return explain(err)
		}
		switch token := token.(type) {
		case xml.Comment, xml.ProcInst:
			continue
		case xml.CharData:
			if len(bytes.TrimSpace(token)) == 0 {
				continue
			}
		}
		return desk.Errorf(desk.Invalid, op, "電文の終わりの後に余分な内容があります。")
	}
}

func readEnvelope(t *desk.Telegram, r *report) error {
	if len(r.Control) == 0 || len(r.Head) == 0 {
		return desk.Errorf(desk.Invalid, op, "電文の管理部（Control）またはヘッダ部（Head）がありません。")
	}
	if len(r.Control) > 1 || len(r.Head) > 1 {
		return desk.Errorf(desk.Invalid, op, "電文の管理部（Control）またはヘッダ部（Head）が二つ以上あります。")
	}
	c, h := &r.Control[0], &r.Head[0]
	var status, infoType, eventIDs string
	for _, f := range []struct {
		name string
		text []string
		into *string
	}{
		{"情報名称（Control/Title）", c.Title, &t.Title},
		{"運用種別（Control/Status）", c.Status, &status},
		{"編集官署名（Control/EditorialOffice）", c.EditorialOffice, &t.Office},
		{"標題（Head/Title）", h.Title, &t.HeadTitle},
		{"情報形態（Head/InfoType）", h.InfoType, &infoType},
		{"識別情報（Head/EventID）", h.EventID, &eventIDs},
		{"情報番号（Head/Serial）", h.Serial, &t.Serial},
	} {
		if err := single(f.name, f.text, f.into); err != nil {
			return err
		}
	}
	t.EventIDs = strings.Fields(eventIDs)
	t.Headline = trim(h.Headline)
	if t.Title == "" {
		return desk.Errorf(desk.Invalid, op, "情報名称（Control/Title）がありません。")
	}
	var ok bool
	// An unknown mode must not pass as live (law 4), so it is an error and not a guess.
	if t.Mode, ok = modes[status]; !ok {
		return desk.Errorf(desk.Invalid, op, "運用種別（Status）%q が分かりません。", clip(status))
	}
	if t.Phase, ok = phases[infoType]; !ok {
		return desk.Errorf(desk.Invalid, op, "情報形態（InfoType）%q が分かりません。", clip(infoType))
	}
	return readTimes(t, c, h)
}

// clip keeps a foreign text short enough for one line of the inbox, and on that line: an error must not carry megabytes.
func clip(s string) string {
	cut := strings.Map(oneLine, s[:min(len(s), 400)])
	if runes := []rune(cut); len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return cut
}

func oneLine(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}

// single reads an element that may stand once; it stays "" when there is none.
func single(name string, texts []string, into *string) error {
	if len(texts) > 1 {
		return desk.Errorf(desk.Invalid, op, "%sが%dつあります。どれが正しいか分かりません。", name, len(texts))
	}
	if len(texts) == 1 {
		*into = trim(texts[0])
	}
	return nil
}

var modes = map[string]desk.Mode{"通常": desk.Live, "訓練": desk.Drill, "試験": desk.Test}

var phases = map[string]desk.Phase{
	"発表": desk.Issued, "訂正": desk.Corrected, "遅延": desk.Delayed, "取消": desk.Cancelled,
}

func readTimes(t *desk.Telegram, c *control, h *head) error {
	for _, f := range []struct {
		name     string
		texts    []string
		into     *time.Time
		required bool
	}{
		{"発表時刻（Control/DateTime）", c.DateTime, &t.PressTime, true},
		{"報告時刻（Head/ReportDateTime）", h.ReportDateTime, &t.ReportTime, true},
		{"基点時刻（Head/TargetDateTime）", h.TargetDateTime, &t.TargetTime, false},
		{"失効時刻（Head/ValidDateTime）", h.ValidDateTime, &t.ValidUntil, false},
	} {
		var text string
		if err := single(f.name, f.texts, &text); err != nil {
			return err
		}
		if text == "" && !f.required {
			continue
		}
		when, ok := parseTime(text)
		if !ok {
			return desk.Errorf(desk.Invalid, op, "%s %q が読めません。", f.name, clip(text))
		}
		*f.into = when
	}
	return nil
}

// parseTime keeps the offset of the text. A year outside four digits cannot be written back as RFC 3339.
func parseTime(text string) (time.Time, bool) {
	when, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, false
	}
	return when, true
}

// optionalTime is for body times: one that cannot be read is absent, the telegram stays readable.
func optionalTime(text string) time.Time {
	when, _ := parseTime(trim(text))
	return when
}

// trim drops blanks of both widths: samples carry values such as "4 " (feeds.md 9).
func trim(s string) string { return strings.TrimSpace(s) }
