// Package compose turns the text of a dispatch and one recipient into the exact bytes of a mail, signed, the same at every attempt.
package compose

import (
	"encoding/base64"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"yagura/store/desk"
)

// Options are what all mails of an installation share.
type Options struct {
	From          string   // mailbox of the From header, e.g. "anpi@desk.example"
	FromName      string   // its name, e.g. "当直室"; stands in the first line of the body too
	LinkBase      string   // "https://host/r/"; the token follows it
	MessageIDHost string   // right half of the Message-ID
	ReturnPath    string   // envelope sender; "{id}" becomes "dispatch.mail" (VERP), e.g. "b-{id}@bounce.desk.example"
	Signers       []Signer // DKIM; empty = the relay signs
}

const (
	maxSubject = 200 // characters
	maxBody    = 20_000
	maxLink    = 70 // characters of the link's line: mail programs of phones break longer ones (field.md 6.3)
	lineBytes  = 57 // bytes of text in one base64 line of 76
)

// Composer is 文面の組立: made once per dispatch, its constant parts encoded once. Safe for concurrent use.
type Composer struct {
	head       string // From and Subject headers, constant
	tail       string // constant headers after Message-ID
	host       string
	returnPath string
	before     string // base64 lines of the text before the link's line begins to vary
	rest       string // text between those lines and the token
	after      string // text after the token
	suffix     string // base64 lines of the text after the line in which the link ends, for tokens of desk.TokenLength
	keep       int    // bytes of after that are encoded with the link
	notice     bool   // no link: everything is before
	signers    []signer
}

// Stamp is the mark that opens the subject and the first line: 【訓練】 for a drill, 【試験】 for a test, nothing for live (law 4).
func Stamp(m desk.Mode) string {
	switch m {
	case desk.Live:
		return ""
	case desk.Test:
		return "【試験】"
	}
	return "【訓練】" // an unknown mode must not look real
}

// New checks the letter and the options and encodes what all mails of the dispatch share. A line break or control character
// where a header could be injected is Invalid, and so is a link that would not fit its line.
func New(letter desk.Letter, opts Options) (*Composer, error) {
	if err := check(letter, opts); err != nil {
		return nil, err
	}
	letter.Subject, letter.Body = norm.NFC.String(letter.Subject), norm.NFC.String(letter.Body) // some phones show NFD in pieces
	stamp := Stamp(letter.Mode)
	subject := stamp + strings.TrimPrefix(letter.Subject, stamp)
	from := header{"From", encodeWords(opts.FromName) + " <" + desk.QuoteMailbox(opts.From) + ">"}
	if opts.FromName == "" {
		from.value = desk.QuoteMailbox(opts.From)
	}
	constant := []header{
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=UTF-8"},
		{"Content-Transfer-Encoding", "base64"},
		{"Content-Language", "ja"},
		{"Auto-Submitted", "auto-generated"}, // RFC 3834: no out-of-office answers
	}
	subjectHeader := header{"Subject", encodeWords(subject)}
	c := &Composer{
		head: from.raw() + subjectHeader.raw(),
		tail: rawAll(constant) + "\r\n",
		host: opts.MessageIDHost, returnPath: opts.ReturnPath,
	}
	if letter.Bulletin {
		c.notice, c.before = true, string(appendBase64(nil, noticeText(letter, stamp)))
	} else {
		c.split(text(letter, opts, stamp))
	}
	var err error
	if c.signers, err = newSigners(opts.Signers, from, subjectHeader, constant); err != nil {
		return nil, err
	}
	return c, nil
}

// text is the body before and after the token. The first line tells sender and purpose, because it is what a phone previews.
func text(letter desk.Letter, opts Options, stamp string) (before, after string) {
	name := opts.FromName
	if name == "" {
		name = "当直"
	}
	var b strings.Builder
	b.WriteString(stamp + name + "から安否の確認です。下のリンクから答えてください。\n\n")
	b.WriteString(strings.TrimRight(strings.ReplaceAll(strings.ReplaceAll(letter.Body, "\r\n", "\n"), "\r", "\n"), "\n"))
	b.WriteString("\n\n" + opts.LinkBase)
	english := "Safety check: please open the link above and answer. No login is needed."
	after = "\n\n"
	switch letter.Mode {
	case desk.Live:
	case desk.Test:
		after += "これは試験です。実際の災害ではありません。\n"
		english = "THIS IS A TEST. " + english
	default:
		after += "これは訓練です。実際の災害ではありません。\n"
		english = "THIS IS A DRILL. " + english
	}
	return strings.ReplaceAll(b.String(), "\n", "\r\n"), strings.ReplaceAll(after+english+"\n", "\n", "\r\n")
}

