package story

import (
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"yagura/store"
	"yagura/store/desk"
)

// operator is a person on duty. The verbs are the desk's own, under the role of the console.
type operator struct {
	tw    *tower
	id    desk.OperatorID
	name  string
	key   ssh.Signer
	store *store.Store
}

// sees waits until an event that fits stands in the inbox.
func (o *operator) sees(limit time.Duration, what string, fits func(desk.InboxItem) bool) desk.InboxItem {
	o.tw.t.Helper()
	var found desk.InboxItem
	within(o.tw.t, limit, "the inbox shows "+what, func() bool {
		items, err := o.store.Inbox(o.tw.t.Context(), 500)
		if err != nil {
			return false
		}
		for _, item := range items {
			if fits(item) {
				found = item
				return true
			}
		}
		return false
	})
	return found
}

// strongest fits the event of the given maximum intensity.
func strongest(i desk.Intensity) func(desk.InboxItem) bool {
	return func(item desk.InboxItem) bool { return item.Advice != nil && item.Event.MaxIntensity == i }
}

func (o *operator) finds(item desk.InboxItem, f desk.Finding, reason string) {
	o.tw.t.Helper()
	within(o.tw.t, 5*time.Second, "the finding is made on the latest advice", func() bool {
		file := must[desk.EventFile](o.tw.t)(o.store.EventFile(o.tw.t.Context(), item.Event.ID))
		_, err := o.store.Verify(o.tw.t.Context(), o.id,
			desk.Verification{EventID: item.Event.ID, AdviceID: file.Item.Advice.ID, Finding: f, Reason: reason})
		if err != nil && desk.KindOf(err) != desk.Stale {
			o.tw.t.Fatal(err)
		}
		return err == nil
	})
}

func (o *operator) opens(item desk.InboxItem) desk.IncidentID {
	o.tw.t.Helper()
	return must[desk.IncidentID](o.tw.t)(o.store.Decide(o.tw.t.Context(), o.id,
		desk.IncidentChoice{EventID: item.Event.ID, Title: item.Event.Title, Reason: desk.FirstOfItsKind}))
}

func (o *operator) proposes(item desk.InboxItem, incident desk.IncidentID) desk.Dispatch {
	o.tw.t.Helper()
	ctx := o.tw.t.Context()
	subject, body, _, err := o.store.Template(ctx, "safety")
	if err != nil {
		o.tw.t.Fatal(err)
	}
	fill := strings.NewReplacer("{title}", item.Event.Title)
	return must[desk.Dispatch](o.tw.t)(o.store.Propose(ctx, o.id, desk.Draft{
		IncidentID: incident, EventID: item.Event.ID, Triggered: item.Advice.Triggered, TemplateID: "safety",
		Subject: fill.Replace(subject), Body: fill.Replace(body),
	}))
}

// tries orders a dispatch on what the desk shows at that moment. The rules look again when an incident opens, so newer advice may
// come in between: then the person reads it and decides again, as the desk asks.
func (o *operator) tries(item desk.InboxItem, d desk.Dispatch, method desk.ApproveMethod) (made desk.Approval, err error) {
	o.tw.t.Helper()
	within(o.tw.t, 5*time.Second, "the order is given on the latest advice", func() bool {
		file := must[desk.EventFile](o.tw.t)(o.store.EventFile(o.tw.t.Context(), item.Event.ID))
		made, err = o.store.Approve(o.tw.t.Context(), o.id,
			desk.ApprovalOrder{DispatchID: d.ID, HeadCount: d.HeadCount, Method: method, AdviceID: file.Item.Advice.ID})
		return desk.KindOf(err) != desk.Stale
	})
	return made, err
}

// approves is the one key.
func (o *operator) approves(item desk.InboxItem, d desk.Dispatch) desk.Approval {
	o.tw.t.Helper()
	return must[desk.Approval](o.tw.t)(o.tries(item, d, desk.OneKey))
}

// orders goes the whole way for a clean event: genuine, a new incident, proposed, approved.
func (o *operator) orders(item desk.InboxItem) desk.Dispatch {
	o.tw.t.Helper()
	o.finds(item, desk.Genuine, "")
	d := o.proposes(item, o.opens(item))
	o.approves(item, d)
	return d
}

// strongQuake is a plain true earthquake: early warning, flash, report; 6強, so the whole country is asked.
const strongQuake = `scenario strong 物語（石川県 震度６強）
mode live
office 気象庁本庁
date 2026-09-01
comment 0215
quake at=10:00:00 place=390/石川県能登地方 lat=37.5 lon=137.2 depth=10 m=7.0
shake 6+:390*3 5+:391*2 4:370,380
eew +9s n=1 6-~6+:390 5-~5+:391
flash +96s
report +320s n=1
`

// happened plays the strong earthquake through a first engine and gives its line in the inbox, every telegram of it read.
func (tw *tower) happened(more ...string) (*process, desk.InboxItem) {
	tw.t.Helper()
	folder, n := tw.telegrams(strongQuake)
	engine := tw.engine("east", append(playing(folder), more...)...)
	tw.hasRead(20*time.Second, n)
	return engine, tw.one.sees(5*time.Second, "the earthquake", strongest(desk.Intensity6Upper))
}
