package demo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"yagura/feeds"
	"yagura/store/desk"
)

func digest(raw []byte) [32]byte { return feeds.Digest(raw) }

// print is the summary: each event with its telegrams, the judgement, the dispatch, the mails, the answers, and the seconds
// between them (database clock).
func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "\n== 事象 %d 件・電文 %d 通（読めない電文 %d 通）\n", len(r.files), r.stored, r.unreadable)
	for _, f := range r.files {
		e := f.Item.Event
		fmt.Fprintf(w, "\n%s  %s\n", e.OccurredAt.In(desk.JST).Format("01-02 15:04:05"), e.Title)
		for _, t := range f.Telegrams {
			fmt.Fprintf(w, "    電文 %s %s %s  第%s報  受信 %s\n", t.Type, t.Title, t.Phase.Japanese(), orDash(t.Serial), t.ReceivedAt.In(desk.JST).Format("15:04:05"))
		}
		var since time.Time
		if len(f.Telegrams) > 0 {
			since = f.Telegrams[0].StoredAt
		}
		for _, v := range f.Verifications {
			fmt.Fprintf(w, "    判断 %s（%s）  最初の電文から %s\n", v.Finding.Japanese(), v.Reason, seconds(since, v.At))
		}
		if f.Item.IncidentID != 0 {
			fmt.Fprintf(w, "    災害事象 #%d に属す\n", f.Item.IncidentID)
		}
		for _, p := range r.dispatches {
			if p.Dispatch.EventID == e.ID {
				r.printDispatch(w, p)
			}
		}
	}
	fmt.Fprintf(w, "\n== 一人あたりの安否確認の回数\n")
	for _, times := range sortedKeys(r.asked) {
		fmt.Fprintf(w, "    %d 回: %d 人\n", times, r.asked[times])
	}
	r.notices.print(w)
}

func (r *report) printDispatch(w io.Writer, p desk.DispatchProgress) {
	d := p.Dispatch
	fmt.Fprintf(w, "    送信 #%d %s  %d 人・%d 通", d.ID, d.State.Japanese(), d.HeadCount, p.Mails)
	if d.Approval != nil {
		fmt.Fprintf(w, "  承認 %s（起案から %s）", d.Approval.Operator, seconds(d.ProposedAt, d.Approval.At))
		fmt.Fprintf(w, "\n        秒読み明けから最初の受理 %s・最後の結果 %s", seconds(d.Approval.NotBefore, d.FirstAt), seconds(d.Approval.NotBefore, d.LastAt))
	}
	fmt.Fprintf(w, "\n        受理 %d・拒否 %d・保留 %d・未送信 %d\n", p.Accepted, p.Refused, p.Deferred, p.Pending)
	t := r.tallies[d.ID]
	fmt.Fprintf(w, "        集計 %d = 回答 %d + 未回答 %d + 不達 %d + 取下 %d", t.Sent, t.Answered, t.Unanswered, t.Undeliverable, t.Withdrawn)
	if d.Approval != nil && !t.FirstAnswer.IsZero() {
		fmt.Fprintf(w, "  最初の回答まで %s", seconds(d.Approval.NotBefore, t.FirstAnswer))
	}
	fmt.Fprintln(w)
}

// prove checks that every step happened and says which did not.
func (r *report) prove(w io.Writer) error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		mark, text := "できた", fmt.Sprintf(format, args...)
		if !ok {
			mark = "できていない"
			errs = append(errs, errors.New(text))
		}
		fmt.Fprintf(w, "  %s  %s\n", mark, text)
	}
	fmt.Fprintf(w, "\n== 確かめ\n")
	check(r.stored == r.expected && r.read == r.expected, "電文 %d 通をすべて保存し、目を通した（保存 %d・読取 %d）", r.expected, r.stored, r.read)
	judged, waiting := 0, 0
	for _, f := range r.files {
		if f.Item.Advice == nil || len(f.Item.Advice.Triggered) == 0 && f.Item.Event.Status == desk.EventOpen {
			continue
		}
		if judged++; len(f.Verifications) == 0 {
			waiting++
		}
	}
	check(waiting == 0, "基準に達した事象 %d 件をすべて人が判断した", judged)
	for _, p := range r.dispatches {
		if givenUp(p.Dispatch) {
			continue
		}
		t := r.tallies[p.Dispatch.ID]
		check(p.Dispatch.Approval != nil, "送信 #%d に承認者がいる", p.Dispatch.ID)
		check(p.Pending == 0 && p.Accepted > 0, "送信 #%d の %d 通すべてに結果がある", p.Dispatch.ID, p.Mails)
		check(t.Check() == nil && t.Sent > 0 && t.Answered > 0, "送信 #%d に回答があり、集計が合う", p.Dispatch.ID)
	}
	r.notices.prove(check)
	if r.noto {
		r.proveNoto(check)
	}
	if len(errs) > 0 {
		return &desk.Error{Kind: desk.Conflict, Op: "demo", Msg: fmt.Sprintf("確かめのうち %d 件ができていません。", len(errs)), Err: errors.Join(errs...)}
	}
	return nil
}