// noticeText is the body of automatic information: nobody is asked to answer, so there is no link. The first line is the news
// itself, because it is what a phone previews. // F3-1-l
func noticeText(letter desk.Letter, stamp string) string {
	body := strings.TrimRight(strings.ReplaceAll(strings.ReplaceAll(letter.Body, "\r\n", "\n"), "\r", "\n"), "\n")
	after := "\n\n自動配信のお知らせです。返信や回答は要りません。\nThis is an automatic notice. No reply is needed.\n"
	switch letter.Mode {
	case desk.Live:
	case desk.Test: // never sent (law 4); should it ever be, it says what it is
		after = "\n\nこれは試験です。実際の災害ではありません。\nTHIS IS A TEST." + after
	default:
		after = "\n\nこれは訓練です。実際の災害ではありません。\nTHIS IS A DRILL." + after
	}
	return strings.ReplaceAll(stamp+body+after, "\n", "\r\n")
}

// split encodes what does not vary. Only the two or three base64 lines that hold the link are encoded per mail.
func (c *Composer) split(before, after string) {
	whole := len(before) / lineBytes * lineBytes
	c.before, c.rest, c.after = string(appendBase64(nil, before[:whole])), before[whole:], after
	over := (len(c.rest) + desk.TokenLength) % lineBytes
	c.keep = min(len(after), (lineBytes-over)%lineBytes)
	c.suffix = string(appendBase64(nil, after[c.keep:]))
}

// Compose appends the exact RFC 5322 bytes (CRLF lines) of m for the mailbox to, with the link of token, to dst. The same m,
// to and token always give the same bytes, signatures included (law 5). A mailbox or token that could inject a header is Invalid.
func (c *Composer) Compose(dst []byte, m desk.Mail, to, token string) ([]byte, error) {
	const op = "Composer.Compose"
	if !mailbox(to) {
		return dst, desk.Errorf(desk.Invalid, op, "宛先の形が正しくありません。")
	}
	if !tokenText(token) {
		return dst, desk.Errorf(desk.Invalid, op, "回答リンクのトークンの形が正しくありません。")
	}
	var scratch [384]byte
	v := varying{to: desk.QuoteMailbox(to)}
	date := m.CreatedAt.In(desk.JST).AppendFormat(scratch[:0], time.RFC1123Z)
	v.date, v.id = date, append(date[len(date):], m.MessageID()...)

	var bodyRoom [4096]byte
	body := c.appendBody(bodyRoom[:0], token)
	dst, err := c.sign(dst, &v, m.CreatedAt, body)
	if err != nil {
		return dst, desk.Wrap(desk.Internal, op, err)
	}
	dst = append(dst, c.head...)
	dst = append(append(append(dst, "To: "...), v.to...), "\r\nDate: "...)
	dst = append(append(dst, v.date...), "\r\nMessage-ID: <"...)
	dst = append(append(append(append(dst, v.id...), '@'), c.host...), ">\r\n"...)
	dst = append(dst, c.tail...)
	return append(dst, body...), nil
}

// ReturnPath is the envelope sender of m, from Options.ReturnPath.
func (c *Composer) ReturnPath(m desk.Mail) string {
	before, after, found := strings.Cut(c.returnPath, "{id}")
	if !found {
		return c.returnPath
	}
	return before + m.MessageID() + after
}

func (c *Composer) appendBody(dst []byte, token string) []byte {
	var room [256]byte
	dst = append(dst, c.before...)
	if c.notice {
		return dst
	}
	if len(token) != desk.TokenLength {
		return appendBase64(dst, c.rest+token+c.after)
	}
	middle := append(append(append(room[:0], c.rest...), token...), c.after[:c.keep]...)
	dst = appendBase64(dst, middle)
	return append(dst, c.suffix...)
}

// appendBase64 appends text in lines of 76 characters, each closed by CRLF (RFC 2045 §6.8).
func appendBase64[T string | []byte](dst []byte, text T) []byte {
	var line [lineBytes]byte
	for len(text) > 0 {
		n := copy(line[:], text)
		dst = base64.StdEncoding.AppendEncode(dst, line[:n])
		dst = append(dst, '\r', '\n')
		text = text[n:]
	}
	return dst
}

// encodeWords encodes s as RFC 2047 words of at most 73 characters, folded. Plain ASCII stays as it is unless it looks encoded or quoted.
func encodeWords(s string) string {
	plain := len(s) <= 60 && !strings.Contains(s, "=?")
	for _, r := range s {
		plain = plain && r >= ' ' && r < 0x7f && !strings.ContainsRune("\"\\()<>[]:;@,.", r)
	}
	if plain && strings.TrimSpace(s) == s {
		return s
	}
	var words []string
	for len(s) > 0 {
		n := min(len(s), 39)
		for n < len(s) && n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		words = append(words, "=?UTF-8?B?"+base64.StdEncoding.EncodeToString([]byte(s[:n]))+"?=")
		s = s[n:]
	}
	return strings.Join(words, "\r\n ")
}
