package jalert

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/unicode/norm"

	"yagura/feeds"
	"yagura/store/desk"
)

// maxRunes is the longest text that is read, in characters. A notice has a few hundred.
const maxRunes = 20_000

// decodeText gives the text of a notice in UTF-8, with \n as line end. Em-Net and agency texts come as UTF-8, Shift_JIS, EUC-JP or,
// as mail, ISO-2022-JP; none of them says which.
func decodeText(op string, raw []byte) (string, error) {
	raw = feeds.TrimBOM(raw)
	switch {
	case len(bytes.TrimSpace(raw)) == 0:
		return "", desk.Errorf(desk.Invalid, op, "文面が空です。")
	case len(raw) > MaxBytes:
		return "", desk.Errorf(desk.Invalid, op, "文面が大きすぎます（%dバイト。上限は%dバイト）。", len(raw), MaxBytes)
	case bytes.IndexByte(raw, 0) >= 0:
		return "", desk.Errorf(desk.Invalid, op, "文面に文字でないデータが入っています。")
	}
	text, ok := inUTF8(raw)
	if !ok {
		return "", desk.Errorf(desk.Invalid, op, "文面の文字コードが分かりません（UTF-8、シフトJIS、EUC、JISのどれでもありません）。")
	}
	if utf8.RuneCountInString(text) > maxRunes {
		return "", desk.Errorf(desk.Invalid, op, "文面が長すぎます（上限は%d文字）。", maxRunes)
	}
	return desk.CleanText(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n"), true), nil
}

func inUTF8(raw []byte) (string, bool) {
	if bytes.Contains(raw, []byte("\x1b$")) || bytes.Contains(raw, []byte("\x1b(")) {
		return decodeAs(japanese.ISO2022JP, raw)
	}
	if utf8.Valid(raw) {
		return string(raw), true
	}
	// Bytes of EUC-JP often read as Shift_JIS too, as half-width kana: the reading that speaks of the subject is the right one.
	sjis, okS := decodeAs(japanese.ShiftJIS, raw)
	euc, okE := decodeAs(japanese.EUCJP, raw)
	switch {
	case okS && isSubject(fold(sjis)):
		return sjis, true
	case okE && isSubject(fold(euc)):
		return euc, true
	case okS:
		return sjis, true
	}
	return euc, okE
}

func decodeAs(e encoding.Encoding, raw []byte) (string, bool) {
	text, err := e.NewDecoder().Bytes(raw)
	if err != nil || bytes.ContainsRune(text, utf8.RuneError) {
		return "", false
	}
	return string(text), true
}

// fold makes full-width digits and letters half-width and half-width kana full-width (Unicode NFKC), for matching only.
func fold(text string) string { return norm.NFKC.String(text) }

// isSubject reports whether a text speaks of civil protection at all, so that a stray file does not ring as a missile.
func isSubject(folded string) bool {
	for _, word := range []string{"ミサイル", "国民保護", "Jアラート", "J-ALERT", "飛翔体", "航空攻撃", "ゲリラ", "特殊部隊", "大規模テロ", "武力攻撃", "直ちに避難"} {
		if strings.Contains(folded, word) {
			return true
		}
	}
	return false
}
