// Package tuitest is a desk for tests: a backend in memory that keeps the store's rules, a clock that only moves when told, and a driver for keys.
package tuitest

import (
	"context"
	"sync"
	"time"

	"yagura/store/desk"
)

// Backend is the store in memory: the same methods, the same refusals (Stale, Conflict, Forbidden) as the API list promises.
type Backend struct {
	mu        sync.Mutex
	clock     func() time.Time
	Items     []desk.InboxItem
	Files     map[desk.EventID]desk.EventFile
	Open      map[desk.IncidentID]*desk.IncidentFile
	Sent      map[desk.DispatchID]*desk.DispatchProgress
	Tallies   map[desk.DispatchID]desk.Tally
	Rules     desk.Policy
	Feed      string
	Present   []desk.Presence
	Team      map[desk.OperatorID]desk.Operator
	Notified  []desk.Notified // what the first approved dispatch leaves behind, by incident, is kept in the incident
	Down      bool            // the database is away
	NoEngine  bool            // no engine has been heard for a minute
	Heard     []desk.SourceHealth
	Owed      []desk.Breach
	Calls     []string
	nextID    int64
	proposers map[desk.DispatchID]desk.OperatorID
}

// NewBackend makes an empty backend with the shipped policy.
func NewBackend(clock func() time.Time) *Backend {
	return &Backend{
		clock: clock, Files: map[desk.EventID]desk.EventFile{}, Open: map[desk.IncidentID]*desk.IncidentFile{},
		Sent: map[desk.DispatchID]*desk.DispatchProgress{}, Tallies: map[desk.DispatchID]desk.Tally{},
		Team: map[desk.OperatorID]desk.Operator{}, proposers: map[desk.DispatchID]desk.OperatorID{},
		Rules: desk.Policy{
			Version: 1, PrefectureFrom: desk.Intensity5Lower, NationwideFrom: desk.Intensity6Upper,
			CountDown: 5 * time.Second, NotAfter: 15 * time.Minute, MergeWindow: 6 * time.Hour, MergeKM: 100, OnePersonMay: true,
		},
	}
}

func (b *Backend) enter(call string) (func(), error) {
	b.mu.Lock()
	b.Calls = append(b.Calls, call)
	if b.Down {
		return b.mu.Unlock, desk.Errorf(desk.Unavailable, call, "データベースにつながりません。")
	}
	return b.mu.Unlock, nil
}

func (b *Backend) id() int64 {
	b.nextID++
	return b.nextID
}

// Put adds or replaces an event with its file; the newest stands first.
func (b *Backend) Put(f desk.EventFile) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.Files[f.Item.Event.ID] = f
	items := []desk.InboxItem{f.Item}
	for _, it := range b.Items {
		if it.Event.ID != f.Item.Event.ID || it.Unreadable {
			items = append(items, it)
		}
	}
	b.Items = items
}

func (b *Backend) refresh(id desk.EventID, change func(*desk.EventFile)) {
	f := b.Files[id]
	change(&f)
	b.Files[id] = f
	for i := range b.Items {
		if b.Items[i].Event.ID == id && !b.Items[i].Unreadable {
			b.Items[i] = f.Item
		}
	}
}

// Inbox is inbox.Reader.
func (b *Backend) Inbox(_ context.Context, limit int) ([]desk.InboxItem, error) {
	leave, err := b.enter("Inbox")
	defer leave()
	if err != nil {
		return nil, err
	}
	return append([]desk.InboxItem(nil), b.Items[:min(limit, len(b.Items))]...), nil
}

// EventFile is verify.Store.
func (b *Backend) EventFile(_ context.Context, id desk.EventID) (desk.EventFile, error) {
	leave, err := b.enter("EventFile")
	defer leave()
	if err != nil {
		return desk.EventFile{}, err
	}
	f, ok := b.Files[id]
	if !ok {
		return f, desk.Errorf(desk.NotFound, "EventFile", "事象が見つかりません。")
	}
	return f, nil
}

