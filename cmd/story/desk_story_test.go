package story

import (
	"crypto/ed25519"
	"crypto/rand"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"yagura/store/desk"
)

// seated is an installation after an earthquake, with its desk open.
func seated(t *testing.T, scenario string) (*tower, *process) {
	t.Helper()
	tw := raise(t, plan{CountDown: 5 * time.Second}) // as shipped: a person must have the time to stop
	folder, n := tw.telegrams(scenario)
	tw.engine("east", playing(folder)...)
	console := tw.console()
	tw.hasRead(20*time.Second, n)
	return tw, console
}

// toDispatch leads from the inbox to the dispatch screen by keys alone: judged genuine, a new incident.
func (s *screen) toDispatch(reason string) {
	s.t.Helper()
	s.shows(10*time.Second, "本番", "石川県能登地方")
	s.presses("\r")
	s.shows(5*time.Second, "真偽の判断", "判断の材料")
	s.presses("g")
	if reason != "" {
		s.shows(5*time.Second, "それでも真報とする理由")
		s.types(reason + "\r")
	}
	s.shows(5*time.Second, "新しい災害")
	s.presses("n")
	s.shows(5*time.Second, "理由を数字で")
	s.types("5")
	s.shows(5*time.Second, "送信対象", "届く文面")
}

// The inbox, the judgement, the incident, the count-down and the sending, by the keys of one person over a real SSH session;
// a second person watches it all. // F3-1-k.2 F3-1-k.3
func TestOnePersonSendsByRealKeys(t *testing.T) {
	t.Parallel()
	tw, console := seated(t, strongQuake)
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tw.dial(must[ssh.Signer](t)(ssh.NewSignerFromKey(stranger))); err == nil {
		t.Error("a key that nobody registered opened the door")
	}
	one, two := tw.one.sits(), tw.two.sits()
	two.shows(10*time.Second, "本番", "石川県能登地方")
	one.toDispatch("")
	one.shows(5*time.Second, "1人で送信できます", "300人")
	if tw.mails() != 0 {
		t.Fatal("mails exist before the key") // law 2
	}
	one.presses("s")
	one.shows(5*time.Second, "停止")
	two.types(redrawKey)
	two.shows(5*time.Second, "x:停止") // the count-down stands at every desk
	if n := tw.seen().Total.Accepted; n != 0 {
		t.Errorf("%d mails left during the count-down", n)
	}
	one.shows(30*time.Second, "送信完了")
	if n := tw.seen().Total.Mailboxes; n != 300 {
		t.Errorf("%d mailboxes have a mail, want 300", n)
	}
	list := must[[]desk.DispatchProgress](t)(tw.one.store.ActiveDispatches(t.Context()))
	if len(list) != 1 || list[0].Dispatch.Approval == nil || list[0].Dispatch.Approval.Method != desk.OneKey || list[0].Dispatch.Approval.Operator != "当直 一" {
		t.Errorf("the dispatches are %+v", list)
	}
	if !console.alive() {
		t.Error("the console has ended")
	}
}

// Anybody at any desk stops a count-down with one key, and nothing leaves. // law 3, law 7
func TestSecondDeskStopsTheCountDown(t *testing.T) {
	t.Parallel()
	tw, _ := seated(t, strongQuake)
	one, two := tw.one.sits(), tw.two.sits()
	two.shows(10*time.Second, "本番", "石川県能登地方")
	one.toDispatch("")
	one.presses("s")
	two.types(redrawKey)
	two.shows(4*time.Second, "x:停止") // the count-down stands at every desk
	two.types("!")
	two.shows(5*time.Second, "停止を記録しました")
	one.shows(5*time.Second, "当直 二")
	var d desk.Dispatch
	within(t, 5*time.Second, "the dispatch is withdrawn", func() bool {
		list, err := tw.one.store.ActiveDispatches(t.Context())
		if err != nil || len(list) != 1 {
			return false
		}
		d = list[0].Dispatch
		return d.State == desk.Withdrawn
	})
	if d.Stop == nil || d.Stop.Operator != "当直 二" {
		t.Errorf("the stop is %+v", d.Stop)
	}
	within(t, 10*time.Second, "the count-down would be over", func() bool { return time.Now().After(d.Approval.NotBefore.Add(time.Second)) })
	always(t, time.Second, "no mail leaves", func() bool { return tw.seen().Total.Accepted == 0 })
	if n := tw.mails(); n != 0 {
		t.Errorf("%d mails were written", n)
	}
}

// unwarned is a true earthquake that no early warning preceded, though the feed of warnings works: one came two hours before. A
// check contradicts, so two people are needed.
var unwarned = strings.NewReplacer(
	"quake at=10:00:00", `quake at=08:00:00 place=485/駿河湾 lat=34.8 lon=138.5 depth=20 m=5.0
shake 4:442
eew +9s n=1 5-~5-:442
flash +96s
report +320s n=1
quake at=10:00:00`,
	"eew +9s n=1 6-~6+:390 5-~5+:391\n", "",
).Replace(strongQuake)

// Where a check contradicts, the one who proposes cannot approve, and the other one types the number that he sees. // law 3
func TestContradictionTakesTwoPeople(t *testing.T) {
	t.Parallel()
	tw, _ := seated(t, unwarned)
	item := tw.one.sees(5*time.Second, "the earthquake", strongest(desk.Intensity6Upper))
	if !contradicts(item.Advice, desk.CheckEEW) {
		t.Fatalf("no contradiction: %+v", item.Advice.Checks)
	}
	one, two := tw.one.sits(), tw.two.sits()
	two.shows(10*time.Second, "本番", "石川県能登地方")
	one.toDispatch("テレビと現地の電話で確認")
	one.shows(5*time.Second, "2人必要")
	one.presses("s") // not offered: it does nothing
	one.presses("p")
	one.shows(5*time.Second, "承認を待っています")
	one.presses("c") // his own proposal
	one.presses("s")
	two.types(redrawKey)
	two.shows(8*time.Second, "承認待ち")
	two.presses("D")
	two.shows(5*time.Second, "件名", "石川県能登地方")
	two.presses("\r")
	two.shows(5*time.Second, "別の当直者が人数を", "送信対象")
	two.presses("c")
	two.shows(5*time.Second, "人数を数字で")
	two.types("299\r")
	two.shows(5*time.Second, "人数が違います")
	list := must[[]desk.DispatchProgress](t)(tw.one.store.ActiveDispatches(t.Context()))
	if len(list) != 1 || list[0].Dispatch.State != desk.Proposed {
		t.Fatalf("before the right number the dispatches are %+v", list)
	}
	two.presses("c")
	two.shows(5*time.Second, "人数を数字で")
	two.types(strconv.Itoa(list[0].Dispatch.HeadCount) + "\r")
	two.shows(30*time.Second, "送信完了")
	a := tw.progress(list[0].Dispatch.ID).Dispatch.Approval
	if a == nil || a.Method != desk.TwoPeople || a.Operator != "当直 二" {
		t.Errorf("the approval is %+v", a)
	}
	if n := tw.seen().Total.Mailboxes; n != 300 {
		t.Errorf("%d mailboxes have a mail, want 300", n)
	}
}
