package dmdatatest

import (
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"strings"
	"time"

	"yagura/feeds/jma"
	"yagura/store/desk"
)

// telegram is one telegram as the service holds it.
type telegram struct {
	serial   int
	id       string
	packed   []byte
	raw      []byte
	head     head
	report   xmlReport
	received time.Time
	listed   bool // early warnings are not in the list (Telegram List v2)
}

type head struct {
	Type        string  `json:"type"`
	Author      string  `json:"author"`
	Time        string  `json:"time"`
	Designation *string `json:"designation"`
	Test        bool    `json:"test"`
	XML         *bool   `json:"xml,omitempty"`
}

type passing struct {
	Name string `json:"name"`
	Time string `json:"time"`
}

type schema struct {
	Type    string `json:"type"`
	Version string `json:"version"`
}

type dataFrame struct {
	Type           string    `json:"type"`
	Version        string    `json:"version"`
	ID             string    `json:"id"`
	OriginalID     string    `json:"originalId,omitempty"`
	Classification string    `json:"classification"`
	Passing        []passing `json:"passing"`
	Head           head      `json:"head"`
	XMLReport      xmlReport `json:"xmlReport"`
	Format         string    `json:"format"`
	Schema         *schema   `json:"schema,omitempty"`
	Compression    string    `json:"compression"`
	Encoding       string    `json:"encoding"`
	Body           string    `json:"body"`
}

// xmlReport reads what DMDATA repeats of Control and Head.
type xmlReport struct {
	Control struct {
		Title            string `json:"title" xml:"Title"`
		DateTime         string `json:"dateTime" xml:"DateTime"`
		Status           string `json:"status" xml:"Status"`
		EditorialOffice  string `json:"editorialOffice" xml:"EditorialOffice"`
		PublishingOffice string `json:"publishingOffice" xml:"PublishingOffice"`
	} `json:"control" xml:"Control"`
	Head struct {
		Title           string  `json:"title" xml:"Title"`
		ReportDateTime  string  `json:"reportDateTime" xml:"ReportDateTime"`
		TargetDateTime  string  `json:"targetDateTime" xml:"TargetDateTime"`
		EventID         *string `json:"eventId" xml:"EventID"`
		Serial          *string `json:"serial" xml:"Serial"`
		InfoType        string  `json:"infoType" xml:"InfoType"`
		InfoKind        string  `json:"infoKind" xml:"InfoKind"`
		InfoKindVersion string  `json:"infoKindVersion" xml:"InfoKindVersion"`
		Headline        *string `json:"headline" xml:"Headline>Text"`
	} `json:"head" xml:"Head"`
}

// take reads an envelope into what the service would hold of it.
func take(env desk.Envelope, serial int, now time.Time) telegram {
	t := telegram{serial: serial, raw: env.Raw, received: now}
	if err := xml.Unmarshal(env.Raw, &t.report); err != nil {
		t.report.Control.Status = "通常" // the body is garbage on purpose
	}
	t.packed = pack(env.Raw)
	t.id = idOf(t.packed)
	yes := true
	t.head = head{
		Type: jma.TypeOf(strings.TrimSpace(t.report.Control.Title), env.Name), Author: "RJTD",
		Time: stamp(now.Truncate(time.Minute)), Test: t.report.Control.Status != "通常", XML: &yes,
	}
	t.listed = !strings.HasPrefix(t.classification(), "eew.")
	return t
}

// pack is gzip without a time, so that one telegram has one id.
func pack(raw []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(raw)
	z.Close()
	return b.Bytes()
}

// idOf is the id of the reference: SHA-384 of the body after base64 and before unpacking.
func idOf(packed []byte) string {
	sum := sha512.Sum384(packed)
	return hex.EncodeToString(sum[:])
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func (t *telegram) classification() string {
	switch {
	case t.head.Type == "VXSE42" || t.head.Type == "VXSE44" || t.head.Type == "VXSE45":
		return "eew.forecast"
	case t.head.Type == "VXSE43":
		return "eew.warning"
	case strings.HasPrefix(t.head.Type, "VX") && t.head.Type != "VXWW50", strings.HasPrefix(t.head.Type, "VT"), strings.HasPrefix(t.head.Type, "VY"), strings.HasPrefix(t.head.Type, "VZSE"):
		return "telegram.earthquake"
	case strings.HasPrefix(t.head.Type, "VF"), strings.HasPrefix(t.head.Type, "VZVO"):
		return "telegram.volcano"
	}
	return "telegram.weather"
}

// frame is the data frame of the telegram as JMA wrote it.
func (t *telegram) frame(now time.Time) []byte {
	return marshal(dataFrame{
		Type: "data", Version: "2.0", ID: t.id, Classification: t.classification(),
		Passing: []passing{{"socket-03", stamp(t.received)}, {"ires-14", stamp(t.received)}, {"websocket-01", stamp(now)}},
		Head:    t.head, XMLReport: t.report, Format: "xml",
		Compression: "gzip", Encoding: "base64", Body: base64.StdEncoding.EncodeToString(t.packed),
	})
}

// conversion is the data frame of DMDATA's JSON conversion of the telegram: an id of its own, the XML's in originalId.
func (t *telegram) conversion(now time.Time) []byte {
	packed := pack([]byte(`{"_originalId":"` + t.id + `"}`))
	head := t.head
	head.XML = nil
	return marshal(dataFrame{
		Type: "data", Version: "2.0", ID: idOf(packed), OriginalID: t.id, Classification: t.classification(),
		Passing: []passing{{"socket-03", stamp(t.received)}, {"json-04", stamp(now)}, {"websocket-01", stamp(now)}},
		Head:    head, XMLReport: t.report, Format: "json", Schema: &schema{"earthquake-information", "1.1.0"},
		Compression: "gzip", Encoding: "base64", Body: base64.StdEncoding.EncodeToString(packed),
	})
}

func marshal(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // every value here is made of strings
	}
	return text
}
