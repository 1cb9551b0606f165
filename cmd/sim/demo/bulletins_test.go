package demo

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"yagura/store/desk"
	"yagura/store/storetest"
)

const (
	mainShock desk.EventID = 1
	mistake   desk.EventID = 2
	weakShock desk.EventID = 3
)

// night is the automatic part of a good night: the main shock is told in three kinds, a mistaken 速報 is told and withdrawn, and
// one safety confirmation (number 9) was sent beside them.
func night() (*notices, []desk.EventFile) {
	at := time.Date(2024, 1, 1, 16, 12, 0, 0, desk.JST)
	n := &notices{
		designated: 2, clocks: map[desk.DispatchID]desk.StageClock{}, mailings: map[desk.DispatchID]mailing{},
		sources: []desk.SourceHealth{{Name: "replay", Engine: "demo", LastReceived: at}, {Name: desk.QueueReading, Engine: "watch"}},
		rules:   []desk.BulletinRule{{Kind: desk.BulletinQuick, FromIntensity: desk.Intensity4}, {Kind: desk.BulletinConfirmed, FromIntensity: desk.Intensity4}},
	}
	for _, c := range []desk.Clause{desk.ClauseQuick, desk.ClauseConfirmed, desk.ClauseOther} {
		n.limits = append(n.limits, desk.ClockRule{Clause: c, From: desk.StageOccurred, Until: desk.StageLastAccepted, Limit: 3 * time.Minute, Warn: 1, Breach: 1.5})
	}
	add := func(id desk.DispatchID, event desk.EventID, kind desk.BulletinKind, step desk.BulletinStep, clause desk.Clause, before desk.DispatchID) {
		n.bulletins = append(n.bulletins, desk.Bulletin{
			ID: id, EventID: event, Kind: kind, Step: step, Supersedes: before, State: desk.Sent, Recipients: 2, Mails: 3,
			MaxIntensity: desk.Intensity7, Level: desk.LevelSpecial, Subject: fmt.Sprintf("【%s】%s", kind.Japanese(), step.Japanese()),
		})
		n.clocks[id] = desk.StageClock{
			Subject: desk.ClockSubject{Kind: desk.SubjectBulletin, ID: int64(id)}, Clause: clause, Mode: desk.Live, OccurredAt: at.Add(-90 * time.Second), IssuedAt: at, QueuedAt: at.Add(time.Second),
			FirstAccepted: at.Add(2 * time.Second), LastAccepted: at.Add(7 * time.Second), Mails: 3, Accepted: 3, Finished: true,
		}
		n.mailings[id] = mailing{Mailboxes: map[string]int{"a": 1, "b": 1, "c": 1}}
	}
	add(1, mainShock, desk.BulletinQuick, desk.BulletinNew, desk.ClauseQuick, 0)
	add(2, mainShock, desk.BulletinConfirmed, desk.BulletinNew, desk.ClauseConfirmed, 0)
	add(3, mainShock, desk.BulletinTsunami, desk.BulletinNew, desk.ClauseOther, 0)
	add(4, mistake, desk.BulletinQuick, desk.BulletinNew, desk.ClauseQuick, 0)
	add(5, mistake, desk.BulletinQuick, desk.BulletinWithdrawn, desk.ClauseQuick, 4)
	n.mailings[9] = mailing{Linked: 2, Mailboxes: map[string]int{"a": 1, "x": 1}}
	n.world.Staff.Mails, n.world.Staff.Notices = 17, 15
	file := func(id desk.EventID, i desk.Intensity, types ...string) (f desk.EventFile) {
		f.Item.Event = desk.Event{ID: id, MaxIntensity: i}
		for _, t := range types {
			f.Telegrams = append(f.Telegrams, desk.Telegram{Type: t})
		}
		return f
	}
	return n, []desk.EventFile{
		file(mainShock, desk.Intensity7, "VXSE51", "VTSE41", "VXSE53"), file(mistake, desk.Intensity3, "VXSE51", "VXSE53"), file(weakShock, desk.Intensity3, "VXSE53"),
	}
}

