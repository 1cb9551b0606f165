package rules

import (
	"fmt"
	"slices"
	"time"

	"yagura/store/desk"
)

// BulletinRules are the thresholds in force, by kind.
type BulletinRules map[desk.BulletinKind]desk.BulletinRule

// BulletinThreads says under which kind a telegram may be told, and under which names the same thing may have been told before.
// kinds holds, after the first, the kinds whose news bear on it. None when the telegram is never told automatically.
func BulletinThreads(c *desk.BulletinCase) (kinds []desk.BulletinKind, threads []string) {
	s := subjectOf(c)
	if s.kind == "" {
		return nil, nil
	}
	kinds = []desk.BulletinKind{s.kind}
	switch s.kind {
	case desk.BulletinQuick:
		kinds = append(kinds, desk.BulletinConfirmed)
	case desk.BulletinConfirmed:
		kinds = append(kinds, desk.BulletinQuick)
	}
	return kinds, append(slices.Clone(s.threads), s.siblings...)
}

// DecideBulletins decides on one telegram: what to tell the designated people, or why nothing. last holds the latest bulletin of
// each kind and thread that BulletinThreads names. Pure: its clock is the time the telegram was read. // F3-1-l F3-1-m F3-1-n
func DecideBulletins(c *desk.BulletinCase, rules BulletinRules, last []desk.Bulletin) desk.BulletinDecision {
	d := desk.BulletinDecision{TelegramID: c.Telegram.ID}
	b, why := decide(c, rules, last)
	if why != "" {
		d.Why = why
		return d
	}
	d.Bulletins = []desk.Bulletin{*b}
	return d
}

// decide walks from the coarse to the fine; the first sentence that holds ends it.
func decide(c *desk.BulletinCase, rules BulletinRules, last []desk.Bulletin) (*desk.Bulletin, string) {
	t := &c.Telegram
	switch {
	case c.Problem != "":
		return nil, "読めない電文です。"
	case t.Mode != desk.Live: // law 4
		return nil, fmt.Sprintf("%sの電文です。自動配信は本番だけです。", t.Mode.Japanese())
	}
	s := subjectOf(c)
	if s.kind == "" {
		return nil, s.why
	}
	rule, known := rules[s.kind]
	before := lastBulletin(last, s.kind, s.threads)
	if t.Phase == desk.Cancelled { // also when the kind was switched off meanwhile: who was told wrong is told so
		return withdraw(c, s, before)
	}
	switch {
	case !known || !rule.Enabled:
		return nil, s.kind.Japanese() + "の自動配信は止めてあります。"
	case c.Retracted:
		return nil, "この電文は、すでに取り消されています。"
	case stands(before) && older(t, before):
		return nil, "もっと新しい発表を、すでに配信しました。"
	}
	n, why := newsOf(c, s, last, before)
	if why != "" {
		return nil, why
	}
	if c.Age > rule.StaleAfter && !n.over {
		return nil, fmt.Sprintf("発表から%sたって届いたため、配信しません。", spell(c.Age))
	}
	if !stands(before) || n.momentary && c.ReadAt.Sub(before.At) > momentLasts {
		if toldBeside(s, n, rule.From(), last) {
			return nil, "同じ揺れとして、すでに配信しました。"
		}
		return fresh(c, s, n, rule, before)
	}
	return following(c, s, n, rule, before)
}

// momentLasts is how long a happening without an end (a record rain, an eruption) counts as the same one.
const momentLasts = 3 * time.Hour

// fresh is the first news of a thread, or of one whose former news were withdrawn or lifted.
func fresh(c *desk.BulletinCase, s subject, n *news, rule desk.BulletinRule, before *desk.Bulletin) (*desk.Bulletin, string) {
	switch {
	case n.over:
		return nil, "解除される配信がありません。"
	case n.grade < rule.From() && !n.always:
		return nil, "配信の基準（" + gradeWord(s.kind, rule.From()) + "以上）に達していません。"
	}
	return write(c, s, n, desk.BulletinNew, before, desk.Change{Everybody: true}), ""
}

