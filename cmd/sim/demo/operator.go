package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"yagura/store/desk"
)

// verbs are what a person at the desk can do; the console offers the same ones. *store.Store has them.
type verbs interface {
	Inbox(ctx context.Context, limit int) ([]desk.InboxItem, error)
	Verify(ctx context.Context, by desk.OperatorID, v desk.Verification) (desk.VerificationID, error)
	Decide(ctx context.Context, by desk.OperatorID, c desk.IncidentChoice) (desk.IncidentID, error)
	Template(ctx context.Context, id string) (subject, body string, version int, err error)
	Propose(ctx context.Context, by desk.OperatorID, d desk.Draft) (desk.Dispatch, error)
	Approve(ctx context.Context, by desk.OperatorID, o desk.ApprovalOrder) (desk.Approval, error)
	Withdraw(ctx context.Context, by desk.OperatorID, id desk.DispatchID) error
}

// operator is the scripted watch officer of the headless demo. It decides as the handbook says: what contradicts is held until
// a second word comes, what is clean is genuine, a shaking near an open incident joins it, and only people not yet asked (or
// shaken harder than they were asked about) are mailed.
type operator struct {
	desk    verbs
	id      desk.OperatorID
	out     io.Writer
	seen    map[desk.EventID]desk.AdviceID
	started time.Time
}

// act judges everything in the inbox that has news. Somebody or something else being first (Conflict, Stale) is not an error:
// the next look sees the new state.
func (o *operator) act(ctx context.Context) error {
	items, err := o.desk.Inbox(ctx, 500)
	if err != nil {
		return err
	}
	for i := len(items) - 1; i >= 0; i-- { // oldest first
		item := items[i]
		if item.Advice == nil || o.seen[item.Event.ID] == item.Advice.ID {
			continue
		}
		err := o.judge(ctx, item)
		switch desk.KindOf(err) {
		case "":
			o.seen[item.Event.ID] = item.Advice.ID
		case desk.Conflict, desk.Stale, desk.Unavailable:
		default:
			return fmt.Errorf("事象 %d: %w", item.Event.ID, err)
		}
	}
	return nil
}

func (o *operator) judge(ctx context.Context, item desk.InboxItem) error {
	switch {
	case item.Event.Status == desk.EventRetracted:
		return o.find(ctx, &item, desk.False, "気象庁が取り消した")
	case item.Advice.Contradictions() > 0:
		return o.find(ctx, &item, desk.Held, "矛盾: "+contradictions(item.Advice))
	case item.Event.MaxIntensity == desk.IntensityUnknown:
		return nil // only a forecast so far; wait for an observation
	}
	if err := o.find(ctx, &item, desk.Genuine, "確認項目に矛盾なし"); err != nil {
		return err
	}
	audience := item.Advice.Triggered
	if m := item.Advice.Merge; m != nil && (m.Join || item.IncidentID != 0) {
		audience = append(append([]desk.TriggeredBy{}, m.Added...), m.Raised...)
	} else if item.IncidentID != 0 {
		audience = nil // decided on older advice; the advice that follows the decision tells who is left
	}
	if item.IncidentID == 0 {
		id, err := o.decide(ctx, item)
		if err != nil || id == 0 {
			return err
		}
		item.IncidentID = id
	}
	if len(audience) == 0 {
		return nil
	}
	return o.send(ctx, item, audience)
}

// find records the finding unless it stands already.
func (o *operator) find(ctx context.Context, item *desk.InboxItem, f desk.Finding, reason string) error {
	if item.Verification != nil && item.Verification.Finding == f {
		return nil
	}
	_, err := o.desk.Verify(ctx, o.id, desk.Verification{EventID: item.Event.ID, AdviceID: item.Advice.ID, Finding: f, Reason: reason})
	if err == nil {
		o.say("判断 %s  %s（%s）", f.Japanese(), item.Event.Title, reason)
	}
	return err
}

// decide joins the incident that the advice names, or opens a new one when somebody is to be asked. A weak shaking that
// belongs to nothing is judged and left alone.
func (o *operator) decide(ctx context.Context, item desk.InboxItem) (desk.IncidentID, error) {
	choice := desk.IncidentChoice{EventID: item.Event.ID, Title: item.Event.Title, Reason: desk.FirstOfItsKind}
	if m := item.Advice.Merge; m != nil {
		choice.Note = m.Text
		if m.Join {
			choice.Incident, choice.Reason = m.IncidentID, desk.SameSeries
		} else {
			choice.Reason = desk.OtherPlace
		}
	}
	if choice.Incident == 0 && len(item.Advice.Triggered) == 0 {
		return 0, nil
	}
	id, err := o.desk.Decide(ctx, o.id, choice)
	if err != nil {
		return 0, err
	}
	if choice.Incident == 0 {
		o.say("事象を新規 #%d  %s（%s）", id, item.Event.Title, choice.Reason.Japanese())
	} else {
		o.say("事象に併合 #%d  %s（%s）", id, item.Event.Title, choice.Reason.Japanese())
	}
	return id, nil
}

func (o *operator) send(ctx context.Context, item desk.InboxItem, audience []desk.TriggeredBy) error {
	subject, body, _, err := o.desk.Template(ctx, "safety")
	if err != nil {
		return err
	}
	fill := strings.NewReplacer("{title}", item.Event.Title)
	d, err := o.desk.Propose(ctx, o.id, desk.Draft{
		IncidentID: item.IncidentID, EventID: item.Event.ID, Triggered: audience, TemplateID: "safety",
		Subject: fill.Replace(subject), Body: fill.Replace(body),
	})
	if err != nil {
		return err
	}
	a, err := o.desk.Approve(ctx, o.id, desk.ApprovalOrder{DispatchID: d.ID, HeadCount: d.HeadCount, Method: desk.OneKey, AdviceID: item.Advice.ID})
	if err != nil {
		// News came between drafting and approving: the next look drafts anew, and this draft must not lie about at the desk.
		return errors.Join(err, o.desk.Withdraw(ctx, o.id, d.ID))
	}
	o.say("送信を承認 #%d  %d 人・%d 通・%d 都道府県（%s から）", d.ID, d.HeadCount, d.Addresses, len(audience), a.NotBefore.In(desk.JST).Format("15:04:05"))
	return nil
}

func (o *operator) say(format string, args ...any) {
	fmt.Fprintf(o.out, "%6.1f 秒  %s\n", time.Since(o.started).Seconds(), fmt.Sprintf(format, args...))
}

func contradictions(a *desk.Advice) string {
	var texts []string
	for _, c := range a.Checks {
		if c.Result == desk.Contradicts {
			texts = append(texts, c.Text)
		}
	}
	return strings.Join(texts, "・")
}
