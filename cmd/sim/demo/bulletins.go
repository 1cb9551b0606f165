package demo

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"yagura/store/desk"
)

// mailing is what mailboxes got of one mailing, as the carriers saw it: the other side of the store's own record.
type mailing struct {
	Linked    int            `json:"linked"`
	Mailboxes map[string]int `json:"mailboxes"`
}

// notices is what left by itself, how fast, and how the paths into the tower are.
type notices struct {
	designated int
	bulletins  []desk.Bulletin // oldest first
	clocks     map[desk.DispatchID]desk.StageClock
	limits     []desk.ClockRule
	sources    []desk.SourceHealth
	breaches   []desk.Breach
	mailings   map[desk.DispatchID]mailing // of bulletins and dispatches alike
	world      world
	rules      []desk.BulletinRule
}

// world is what the simulated carriers and staff count.
type world struct {
	Total struct {
		Resets int `json:"resets"` // connections cut after the final dot, before the answer
	} `json:"total"`
	Lost  int `json:"spool_lost"`
	Staff struct {
		Mails   int `json:"mails"`
		Notices int `json:"notices"` // mails without a link
		Failed  int `json:"failed"`
	} `json:"staff"`
}

// automatic is what the summary reads of the automatic path. *store.Store has it.
type automatic interface {
	Bulletins(ctx context.Context, limit int) ([]desk.Bulletin, error)
	StageClocks(ctx context.Context, since time.Time) ([]desk.StageClock, error)
	ClockRules(ctx context.Context) ([]desk.ClockRule, error)
	Sources(ctx context.Context) ([]desk.SourceHealth, error)
	Breaches(ctx context.Context, limit int) ([]desk.Breach, error)
	BulletinRules(ctx context.Context) ([]desk.BulletinRule, error)
}

// manyBulletins is more than any night has: the summary tells of all.
const manyBulletins = 10_000

func gatherNotices(ctx context.Context, s automatic) (*notices, error) {
	n := &notices{clocks: map[desk.DispatchID]desk.StageClock{}, mailings: map[desk.DispatchID]mailing{}}
	var err error
	if n.bulletins, err = s.Bulletins(ctx, manyBulletins); err != nil {
		return nil, err
	}
	slices.Reverse(n.bulletins)
	clocks, err := s.StageClocks(ctx, time.Unix(0, 0))
	if err != nil {
		return nil, err
	}
	for _, c := range clocks {
		n.clocks[desk.DispatchID(c.Subject.ID)] = c // one sequence numbers dispatches and bulletins
	}
	if n.limits, err = s.ClockRules(ctx); err != nil {
		return nil, err
	}
	if n.sources, err = s.Sources(ctx); err != nil {
		return nil, err
	}
	if n.breaches, err = s.Breaches(ctx, manyBulletins); err != nil {
		return nil, err
	}
	n.rules, err = s.BulletinRules(ctx)
	return n, err
}

// askCarriers asks the simulated carriers what mailboxes got of each mailing.
func (in *installation) askCarriers(ctx context.Context, ids []desk.DispatchID, n *notices) error {
	for _, id := range ids {
		var m mailing
		if err := in.fetch(ctx, "/mailing?number="+strconv.FormatInt(int64(id), 10), &m); err != nil {
			return err
		}
		n.mailings[id] = m
	}
	return in.fetch(ctx, "/stats", &n.world)
}

