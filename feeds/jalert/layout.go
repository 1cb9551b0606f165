package jalert

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"yagura/store/desk"
)

// layout is a folded text put in order: the lines of its head, its sentences without blanks, its labelled fields.
type layout struct {
	folded    string
	head      []string // lines before the first that ends a sentence
	sentences []string
	fields    []field // 対象地域：…, 発表時刻：…
	listText  string  // what stands in the lists of areas
	lists     []string
}

type field struct{ label, value string }

var (
	labelLine  = regexp.MustCompile(`^[■◆○●・▼*\-【\[<(\s]*([^:】\]>)\d]{1,14})[】\]>)]*\s*:\s*(.*)$`)
	labelAlone = regexp.MustCompile(`^[■◆○●・▼*\-【\[<(\s]*(対象地域|対象都道府県|避難対象地域|避難の対象|対象の地域|対象)[】\]>)]*\s*(は、?)?$`)
	titleLabel = regexp.MustCompile(`^(?:件名|標題|タイトル|Subject)\s*:\s*(.+)$`)
	signature  = regexp.MustCompile(`〒|電話|TEL|Tel|FAX|問い?合わ?せ|千代田区|発信元|発信者|送信者|差出人|From:|担当`)
	areaLabel  = regexp.MustCompile(`対象|地域|都道府県|避難先|^正$`)
	timeLabel  = regexp.MustCompile(`(発表|発信|送信|発令|配信|作成|発出)(日時|時刻|時間|日)?$|^(日時|時刻)$`)
	known      = regexp.MustCompile(`対象|地域|都道府県|発表|発信|送信|発令|配信|発出|日時|時刻|件名|標題|Subject|種別|区分|番号|宛先|差出人|From|^正$|^誤$|状態|運用`)
)

// layOut reads line by line. A wrapped sentence is put together again; a blank line, a label or a bullet begins a new one.
func layOut(folded string) *layout {
	l := &layout{folded: folded}
	var block strings.Builder
	flush := func() {
		l.addSentences(block.String())
		block.Reset()
	}
	inList, begun := false, false
	for line := range strings.Lines(folded) {
		line = strings.TrimSpace(line)
		label := labelLine.FindStringSubmatch(line)
		if label != nil && !known.MatchString(label[1]) {
			label = nil
		}
		switch {
		case line == "":
			flush()
			inList = false
		case label != nil:
			flush()
			inList = l.addField(strings.TrimSpace(label[1]), label[2])
			begun = begun || strings.Contains(label[2], "。")
		case labelAlone.MatchString(line):
			flush()
			inList = true
		case inList && !strings.Contains(line, "。") || isAreaList(line):
			l.addList(line)
		default:
			inList = false
			if !begun && !strings.Contains(line, "。") {
				l.head = append(l.head, line)
			}
			begun = begun || strings.Contains(line, "。")
			if strings.HasPrefix(line, "・") || strings.HasPrefix(line, "■") || strings.HasPrefix(line, "※") || signature.MatchString(line) {
				flush()
			}
			if signature.MatchString(line) && !strings.Contains(line, "。") {
				continue
			}
			block.WriteString(line)
			if !begun {
				l.headSentence(&block, line)
			}
		}
	}
	flush()
	return l
}

// headSentence ends a heading as a sentence of its own, unless it looks wrapped: a sentence broken before its 。.
func (l *layout) headSentence(block *strings.Builder, line string) {
	runes := []rune(line)
	last := runes[len(runes)-1]
	if len(runes) >= 12 && (last == '、' || unicode.In(last, unicode.Hiragana) || strings.Contains(line, "、")) {
		return
	}
	l.addSentences(block.String())
	block.Reset()
}

// addField keeps a labelled line; it reports whether what follows belongs to a list of areas.
func (l *layout) addField(label, value string) bool {
	l.fields = append(l.fields, field{label, value})
	switch {
	case areaLabel.MatchString(label):
		l.addList(value)
		return !strings.Contains(value, "。")
	case strings.Contains(value, "。"), drillWord.MatchString(value), label == "件名", label == "標題":
		l.addSentences(value)
	}
	return false
}

func (l *layout) addList(text string) {
	l.lists = append(l.lists, text)
	l.listText += text + "、"
}

// addSentences splits at 。 outside quotes and drops blanks.
func (l *layout) addSentences(text string) {
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
	depth, start := 0, 0
	for i, r := range text {
		switch r {
		case '「', '『':
			depth++
		case '」', '』':
			depth = max(0, depth-1)
		case '。', '!':
			if depth == 0 || i-start > 600 {
				l.addSentence(text[start:i])
				start, depth = i+len(string(r)), 0
			}
		}
	}
	l.addSentence(text[start:])
}

// mostSentences bounds the work on a text made to be long.
const mostSentences = 300

func (l *layout) addSentence(s string) {
	if s != "" && len(l.sentences) < mostSentences {
		l.sentences = append(l.sentences, s)
	}
}