// toldBeside reports whether a sibling told the same or worse, and to as many prefectures: one shaking may carry two EventIDs, told
// in turn by two offices, and a small shock may hide in the minute of a great one (feeds.md 1.4). It is told apart only where it adds.
func toldBeside(s subject, n *news, from int, last []desk.Bulletin) bool {
	for i := range last {
		b := &last[i]
		if b.Kind != s.kind || !slices.Contains(s.siblings, b.Thread) || !stands(b) || n.grade > max(b.Grade(), b.Facts.Peak) {
			continue
		}
		if !n.forecast && line(b.Facts.Type) == "EEW" { // a forecast of the other is no measurement of this one
			continue
		}
		if len(changed(n, &desk.Bulletin{Kind: b.Kind, MaxIntensity: desk.Intensity(n.grade), Facts: asType(b.Facts, n.source)}, from, s.kind).Grown) == 0 {
			return true
		}
	}
	return false
}

// asType lets facts be compared area by area, whatever telegram told them.
func asType(f desk.BulletinFacts, kind string) desk.BulletinFacts {
	f.Type = kind
	return f
}

// following is news of a thread that stands.
func following(c *desk.BulletinCase, s subject, n *news, rule desk.BulletinRule, before *desk.Bulletin) (*desk.Bulletin, string) {
	t := &c.Telegram
	below := n.grade < rule.From() && !n.always
	if n.over || below && !s.kind.ByIntensity() {
		n.fell = !n.over
		return write(c, s, n, desk.BulletinLifted, before, desk.Change{Everybody: true}), ""
	}
	if t.Phase == desk.Corrected && line(t.Type) == line(before.Facts.Type) {
		if len(differences(before.Facts, n.facts(t))) == 0 {
			return nil, "訂正された箇所は、配信した内容に含まれていません。"
		}
		return write(c, s, n, desk.BulletinCorrected, before, desk.Change{Everybody: true}), ""
	}
	change := changed(n, before, rule.From(), s.kind)
	if rule.RepeatAfter > 0 && c.ReadAt.Sub(before.At) >= rule.RepeatAfter {
		change.Everybody = true
	}
	return write(c, s, n, desk.BulletinChanged, before, change), ""
}

// changed compares with what was told: the whole country when the highest grade is another or a forecast became an observation, else
// the prefectures where a grade rose or an area is new. // F3-1-n: updated every few minutes, told when something changed
func changed(n *news, before *desk.Bulletin, from int, kind desk.BulletinKind) desk.Change {
	grade := before.Grade()
	switch {
	case n.minor:
		return desk.Change{}
	case n.forecast: // up to twenty issues in a minute: only what is graver than all before, and a final one that is milder
		return desk.Change{Everybody: n.grade > before.Facts.Peak || n.final && n.grade < grade}
	case n.grade != grade, line(n.source) != line(before.Facts.Type) && kind.ByIntensity():
		return desk.Change{Everybody: true}
	}
	var c desk.Change
	told := make(map[string]int, len(before.Facts.Areas))
	for _, a := range before.Facts.Areas {
		told[a.Key] = a.Grade
	}
	for _, a := range n.areas {
		had, known := told[a.Key]
		if a.Grade < from || known && a.Grade <= had || kind.ByIntensity() && !isPrefectureKey(a.Key) {
			continue
		}
		if len(a.Prefecture) == 0 {
			c.Everybody = true
		}
		c.Grown = append(c.Grown, a.Prefecture...)
	}
	slices.Sort(c.Grown)
	c.Grown = slices.Compact(c.Grown)
	return c
}

