package jalert

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yagura/store/desk"
)

// envelopeXML is the shape of feeds.md 4.4 with our own content.
func envelopeXML(status, id, revision, infoType, text string, codes ...string) string {
	var areas strings.Builder
	for _, c := range codes {
		areas.WriteString("<commons:targetArea><commons:jisX0402>" + c + "</commons:jisX0402></commons:targetArea>")
	}
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="urn:soap:envelope"><SOAP-ENV:Body><publish xmlns="urn:soap.publiccommons.ne.jp">
<edxlde:EDXLDistribution xmlns:edxlde="urn:oasis:names:tc:emergency:EDXL:DE:1.0" xmlns:commons="urn:commons:edxl">
<edxlde:distributionID>d-1</edxlde:distributionID><edxlde:dateTimeSent>2030-04-01T08:04:10+09:00</edxlde:dateTimeSent>
<edxlde:distributionStatus>%s</edxlde:distributionStatus>%s
<commons:contentObject><commons:documentID>%s</commons:documentID><commons:documentRevision>%s</commons:documentRevision>
<commons:category>CivilProtection</commons:category><edxlde:xmlContent><edxlde:embeddedXMLContent>
<Report xmlns="urn:pcxml1:3" xmlns:ib="urn:pcxml1:informationBasis3">
<ib:Head><ib:Title>国民保護に関する情報</ib:Title><ib:InfoType>%s</ib:InfoType><ib:Headline><ib:Text>%s</ib:Text></ib:Headline></ib:Head></Report>
</edxlde:embeddedXMLContent></edxlde:xmlContent></commons:contentObject></edxlde:EDXLDistribution></publish></SOAP-ENV:Body></SOAP-ENV:Envelope>`,
		status, areas.String(), id, revision, infoType, text)
}

const impactText = "ミサイル落下。ミサイルが、８時０３分頃、青森県青森市周辺に落下したものとみられます。"

func TestEDXL(t *testing.T) {
	for _, c := range []struct {
		name                   string
		status, infoType, text string
		codes                  []string
		kind                   desk.MissileKind
		mode                   desk.Mode
		phase                  desk.Phase
		areas                  string
	}{
		{"impact", "Actual", "発表", impactText, []string{"010006", "020001"}, desk.MissileImpact, desk.Live, desk.Issued, "青森県（青森市）"},
		{"call", "Actual", "発表", "ミサイル発射。ミサイル発射。", []string{"010006", "133612", "134210"}, desk.MissileLaunch, desk.Live, desk.Issued, "北海道 東京都（大島町） 東京都（小笠原村）"},
		{"impact without words of place", "Actual", "発表", "ミサイル落下。ミサイル落下。", []string{"050008"}, desk.MissileImpact, desk.Live, desk.Issued, "秋田県"},
		{"drill", "Exercise", "発表", impactText, nil, desk.MissileImpact, desk.Drill, desk.Issued, "青森県（青森市）"},
		{"test", "Test", "発表", impactText, nil, desk.MissileImpact, desk.Test, desk.Issued, "青森県（青森市）"},
		{"system", "System", "発表", impactText, nil, desk.MissileImpact, desk.Test, desk.Issued, "青森県（青森市）"},
		{"withdrawn", "Actual", "取消", "ミサイル発射。", []string{"010006"}, desk.MissileLaunch, desk.Live, desk.Cancelled, "北海道"},
		{"corrected", "Actual", "訂正", "ミサイル発射。", []string{"010006"}, desk.MissileLaunch, desk.Live, desk.Corrected, "北海道"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := envelopeXML(c.status, "doc-7", "3", c.infoType, c.text, c.codes...)
			if Sniff([]byte(raw)) != FormatEDXL {
				t.Error("not sniffed")
			}
			tg, err := ParseEDXL(desk.Envelope{Raw: []byte(raw), ReceivedAt: jst("2030-04-01 08:05")})
			if err != nil {
				t.Fatal(err)
			}
			m := tg.Missile
			if m.Kind != c.kind || tg.Mode != c.mode || tg.Phase != c.phase || namesOf(m.Areas) != c.areas {
				t.Errorf("%s %s %s %q", m.Kind, tg.Mode, tg.Phase, namesOf(m.Areas))
			}
			if len(tg.EventIDs) != 1 || tg.EventIDs[0] != "doc-7" || tg.Serial != "3" || tg.Type != TypeEDXL || !tg.PressTime.Equal(time.Date(2030, 3, 31, 23, 4, 10, 0, time.UTC)) {
				t.Errorf("head %v %q %q %v", tg.EventIDs, tg.Serial, tg.Type, tg.PressTime)
			}
		})
	}
}

func TestEDXLSays(t *testing.T) {
	live := envelopeXML("Actual", "doc", "1", "発表", impactText+"これは訓練です。", "019999")
	tg, err := ParseEDXL(desk.Envelope{Raw: []byte(live)})
	if err != nil || tg.Mode != desk.Live || !tg.Missile.DeclaresDrill() || !strings.Contains(tg.Surprise, "地域コード") {
		t.Errorf("%v %s %+v %q", err, tg.Mode, tg.Missile, tg.Surprise)
	}
	other := strings.ReplaceAll(envelopeXML("Actual", "doc", "1", "発表", "避難指示を発令しました。", "022012"), "国民保護に関する情報", "避難情報")
	other = strings.ReplaceAll(other, "CivilProtection", "EvacuationOrder")
	if tg, err = ParseEDXL(desk.Envelope{Raw: []byte(other)}); err != nil || tg.Hazard != desk.OtherKind || tg.Missile != nil || tg.Surprise == "" {
		t.Errorf("another item: %v %s %q", err, tg.Hazard, tg.Surprise)
	}
	for name, raw := range map[string]string{
		"empty": "", "cut": live[:len(live)/2], "no status": strings.ReplaceAll(live, "Actual", ""), "unknown status": strings.ReplaceAll(live, "Actual", "Real"),
		"DTD": "<!DOCTYPE x><alert/>", "another root": "<html/>", "deep": strings.Repeat("<a>", 200), "Shift_JIS": "<alert>\x8d\x91</alert>",
	} {
		tg, err := ParseEDXL(desk.Envelope{Raw: []byte(raw)})
		if desk.KindOf(err) != desk.Invalid || desk.Message(err) == "" || tg.Digest == [32]byte{} {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCAP(t *testing.T) {
	const alert = `<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>cap-1</identifier><sender>duty.example</sender>
<sent>2030-04-01T08:04:10+09:00</sent><status>Exercise</status><msgType>Alert</msgType><scope>Restricted</scope>
<info><category>Security</category><event>ミサイル発射情報</event><headline>ミサイル発射。</headline>
<area><areaDesc>北海道、青森県</areaDesc></area><area><areaDesc>秋田県</areaDesc></area></info></alert>`
	tg, err := ParseEDXL(desk.Envelope{Raw: []byte(alert)})
	if err != nil || tg.Mode != desk.Drill || tg.Missile.Kind != desk.MissileLaunch || namesOf(tg.Missile.Areas) != "北海道 青森県 秋田県" || tg.EventIDs[0] != "cap-1" {
		t.Errorf("%v %s %+v %v", err, tg.Mode, tg.Missile, tg.EventIDs)
	}
	// An alert inside an envelope can make it less than live, never more.
	for outer, want := range map[string]desk.Mode{"Actual": desk.Drill, "Test": desk.Test} {
		wrapped := `<EDXLDistribution><distributionStatus>` + outer + `</distributionStatus><contentObject>` + alert + `</contentObject></EDXLDistribution>`
		if tg, err := ParseEDXL(desk.Envelope{Raw: []byte(wrapped)}); err != nil || tg.Mode != want {
			t.Errorf("%s outside: %v %s", outer, err, tg.Mode)
		}
	}
	cancel := strings.ReplaceAll(strings.ReplaceAll(alert, "Exercise", "Actual"), "<msgType>Alert", "<references>duty.example,cap-0,2030-04-01T08:00:00+09:00</references><msgType>Cancel")
	if tg, err := ParseEDXL(desk.Envelope{Raw: []byte(cancel)}); err != nil || tg.Phase != desk.Cancelled || !strings.Contains(tg.Missile.Supersedes, "cap-0") {
		t.Errorf("%v %s %+v", err, tg.Phase, tg.Missile)
	}
}

func TestCheckDigits(t *testing.T) {
	for code, want := range map[string]string{
		"010006": "北海道", "020001": "青森県", "130001": "東京都", "470007": "沖縄県", "133612": "東京都（大島町）", "134210": "東京都（小笠原村）",
		"022012": "青森県（市区町村コード02201）", "01000": "北海道", "134015": "東京都（八丈町）",
	} {
		if a, ok := areaOfCode(code); !ok || a.Name() != want {
			t.Errorf("%s: %q %v", code, a.Name(), ok)
		}
	}
	for _, code := range []string{"", "010005", "480000", "000000", "01000a", "0100066"} {
		if a, ok := areaOfCode(code); ok {
			t.Errorf("%s was taken for %s", code, a.Name())
		}
	}
}

// sharedFile finds the facts, which are no part of the project.
func sharedFile(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("YAGURA_SHARED")
	for dir, _ := os.Getwd(); root == "" && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "shared", "jma")); err == nil {
			root = filepath.Join(dir, "shared")
		}
	}
	path := filepath.Join(root, "jma", name)
	if _, err := os.Stat(path); root == "" || err != nil {
		t.Skipf("the facts are not here (set YAGURA_SHARED): %s", name)
	}
	return path
}

func TestTheSharedEnvelope(t *testing.T) {
	raw, err := os.ReadFile(sharedFile(t, "lalert/synthetic_envelope.xml"))
	if err != nil {
		t.Fatal(err)
	}
	tg, err := ParseEDXL(desk.Envelope{Raw: raw})
	if err != nil || tg.Mode != desk.Drill || tg.Missile.Kind != desk.MissileLaunch || namesOf(tg.Missile.Areas) != "北海道" || tg.Serial != "1" || tg.HeadTitle != "（架空）国民保護に関する情報" {
		t.Errorf("%v %s %+v %q %q", err, tg.Mode, tg.Missile, tg.Serial, tg.HeadTitle)
	}
}

// TestSniffOverTheSharedTelegrams: every telegram of JMA and of P2PQuake goes to its own reader.
func TestSniffOverTheSharedTelegrams(t *testing.T) {
	for folder, want := range map[string]Format{"samples/*/*.xml": FormatJMA, "real/*/*.xml": FormatJMA, "p2pquake/converted/*.json": FormatP2P} {
		files, err := filepath.Glob(filepath.Join(filepath.Dir(sharedFile(t, "README.md")), folder))
		if err != nil || len(files) < 20 {
			t.Errorf("%s: %d files, %v", folder, len(files), err)
		}
		for _, name := range files {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if got := Sniff(raw); got != want {
				t.Errorf("%s: %s", name, got)
			}
		}
	}
}
