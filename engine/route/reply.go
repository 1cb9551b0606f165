package route

import (
	"bufio"
	"errors"
	"strings"
	"unicode/utf8"

	"yagura/store/desk"
)

const (
	replyText  = 512       // bytes of a reply that are kept
	replyBytes = 64 * 1024 // bytes of a reply that are read at all: more is no carrier
	maxText    = 200       // bytes of Result.Text
)

var (
	errNoReply   = errors.New("not an SMTP reply")
	errLongReply = errors.New("reply too long")
)

// reply is one SMTP reply (RFC 5321 §4.2), its lines joined by blanks.
type reply struct {
	code int
	text string
}

func (p reply) ok() bool      { return p.code >= 200 && p.code < 300 }
func (p reply) closing() bool { return p.code == 421 }

// outcome is what the code means for a mail: 5xx final, everything else that is not 2xx is tried again. A 5xx that speaks of us
// and not of the mailbox is tried again too: a carrier that blocks our sender for an hour, or lost the thread of the dialogue,
// must not make all its people unreachable.
func (p reply) outcome(at desk.Stage) desk.Outcome {
	switch {
	case p.ok():
		return desk.Accepted
	case p.code < 500 || p.code > 599, at == desk.StageMail:
		return desk.Deferred
	}
	switch p.code {
	case 500, 502, 503, 504: // RFC 5321 §4.2.2: the command was not understood, not known, or out of order
		return desk.Deferred
	}
	return desk.Refused
}

// readReply reads one reply of any number of lines, bounded. each, when set, sees the text of every line.
func readReply(in *bufio.Reader, each func(line string)) (reply, error) {
	var p reply
	var text []byte
	total := 0
	for {
		line, n, err := readLine(in)
		if err != nil {
			return p, err
		}
		if total += n; total > replyBytes {
			return p, errLongReply
		}
		code, last, rest, ok := splitLine(line)
		if !ok || (p.code != 0 && code != p.code) {
			return p, errNoReply
		}
		p.code = code
		if each != nil {
			each(string(rest))
		}
		if len(text) > 0 {
			text = append(text, ' ')
		}
		text = append(text, rest[:min(len(rest), max(replyText-len(text), 0))]...)
		if last {
			p.text = string(text)
			return p, nil
		}
	}
}

// readLine returns the start of one line (at most the buffer) and how many bytes the whole line had.
func readLine(in *bufio.Reader) (line []byte, n int, err error) {
	line, err = in.ReadSlice('\n')
	n = len(line)
	if err == nil {
		return trimEnd(line), n, nil
	}
	if !errors.Is(err, bufio.ErrBufferFull) {
		return nil, n, err
	}
	kept := append([]byte(nil), line[:replyText]...)
	for errors.Is(err, bufio.ErrBufferFull) {
		if n > replyBytes {
			return nil, n, errLongReply
		}
		line, err = in.ReadSlice('\n')
		n += len(line)
	}
	return kept, n, err
}

func trimEnd(line []byte) []byte {
	for len(line) > 0 && (line[len(line)-1] == '\n' || line[len(line)-1] == '\r') {
		line = line[:len(line)-1]
	}
	return line
}

func splitLine(line []byte) (code int, last bool, rest []byte, ok bool) {
	if len(line) < 3 {
		return 0, false, nil, false
	}
	for _, c := range line[:3] {
		if c < '0' || c > '9' {
			return 0, false, nil, false
		}
		code = code*10 + int(c-'0')
	}
	if code < 200 || code > 599 {
		return 0, false, nil, false
	}
	if len(line) == 3 {
		return code, true, nil, true
	}
	if line[3] != ' ' && line[3] != '-' {
		return 0, false, nil, false
	}
	return code, line[3] == ' ', line[4:], true
}

// showable is the carrier's text as it may be stored and shown: no control characters, no mailbox, at most maxText bytes (law 11).
// The local part of to is blotted out as well, because "550 taro unknown" names a person without any @.
func showable(text, to string) string {
	text = desk.CleanText(text, false)
	if at := strings.LastIndexByte(to, '@'); at >= 3 {
		text = blot(text, to[:at])
	}
	if strings.IndexByte(text, '@') >= 0 {
		text = maskMailboxes(text)
	}
	if len(text) <= maxText {
		return text
	}
	cut := maxText
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut]
}

// blot replaces local wherever it stands, in any case. Both are folded byte by byte so that positions agree.
func blot(text, local string) string {
	folded, part := asciiLower(text), asciiLower(local)
	var b strings.Builder
	for {
		i := strings.Index(folded, part)
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:i])
		b.WriteString("…")
		text, folded = text[i+len(part):], folded[i+len(part):]
	}
}

func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

const mailboxEnds = " <>()[],;"

// maskMailboxes turns every word before an @ into "…".
func maskMailboxes(text string) string {
	var b strings.Builder
	for {
		at := strings.IndexByte(text, '@')
		if at < 0 {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:strings.LastIndexAny(text[:at], mailboxEnds)+1])
		b.WriteString("…@")
		text = text[at+1:]
	}
}
