package jalert

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"yagura/store/desk"
)

// notice is what was read from the words of a text, whichever door it came by.
type notice struct {
	kind       desk.MissileKind
	mode       desk.Mode
	phase      desk.Phase
	title      string // the text's own heading, as written
	headline   string // the sentence that says it, as folded
	serial     string
	issuedAt   time.Time
	expectedAt time.Time
	happenedAt time.Time // launch, impact or passage as told
	areas      []desk.MissileArea
	addressed  []desk.MissileArea // everybody named anywhere
	removed    []desk.MissileArea // named as wrong
	place      string
	supersedes string
	drillWords []string
	surprise   string
}

// ParseText reads a notice of Em-Net or an agency with the fixed wording of feeds.md 4.2. It is pure: no clock, no file, no network.
//
// The mode is live unless the text's own head says 訓練 or 試験; such words elsewhere are kept as DrillWords. The phase is 訂正 where the
// text corrects or takes back, 取消 only where it says 取消. An impact and its forecast bear the areas of the place they name, where
// they name one, else everybody addressed; Place lists every prefecture. Warned holds the same areas, those named as wrong as
// Lifted. The result carries the envelope and the digest also when an error says why the rest could not be read; every error
// is of kind desk.Invalid. // F3-1-o
func ParseText(env desk.Envelope) (desk.Telegram, error) {
	const op = "jalert.ParseText"
	t := telegram(env)
	text, err := decodeText(op, env.Raw)
	if err != nil {
		return t, err
	}
	if !isSubject(fold(text)) {
		return t, desk.Errorf(desk.Invalid, op, "国民保護に関する情報の文面として読めません。内容を直接確かめてください。")
	}
	fill(&t, understand(text, env.ReceivedAt))
	t.Type, t.Text = TypeText, strings.TrimSpace(text)
	return t, nil
}

// fill puts a notice into the shape of every telegram.
func fill(t *desk.Telegram, n notice) {
	t.Title, t.HeadTitle, t.Headline = desk.MissileTitle, n.title, n.headline
	if t.HeadTitle == "" {
		t.HeadTitle = n.kind.Japanese()
	}
	t.Hazard, t.Mode, t.Phase, t.Serial = desk.Missile, n.mode, n.phase, n.serial
	t.PressTime, t.ReportTime, t.TargetTime = n.issuedAt, n.issuedAt, n.happenedAt
	t.Level = n.kind.Level()
	t.Place = prefecturesOf(n.areas, n.addressed, n.removed)
	t.Surprise = n.surprise
	t.Warned = append(warned(n, n.areas, false), warned(n, n.removed, true)...)
	t.Missile = &desk.MissileReport{
		Kind: n.kind, IssuedAt: n.issuedAt, ExpectedAt: n.expectedAt, Areas: n.areas, Place: n.place,
		Supersedes: n.supersedes, DrillWords: n.drillWords,
	}
}

func warned(n notice, areas []desk.MissileArea, gone bool) []desk.WarnedArea {
	var out []desk.WarnedArea
	for _, a := range areas {
		kind := desk.WarnedKind{Code: string(n.kind), Name: n.kind.Japanese(), Level: n.kind.Level(), Status: n.phase.Japanese()}
		if gone {
			kind.Level, kind.Status, kind.Lifted = desk.LevelNone, "対象から除外", true
		}
		out = append(out, desk.WarnedArea{
			Code: jisCode(a.Prefecture), Name: a.Name(), Prefectures: []desk.Prefecture{a.Prefecture}, Kinds: []desk.WarnedKind{kind},
		})
	}
	return out
}

func jisCode(p desk.Prefecture) string { return string([]byte{'0' + byte(p)/10, '0' + byte(p)%10}) }

// understand reads the words of a notice.
func understand(text string, received time.Time) notice {
	l := layOut(fold(text))
	n := notice{mode: modeOf(l.headText()), phase: desk.Issued, drillWords: drillWords(l.folded), title: headingOf(text), serial: l.serial()}
	var claims []claim
	for _, s := range l.sentences {
		claims = append(claims, claimOf(s))
	}
	main, said := gravest(claims)
	n.kind, n.headline = main.kind, clip(main.sentence)
	n.phase = l.phase(claims)
	if !said {
		n.kind = desk.MissileOther
		n.surprise = "国民保護情報の種別が読み取れません。本文を確かめてください。"
	}
	readCorrection(&n, l, claims, said)
	readAreas(&n, l, main)
	readTimes(&n, l, main, received)
	if n.headline == "" && len(l.sentences) > 0 {
		n.headline = clip(l.sentences[0])
	}
	return n
}

