package dispatch

import (
	"fmt"
	"time"

	"charm.land/lipgloss/v2"

	"yagura/store/desk"
	"yagura/tui/ui"
)

// CountingDown reports whether the dispatch waits for its count-down at the given time, and nobody has stopped it.
func CountingDown(d desk.Dispatch, now time.Time) bool {
	return d.State == desk.Approved && d.Approval != nil && d.Stop == nil && now.Before(d.Approval.NotBefore)
}

// progress is what has happened since the approval, counted from attempts (law 7).
func (m Model) progress(p *ui.Page, f ui.Frame, pr desk.DispatchProgress) {
	d := pr.Dispatch
	p.Spans(ui.Span{Style: f.Theme.Strong, Text: f.Lang.F(words.people, ui.Count(d.HeadCount))},
		ui.Span{Style: f.Theme.Base, Text: "  " + f.Lang.F(words.addresses, ui.Count(d.Addresses)) + "  "},
		ui.Span{Style: f.Theme.Watch, Text: f.Lang.F(words.unreached, ui.Count(d.Unreached))})
	if a := d.Approval; a != nil {
		how := words.byOneKey
		if a.Method == desk.TwoPeople {
			how = words.byTwo
		}
		p.Line(f.Theme.Base, f.Lang.F(words.approved, a.Operator, ui.Clock(a.At), f.Lang.T(how), d.ProposedBy))
	}
	p.Blank()
	if CountingDown(d, f.Now) {
		p.Line(f.Theme.Count, " "+ui.CountDown(f, d.Approval.NotBefore, d.Approval.NotBefore.Sub(d.Approval.At), p.W-2))
		p.Line(f.Theme.Count, " "+f.Lang.T(words.stopNow))
		p.Blank()
		m.letter(p, f)
		return
	}
	m.state(p, f, pr)
	p.Blank()
	if unsent(pr) || waits(pr) {
		m.letter(p, f)
		return
	}
	m.lanes(p, f, pr)
	m.clocks(p, f, pr)
	m.letter(p, f)
}

// waits reports whether the count-down is over and no engine has written a mail yet.
func waits(pr desk.DispatchProgress) bool {
	return pr.Dispatch.State == desk.Approved && pr.Dispatch.Stop == nil && pr.Mails == 0
}

func (m Model) state(p *ui.Page, f ui.Frame, pr desk.DispatchProgress) {
	d := pr.Dispatch
	if unsent(pr) {
		p.Line(f.Theme.Watch, f.Lang.State(d.State)+"  "+f.Lang.T(words.reached))
		if d.Stop != nil {
			p.Para(f.Theme.Watch, "", f.Lang.F(words.stoppedBy, d.Stop.Operator, ui.Clock(d.Stop.At), d.Stop.Reason))
		}
		if d.State == desk.Expired {
			p.Para(f.Theme.Watch, "", f.Lang.T(words.expired))
		}
		return
	}
	if waits(pr) { // "0 % of 0 mails" would look like a sending that has begun
		a := d.Approval
		p.Para(f.Theme.Watch, "", f.Lang.F(words.notBegun, f.Lang.Elapsed(f.Now.Sub(a.NotBefore)), ui.Clock(a.NotAfter)))
		return
	}
	done := pr.Accepted + pr.Refused
	style := f.Theme.Strong
	if d.Stop != nil || d.State == desk.Stopped || d.State == desk.Expired || d.State == desk.Withdrawn {
		style = f.Theme.Watch
	}
	p.Line(style, fmt.Sprintf("%s  %3d%% %s", f.Lang.State(d.State), ui.Percent(done, pr.Mails), ui.Bar(done, pr.Mails, max(10, p.W-20))))
	if d.Stop != nil {
		p.Para(f.Theme.Watch, "", f.Lang.F(words.stoppedBy, d.Stop.Operator, ui.Clock(d.Stop.At), d.Stop.Reason))
		p.Line(f.Theme.Strong, f.Lang.F(words.stoppedCount, ui.Count(max(0, pr.Mails-pr.Accepted-pr.Refused)), ui.Count(pr.Accepted)))
	}
}

func (m Model) lanes(p *ui.Page, f ui.Frame, pr desk.DispatchProgress) {
	p.Rule(f.Theme, f.Lang.T(words.byLane))
	t := f.Lang.T
	row := func(style lipgloss.Style, name, mails, accepted, refused, deferred, bar string) {
		p.Line(style, ui.Fit(name, 14)+ui.Right(mails, 9)+ui.Right(accepted, 9)+ui.Right(refused, 7)+ui.Right(deferred, 9)+"  "+bar)
	}
	w := max(4, min(60, p.W-52))
	row(f.Theme.Dim, t(words.lane), t(words.mails), t(words.accepted), t(words.refused), t(words.deferred), "")
	for _, l := range pr.Lanes {
		row(f.Theme.Base, l.Lane, ui.Count(l.Mails), ui.Count(l.Accepted), ui.Count(l.Refused), ui.Count(l.Deferred), ui.Bar(l.Accepted+l.Refused, l.Mails, w))
	}
	row(f.Theme.Strong, t(words.total), ui.Count(pr.Mails), ui.Count(pr.Accepted), ui.Count(pr.Refused), ui.Count(pr.Deferred),
		f.Lang.F(words.pending, ui.Count(pr.Pending)))
}

// clocks are the times a report needs: from the key to the first and the last result.
func (m Model) clocks(p *ui.Page, f ui.Frame, pr desk.DispatchProgress) {
	d := pr.Dispatch
	if d.Approval == nil || d.FirstAt.IsZero() {
		return
	}
	p.Line(f.Theme.Dim, f.Lang.F(words.clocks, f.Lang.Elapsed(d.FirstAt.Sub(d.Approval.At)), f.Lang.Elapsed(d.LastAt.Sub(d.Approval.At)), ui.Clock(d.LastAt)))
}
