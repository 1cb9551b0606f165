package jalert

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"yagura/feeds"
	"yagura/store/desk"
)

// ParseEDXL reads an EDXL-DE 1.0 envelope as Lアラート sends it (bare or inside SOAP), or a CAP 1.2 alert, bare or embedded.
//
// The real schema of the 国民保護 item is given only under contract (feeds.md 4.4), so the reader goes by local names, keeps every
// text it finds and says what it did not know. It is off by default: intake calls it only where its option EDXL is set.
// distributionStatus (CAP status) gives the mode and nothing but Actual is live; documentID is the EventID and documentRevision the
// Serial, so a later revision replaces an earlier one; a 取消 or Cancel withdraws. Every error is of kind desk.Invalid.
func ParseEDXL(env desk.Envelope) (desk.Telegram, error) {
	const op = "jalert.ParseEDXL"
	t := telegram(env)
	root, err := decodeXML(op, env.Raw)
	if err != nil {
		return t, err
	}
	e := envelopeOf(root)
	if e == nil {
		return t, desk.Errorf(desk.Invalid, op, "EDXLまたはCAPの電文ではありません。")
	}
	mode, ok := statuses[e.status]
	if !ok { // an unknown mode must not pass as live (law 4), so it is an error and not a guess
		return t, desk.Errorf(desk.Invalid, op, "運用種別（%s）が分かりません。", clip(e.status))
	}
	text := desk.CleanText(strings.Join(e.texts, "\n"), true)
	n := understand(text, env.ReceivedAt)
	n.mode, n.serial = mode, e.revision
	if at := e.sent; !at.IsZero() {
		n.issuedAt = at
	}
	e.apply(&n)
	fill(&t, n)
	t.Type, t.Text, t.Office = TypeEDXL, text, e.sender
	if e.id != "" {
		t.EventIDs = []string{e.id}
	}
	if e.title != "" {
		t.HeadTitle = clip(e.title)
	}
	if !e.civilProtection(text) {
		t.Hazard, t.Missile, t.Warned, t.Level = desk.OtherKind, nil, nil, desk.LevelNotice
		t.Title, t.Surprise = firstOf(e.title, e.category, "Lアラート"), "国民保護ではない項目です: "+clip(firstOf(e.category, e.title))
	}
	return t, nil
}

var statuses = map[string]desk.Mode{"Actual": desk.Live, "Exercise": desk.Drill, "System": desk.Test, "Test": desk.Test, "Draft": desk.Test}

// envelope is what the two formats have in common.
type envelope struct {
	status, kind           string // distributionStatus or status; distributionType or msgType
	id, revision, category string
	title, infoType        string
	sender, references     string
	sent                   time.Time
	codes                  []string // JIS X 0402, six digits with check digit
	areaNames              []string
	texts                  []string
}

func envelopeOf(root *element) *envelope {
	if d := root.first("EDXLDistribution"); d != nil {
		return distributionOf(d)
	}
	if a := root.first("alert"); a != nil {
		e := new(envelope)
		e.readCAP(a)
		return e
	}
	return nil
}

func distributionOf(d *element) *envelope {
	e := &envelope{
		status: d.value("distributionStatus"), kind: d.value("distributionType"), id: firstOf(d.value("documentID"), d.value("distributionID")),
		revision: d.value("documentRevision"), category: d.value("category"), sender: d.value("senderID"), sent: timeOf(d.value("dateTimeSent")),
	}
	for _, c := range d.all("jisX0402") {
		e.codes = append(e.codes, c.text())
	}
	if a := d.first("alert"); a != nil {
		// The outer status is the one both sides agreed on; an inner one may only make it less than live.
		outer := e.status
		e.readCAP(a)
		if statuses[outer] != desk.Live {
			e.status = outer
		}
	}
	if r := d.first("Report"); r != nil {
		e.readReport(r)
	}
	return e
}

func (e *envelope) readReport(r *element) {
	if head := r.first("Head"); head != nil {
		e.title, e.infoType = head.value("Title"), head.value("InfoType")
		if at := timeOf(head.value("ReportDateTime")); !at.IsZero() {
			e.sent = at
		}
	}
	r.walk(func(x *element) {
		switch x.name {
		case "documentID", "InfoType", "ReportDateTime", "TargetDateTime", "Code", "jisX0402":
		default:
			if s := x.text(); s != "" && len(x.children) == 0 && len(e.texts) < mostSentences {
				e.texts = append(e.texts, s)
			}
		}
	})
}

func (e *envelope) readCAP(a *element) {
	e.status, e.kind = a.value("status"), a.value("msgType")
	e.id, e.sender, e.references = firstOf(a.value("identifier"), e.id), a.value("sender"), a.value("references")
	if at := timeOf(a.value("sent")); !at.IsZero() {
		e.sent = at
	}
	info := a.first("info")
	if info == nil {
		return
	}
	e.category, e.title = firstOf(e.category, info.value("event")), firstOf(info.value("headline"), info.value("event"))
	for _, name := range []string{"headline", "event", "description", "instruction"} {
		if s := info.value(name); s != "" {
			e.texts = append(e.texts, s)
		}
	}
	for _, area := range info.all("area") {
		e.areaNames = append(e.areaNames, area.value("areaDesc"))
		for _, g := range area.all("geocode") {
			e.codes = append(e.codes, g.value("value"))
		}
	}
}