// headText is what the text says of itself before it begins: its heading, its labels of kind, and opening sentences that are nothing
// but a declaration (これは、訓練です。).
func (l *layout) headText() string {
	var b strings.Builder
	for i, line := range l.head {
		if i == 8 {
			break
		}
		b.WriteString(line + "\n")
	}
	for _, f := range l.fields {
		if strings.Contains(f.label, "種別") || strings.Contains(f.label, "区分") || strings.Contains(f.label, "件名") || strings.Contains(f.label, "状態") ||
			strings.Contains(f.label, "運用") || strings.Contains(f.label, "標題") || f.label == "Subject" {
			b.WriteString(f.value + "\n")
		}
	}
	for i, s := range l.sentences {
		if i == 8 || !opening.MatchString(s) {
			break
		}
		b.WriteString(s + "\n")
	}
	return b.String()
}

var opening = regexp.MustCompile(`^.{0,30}(これは、?.{0,12}(訓練|試験|テスト|演習)|(訓練|試験|テスト|演習)(です|放送|電文|配信|$)|^[【\[(][^】\])]{0,10}(訓練|試験|テスト|演習))|^(こちらは|国民保護に関する情報).{0,30}$`)

// phase: 取消 only where the text says so of itself; whatever corrects is a 訂正.
func (l *layout) phase(claims []claim) desk.Phase {
	phase := desk.Issued
	for _, s := range slices.Concat(l.head, l.sentences) {
		own := quoted.ReplaceAllString(s, "")
		switch {
		case lifting.MatchString(own): // 避難の呼びかけの取消 is a lifting
		case withdraws.MatchString(own):
			return desk.Cancelled
		case corrects.MatchString(own):
			phase = desk.Corrected
		}
	}
	for _, f := range l.fields {
		switch {
		case f.label == "正" || f.label == "誤", strings.Contains(f.value, "訂正"):
			phase = desk.Corrected
		case strings.Contains(f.label, "種別") && strings.Contains(f.value, "取消"):
			return desk.Cancelled
		}
	}
	return phase
}

// addressed lists everybody the text names and everybody it names as wrong. Lists count first; without any, every sentence does.
func (l *layout) addressed() (areas, removed []desk.MissileArea) {
	for _, list := range l.lists {
		areas = append(areas, areaList(list)...)
	}
	for _, f := range l.fields {
		if f.label == "誤" {
			removed = append(removed, areaList(f.value)...)
		}
	}
	listed := len(areas) > 0
	for _, s := range l.sentences {
		if m := changes.FindStringSubmatch(s); m != nil && corrects.MatchString(s) {
			removed, areas = append(removed, areasIn(m[1])...), append(areas, areasIn(m[2])...)
			continue
		}
		c := claimOf(s)
		switch {
		case corrects.MatchString(l.folded) && strings.Contains(s, "ではなく"):
			before, after, _ := strings.Cut(s, "ではなく")
			removed, areas = append(removed, areasIn(before)...), append(areas, areasIn(after)...)
		case strings.Contains(s, "正しくは"):
			before, after, _ := strings.Cut(s, "正しくは")
			removed, areas = append(removed, areasIn(before)...), append(areas, areasIn(after)...)
		case corrects.MatchString(s) && excludes.MatchString(s), excludes.MatchString(s) && strings.Contains(s, "対象"), c.negated && c.kind == desk.MissileLifted:
			removed = append(removed, areasIn(s)...)
		case strings.Contains(s, "対象"):
			areas = append(areas, areasIn(s)...)
		case !listed && !c.negated:
			areas = append(areas, areasIn(c.sentence)...)
		}
	}
	areas = tidy(areas)
	return areas, without(tidy(removed), areas)
}

// corrected lists whom a correction names as right.
func (l *layout) corrected() []desk.MissileArea {
	areas, removed := l.addressed()
	return without(areas, removed)
}

var serialPattern = regexp.MustCompile(`第(\d{1,4})報`)

// serial is the number the text's head bears, e.g. 第３報.
func (l *layout) serial() string {
	for _, line := range l.head {
		if m := serialPattern.FindStringSubmatch(line); m != nil {
			return strings.TrimLeft(m[1], "0")
		}
	}
	return ""
}

var supersededPattern = regexp.MustCompile(`第\d{1,4}報|(?:午前|午後)?\d{1,2}時\d{1,2}分|\d{1,2}:\d{2}`)

// supersedes is the number or time of what a correcting sentence speaks of, as folded.
func (l *layout) supersedes() string {
	for _, s := range l.sentences {
		if corrects.MatchString(s) || withdraws.MatchString(s) || told.MatchString(s) {
			if m := supersededPattern.FindString(s); m != "" {
				return m
			}
		}
	}
	return ""
}

// issuedAt is the time the text bears in a label or its head; a time inside a sentence is another one.
func (l *layout) issuedAt(received time.Time) time.Time {
	for _, f := range l.fields {
		if timeLabel.MatchString(f.label) {
			if at := timeIn(f.value, received); !at.IsZero() {
				return at
			}
		}
	}
	for _, line := range l.head {
		if strings.Contains(line, "頃") || strings.Contains(line, "ごろ") {
			continue
		}
		if at := timeIn(line, received); !at.IsZero() {
			return at
		}
	}
	return time.Time{}
}
