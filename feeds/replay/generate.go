package replay

import (
	"bytes"
	_ "embed"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"text/template"
	"time"

	"yagura/store/desk"
)

// FeedName is the Feed of every envelope of this package.
const FeedName = "replay"

// spec is what is fixed for a kind of telegram.
type spec struct {
	code, title, headTitle, infoKind, version string
}

var kinds = map[Kind]spec{
	EEW:        {"VXSE43", "緊急地震速報（警報）", "緊急地震速報（警報）", "緊急地震速報", "1.2_0"},
	Forecast:   {"VXSE45", "緊急地震速報（地震動予報）", "緊急地震速報（地震動予報）", "緊急地震速報", "1.2_0"},
	Flash:      {"VXSE51", "震度速報", "震度速報", "震度速報", "1.0_1"},
	Hypocenter: {"VXSE52", "震源に関する情報", "震源に関する情報", "震源速報", "1.0_1"},
	Report:     {"VXSE53", "震源・震度に関する情報", "震源・震度情報", "地震情報", "1.0_1"},
	Update:     {"VXSE61", "顕著な地震の震源要素更新のお知らせ", "顕著な地震の震源要素更新のお知らせ", "震源要素更新のお知らせ", "1.0_0"},
	TsunamiKey: {"VTSE41", "津波警報・注意報・予報a", "", "津波警報・注意報・予報", "1.0_1"},
}

// commentText holds the texts of the 付加文 codes a scenario may use (コード表 62).
var commentText = map[string]string{
	"0201": "強い揺れに警戒してください。",
	"0211": "津波警報等（大津波警報・津波警報あるいは津波注意報）を発表中です。",
	"0212": "この地震により、日本の沿岸では若干の海面変動があるかもしれませんが、被害の心配はありません。",
	"0215": "この地震による津波の心配はありません。",
	"0217": "今後の情報に注意してください。",
	"0241": "この地震について、緊急地震速報を発表しています。",
	"0242": "この地震について、緊急地震速報を発表しています。この地震の最大震度は２でした。",
	"0243": "この地震について、緊急地震速報を発表しています。この地震の最大震度は１でした。",
	"0244": "この地震について、緊急地震速報を発表しています。この地震で震度１以上は観測されていません。",
	"0256": "震源要素を訂正します。",
	"0262": "＊印は気象庁以外の震度観測点についての情報です。",
}

//go:embed telegram.xml.tmpl
var telegramTemplate string

// Envelopes writes the telegrams of the scenario in the order of their press times. ReceivedAt is the press time.
func (s Scenario) Envelopes() ([]desk.Envelope, error) {
	page, err := template.New("telegram").Funcs(template.FuncMap{"x": escape}).Parse(telegramTemplate)
	if err != nil {
		return nil, desk.Wrap(desk.Internal, "replay.Envelopes", err)
	}
	w := writer{page: page, warned: make(map[string]bool), tsunami: make(map[string]map[string]string)}
	written := make([]desk.Envelope, len(s.Bulletins))
	order := pressOrder(s.Bulletins)
	for n, i := range order {
		b := &s.Bulletins[i]
		if b.Kind == Repeat {
			continue
		}
		if written[i], err = w.write(b, n); err != nil {
			return nil, desk.Errorf(desk.Invalid, "replay.Envelopes", "シナリオの%d行目: 電文を作れません（%v）", b.line, err)
		}
	}
	out := make([]desk.Envelope, 0, len(order))
	for n, i := range order {
		if b := &s.Bulletins[i]; b.Kind == Repeat {
			if written[i], err = repeated(s.Bulletins, written, i, n); err != nil {
				return nil, err
			}
		}
		out = append(out, written[i])
	}
	return out, nil
}

func pressOrder(bulletins []Bulletin) []int {
	order := make([]int, len(bulletins))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return bulletins[a].Press.Compare(bulletins[b].Press) })
	return order
}

// repeated is the telegram of an earlier line as another path would bring it: a byte order mark and CR LF.
func repeated(bulletins []Bulletin, written []desk.Envelope, i, n int) (desk.Envelope, error) {
	for j := i - 1; j >= 0; j-- {
		if bulletins[j].Kind == Repeat {
			continue
		}
		e := written[j]
		e.Raw = append([]byte("\xef\xbb\xbf"), bytes.ReplaceAll(e.Raw, []byte("\n"), []byte("\r\n"))...)
		e.Name = fileName(bulletins[i].Press, n, kinds[bulletins[j].Kind].code)
		e.ReceivedAt = bulletins[i].Press
		return e, nil
	}
	return desk.Envelope{}, desk.Errorf(desk.Invalid, "replay.Envelopes", "シナリオの%d行目: repeat の前に電文がありません。", bulletins[i].line)
}

