package jalert

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"yagura/store/desk"
)

// prefecturePattern finds full names from left to right, so that 東京都府中市 is Tokyo and not 京都府. Group 2 is a short form, which counts
// only where a word of place follows: 福島 alone is also a town, and 山口 a name.
var prefecturePattern = regexp.MustCompile(`(` + names(false) + `)|(` + names(true) + `)(?:両県|周辺|付近|方面|上空|沖|沿岸)`)

func names(short bool) string {
	var out []string
	for p := desk.Prefecture(1); p <= desk.Prefectures; p++ {
		name := p.Name()
		if short {
			name = shortName(p)
		}
		out = append(out, regexp.QuoteMeta(name))
	}
	return strings.Join(out, "|")
}

// shortName is the name without 都, 府 or 県; 北海道 has none.
func shortName(p desk.Prefecture) string {
	if p == 1 {
		return p.Name()
	}
	runes := []rune(p.Name())
	return string(runes[:len(runes)-1])
}

func prefectureNamed(name string) desk.Prefecture {
	for p := desk.Prefecture(1); p <= desk.Prefectures; p++ {
		if name == p.Name() || name == shortName(p) {
			return p
		}
	}
	return 0
}

// partPattern is a part of a prefecture at the beginning of a piece: islands, municipalities, districts. The longest reading wins
// (東村山市, 四日市市); 周辺, 付近 and 上空 are no parts.
var partPattern = regexp.MustCompile(`^(?:の|内の)?((?:[\p{Han}\p{Hiragana}\p{Katakana}ー]{0,8}(?:島しょ部|島嶼部|島しょ|島部|諸島|列島|離島|地方|半島))|` +
	`(?:[\p{Han}\p{Hiragana}\p{Katakana}ー]{1,10}[市町村区])|(?:道[東西南北央]|[東西南北中]部))`)

var pieces = regexp.MustCompile(`[、,・/()（）「」\s]+|及び|および|並びに|ならびに|又は|または`)

// areasIn reads the prefectures and their parts that a folded text names, in the order of the text. A prefecture named whole hides
// its parts: the wider reading is the one nobody is missed by (law 5).
func areasIn(text string) []desk.MissileArea {
	found := prefecturePattern.FindAllStringSubmatchIndex(text, -1)
	var out []desk.MissileArea
	for i, at := range found {
		start, end := at[2], at[3]
		if start < 0 {
			start, end = at[4], at[5]
		}
		next := len(text)
		if i+1 < len(found) {
			next = found[i+1][0]
		}
		p := prefectureNamed(text[start:end])
		parts := partsIn(text[end:next])
		if len(parts) == 0 {
			out = append(out, desk.MissileArea{Prefecture: p})
		}
		for _, part := range parts {
			out = append(out, desk.MissileArea{Prefecture: p, Part: part})
		}
	}
	return tidy(out)
}

// partsIn reads the parts that directly follow the name of a prefecture: 青森市、弘前市周辺, （大島町、利島村）. It ends where a piece is none.
// Words in brackets that are no known kind of place are kept as written, so that nothing is widened silently; (島しょ部を除く) is read as
// the whole prefecture, the wider of the two.
func partsIn(tail string) []string {
	tail, _, _ = strings.Cut(tail, "。")
	if m := exceptPattern.FindString(tail); m != "" {
		return nil
	}
	var parts []string
	for i, piece := range pieces.Split(tail, -1) {
		m := partPattern.FindStringSubmatch(piece)
		if i == 0 && piece == "" { // the opening bracket of a list
			continue
		}
		if m == nil || isNoPart(m[1], piece[len(m[0]):]) {
			break
		}
		parts = append(parts, m[1])
	}
	if m := bracketPattern.FindStringSubmatch(tail); m != nil && len(parts) == 0 && !notPlaces.MatchString(m[1]) {
		parts = append(parts, m[1])
	}
	return parts
}

var (
	exceptPattern  = regexp.MustCompile(`^[^、。]{0,20}(を除|以外)`)
	bracketPattern = regexp.MustCompile(`^\(([^()。0-9]{2,30})\)`)
)

// isNoPart refuses what only looks like a place: 全市町村 is the whole prefecture, 区域 no ward, and a piece of a sentence nothing at all.
func isNoPart(part, rest string) bool {
	switch {
	case part == "地方", part == "諸島", part == "列島", part == "半島":
		return true
	case strings.HasPrefix(rest, "域"), strings.HasPrefix(rest, "間"), strings.HasPrefix(rest, "民"), strings.HasPrefix(rest, "公共団体"):
		return true
	}
	return notPlaces.MatchString(part)
}

var notPlaces = regexp.MustCompile(`市町村|全域|周辺|付近|上空|落下|通過|日本列島|地域|該当|など|ほか|を|では|には|から|ので|ため|です|ます|した|して|する|もの|ください|方は|皆`)

// areaList reads a list such as "北海道 青森 岩手県" where short forms stand by themselves.
func areaList(text string) []desk.MissileArea {
	var b strings.Builder
	for _, piece := range pieces.Split(text, -1) {
		if p := prefectureNamed(strings.TrimSpace(piece)); p != 0 {
			piece = p.Name()
		}
		b.WriteString(piece + "、")
	}
	return areasIn(b.String())
}

// isAreaList reports whether a line is nothing but prefectures.
func isAreaList(line string) bool {
	n := 0
	for _, piece := range pieces.Split(line, -1) {
		switch {
		case piece == "":
		case prefectureNamed(piece) != 0:
			n++
		default:
			for _, a := range areasIn(piece) {
				if a.Part != "" && a.Prefecture.Name()+a.Part == piece {
					n++
					piece = ""
				}
			}
			if piece != "" {
				return false
			}
		}
	}
	return n > 0
}

// tidy drops doubles, and the parts of a prefecture that is named whole.
func tidy(areas []desk.MissileArea) []desk.MissileArea {
	var out []desk.MissileArea
	for _, a := range areas {
		whole := desk.MissileArea{Prefecture: a.Prefecture}
		if !a.Prefecture.Valid() || slices.Contains(out, a) || a.Part != "" && slices.Contains(areas, whole) {
			continue
		}
		out = append(out, a)
	}
	return out
}

// without lists the areas of a that are not in b.
func without(a, b []desk.MissileArea) []desk.MissileArea {
	var out []desk.MissileArea
	for _, area := range a {
		if !slices.Contains(b, area) {
			out = append(out, area)
		}
	}
	return out
}

func prefecturesOf(lists ...[]desk.MissileArea) []desk.Prefecture {
	var out []desk.Prefecture
	for _, a := range slices.Concat(lists...) {
		if !slices.Contains(out, a.Prefecture) {
			out = append(out, a.Prefecture)
		}
	}
	slices.SortFunc(out, func(a, b desk.Prefecture) int { return cmp.Compare(a, b) })
	return out
}
