package tuitest

import (
	"context"
	"slices"
	"time"

	"yagura/store/desk"
)

// Propose keeps a draft and counts its people.
func (b *Backend) Propose(_ context.Context, who desk.OperatorID, d desk.Draft) (desk.Dispatch, error) {
	leave, err := b.enter("Propose")
	defer leave()
	if err != nil {
		return desk.Dispatch{}, err
	}
	a := preview(d.Triggered)
	out := desk.Dispatch{
		ID: desk.DispatchID(b.id()), IncidentID: d.IncidentID, EventID: d.EventID, Mode: b.Files[d.EventID].Item.Event.Mode, State: desk.Proposed,
		Subject: d.Subject, Body: d.Body, TemplateID: d.TemplateID, TemplateV: 1, Triggered: d.Triggered,
		HeadCount: a.People, Addresses: a.Addresses, Unreached: a.Unreached, ProposerID: who, ProposedBy: b.Team[who].Display, ProposedAt: b.clock(),
	}
	b.Sent[out.ID] = &desk.DispatchProgress{Dispatch: out, Mails: a.Addresses, Pending: a.Addresses}
	b.proposers[out.ID] = who
	return out, nil
}

// Approve keeps the store's rules: the head-count, the latest advice, one key only when clean, never one's own proposal by two.
func (b *Backend) Approve(_ context.Context, who desk.OperatorID, o desk.ApprovalOrder) (desk.Approval, error) {
	leave, err := b.enter("Approve")
	defer leave()
	if err != nil {
		return desk.Approval{}, err
	}
	p, ok := b.Sent[o.DispatchID]
	if !ok || p.Dispatch.State != desk.Proposed {
		return desk.Approval{}, desk.Errorf(desk.Conflict, "Approve", "すでに承認されたか、取り下げられています。")
	}
	it := b.Files[p.Dispatch.EventID].Item
	if o.HeadCount != p.Dispatch.HeadCount || it.Advice == nil || it.Advice.ID != o.AdviceID {
		return desk.Approval{}, desk.Errorf(desk.Stale, "Approve", "人数か判断の材料が変わりました。")
	}
	genuine := it.Verification != nil && it.Verification.Finding == desk.Genuine
	if o.Method == desk.OneKey && (!b.Rules.OnePersonMay || it.Advice.Contradictions() > 0 || !genuine) {
		return desk.Approval{}, desk.Errorf(desk.Forbidden, "Approve", "2人の確認が必要です。")
	}
	if o.Method == desk.TwoPeople && b.proposers[o.DispatchID] == who {
		return desk.Approval{}, desk.Errorf(desk.Forbidden, "Approve", "自分の起案は承認できません。")
	}
	now := b.clock()
	a := desk.Approval{
		ID: desk.ApprovalID(b.id()), DispatchID: o.DispatchID, OperatorID: who, Operator: b.Team[who].Display, HeadCount: o.HeadCount,
		Method: o.Method, At: now, NotBefore: now.Add(b.Rules.CountDown), NotAfter: now.Add(b.Rules.NotAfter),
	}
	p.Dispatch.Approval, p.Dispatch.State = &a, desk.Approved
	in := &b.Open[p.Dispatch.IncidentID].Incident
	for _, t := range p.Dispatch.Triggered {
		in.Notified = notify(in.Notified, t, p.Dispatch.EventID)
	}
	return a, nil
}

// StopDispatch withdraws during the count-down, later leaves a stop row.
func (b *Backend) StopDispatch(_ context.Context, who desk.OperatorID, id desk.DispatchID, reason string) (desk.Stop, error) {
	leave, err := b.enter("StopDispatch")
	defer leave()
	if err != nil {
		return desk.Stop{}, err
	}
	p, ok := b.Sent[id]
	if !ok || p.Dispatch.Approval == nil || p.Dispatch.Stop != nil || p.Dispatch.State.Ended() {
		return desk.Stop{}, desk.Errorf(desk.Conflict, "StopDispatch", "停止できる状態ではありません。")
	}
	s := desk.Stop{ID: desk.StopID(b.id()), DispatchID: id, OperatorID: who, Operator: b.Team[who].Display, Reason: reason, At: b.clock()}
	*p = b.progress(*p)
	p.Dispatch.Stop, p.Dispatch.State = &s, desk.Stopped
	if s.At.Before(p.Dispatch.Approval.NotBefore) {
		p.Dispatch.State, p.Mails, p.Pending = desk.Withdrawn, 0, 0 // no row was written, so nobody was asked
		b.forget(p.Dispatch.IncidentID)
	}
	return s, nil
}

// forget counts anew whom an incident has asked: those of dispatches that were approved and not withdrawn.
func (b *Backend) forget(id desk.IncidentID) {
	in := &b.Open[id].Incident
	in.Notified = nil
	for _, p := range b.Sent {
		if p.Dispatch.IncidentID == id && p.Dispatch.Approval != nil && p.Dispatch.State != desk.Withdrawn {
			for _, t := range p.Dispatch.Triggered {
				in.Notified = notify(in.Notified, t, p.Dispatch.EventID)
			}
		}
	}
}

// Withdraw gives up a proposal.
func (b *Backend) Withdraw(_ context.Context, _ desk.OperatorID, id desk.DispatchID) error {
	leave, err := b.enter("Withdraw")
	defer leave()
	if err != nil {
		return err
	}
	p, ok := b.Sent[id]
	if !ok || p.Dispatch.State != desk.Proposed {
		return desk.Errorf(desk.Conflict, "Withdraw", "起案の状態ではありません。")
	}
	p.Dispatch.State, p.Mails, p.Pending = desk.Withdrawn, 0, 0
	return nil
}