// writer remembers what later telegrams of the same event refer to.
type writer struct {
	page    *template.Template
	warned  map[string]bool              // EventIDs with an early warning: comment 0241
	tsunami map[string]map[string]string // EventID → area → Category code of the last telegram
}

func (w *writer) write(b *Bulletin, n int) (desk.Envelope, error) {
	var text bytes.Buffer
	if err := w.page.Execute(&text, w.view(b)); err != nil {
		return desk.Envelope{}, err
	}
	return desk.Envelope{
		Feed: FeedName, Name: fileName(b.Press, n, kinds[b.Kind].code), Raw: text.Bytes(), ReceivedAt: b.Press,
	}, nil
}

// fileName has the shape of the agency's own: press time in UTC, a running number, the type code, the office code.
func fileName(press time.Time, n int, code string) string {
	return fmt.Sprintf("%s_%d_%s_010000.xml", press.UTC().Format("20060102150405"), n, code)
}

func (w *writer) view(b *Bulletin) *view {
	k := kinds[b.Kind]
	v := &view{
		Title: k.title, HeadTitle: k.headTitle, InfoKind: k.infoKind, Version: k.version,
		Press:  b.Press.UTC().Format(time.RFC3339),
		Report: b.Press.Truncate(time.Minute).Format(time.RFC3339),
		Status: statusWord(b.Mode), Office: b.Office, EventID: b.EventID, InfoType: b.Phase.Japanese(), Serial: b.Serial,
	}
	if b.Kind == EEW || b.Kind == Forecast {
		v.Report = b.Press.Format(time.RFC3339) // early warnings are to the second
	}
	v.Target = v.Report
	if b.Kind == Flash {
		v.Target = detected(b.Quake).Truncate(time.Minute).Format(time.RFC3339)
	}
	if b.Phase == desk.Cancelled {
		if v.HeadTitle == "" {
			v.HeadTitle = v.Title
		}
		v.Headline = v.HeadTitle + "を取り消します。"
		v.Text = "先ほどの、" + v.HeadTitle + "を取り消します。"
	} else {
		w.contents(v, b)
	}
	if b.Mode == desk.Drill {
		v.Headline = "＊＊＊これは訓練です＊＊＊\n" + v.Headline
	}
	return v
}

// statusWord is the agency's word, which differs from the desk's for live.
func statusWord(m desk.Mode) string {
	if m == desk.Live {
		return "通常"
	}
	return m.Japanese()
}

func (w *writer) contents(v *view, b *Bulletin) {
	when := wide(detected(b.Quake).Format("2日15時04分"))
	comments := b.Comments
	switch b.Kind {
	case EEW, Forecast:
		v.early(b)
		if b.Kind == EEW {
			w.warned[b.EventID] = true
			v.Warning = commentOf([]string{"0201"})
		}
		return
	case Flash:
		v.Headline = when + "ころ、地震による強い揺れを感じました。震度３以上が観測された地域をお知らせします。"
		v.Observation = observe(b, false)
		v.Information = headlineOf("震度速報", v.Observation)
		comments = []string{"0217"}
	case Hypocenter:
		v.Headline = when + "ころ、地震がありました。"
		v.Earthquake = earthquakeOf(b)
	case Report:
		v.Headline = when + "ころ、地震がありました。"
		v.Earthquake = earthquakeOf(b)
		v.Observation = observe(b, true)
		v.Information = headlineOf("震源・震度に関する情報（細分区域）", v.Observation)
		v.Var = commentOf([]string{"0262"})
		if w.warned[b.EventID] && !slices.Contains(comments, "0241") {
			comments = append(slices.Clone(comments), "0241")
		}
	case Update:
		v.Headline = wide(b.Press.Format("2日15時04分")) + "をもって、地震の発生場所と規模を更新します。"
		v.Earthquake = earthquakeOf(b)
		return
	case TsunamiKey:
		w.tsunamiContents(v, b)
		return
	}
	v.Comment = commentOf(comments)
}

func commentOf(codes []string) *commentView {
	if len(codes) == 0 {
		return nil
	}
	texts := make([]string, len(codes))
	for i, code := range codes {
		texts[i] = commentText[code]
	}
	return &commentView{Codes: strings.Join(codes, " "), Text: strings.Join(texts, "\n")}
}

// detected is when the agency's system noticed the quake; headlines and 震度速報 speak of that minute.
func detected(q *Quake) time.Time { return q.Origin.Add(detection) }

func escape(s string) (string, error) {
	var b strings.Builder
	err := xml.EscapeText(&b, []byte(s))
	return b.String(), err
}

// wide writes ASCII digits, dots and signs in the full width that headlines use.
func wide(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '.' {
			return r - '.' + '．'
		}
		return r
	}, s)
}
