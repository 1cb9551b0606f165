package rules

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"yagura/store/desk"
)

// MissileSpan is how far around a civil-protection notice a caller must look for the event it might belong to. The correction of
// 2022-11-03 came 94 minutes after the call (feeds.md 4.3).
const MissileSpan = 3 * time.Hour

// missileSeries is the longest silence within one series of notices: call to passage or lifting took 6 to 34 minutes (feeds.md 4.3).
const missileSeries = 60 * time.Minute

// missileEcho is how long after the end of a series a call still counts as its echo by a slower path, and not as a new launch.
const missileEcho = 5 * time.Minute

// missileEnded begins the key under which an event keeps when its series ended; the time follows in RFC 3339.
const missileEnded = "missile:ended:"

// MissileEvent recomputes a missile event from all its notices, whatever order they came in. ID and StoredAt are kept. EventIDs holds the
// document ids of the notices and, after a passage, fall into the sea or lifting, when the series ended.
func MissileEvent(e desk.Event, telegrams []desk.Telegram) desk.Event {
	all := missileNotices(telegrams)
	if len(all) == 0 {
		return e
	}
	s := missileStateOf(all)
	out := desk.Event{
		ID: e.ID, StoredAt: e.StoredAt, Hazard: desk.Missile, Mode: all[0].Mode, Status: desk.EventOpen, Tsunami: desk.TsunamiNone,
		Telegrams: len(telegrams), FirstSeenAt: all[0].ReceivedAt, UpdatedAt: all[0].ReceivedAt, OccurredAt: missileHappened(all[0]),
	}
	for _, n := range all {
		if n.ReceivedAt.Before(out.FirstSeenAt) {
			out.FirstSeenAt = n.ReceivedAt
		}
		if n.ReceivedAt.After(out.UpdatedAt) {
			out.UpdatedAt = n.ReceivedAt
		}
		if at := missileHappened(n); at.Before(out.OccurredAt) {
			out.OccurredAt = at
		}
		for _, id := range n.EventIDs {
			if !slices.Contains(out.EventIDs, id) {
				out.EventIDs = append(out.EventIDs, id)
			}
		}
	}
	slices.Sort(out.EventIDs)
	if !s.endedAt.IsZero() {
		out.EventIDs = append(out.EventIDs, missileEnded+s.endedAt.UTC().Format(time.RFC3339))
	}
	if s.standing == 0 && s.taken > 0 {
		out.Status = desk.EventRetracted
	}
	out.Title = oneLine(missileTitle(&s))
	out.Headline = desk.CleanText(firstText(all[len(all)-1].Headline, all[len(all)-1].HeadTitle), true)
	return out
}

// missileTitle is the event in plain words, e.g. 弾道ミサイル 直ちに避難（落下予測） 北海道.
func missileTitle(s *missileState) string {
	subject := "弾道ミサイル"
	if s.kind == desk.MissileAttack || s.kind == desk.MissileOther {
		subject = "国民保護情報"
	}
	kind, areas := s.kind, s.called
	switch {
	case s.standing == 0 && s.taken > 0:
		return subject + " の情報は取り消されました"
	case s.standing == 0:
		return subject + " 訓練の語がある情報"
	case len(s.impact) > 0:
		kind, areas = desk.MissileImpact, s.impact
	case len(s.forecast) > 0:
		kind, areas = desk.MissileForecast, s.forecast
	}
	corrected := ""
	if s.corrected && kind != desk.MissileCorrected {
		corrected = "（訂正あり）"
	}
	return joined([]string{subject, kind.Japanese() + corrected, areaNames(areas)})
}

// areaNames lists at most five prefectures; parts are named only where there are few.
func areaNames(areas []desk.MissileArea) string {
	codes := missilePrefectures(areas)
	if len(areas) > 5 || len(codes) > 5 {
		names := make([]string, 0, len(codes))
		for _, p := range codes {
			if part := onlyParts(areas, p); len(part) > 0 {
				names = append(names, p.Name()+"の一部")
				continue
			}
			names = append(names, p.Name())
		}
		if len(names) > 5 {
			return prefectureNames(codes)
		}
		return strings.Join(names, "・")
	}
	names := make([]string, 0, len(areas))
	for _, a := range areas {
		names = append(names, a.Name())
	}
	return strings.Join(names, "・")
}

