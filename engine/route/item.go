package route

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"yagura/store/desk"
)

// Item is 送信単位の現物: one mail ready to leave. The revealed mailbox is readable inside this package alone (law 11).
// Data must not be changed until the Result of the item was received.
type Item struct {
	Mail       desk.Mail
	ReturnPath string // envelope sender, "" = the null sender; a VERP address when bounces are to be matched
	Data       []byte // RFC 5322 bytes, CRLF lines, not dot-stuffed
	to         string
}

// NewItem checks and builds an Item for a mailbox that is known in the clear: for tests and for mails that are not addressed
// to staff. Mails of a dispatch come from Opener.Prepare. A mailbox or a message that could break the dialogue is Invalid.
func NewItem(m desk.Mail, to, returnPath string, data []byte) (Item, error) {
	const op = "route.NewItem"
	if to == "" || !safePath(to) || !safePath(returnPath) {
		return Item{}, desk.Errorf(desk.Invalid, op, "宛先または差出人の形が正しくありません。")
	}
	if !cleanLines(data) {
		return Item{}, desk.Errorf(desk.Invalid, op, "メール本文の改行が正しくありません。")
	}
	return Item{Mail: m, ReturnPath: returnPath, Data: data, to: to}, nil
}

// Format shows the mail's number only, whatever the verb: neither mailbox nor text reaches a log.
func (i Item) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "mail %d", i.Mail.ID) }

// LogValue shows the mail's number only.
func (i Item) LogValue() slog.Value { return slog.Int64Value(int64(i.Mail.ID)) }

// safePath reports whether s may stand between the angle brackets of MAIL or RCPT: printable ASCII without blanks and brackets.
func safePath(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '<' || c == '>' {
			return false
		}
	}
	return len(s) <= 254
}

// cleanLines reports whether data has only CRLF line ends and no NUL: a bare CR or LF is how mails are smuggled (RFC 5321 §2.3.8).
func cleanLines(data []byte) bool {
	if bytes.IndexByte(data, 0) >= 0 {
		return false
	}
	returns := bytes.Count(data, []byte{'\r'})
	for at := 0; ; returns-- {
		n := bytes.IndexByte(data[at:], '\n')
		if n < 0 {
			return returns == 0
		}
		if at += n + 1; at < 2 || data[at-2] != '\r' {
			return false
		}
	}
}

// Result is 送信結果 of one Item, for one desk.Attempt. When Attempted is false the mail was not handed over at all (the gate
// closed, or the route ended first): record nothing, it stays pending.
type Result struct {
	Mail      desk.Mail
	Outcome   desk.Outcome
	Stage     desk.Stage
	Code      int       // SMTP code; 0 when the connection broke
	Text      string    // the carrier's words, without control characters and addresses, at most 200 bytes
	Route     string    // host:port
	At        time.Time // when the answer was read, by the injected clock
	Attempted bool
	Placed    bool // a place of the window was taken for it: put it back when the result is recorded
}

// Attempt is the fact to record for the result. Number is one more than the attempts known so far.
func (r Result) Attempt(epoch int64) desk.Attempt {
	return desk.Attempt{
		MailID: r.Mail.ID, DispatchID: r.Mail.DispatchID, Number: r.Mail.Attempts + 1, Epoch: epoch, Lane: r.Mail.Lane,
		At: r.At, Outcome: r.Outcome, Stage: r.Stage, Code: r.Code, Text: r.Text, Route: r.Route,
	}
}

// Opener opens sealed addresses: the only caller of desk.Address.Reveal (law 11). Safe for concurrent use.
type Opener struct{ key *desk.AddressOpener }

// NewOpener prepares an address key. The error is the key's.
func NewOpener(key desk.AddressKey) (*Opener, error) {
	o, err := key.Opener()
	if err != nil {
		return nil, desk.Wrap(desk.Internal, "route.NewOpener", err)
	}
	return &Opener{o}, nil
}

// Prepare opens the address of m, has the message composed for it and returns the Item (ReturnPath still empty: set it).
// The mailbox is given to compose alone; neither it nor the error of compose leaves with the mailbox in it.
func (o *Opener) Prepare(m desk.Mail, compose func(to string) ([]byte, error)) (Item, error) {
	const op = "Opener.Prepare"
	to, err := m.Address.Reveal(o.key)
	if err != nil {
		return Item{}, desk.Wrap(desk.Internal, op, err)
	}
	data, err := compose(to)
	if err != nil {
		return Item{}, desk.Errorf(desk.KindOf(err), op, "%s", strings.ReplaceAll(desk.Message(err), to, m.Address.String()))
	}
	item, err := NewItem(m, to, "", data)
	return item, desk.Wrap(desk.Invalid, op, err)
}