// failures are the statements of the proof that do not hold.
func failures(n *notices, files []desk.EventFile) (failed []string, said int) {
	check := func(ok bool, format string, args ...any) {
		if said++; !ok {
			failed = append(failed, fmt.Sprintf(format, args...))
		}
	}
	n.prove(check)
	n.proveNoto(check, files, &files[0], &files[1])
	return failed, said
}

// Each thing that can go wrong with the automatic part must be seen, and by the statement that is about it. // F3-1-l F3-1-n
func TestTheProofSeesEachFault(t *testing.T) {
	n, files := night()
	if failed, said := failures(n, files); len(failed) != 0 || said < 12 {
		t.Fatalf("a good night: %q of %d", failed, said)
	}
	for name, c := range map[string]struct {
		fault func(n *notices, files []desk.EventFile)
		want  string
	}{
		"not all of the designated": {func(n *notices, _ []desk.EventFile) { n.bulletins[0].Recipients = 1 }, "全員に向けられた"},
		"still leaving":             {func(n *notices, _ []desk.EventFile) { n.bulletins[1].State = desk.Sending }, "送信を終え"},
		"stopped":                   {func(n *notices, _ []desk.EventFile) { n.bulletins[1].State = desk.Stopped }, "送信を終え"},
		"nobody took it": {func(n *notices, _ []desk.EventFile) {
			c := n.clocks[2]
			c.Accepted = 0
			n.clocks[2] = c
		}, "送信を終え"},
		"late": {func(n *notices, _ []desk.EventFile) {
			c := n.clocks[3]
			c.LastAccepted = c.IssuedAt.Add(4 * time.Minute)
			n.clocks[3] = c
		}, "発表から期限の内"},
		"late for the contract": {func(n *notices, _ []desk.EventFile) {
			c := n.clocks[3]
			c.LastAccepted = c.IssuedAt.Add(2 * time.Minute)
			n.clocks[3] = c
		}, "仕様書の期限"},
		"without a clock": {func(n *notices, _ []desk.EventFile) { delete(n.clocks, 3) }, "期限の内"},
		"asks for an answer": {func(n *notices, _ []desk.EventFile) {
			n.mailings[1] = mailing{Linked: 1, Mailboxes: n.mailings[1].Mailboxes}
		}, "回答リンクがない"},
		"reached no mailbox": {func(n *notices, _ []desk.EventFile) { n.mailings[1] = mailing{} }, "メールは届き"},
		"came twice":         {func(n *notices, _ []desk.EventFile) { n.mailings[2].Mailboxes["a"] = 2 }, "一度だけ届いた"},
		"withdrawal missed one": {func(n *notices, _ []desk.EventFile) {
			delete(n.mailings[5].Mailboxes, "a")
		}, "取消 #5"},
		"withdrawal went to a stranger":    {func(n *notices, _ []desk.EventFile) { n.mailings[5].Mailboxes["stranger"] = 1 }, "取消 #5"},
		"withdrawn, and nobody knows what": {func(n *notices, _ []desk.EventFile) { n.bulletins[4].Supersedes = 0 }, "取消 #5"},
		"a confirmation without a link": {func(n *notices, _ []desk.EventFile) {
			n.mailings[9] = mailing{Linked: 1, Mailboxes: n.mailings[9].Mailboxes}
		}, "すべてに回答リンク"},
		"the staff answered a notice":     {func(n *notices, _ []desk.EventFile) { n.world.Staff.Notices = 14 }, "読むだけ"},
		"an answer failed":                {func(n *notices, _ []desk.EventFile) { n.world.Staff.Failed = 1 }, "読むだけ"},
		"the spool was full":              {func(n *notices, _ []desk.EventFile) { n.world.Lost = 1 }, "読むだけ"},
		"a silent source":                 {func(n *notices, _ []desk.EventFile) { n.sources[0].Silent = true }, "受信系統"},
		"no source at all":                {func(n *notices, _ []desk.EventFile) { n.sources = nil }, "受信系統"},
		"a delay report":                  {func(n *notices, _ []desk.EventFile) { n.breaches = []desk.Breach{{ID: 1}} }, "遅延報告もない"},
		"the main shock not told at once": {func(n *notices, _ []desk.EventFile) { n.bulletins[0].EventID = 77 }, "出るべき"},
		"the tsunami not told":            {func(n *notices, _ []desk.EventFile) { n.bulletins[2].EventID = 77 }, "出るべき"},
		"told milder than it was":         {func(n *notices, _ []desk.EventFile) { n.bulletins[1].MaxIntensity = desk.Intensity6Upper }, "震度7と大津波警報"},
		"a weak shock was told":           {func(n *notices, files []desk.EventFile) { n.bulletins[1].EventID = weakShock }, "満たない"},
		"never withdrawn":                 {func(n *notices, _ []desk.EventFile) { n.bulletins[4].EventID = 77 }, "取り消された"},
	} {
		t.Run(name, func(t *testing.T) {
			n, files := night()
			c.fault(n, files)
			failed, _ := failures(n, files)
			if !strings.Contains(strings.Join(failed, "\n"), c.want) {
				t.Errorf("want a failure with %q, got %q", c.want, failed)
			}
		})
	}
}