// headingOf is the first line that is no time and no greeting, as written.
func headingOf(text string) string {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if m := titleLabel.FindStringSubmatch(fold(line)); m != nil {
			return clip(m[1])
		}
		if line == "" || strings.Contains(line, "。") && len([]rune(line)) > 40 {
			continue
		}
		if rest := datePattern.ReplaceAllString(clockPattern.ReplaceAllString(fold(line), ""), ""); strings.IndexFunc(rest, unicode.IsLetter) < 0 {
			continue
		}
		return clip(line)
	}
	return ""
}

// clip keeps a foreign text to one line of the inbox.
func clip(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > 120 {
		return string(runes[:119]) + "…"
	}
	return s
}

// readCorrection decides what a text that corrects is about: what it still claims, or nothing but the correction itself.
func readCorrection(n *notice, l *layout, claims []claim, said bool) {
	takesBack := slices.ContainsFunc(claims, func(c claim) bool { return c.negated && c.kind == "" })
	forecastGone := slices.ContainsFunc(claims, func(c claim) bool {
		return c.kind == desk.MissileLifted && c.negated && (strings.Contains(c.sentence, "なくな") || strings.Contains(c.sentence, "無くな"))
	})
	if !takesBack && !forecastGone && n.phase == desk.Issued {
		if !said && slices.ContainsFunc(claims, func(c claim) bool { return c.negated && !notYet.MatchString(c.sentence) }) { // 我が国には飛来しない
			n.kind, n.surprise = desk.MissileLifted, ""
		}
		return
	}
	if n.phase == desk.Issued {
		n.phase = desk.Corrected
	}
	n.supersedes = l.supersedes()
	// A passage, a lifting or nothing beside the correction: the correction is the news. A grave claim that still stands is.
	if !said || forecastGone && n.kind != desk.MissileImpact || n.kind == desk.MissileLifted || takesBack && n.kind == desk.MissilePass {
		n.kind, n.surprise = desk.MissileCorrected, ""
		for _, c := range claims {
			if c.negated {
				n.headline = clip(c.sentence)
			}
		}
	}
}

// readAreas finds whom the notice addresses and where something falls.
func readAreas(n *notice, l *layout, main claim) {
	n.addressed, n.removed = l.addressed()
	n.place = placeIn(main.sentence)
	there := areasIn(n.place)
	switch {
	case n.kind == desk.MissileCorrected:
		n.place = ""
		n.areas = l.corrected()
	case len(there) > 0 && (n.kind == desk.MissileForecast || n.kind == desk.MissileImpact):
		n.areas = there
	case n.kind == desk.MissileForecast || n.kind == desk.MissileImpact:
		n.areas = n.addressed
		if n.place != "" {
			n.surprise = "都道府県の分からない地名です: " + clip(n.place)
		}
	case n.kind == desk.MissileSeaFall:
	default:
		n.areas = n.addressed
	}
	if n.kind != desk.MissileImpact && n.kind != desk.MissileForecast {
		n.areas = without(n.areas, n.removed)
	}
	n.addressed = tidy(slices.Concat(n.addressed, there))
	if n.kind == desk.MissileImpact && n.surprise == "" && strings.Contains(n.place, "沖") && !homePlace.MatchString(n.place) {
		n.surprise = "領海の内か外か書かれていません: " + clip(n.place)
	}
	if nationwide.MatchString(l.listText) {
		n.surprise = "対象地域が全国と書かれています。"
	}
}

var nationwide = regexp.MustCompile(`全国|全都道府県|日本全域`)

func readTimes(n *notice, l *layout, main claim, received time.Time) {
	if n.issuedAt = l.issuedAt(received); !n.issuedAt.IsZero() {
		received = n.issuedAt // a text from the archive is read in its own time
	}
	at := timeIn(main.sentence, received)
	switch n.kind {
	case desk.MissileForecast:
		n.expectedAt = at
	case desk.MissileImpact, desk.MissilePass:
		n.expectedAt, n.happenedAt = at, at
	default:
		n.happenedAt = at
	}
}
