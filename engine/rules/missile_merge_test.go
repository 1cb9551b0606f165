package rules

import (
	"strings"
	"testing"
	"time"

	"yagura/store/desk"
)

func TestMissileMerge(t *testing.T) {
	event := MissileEvent(desk.Event{ID: 7}, []desk.Telegram{notice(desk.MissileImpact, 0, area(2, "青森市"))})
	by := []desk.TriggeredBy{{Prefecture: 2, Reason: desk.ReasonMissile}}
	open := desk.Incident{ID: 3, Hazard: desk.Missile, Mode: desk.Live, LastOccurred: event.OccurredAt.Add(-40 * time.Minute)}
	asked := []desk.Notified{{Prefecture: 2, EventIDs: []desk.EventID{5}}}
	for _, c := range []struct {
		name   string
		change func(*desk.Incident)
		join   bool
		added  int
		says   string
	}{
		{"a series", func(*desk.Incident) {}, true, 1, "一連の発射"},
		{"its own incident", func(i *desk.Incident) { i.Events = []desk.EventID{7} }, true, 1, "青森県が加わりました"},
		{"asked about it", func(i *desk.Incident) { i.Events, i.Notified = []desk.EventID{7}, asked }, true, 0, "新たに通知する都道府県はありません"},
		{"asked about another fall", func(i *desk.Incident) { i.Notified = asked }, true, 0, "別の落下であれば"},
		{"long ago", func(i *desk.Incident) { i.LastOccurred = event.OccurredAt.Add(-4 * time.Hour) }, false, 1, "離れています"},
	} {
		inc := open
		c.change(&inc)
		m := MissileMerge(event, by, inc)
		if m == nil || m.Join != c.join || len(m.Added) != c.added || len(m.Raised) != 0 || !strings.Contains(m.Text, c.says) {
			t.Errorf("%s: %+v", c.name, m)
		}
	}
	for name, change := range map[string]func(*desk.Incident){
		"closed": func(i *desk.Incident) { i.ClosedAt = at0755 }, "a drill": func(i *desk.Incident) { i.Mode = desk.Drill }, "a quake": func(i *desk.Incident) { i.Hazard = desk.Earthquake },
	} {
		inc := open
		change(&inc)
		if m := MissileMerge(event, by, inc); m != nil {
			t.Errorf("%s: %+v", name, m)
		}
	}
}