// print tells of each bulletin, of the sources and of the delay reports. The times of a replay are moved to the clock on the wall,
// so that the recorded delays stay as they were.
func (n *notices) print(w io.Writer) {
	fmt.Fprintf(w, "\n== 自動情報 %d 件（指定された %d 人、操作なし）\n", len(n.bulletins), n.designated)
	for i := range n.bulletins {
		b := &n.bulletins[i]
		c := n.clocks[b.ID]
		fmt.Fprintf(w, "    #%d %s  %d 人・%d 通（受理 %d・拒否 %d）  発表から最後の受理 %s", b.ID, b.Subject, b.Recipients, b.Mails, c.Accepted, c.Refused,
			seconds(c.IssuedAt, c.LastAccepted))
		if since, took, limit := n.measure(&c); took > 0 {
			fmt.Fprintf(w, "  %s %sから %.1f 秒（期限 %.0f 秒）", c.Clause, since.Japanese(), took.Seconds(), limit.Seconds())
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "\n== 受信系統と遅延報告\n")
	for _, s := range n.sources {
		fmt.Fprintf(w, "    %s\n", sourceLine(&s))
	}
	fmt.Fprintf(w, "    遅延報告 %d 件\n", len(n.breaches))
}

// measure is how long a mailing took until its last acceptance, counted from where the limit in force counts, or from the next moment
// that is known; an update counts from its own issue. took is 0 while it has not ended or when no limit holds. It measures apart from
// the rules of the engine, of which it is a check.
func (n *notices) measure(c *desk.StageClock) (since desk.ClockStage, took, limit time.Duration) {
	i := slices.IndexFunc(n.limits, func(r desk.ClockRule) bool { return r.Clause == c.Clause && r.Until == desk.StageLastAccepted })
	if i < 0 || !c.Finished || c.LastAccepted.IsZero() {
		return "", 0, 0
	}
	since = n.limits[i].From
	if c.Renewal && since == desk.StageOccurred {
		since = desk.StageIssued
	}
	stages := desk.ClockStages()
	for _, s := range stages[slices.Index(stages, since):] {
		if at := c.At(s); !at.IsZero() {
			return s, c.LastAccepted.Sub(at), n.limits[i].Limit
		}
	}
	return "", 0, 0
}

// sourceLine is one source, or one queue inside the tower, in a sentence.
func sourceLine(s *desk.SourceHealth) string {
	trouble := "異常なし"
	if s.Trouble != "" {
		trouble = s.Trouble
	}
	if s.Silent {
		trouble = "受信が止まっています・" + trouble
	}
	if strings.HasPrefix(s.Name, desk.QueuePrefix) {
		return fmt.Sprintf("待ち行列 %s  %s", strings.TrimPrefix(s.Name, desk.QueuePrefix), trouble)
	}
	last := "なし"
	if !s.LastReceived.IsZero() {
		last = s.LastReceived.In(desk.JST).Format("15:04:05")
	}
	return fmt.Sprintf("受信系統 %s（%s）  最後の受信 %s  再接続 %d 回  %s", s.Name, s.Engine, last, s.Reconnects, trouble)
}

// checker notes one statement of the proof.
type checker func(ok bool, format string, args ...any)

// prove checks what holds for any night: what left by itself left whole, in time, without a link, once to each mailbox; what was
// withdrawn reached exactly those who were told; the paths are well. // F3-1-l F3-1-n P5-2 P5-3 P5-4
func (n *notices) prove(check checker) {
	whole, timely, unlinked := 0, 0, 0
	for i := range n.bulletins {
		b := &n.bulletins[i]
		c := n.clocks[b.ID]
		if b.State == desk.Sent && c.Finished && c.Mails == b.Mails && c.Accepted > 0 && b.Recipients > 0 && (b.Step != desk.BulletinNew || b.Recipients == n.designated) {
			whole++
		}
		// Only the tower's own share: how long after the happening an office spoke is not this machine's doing.
		if _, took, limit := n.measure(&c); took > 0 && c.LastAccepted.Sub(c.IssuedAt) <= limit {
			timely++
		}
		if m := n.mailings[b.ID]; m.Linked == 0 && len(m.Mailboxes) > 0 {
			unlinked++
		}
	}
	all := len(n.bulletins)
	check(whole == all, "自動情報 %d 件すべてが送信を終え、新規は指定された %d 人全員に向けられた（%d 件）", all, n.designated, whole)
	check(timely == all, "自動情報はすべて、発表から期限の内に最後の受理まで届いた（%d 件）", timely)
	check(unlinked == all, "自動情報のメールは届き、回答リンクがない（%d 件）", unlinked)
	// A carrier that cuts the line after the final dot gets the mail again: a duplicate rather than a miss. Nothing else may double.
	check(n.doubled() <= n.world.Total.Resets, "同じメールは同じ宛先に一度だけ届いた（重複 %d・事業者が受理の直後に切断 %d）", n.doubled(), n.world.Total.Resets)
	n.proveApart(check)
	for i := range n.bulletins {
		if b := &n.bulletins[i]; b.Step == desk.BulletinWithdrawn {
			told, heard := n.told(b), boxes(n.mailings[b.ID])
			check(len(told) > 0 && maps.Equal(told, heard), "取消 #%d は、先に知らせた宛先だけに、そのすべてに届いた（%d 宛先・%d 宛先）", b.ID, len(told), len(heard))
		}
	}
	silent := slices.ContainsFunc(n.sources, func(s desk.SourceHealth) bool { return s.Silent || s.Trouble != "" })
	check(len(n.sources) > 0 && !silent, "受信系統 %d 本に異常がない", len(n.sources))
}

// proveApart checks at the mailboxes that what asks and what tells are never mixed: only the former carries a link, and the staff
// answer to it alone.
func (n *notices) proveApart(check checker) {
	told, asked, linked := 0, 0, 0
	for id, m := range n.mailings {
		switch {
		case n.find(id) != nil:
			told += deliveries(m)
		default:
			asked, linked = asked+deliveries(m), linked+m.Linked
		}
	}
	check(linked == asked, "安否確認のメール %d 通すべてに回答リンクがある（%d 通）", asked, linked)
	staff := &n.world.Staff
	check(n.world.Lost == 0 && staff.Failed == 0 && staff.Notices == told && staff.Mails == told+asked,
		"職員は自動情報 %d 通を読むだけで答えず、回答の失敗もない（読んだ %d 通・失敗 %d）", told, staff.Notices, staff.Failed)
}

// proveNoto checks what must have been told of the first night of 2024, and in the contract's time. // F3-1-l F3-1-m F3-1-n P5-2
func (n *notices) proveNoto(check checker, files []desk.EventFile, main, mistaken *desk.EventFile) {
	due, missing, idle := 0, 0, 0
	for i := range files {
		f := &files[i]
		for kind, types := range map[desk.BulletinKind][]string{
			desk.BulletinQuick: {"VXSE43", "VXSE51"}, desk.BulletinConfirmed: {"VXSE53"}, desk.BulletinTsunami: {"VTSE41"},
		} {
			steps := n.steps(f.Item.Event.ID, kind)
			issued := slices.ContainsFunc(f.Telegrams, func(t desk.Telegram) bool { return slices.Contains(types, t.Type) })
			reached := !kind.ByIntensity() || f.Item.Event.MaxIntensity >= n.from(kind)
			switch {
			case f == mistaken: // below
			case issued && reached:
				if due++; len(steps) == 0 || steps[0] != desk.BulletinNew {
					missing++
				}
			default:
				idle += len(steps)
			}
		}
	}
	check(due > 0 && missing == 0, "出るべき地震速報・地震確定・津波情報 %d 件がすべて出た（出なかったもの %d 件）", due, missing)
	check(idle == 0, "基準に満たない地震では自動情報を 1 通も送っていない（%d 件）", idle)
	late := slices.DeleteFunc(slices.Collect(maps.Values(n.clocks)), func(c desk.StageClock) bool {
		_, took, limit := n.measure(&c)
		return c.Subject.Kind != desk.SubjectBulletin || took > 0 && took <= limit
	})
	check(len(late) == 0 && len(n.breaches) == 0, "仕様書の期限に遅れた自動情報がなく、遅延報告もない（%d 件・%d 件）", len(late), len(n.breaches))
	id := main.Item.Event.ID
	check(n.highest(id, desk.BulletinConfirmed) == int(desk.Intensity7) && n.highest(id, desk.BulletinTsunami) == int(desk.LevelSpecial),
		"本震の震度7と大津波警報を自動で知らせた")
	steps := n.steps(mistaken.Item.Event.ID, desk.BulletinQuick)
	check(slices.Equal(steps, []desk.BulletinStep{desk.BulletinNew, desk.BulletinWithdrawn}), "23:05 の誤った速報は自動情報として一度出て、取り消された（%d 件）", len(steps))
}

// from is the lowest intensity at which the kind is told.
func (n *notices) from(kind desk.BulletinKind) desk.Intensity {
	for _, r := range n.rules {
		if r.Kind == kind {
			return r.FromIntensity
		}
	}
	return desk.Intensity7 + 1
}

// highest is the highest grade told of an event in one kind.
func (n *notices) highest(event desk.EventID, kind desk.BulletinKind) (grade int) {
	for i := range n.bulletins {
		if b := &n.bulletins[i]; b.EventID == event && b.Kind == kind {
			grade = max(grade, b.Grade())
		}
	}
	return grade
}

func deliveries(m mailing) (n int) {
	for _, times := range m.Mailboxes {
		n += times
	}
	return n
}

// told are the mailboxes that got any bulletin of the run which b ends.
func (n *notices) told(b *desk.Bulletin) map[string]bool {
	told := map[string]bool{}
	for before := n.find(b.Supersedes); before != nil && !before.Step.Ends(); before = n.find(before.Supersedes) {
		maps.Copy(told, boxes(n.mailings[before.ID]))
	}
	return told
}

func (n *notices) find(id desk.DispatchID) *desk.Bulletin {
	if i := slices.IndexFunc(n.bulletins, func(b desk.Bulletin) bool { return b.ID == id }); id != 0 && i >= 0 {
		return &n.bulletins[i]
	}
	return nil
}

// steps are what was told of an event in one kind, in order.
func (n *notices) steps(event desk.EventID, kind desk.BulletinKind) (steps []desk.BulletinStep) {
	for i := range n.bulletins {
		if b := &n.bulletins[i]; b.EventID == event && b.Kind == kind {
			steps = append(steps, b.Step)
		}
	}
	return steps
}

func boxes(m mailing) map[string]bool {
	set := make(map[string]bool, len(m.Mailboxes))
	for to := range m.Mailboxes {
		set[to] = true
	}
	return set
}

// doubled counts the deliveries beyond the first of a mailing to a mailbox.
func (n *notices) doubled() (extra int) {
	for _, m := range n.mailings {
		for _, times := range m.Mailboxes {
			extra += times - 1
		}
	}
	return extra
}