// A correction in between: the withdrawal goes to everybody who was told any of it, not to those of a run before.
func TestToldIsOneRunOfTheThread(t *testing.T) {
	n, _ := night()
	n.bulletins = append(n.bulletins,
		desk.Bulletin{ID: 6, Step: desk.BulletinNew, Supersedes: 5}, desk.Bulletin{ID: 7, Step: desk.BulletinCorrected, Supersedes: 6},
		desk.Bulletin{ID: 8, Step: desk.BulletinWithdrawn, Supersedes: 7})
	n.mailings[6] = mailing{Mailboxes: map[string]int{"d": 1}}
	n.mailings[7] = mailing{Mailboxes: map[string]int{"e": 1}}
	if told := n.told(&n.bulletins[7]); len(told) != 2 || !told["d"] || !told["e"] {
		t.Errorf("%v", told)
	}
}

// The figures count from the quake for the first news and from the issue for what follows it, as P5-2 to P5-4 do.
func TestMeasure(t *testing.T) {
	n, _ := night()
	c := n.clocks[1]
	check := func(what string, since desk.ClockStage, seconds float64) {
		t.Helper()
		if s, took, limit := n.measure(&c); s != since || took.Seconds() != seconds || seconds > 0 && limit != 3*time.Minute {
			t.Errorf("%s: %s %v of %v", what, s, took, limit)
		}
	}
	check("first news", desk.StageOccurred, 97)
	c.Renewal = true
	check("an update", desk.StageIssued, 7)
	c.Renewal, c.OccurredAt = false, time.Time{}
	check("the quake's time is not known", desk.StageIssued, 7)
	c.Finished = false
	check("still leaving", "", 0)
	c.Finished, c.Clause = true, ""
	check("no limit", "", 0)
}

func TestTheSummaryTellsOfEachBulletin(t *testing.T) {
	n, _ := night()
	n.sources[0].Trouble, n.sources[0].Silent, n.sources[0].Reconnects = "切断されました", true, 3
	n.breaches = []desk.Breach{{ID: 1}}
	var out strings.Builder
	n.print(&out)
	for _, want := range []string{
		"== 自動情報 5 件（指定された 2 人、操作なし）",
		"    #1 【地震速報】新規  2 人・3 通（受理 3・拒否 0）  発表から最後の受理 7.00 秒  P5-2 発生から 97.0 秒（期限 180 秒）",
		"    #5 【地震速報】取消  2 人・3 通",
		"受信系統 replay（demo）  最後の受信 16:12:00  再接続 3 回  受信が止まっています・切断されました",
		"待ち行列 reading  異常なし",
		"遅延報告 1 件",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
}

// The scripted desk may read all of it with the console's rights, and limits and rules are there from the start.
func TestGatherNoticesWithTheRightsOfTheDesk(t *testing.T) {
	n, err := gatherNotices(t.Context(), storetest.New(t).Store(storetest.Console))
	if err != nil || len(n.limits) < 4 || n.from(desk.BulletinQuick) != desk.Intensity4 || len(n.bulletins) != 0 {
		t.Errorf("%+v, %v", n, err)
	}
}