// givenUp says that news came between drafting and approving: the draft was withdrawn and nobody was asked.
func givenUp(d desk.Dispatch) bool { return d.Approval == nil && d.State == desk.Withdrawn }

// proveNoto checks what the first night of 2024 must show. // F3-1-k.3 F3-1-k.4
func (r *report) proveNoto(check func(ok bool, format string, args ...any)) {
	var main, mistaken *desk.EventFile
	for i := range r.files {
		f := &r.files[i]
		if main == nil || f.Item.Event.MaxIntensity > main.Item.Event.MaxIntensity {
			main = f
		}
		for _, t := range f.Telegrams {
			if t.Phase == desk.Cancelled {
				mistaken = f
			}
		}
	}
	of := func(id desk.EventID) (n, mails int) {
		for _, p := range r.dispatches {
			if p.Dispatch.EventID == id && !givenUp(p.Dispatch) {
				n, mails = n+1, mails+p.Mails
			}
		}
		return n, mails
	}
	if main == nil || mistaken == nil {
		check(false, "本震と取り消された速報が見つかる")
		return
	}
	r.notices.proveNoto(check, r.files, main, mistaken)
	n, mails := of(main.Item.Event.ID)
	check(n == 1 && found(main, desk.Genuine), "本震（%s）を真報と判断し、一度だけ送信した（%d 通）", main.Item.Event.Title, mails)
	loose := 0
	for _, f := range r.files {
		if f.Item.Advice != nil && len(f.Item.Advice.Triggered) > 0 && f.Item.IncidentID != main.Item.IncidentID && !found(&f, desk.False) {
			loose++
		}
	}
	check(loose == 0, "基準に達した地震をすべて本震の事象に併合したか、理由を付けて退けた")
	n, mails = of(mistaken.Item.Event.ID)
	check(n == 0 && mails == 0, "23:05 の誤った震度速報では安否確認を 1 通も送っていない")
	held := slices.IndexFunc(mistaken.Verifications, func(v desk.Verification) bool { return v.Finding == desk.Held })
	contradictory := held >= 0 && strings.Count(mistaken.Verifications[held].Reason, "・") >= 1
	check(contradictory, "23:05 の速報に 2 つ以上の矛盾が示された")
	if contradictory {
		took := mistaken.Verifications[held].At.Sub(mistaken.Telegrams[0].StoredAt)
		check(took <= 5*time.Second, "矛盾は受信から %.1f 秒で当直者に見えた", took.Seconds())
	}
	most := 0
	for times := range r.asked {
		most = max(most, times)
	}
	check(most >= 1 && most <= 2, "安否確認の一人あたりの配信は 1 回、震度が上がった県だけ 2 回（最多 %d 回）", most)
}

func found(f *desk.EventFile, finding desk.Finding) bool {
	return slices.ContainsFunc(f.Verifications, func(v desk.Verification) bool { return v.Finding == finding })
}

// glimpse opens the desk in an 80×24 terminal and returns what it drew until the limit or the first full screen.
func glimpse(client *ssh.Client, limit time.Duration) (string, error) {
	session, err := client.NewSession()
	if err != nil {
		return "", err
	}
	defer session.Close()
	drawn := make(chan []byte, 64)
	session.Stdout = chunkWriter(drawn)
	if err := session.RequestPty("xterm-256color", 24, 80, ssh.TerminalModes{}); err != nil {
		return "", err
	}
	if err := session.Shell(); err != nil {
		return "", err
	}
	var all bytes.Buffer
	deadline := time.After(limit)
	for {
		select {
		case b := <-drawn:
			all.Write(b)
			if strings.Contains(all.String(), "本番") {
				return all.String(), nil
			}
		case <-deadline:
			return all.String(), nil
		}
	}
}

type chunkWriter chan []byte

func (c chunkWriter) Write(b []byte) (int, error) {
	select {
	case c <- bytes.Clone(b):
	default:
	}
	return len(b), nil
}

func seconds(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return "―"
	}
	return fmt.Sprintf("%.2f 秒", to.Sub(from).Seconds())
}

func orDash(s string) string {
	if s == "" {
		return "―"
	}
	return s
}

func sortedKeys(m map[int]int) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
