package desk

import (
	"errors"
	"fmt"
)

// Kind is 誤りの種別: what sort of failure an Error is. Anything unknown is Internal, and its text never reaches a user.
type Kind string

const (
	Invalid     Kind = "invalid"     // the caller's input is wrong; Msg says what to do
	NotFound    Kind = "not_found"   // no such thing
	Conflict    Kind = "conflict"    // somebody else was first, or the step is not legal from this state
	Forbidden   Kind = "forbidden"   // this actor may not
	Stale       Kind = "stale"       // the actor decided on something that has changed meanwhile
	Unavailable Kind = "unavailable" // the store or a carrier is away; trying again later helps
	Internal    Kind = "internal"    // a fault of ours
)

// Error is 誤り: a failure with its kind, the operation that failed and a sentence a person may read (Japanese, plain).
// Err, when set, is the cause for the log; it is never shown.
type Error struct {
	Kind Kind
	Op   string
	Msg  string
	Err  error
}

func (e *Error) Error() string {
	s := e.Op
	if e.Msg != "" {
		s += ": " + e.Msg
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf builds an Error whose message may be shown to a person.
func Errorf(kind Kind, op, format string, args ...any) error {
	return &Error{Kind: kind, Op: op, Msg: fmt.Sprintf(format, args...)}
}

// Wrap gives a foreign error an operation and a kind. It returns nil for nil. An error that already has a kind keeps it.
func Wrap(kind Kind, op string, err error) error {
	if err == nil {
		return nil
	}
	var known *Error
	if errors.As(err, &known) {
		return &Error{Kind: known.Kind, Op: op, Msg: known.Msg, Err: err}
	}
	return &Error{Kind: kind, Op: op, Err: err}
}

// KindOf says what sort of failure err is: Internal for whatever has no kind, and "" for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	var known *Error
	if errors.As(err, &known) {
		return known.Kind
	}
	return Internal
}

// Message is the sentence a person may read for err: its own when it has one, else a plain sentence for its kind.
func Message(err error) string {
	var known *Error
	if errors.As(err, &known) && known.Msg != "" && known.Kind != Internal {
		return known.Msg
	}
	switch KindOf(err) {
	case Invalid:
		return "入力に誤りがあります。内容を確かめてください。"
	case NotFound:
		return "見つかりません。"
	case Conflict:
		return "ほかの当直者が先に操作しました。画面を読み直してください。"
	case Forbidden:
		return "この操作をする権限がありません。"
	case Stale:
		return "判断の元になった情報が変わりました。もう一度確かめてください。"
	case Unavailable:
		return "データベースにつながりません。自動で再接続します。少し待ってやり直してください。"
	}
	return "内部の誤りです。記録しました。"
}
