package jalert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"yagura/store/desk"
)

// ParseEntry reads what an operator typed in (desk.MissileEntry as JSON) into the shape every other notice has. What the form leaves
// open is read from the pasted text; what it says counts before the text, only drill words are always looked for. Office is the
// source the operator named. Every error is of kind desk.Invalid. // F3-1-o P5-5
func ParseEntry(env desk.Envelope) (desk.Telegram, error) {
	const op = "jalert.ParseEntry"
	t := telegram(env)
	e, err := decodeEntry(op, env.Raw)
	if err != nil {
		return t, err
	}
	n := notice{kind: e.Kind}
	if e.Text != "" {
		n = understand(e.Text, env.ReceivedAt)
	}
	if e.Kind != "" {
		n.kind, n.surprise = e.Kind, ""
	}
	n.mode, n.phase, n.serial = e.Mode, e.Phase, ""
	if !e.IssuedAt.IsZero() {
		n.issuedAt = e.IssuedAt
	}
	if !e.ExpectedAt.IsZero() {
		n.expectedAt = e.ExpectedAt
	}
	if e.Place != "" {
		n.place = e.Place
	}
	switch {
	case len(e.Areas) > 0:
		n.areas = tidy(e.Areas)
		n.removed = without(n.removed, n.areas)
	case len(n.areas) == 0:
		n.areas = areasIn(fold(e.Place))
	}
	n.supersedes = ""
	if e.Supersedes > 0 {
		n.supersedes = Supersedes(e.Supersedes)
	}
	n.drillWords = drillWords(fold(e.Text + "\n" + e.Place + "\n" + e.Source))
	if n.headline == "" {
		n.headline = clip(n.kind.Japanese() + " " + e.Place)
	}
	fill(&t, n)
	t.Type, t.Office, t.Text = TypeEntry, e.Source, e.Text
	return t, nil
}

// Supersedes is how the report of a typed-in correction names the notice it takes the place of.
func Supersedes(id desk.TelegramID) string { return fmt.Sprintf("telegram:%d", id) }

func decodeEntry(op string, raw []byte) (desk.MissileEntry, error) {
	var e desk.MissileEntry
	if len(raw) > MaxBytes {
		return e, desk.Errorf(desk.Invalid, op, "入力が大きすぎます（%dバイト。上限は%dバイト）。", len(raw), MaxBytes)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return e, &desk.Error{Kind: desk.Invalid, Op: op, Msg: "手入力の記録として読めません。", Err: err}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return e, desk.Errorf(desk.Invalid, op, "手入力の記録の後に余分な内容があります。")
	}
	return e, e.Validate()
}