// Verify keeps the finding; an older advice is Stale.
func (b *Backend) Verify(_ context.Context, who desk.OperatorID, v desk.Verification) (desk.VerificationID, error) {
	leave, err := b.enter("Verify")
	defer leave()
	if err != nil {
		return 0, err
	}
	f, ok := b.Files[v.EventID]
	if !ok || f.Item.Advice == nil || f.Item.Advice.ID != v.AdviceID {
		return 0, desk.Errorf(desk.Stale, "Verify", "新しい電文が届きました。もう一度確かめてください。")
	}
	v.ID, v.OperatorID, v.Operator, v.At = desk.VerificationID(b.id()), who, b.Team[who].Display, b.clock()
	b.refresh(v.EventID, func(f *desk.EventFile) {
		f.Item.Verification = &v
		f.Verifications = append(append([]desk.Verification(nil), f.Verifications...), v)
	})
	return v.ID, nil
}

// OpenIncidents is incident.Store.
func (b *Backend) OpenIncidents(_ context.Context, mode desk.Mode) ([]desk.Incident, error) {
	leave, err := b.enter("OpenIncidents")
	defer leave()
	if err != nil {
		return nil, err
	}
	var out []desk.Incident
	for id := desk.IncidentID(1); int64(id) <= b.nextID+100; id++ {
		if f, ok := b.Open[id]; ok && f.Incident.Mode == mode && f.Incident.ClosedAt.IsZero() {
			out = append(out, f.Incident)
		}
	}
	return out, nil
}

// Decide joins or opens; only a genuine event, and never across worlds.
func (b *Backend) Decide(_ context.Context, who desk.OperatorID, c desk.IncidentChoice) (desk.IncidentID, error) {
	leave, err := b.enter("Decide")
	defer leave()
	if err != nil {
		return 0, err
	}
	f := b.Files[c.EventID]
	if v := f.Item.Verification; v == nil || v.Finding != desk.Genuine || f.Item.IncidentID > 0 {
		return 0, desk.Errorf(desk.Conflict, "Decide", "真報と判断されていないか、すでに災害に入っています。")
	}
	id := c.Incident
	if id == 0 {
		id = desk.IncidentID(b.id())
		b.Open[id] = &desk.IncidentFile{Incident: desk.Incident{
			ID: id, Hazard: f.Item.Event.Hazard, Mode: f.Item.Event.Mode, Title: c.Title, OpenedAt: b.clock(), OpenedBy: b.Team[who].Display,
			FirstOccurred: f.Item.Event.OccurredAt, LastOccurred: f.Item.Event.OccurredAt, MaxIntensity: f.Item.Event.MaxIntensity,
		}}
	}
	in, ok := b.Open[id]
	if !ok || in.Incident.Mode != f.Item.Event.Mode {
		return 0, desk.Errorf(desk.Conflict, "Decide", "訓練と本番は併合できません。")
	}
	in.Incident.Events = append(in.Incident.Events, c.EventID)
	b.refresh(c.EventID, func(f *desk.EventFile) { f.Item.IncidentID = id })
	return id, nil
}

// CloseIncident is incident.ListStore; closing twice is Conflict.
func (b *Backend) CloseIncident(_ context.Context, _ desk.OperatorID, id desk.IncidentID) error {
	leave, err := b.enter("CloseIncident")
	defer leave()
	if err != nil {
		return err
	}
	in, ok := b.Open[id]
	if !ok || !in.Incident.ClosedAt.IsZero() {
		return desk.Errorf(desk.Conflict, "CloseIncident", "この災害の対応はもう終わっています。")
	}
	in.Incident.ClosedAt = b.clock()
	return nil
}

