package intake

import (
	"testing"

	"yagura/store/desk"
	"yagura/store/storetest"
)

func TestAdviceFollowsTheIncidentThatWasOpened(t *testing.T) { // F3-1-k.4
	db := storetest.New(t)
	envs := scenario(t, "noto")
	st := db.Store(storetest.Engine)
	in := start(t, st, "a", slice{"replay", envs})
	await(t, "the whole night", func() bool {
		c := in.Counts()
		return c.Judged == c.Stored && c.Stored+c.Duplicates == int64(len(envs))
	})
	aftershock := func() desk.InboxItem {
		items, err := st.Inbox(t.Context(), 200)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range items {
			if i.Event.OccurredAt.In(desk.JST).Format("15:04") == "16:18" && i.Advice != nil && len(i.Advice.Triggered) > 0 {
				return i
			}
		}
		return desk.InboxItem{}
	}
	await(t, "the aftershock of 16:18", func() bool { return aftershock().Advice != nil })
	if m := aftershock().Advice.Merge; m != nil {
		t.Fatalf("merge advice before there is any incident: %+v", m)
	}
	officer := storetest.Operator(t, db, "tanaka")
	desks := db.Store(storetest.Console)
	first := itemOf(t, st, "20240101161010")
	if _, err := desks.Verify(t.Context(), officer, desk.Verification{EventID: first.Event.ID, AdviceID: first.Advice.ID, Finding: desk.Genuine}); err != nil {
		t.Fatal(err)
	}
	incident, err := desks.Decide(t.Context(), officer, desk.IncidentChoice{EventID: first.Event.ID, Title: "能登", Reason: desk.FirstOfItsKind})
	if err != nil {
		t.Fatal(err)
	}
	await(t, "advice to join", func() bool {
		m := aftershock().Advice.Merge
		return m != nil && m.IncidentID == incident && m.Join
	})
	if a := itemOf(t, st, "20240101161010").Advice; a.ID != first.Advice.ID {
		t.Error("the decided event's advice changed before anybody was asked")
	}
}
