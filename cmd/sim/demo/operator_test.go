package demo

import (
	"context"
	"io"
	"testing"
	"time"

	"yagura/store/desk"
)

// overtaken is a desk at which a new telegram arrives between the first draft and its approval.
type overtaken struct {
	verbs
	item      desk.InboxItem
	drafts    []desk.DispatchID
	withdrawn []desk.DispatchID
	approved  []desk.DispatchID
}

func (o *overtaken) Inbox(context.Context, int) ([]desk.InboxItem, error) {
	return []desk.InboxItem{o.item}, nil
}

func (o *overtaken) Verify(context.Context, desk.OperatorID, desk.Verification) (desk.VerificationID, error) {
	return 1, nil
}

func (o *overtaken) Template(context.Context, string) (string, string, int, error) {
	return "{title}", "本文", 1, nil
}

func (o *overtaken) Propose(context.Context, desk.OperatorID, desk.Draft) (desk.Dispatch, error) {
	id := desk.DispatchID(len(o.drafts) + 1)
	o.drafts = append(o.drafts, id)
	return desk.Dispatch{ID: id, HeadCount: 3}, nil
}

func (o *overtaken) Approve(_ context.Context, _ desk.OperatorID, a desk.ApprovalOrder) (desk.Approval, error) {
	if a.DispatchID == 1 {
		return desk.Approval{}, desk.Errorf(desk.Stale, "test", "新しい電文")
	}
	o.approved = append(o.approved, a.DispatchID)
	return desk.Approval{}, nil
}

func (o *overtaken) Withdraw(_ context.Context, _ desk.OperatorID, id desk.DispatchID) error {
	o.withdrawn = append(o.withdrawn, id)
	return nil
}

// TestAnOvertakenDraftIsWithdrawn: a draft left behind stays at the desk for ever, and a tired officer may approve it.
func TestAnOvertakenDraftIsWithdrawn(t *testing.T) {
	d := &overtaken{item: desk.InboxItem{
		Event:      desk.Event{ID: 1, MaxIntensity: desk.Intensity6Lower},
		Advice:     &desk.Advice{ID: 1, Triggered: []desk.TriggeredBy{{Prefecture: 17, Intensity: desk.Intensity6Lower, Reason: desk.ReasonIntensity}}},
		IncidentID: 7,
	}}
	d.item.Advice.Merge = &desk.MergeAdvice{IncidentID: 7, Join: true, Added: d.item.Advice.Triggered}
	o := &operator{desk: d, id: 1, out: io.Discard, seen: map[desk.EventID]desk.AdviceID{}, started: time.Now()}
	for range 2 {
		if err := o.act(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(d.drafts) != 2 || len(d.approved) != 1 || d.approved[0] != 2 {
		t.Fatalf("drafts %v, approved %v", d.drafts, d.approved)
	}
	if len(d.withdrawn) != 1 || d.withdrawn[0] != 1 {
		t.Errorf("the overtaken draft was left at the desk: withdrawn %v", d.withdrawn)
	}
}