func missilePrefectures(areas []desk.MissileArea) []desk.Prefecture {
	var out []desk.Prefecture
	for _, a := range areas {
		if !slices.Contains(out, a.Prefecture) {
			out = append(out, a.Prefecture)
		}
	}
	slices.Sort(out)
	return out
}

// onlyParts lists the parts of a prefecture when nothing but parts of it is named.
func onlyParts(areas []desk.MissileArea, p desk.Prefecture) []string {
	var parts []string
	for _, a := range areas {
		switch {
		case a.Prefecture != p:
		case a.Part == "":
			return nil
		default:
			parts = append(parts, a.Part)
		}
	}
	return parts
}

// MissileTriggered lists the prefectures whose people are concerned, in JIS order: where something fell or is forecast to fall, as
// the notices stand now. A launch, a passage, a fall into the high sea and a notice that declares itself a drill concern nobody
// (F3-1-o). Whose people these are is the prefecture's setting for earthquakes; how strong is unknown.
func MissileTriggered(_ desk.Event, telegrams []desk.Telegram) []desk.TriggeredBy {
	s := missileStateOf(missileNotices(telegrams))
	return s.triggered()
}

// MissileGrade says how loudly the desk is told: 1 for every notice of something in the air or on the ground, for a correction and for
// whatever follows a notice that concerned somebody; 2 for a lifting or a fall into the high sea that nobody was concerned by.
func MissileGrade(_ desk.Event, telegrams []desk.Telegram) desk.Grade {
	all := missileNotices(telegrams)
	s := missileStateOf(all)
	if s.corrected || s.taken > 0 || len(s.triggered()) > 0 || wasTriggered(all) {
		return desk.GradeAlarm
	}
	if s.kind == desk.MissileLifted || s.kind == desk.MissileSeaFall {
		return desk.GradeWatch
	}
	return desk.GradeAlarm
}

func wasTriggered(all []*desk.Telegram) bool {
	for i := range all {
		if s := missileStateOf(all[:i+1]); len(s.triggered()) > 0 {
			return true
		}
	}
	return false
}

// MissileBelongs says to which of the candidate events a notice belongs: the one that bears its document id, else the latest of the
// same mode whose last word lies within 60 minutes, or within MissileSpan for a correction. A call that comes after the series
// ended is a new launch. None means a new event. Candidates of the last MissileSpan are expected.
func MissileBelongs(t desk.Telegram, candidates []desk.Event) []desk.EventID {
	var best *desk.Event
	for i := range candidates {
		e := &candidates[i]
		switch {
		case e.Mode != t.Mode || e.Hazard != desk.Missile || t.Hazard != desk.Missile:
		case shareID(t.EventIDs, e.EventIDs):
			return []desk.EventID{e.ID}
		case !sameSeries(&t, e):
		case best == nil || cmp.Or(e.UpdatedAt.Compare(best.UpdatedAt), cmp.Compare(e.ID, best.ID)) > 0:
			best = e
		}
	}
	if best == nil {
		return nil
	}
	return []desk.EventID{best.ID}
}

func sameSeries(t *desk.Telegram, e *desk.Event) bool {
	at := missileTime(t)
	gap := time.Duration(0)
	switch {
	case at.Before(e.OccurredAt):
		gap = e.OccurredAt.Sub(at)
	case at.After(e.UpdatedAt):
		gap = at.Sub(e.UpdatedAt)
	}
	if t.Phase == desk.Corrected || t.Phase == desk.Cancelled {
		return gap <= MissileSpan
	}
	if t.Missile != nil && (t.Missile.Kind == desk.MissileLaunch || t.Missile.Kind == desk.MissileForecast) {
		if ended, ok := endOf(e); ok && at.After(ended.Add(missileEcho)) {
			return false
		}
	}
	return gap <= missileSeries
}

func endOf(e *desk.Event) (time.Time, bool) {
	for _, id := range e.EventIDs {
		if text, ok := strings.CutPrefix(id, missileEnded); ok {
			at, err := time.Parse(time.RFC3339, text)
			return at, err == nil
		}
	}
	return time.Time{}, false
}
