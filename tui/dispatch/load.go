package dispatch

import (
	"context"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"yagura/store/desk"
	"yagura/tui/ui"
)

// Reload reads everything again. The second operator's screen is built from the store alone, never from the proposer's (field.md 5.2-1).
func (m Model) Reload() tea.Cmd {
	want, id := m.want, m.id
	return m.env.Run(func(ctx context.Context) tea.Msg {
		file, err := load(ctx, m.store, want, id)
		return Loaded{Want: want, File: file, At: m.env.Now(), Err: err}
	})
}

func load(ctx context.Context, r Reader, want ui.Go, id desk.DispatchID) (File, error) {
	var f File
	event, incident := want.Event, want.Incident
	if id > 0 {
		p, err := r.Progress(ctx, id)
		if err != nil {
			return f, err
		}
		f.Progress, event, incident = &p, p.Dispatch.EventID, p.Dispatch.IncidentID
	}
	var err error
	if f.Event, err = r.EventFile(ctx, event); err != nil {
		return f, err
	}
	if f.Incident, err = r.IncidentFile(ctx, incident); err != nil {
		return f, err
	}
	if f.Policy, err = r.Policy(ctx); err != nil {
		return f, err
	}
	if f.Progress == nil {
		f.Progress = underWay(f.Incident, event)
	}
	if f.Progress != nil {
		d := f.Progress.Dispatch
		f.Audience, f.Subject, f.Body = d.Triggered, d.Subject, d.Body
		if d.State != desk.Proposed {
			return f, nil
		}
	} else {
		f.Audience = Audience(f.Event.Item, f.Policy.PrefectureFrom, f.Incident.Incident.Notified)
		subject, body, _, err := r.Template(ctx, TemplateID)
		if err != nil {
			return f, err
		}
		f.Subject, f.Body = Fill(subject, body, f.Event.Item.Event)
	}
	if len(f.Audience) > 0 {
		f.Preview, err = r.PreviewAudience(ctx, incident, f.Audience)
	}
	return f, err
}

// underWay finds the latest dispatch of the event that has not ended, so that two desks never prepare the same mailing twice.
func underWay(in desk.IncidentFile, event desk.EventID) *desk.DispatchProgress {
	var found *desk.DispatchProgress
	for i, p := range in.Dispatches {
		if p.Dispatch.EventID == event && !p.Dispatch.State.Ended() && (found == nil || p.Dispatch.ID > found.Dispatch.ID) {
			found = &in.Dispatches[i]
		}
	}
	return found
}

// Audience is who is asked on the latest advice: every triggered prefecture that this incident has not asked yet, and those shaken
// harder than when they were asked. For a new incident that is all of them. // F3-1-k.4
func Audience(item desk.InboxItem, threshold desk.Intensity, notified []desk.Notified) []desk.TriggeredBy {
	if item.Advice == nil {
		return nil
	}
	added, raised := desk.NewlyConcerned(item.Event.ID, threshold, item.Advice.Triggered, notified)
	return slices.Concat(added, raised)
}

// Fill puts the event into the template: {title} in the subject is the event, in the body with its time, in plain words.
func Fill(subject, body string, e desk.Event) (filledSubject, filledBody string) {
	title := ui.TitleOf(e)
	long := title
	if !e.OccurredAt.IsZero() {
		long = e.OccurredAt.In(desk.JST).Format("1月2日15時04分ごろ ") + title
	}
	return strings.ReplaceAll(subject, "{title}", title), strings.ReplaceAll(body, "{title}", long)
}