// apply puts what the envelope says over what its words say.
func (e *envelope) apply(n *notice) {
	switch {
	case e.kind == "Cancel", strings.Contains(e.infoType, "取消"), strings.Contains(e.infoType, "無効"):
		n.phase = desk.Cancelled
	case strings.Contains(e.infoType, "訂正"), e.kind == "Update" && n.kind == desk.MissileCorrected:
		n.phase = desk.Corrected
	}
	if e.references != "" {
		n.supersedes = clip(e.references)
	}
	var areas []desk.MissileArea
	for _, code := range e.codes {
		a, ok := areaOfCode(code)
		if !ok {
			n.surprise = "地域コードが読めません: " + clip(code)
			continue
		}
		areas = append(areas, a)
	}
	if len(areas) == 0 {
		for _, name := range e.areaNames {
			areas = append(areas, areaList(fold(name))...)
		}
	}
	areas = tidy(areas)
	n.addressed = tidy(append(n.addressed, areas...))
	if len(n.areas) == 0 || n.kind != desk.MissileForecast && n.kind != desk.MissileImpact {
		n.areas = areas
	}
}

// civilProtection tells the item from the many others that come by the same service (避難指示, 避難所 …).
func (e *envelope) civilProtection(text string) bool {
	return isSubject(fold(text+e.title)) || strings.Contains(e.category, "CivilProtection") || strings.Contains(strings.ToLower(e.category), "jalert")
}

// areaOfCode reads 全国地方公共団体コード (JIS X 0401 and 0402, six digits with a check digit, or five without): 010006 is all of 北海道.
func areaOfCode(code string) (desk.MissileArea, bool) {
	code = strings.TrimSpace(code)
	if len(code) != 5 && len(code) != 6 || strings.Trim(code, "0123456789") != "" {
		return desk.MissileArea{}, false
	}
	if len(code) == 6 && checkDigit(code[:5]) != code[5] {
		return desk.MissileArea{}, false
	}
	a := desk.MissileArea{Prefecture: desk.Prefecture((code[0]-'0')*10 + code[1] - '0')}
	if code[2:5] != "000" {
		a.Part = partOfCode(code[:5])
	}
	return a, a.Prefecture.Valid()
}

// checkDigit is the sixth digit: 11 less the weighted sum modulo 11, its last digit (総務省).
func checkDigit(five string) byte {
	sum := 0
	for i := range 5 {
		sum += int(five[i]-'0') * (6 - i)
	}
	return '0' + byte((11-sum%11)%10)
}

// partOfCode names the nine municipalities of 東京都島しょ部, whose people must not be taken for all of Tokyo; others stay a code.
func partOfCode(five string) string {
	switch five {
	case "13361":
		return "大島町"
	case "13362":
		return "利島村"
	case "13363":
		return "新島村"
	case "13364":
		return "神津島村"
	case "13381":
		return "三宅村"
	case "13382":
		return "御蔵島村"
	case "13401":
		return "八丈町"
	case "13402":
		return "青ヶ島村"
	case "13421":
		return "小笠原村"
	}
	return "市区町村コード" + five
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func timeOf(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.Year() < 2000 || at.Year() > 2199 {
		return time.Time{}
	}
	return at.UTC()
}

// element is a small tree by local names: the envelope mixes five namespaces and the contract may bring others.
type element struct {
	name     string
	children []*element
	chars    strings.Builder
}

// Bounds of the tree; a real envelope has some hundred elements, at most a dozen deep.
const (
	mostElements = 20_000
	mostDepth    = 64
)

func decodeXML(op string, raw []byte) (*element, error) {
	text := bytes.TrimSpace(feeds.TrimBOM(raw))
	switch {
	case len(text) == 0:
		return nil, desk.Errorf(desk.Invalid, op, "電文が空です。")
	case len(raw) > MaxBytes:
		return nil, desk.Errorf(desk.Invalid, op, "電文が大きすぎます（%dバイト。上限は%dバイト）。", len(raw), MaxBytes)
	case !utf8.Valid(text):
		return nil, desk.Errorf(desk.Invalid, op, "電文の文字コードがUTF-8ではありません。")
	case bytes.Contains(text, []byte("<!DOCTYPE")), bytes.Contains(text, []byte("<!ENTITY")):
		return nil, desk.Errorf(desk.Invalid, op, "電文に文書型宣言（DTD）があります。読み取りません。")
	}
	d := xml.NewDecoder(bytes.NewReader(text))
	d.CharsetReader = func(string, io.Reader) (io.Reader, error) {
		return nil, desk.Errorf(desk.Invalid, op, "電文の文字コード宣言がUTF-8ではありません。")
	}
	root := new(element)
	if err := root.read(d); err != nil {
		return nil, &desk.Error{Kind: desk.Invalid, Op: op, Msg: "電文のXMLが壊れています。", Err: err}
	}
	return root, nil
}

func (e *element) read(d *xml.Decoder) error {
	path, count := []*element{e}, 0
	for {
		token, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		top := path[len(path)-1]
		switch token := token.(type) {
		case xml.StartElement:
			if count++; count > mostElements || len(path) > mostDepth {
				return io.ErrShortBuffer
			}
			child := &element{name: token.Name.Local}
			top.children = append(top.children, child)
			path = append(path, child)
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			top.chars.Write(token)
		}
	}
}

func (e *element) text() string { return strings.TrimSpace(e.chars.String()) }

func (e *element) walk(see func(*element)) {
	see(e)
	for _, c := range e.children {
		c.walk(see)
	}
}

func (e *element) all(name string) []*element {
	var out []*element
	e.walk(func(x *element) {
		if x.name == name {
			out = append(out, x)
		}
	})
	return out
}

// first finds the element nearest to the root in the order of the document.
func (e *element) first(name string) *element {
	if found := e.all(name); len(found) > 0 {
		return found[0]
	}
	return nil
}

func (e *element) value(name string) string {
	if x := e.first(name); x != nil {
		return x.text()
	}
	return ""
}