// Progress plays the engine: after the count-down 2,000 mails a second leave.
func (b *Backend) Progress(_ context.Context, id desk.DispatchID) (desk.DispatchProgress, error) {
	leave, err := b.enter("Progress")
	defer leave()
	p, ok := b.Sent[id]
	if err != nil {
		return desk.DispatchProgress{}, err
	}
	if !ok {
		return desk.DispatchProgress{}, desk.Errorf(desk.NotFound, "Progress", "送信が見つかりません。")
	}
	return b.progress(*p), nil
}

func (b *Backend) progress(p desk.DispatchProgress) desk.DispatchProgress {
	d := &p.Dispatch
	p.AsOf = b.clock()
	if d.Approval == nil || d.State.Ended() {
		return p
	}
	since := p.AsOf.Sub(d.Approval.NotBefore)
	if since < 0 || b.NoEngine { // no row is written before the count-down is over
		p.Mails, p.Pending = 0, 0
		return p
	}
	done := min(p.Mails, int(since/time.Millisecond)*2)
	p.Refused = done / 100
	p.Deferred = min(p.Mails-done, 40)
	p.Accepted, p.Pending = done-p.Refused, p.Mails-done
	d.State, d.FirstAt, d.LastAt = desk.Sending, d.Approval.NotBefore.Add(90*time.Millisecond), p.AsOf
	if done == p.Mails {
		d.State, p.Deferred = desk.Sent, 0
	}
	p.Lanes = nil
	rest := p
	for i, lane := range []string{"docomo", "au", "softbank", desk.DefaultLane} {
		share := desk.LaneProgress{Lane: lane, Mails: p.Mails / 4, Accepted: p.Accepted / 4, Refused: p.Refused / 4, Deferred: p.Deferred / 4}
		if i == 3 {
			share = desk.LaneProgress{Lane: lane, Mails: rest.Mails, Accepted: rest.Accepted, Refused: rest.Refused, Deferred: rest.Deferred}
		}
		rest.Mails, rest.Accepted, rest.Refused, rest.Deferred = rest.Mails-share.Mails, rest.Accepted-share.Accepted, rest.Refused-share.Refused, rest.Deferred-share.Deferred
		p.Lanes = append(p.Lanes, share)
	}
	return p
}

// ActiveDispatches is newest first.
func (b *Backend) ActiveDispatches(context.Context) ([]desk.DispatchProgress, error) {
	leave, err := b.enter("ActiveDispatches")
	defer leave()
	if err != nil {
		return nil, err
	}
	out := make([]desk.DispatchProgress, 0, len(b.Sent))
	for _, p := range b.Sent {
		out = append(out, b.progress(*p))
	}
	slices.SortFunc(out, func(x, y desk.DispatchProgress) int { return int(y.Dispatch.ID - x.Dispatch.ID) })
	return out, nil
}

// Tally plays the staff: a third of those sent has answered.
func (b *Backend) Tally(_ context.Context, id desk.DispatchID) (desk.Tally, error) {
	leave, err := b.enter("Tally")
	defer leave()
	if err != nil {
		return desk.Tally{}, err
	}
	if t, ok := b.Tallies[id]; ok {
		return t, nil
	}
	p, ok := b.Sent[id]
	if !ok || p.Dispatch.Approval == nil || b.clock().Before(p.Dispatch.Approval.NotBefore) {
		return desk.Tally{}, desk.Errorf(desk.NotFound, "Tally", "まだ集計はありません。")
	}
	return TallyFor(*p, b.clock()), nil
}

// TallyFor makes a tally that adds up.
func TallyFor(p desk.DispatchProgress, at time.Time) desk.Tally {
	t := desk.Tally{DispatchID: p.Dispatch.ID, AsOf: at, Safety: map[desk.Safety]int{}, Attendance: map[desk.Attendance]int{}}
	add := func(name string, people int) desk.TallyLine {
		l := desk.TallyLine{Name: name, Sent: people, Answered: people / 3, Undeliverable: people / 50, NeedHelp: people / 400}
		l.Unanswered = l.Sent - l.Answered - l.Undeliverable
		return l
	}
	for _, c := range preview(p.Dispatch.Triggered).ByPrefecture {
		l := add(c.Prefecture.Name(), c.People)
		t.ByPrefecture = append(t.ByPrefecture, l)
		t.Sent, t.Answered, t.Unanswered, t.Undeliverable = t.Sent+l.Sent, t.Answered+l.Answered, t.Unanswered+l.Unanswered, t.Undeliverable+l.Undeliverable
		t.Safety[desk.SafetyInjured] += l.NeedHelp
	}
	t.ByGroup = []desk.TallyLine{{Name: "全省", Sent: t.Sent, Answered: t.Answered, Unanswered: t.Unanswered, Undeliverable: t.Undeliverable, NeedHelp: t.Safety[desk.SafetyInjured]}}
	t.Safety[desk.SafetyWell] = t.Answered - t.Safety[desk.SafetyInjured]
	t.Attendance[desk.AttendNow] = t.Answered / 2
	t.Attendance[desk.AttendLater] = t.Answered / 4
	t.Attendance[desk.AttendCannot] = t.Answered - t.Answered/2 - t.Answered/4
	return t
}

// notify raises the prefecture's level, or adds it: as in the store, one row a prefecture with every shaking asked about.
func notify(all []desk.Notified, t desk.TriggeredBy, event desk.EventID) []desk.Notified {
	for i := range all {
		if all[i].Prefecture == t.Prefecture {
			all[i].Intensity = max(all[i].Intensity, t.Intensity)
			all[i].EventIDs = append(all[i].EventIDs, event)
			return all
		}
	}
	return append(all, desk.Notified{Prefecture: t.Prefecture, Intensity: t.Intensity, EventIDs: []desk.EventID{event}})
}