// withdraw takes back what was told on the strength of the cancelled line, and nothing else: a cancelled EEW does not take back
// the shaking that was measured meanwhile.
func withdraw(c *desk.BulletinCase, s subject, before *desk.Bulletin) (*desk.Bulletin, string) {
	if !stands(before) || line(before.Facts.Type) != line(c.Telegram.Type) {
		return nil, "取り消される配信がありません。"
	}
	n := &news{source: c.Telegram.Type, place: "", occurred: before.OccurredAt}
	return write(c, s, n, desk.BulletinWithdrawn, before, desk.Change{Everybody: true}), ""
}

// write makes the bulletin of a decision.
func write(c *desk.BulletinCase, s subject, n *news, step desk.BulletinStep, before *desk.Bulletin, change desk.Change) *desk.Bulletin {
	t := &c.Telegram
	b := &desk.Bulletin{
		Kind: s.kind, Thread: s.threads[0], Number: 1, Mode: desk.Live, TelegramID: t.ID, EventID: c.EventID, Step: step,
		Prefectures: n.prefectures(), Facts: n.facts(t), OccurredAt: n.occurred, IssuedAt: issuedAt(t), ReceivedAt: t.ReceivedAt, ReadAt: c.ReadAt,
		Change: change,
	}
	if s.kind.ByIntensity() {
		b.MaxIntensity = desk.Intensity(n.grade)
	} else {
		b.Level = desk.Level(n.grade)
	}
	if before != nil {
		b.Thread, b.Number, b.Supersedes = before.Thread, before.Number+1, before.ID
	}
	b.Facts.Peak = n.grade
	if stands(before) {
		b.Facts.Peak = max(n.grade, before.Facts.Peak)
	}
	if b.OccurredAt.IsZero() {
		b.OccurredAt = OccurredAt(t)
	}
	b.Subject = bulletinSubject(b, n, before)
	b.Body = bulletinBody(b, n, t, before)
	return b
}

// issuedAt is when the telegram left the office: Control/DateTime, to the second. Head/ReportDateTime is cut to the minute.
func issuedAt(t *desk.Telegram) time.Time {
	for _, at := range []time.Time{t.PressTime, t.ReportTime} {
		if !at.IsZero() {
			return at
		}
	}
	return t.ReceivedAt
}

// lastBulletin finds the newest bulletin of a kind under any of the names.
func lastBulletin(last []desk.Bulletin, kind desk.BulletinKind, threads []string) *desk.Bulletin {
	var found *desk.Bulletin
	for i := range last {
		if b := &last[i]; b.Kind == kind && slices.Contains(threads, b.Thread) && (found == nil || b.ID > found.ID) {
			found = b
		}
	}
	return found
}

// stands reports whether the people told by b still believe it.
func stands(b *desk.Bulletin) bool { return b != nil && !b.Step.Ends() }

// older reports whether a telegram precedes, within its own line, the one that was told last (feeds.md 1.2).
func older(t *desk.Telegram, before *desk.Bulletin) bool {
	f := &before.Facts
	if f.Type != t.Type {
		return false
	}
	if f.Series != "" && f.Series == first(t.EventIDs) { // the next rain or eruption counts from one again
		if a, b := number(t.Serial), number(f.Serial); a != b && a > 0 && b > 0 {
			return a < b
		}
	}
	return t.PressTime.Before(f.PressTime)
}

// line is the succession a telegram belongs to: early warnings are one, whatever their code.
func line(kind string) string {
	switch kind {
	case "VXSE43", "VXSE44", "VXSE45":
		return "EEW"
	}
	return kind
}

func isPrefectureKey(key string) bool { return len(key) == 2 }

// spell writes a duration as people say it.
func spell(d time.Duration) string {
	if d >= 2*time.Hour {
		return fmt.Sprintf("%d時間", int(d.Hours()))
	}
	return fmt.Sprintf("%d分", int(d.Minutes()))
}

// gradeWord is a threshold in words.
func gradeWord(kind desk.BulletinKind, grade int) string {
	if kind.ByIntensity() {
		return "震度" + desk.Intensity(grade).Japanese()
	}
	return desk.Level(grade).Japanese()
}