// IncidentFile is dispatch.Reader.
func (b *Backend) IncidentFile(_ context.Context, id desk.IncidentID) (desk.IncidentFile, error) {
	leave, err := b.enter("IncidentFile")
	defer leave()
	if err != nil {
		return desk.IncidentFile{}, err
	}
	f, ok := b.Open[id]
	if !ok {
		return desk.IncidentFile{}, desk.Errorf(desk.NotFound, "IncidentFile", "災害が見つかりません。")
	}
	out := *f
	out.Dispatches = nil
	for d := desk.DispatchID(1); int64(d) <= b.nextID; d++ {
		if p, ok := b.Sent[d]; ok && p.Dispatch.IncidentID == id {
			out.Dispatches = append(out.Dispatches, b.progress(*p))
		}
	}
	return out, nil
}

// PreviewAudience counts 220 people a prefecture and ten per code, so that figures differ.
func (b *Backend) PreviewAudience(_ context.Context, _ desk.IncidentID, ts []desk.TriggeredBy) (desk.AudiencePreview, error) {
	leave, err := b.enter("PreviewAudience")
	defer leave()
	return preview(ts), err
}

func preview(ts []desk.TriggeredBy) desk.AudiencePreview {
	a := desk.AudiencePreview{Uncovered: 120}
	for _, t := range ts {
		people := 220 + 10*int(t.Prefecture)
		a.ByPrefecture = append(a.ByPrefecture, desk.PrefectureCount{Prefecture: t.Prefecture, Intensity: t.Intensity, Reason: t.Reason, People: people, Unreached: 2})
		a.People += people
		a.Unreached += 2
	}
	a.Addresses = a.People * 27 / 20
	if a.Unreached > 0 {
		a.UnreachedList = []desk.PersonLine{{ID: 1, Code: "000417", Name: "髙橋 花子", Unit: "北陸局"}, {ID: 2, Code: "003120", Name: "𠮷田 太郎", Unit: "本省"}}
	}
	return a
}

// Template is the shipped one.
func (b *Backend) Template(context.Context, string) (subject, body string, version int, err error) {
	leave, err := b.enter("Template")
	defer leave()
	return "【安否確認】{title}", "{title}\n\n安否を確認しています。下のリンクを開いて、安否と登庁できるかを答えてください（ログインは不要です）。\n", 1, err
}

// Policy is the present policy.
func (b *Backend) Policy(context.Context) (desk.Policy, error) {
	leave, err := b.enter("Policy")
	defer leave()
	return b.Rules, err
}

// Health is the header's reading.
func (b *Backend) Health(context.Context) (desk.Health, error) {
	leave, err := b.enter("Health")
	defer leave()
	if err != nil {
		return desk.Health{}, err
	}
	now := b.clock()
	h := desk.Health{AsOf: now, Operators: b.Present, Engines: []desk.Heartbeat{{Process: "engine-1", At: now.Add(-time.Second)}, {Process: "engine-2", At: now.Add(-2 * time.Second)}}}
	if b.NoEngine {
		h.Engines = []desk.Heartbeat{{Process: "engine-1", At: now.Add(-time.Minute)}}
	}
	if b.Feed != "" {
		h.LastFeed, h.LastStored, h.LastTelegram = b.Feed, now.Add(-3*time.Second), now.Add(-4*time.Second)
		if b.Feed == "replay" {
			h.LastTelegram = MainShock.Add(12 * time.Minute)
		}
	}
	return h, nil
}

// Sources is the health of the sources; Silent is told by the clock, as the store does.
func (b *Backend) Sources(context.Context) ([]desk.SourceHealth, error) {
	leave, err := b.enter("Sources")
	defer leave()
	all := append([]desk.SourceHealth(nil), b.Heard...)
	for i := range all {
		all[i].Silent = all[i].SilentAt(b.clock())
	}
	return all, err
}

// UnsentBreaches is the reminder.
func (b *Backend) UnsentBreaches(context.Context) ([]desk.Breach, error) {
	leave, err := b.enter("UnsentBreaches")
	defer leave()
	return append([]desk.Breach(nil), b.Owed...), err
}
