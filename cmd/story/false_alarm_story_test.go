package story

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"yagura/feeds/replay"
	"yagura/store/desk"
)

// The night of 2024-01-01 until the false 震度速報 of 23:05, then its withdrawal. // F3-1-k.3, design law 3, issue 2
func TestFalseBulletinOf2305LeavesNoMail(t *testing.T) {
	t.Parallel()
	tw := raise(t, plan{})
	until, withdrawal, rest := tw.night(t)
	first := tw.engine("east", playing(until.folder)...)
	tw.hasRead(60*time.Second, until.telegrams)
	item := tw.one.sees(5*time.Second, "the bulletin of 23:05", func(i desk.InboxItem) bool {
		return i.Advice != nil && i.Event.MaxIntensity == desk.Intensity7 && slices.Contains(i.Event.EventIDs, "20240101230354")
	})
	if n := item.Advice.Contradictions(); n < 2 {
		t.Errorf("%d contradictions, want at least 2: %+v", n, item.Advice.Checks)
	}
	for _, code := range []desk.CheckCode{desk.CheckEEW, desk.CheckRepeat} {
		if !contradicts(item.Advice, code) {
			t.Errorf("the check %s does not contradict", code)
		}
	}
	file := must[desk.EventFile](t)(tw.one.store.EventFile(t.Context(), item.Event.ID))
	if took := item.Advice.At.Sub(file.Telegrams[0].StoredAt); took > 5*time.Second {
		t.Errorf("the contradictions were shown after %s", took)
	} else {
		t.Logf("the contradictions of 23:05 were shown %s after the telegram was stored", took.Round(time.Millisecond))
	}

	// Even somebody who believes it cannot send alone.
	tw.one.finds(item, desk.Genuine, "大きな揺れと思い込んだ")
	d := tw.one.proposes(item, tw.one.opens(item))
	if _, err := tw.one.tries(item, d, desk.OneKey); desk.KindOf(err) != desk.Forbidden {
		t.Errorf("one key on a contradiction: %v", err)
	}
	if _, err := tw.one.tries(item, d, desk.TwoPeople); desk.KindOf(err) != desk.Forbidden {
		t.Errorf("the proposer as his own second person: %v", err)
	}
	first.stop()

	second := tw.engine("east", playing(withdrawal.folder)...)
	tw.hasRead(60*time.Second, until.telegrams+withdrawal.telegrams)
	gone := tw.one.sees(5*time.Second, "the withdrawal", func(i desk.InboxItem) bool {
		return i.Event.ID == item.Event.ID && i.Event.Status == desk.EventRetracted
	})
	tw.one.finds(gone, desk.False, "気象庁が取り消した")
	if _, err := tw.two.tries(gone, d, desk.TwoPeople); desk.KindOf(err) != desk.Forbidden {
		t.Errorf("two people after the finding was false: %v", err)
	}
	second.stop()

	tw.engine("east", playing(rest.folder)...) // the report that follows says 3
	tw.hasRead(60*time.Second, until.telegrams+withdrawal.telegrams+rest.telegrams)
	left := tw.one.sees(5*time.Second, "what is left of it", func(i desk.InboxItem) bool {
		return i.Event.ID == item.Event.ID && i.Event.MaxIntensity == desk.Intensity3
	})
	if len(left.Advice.Triggered) != 0 {
		t.Errorf("an intensity of 3 concerns %v", left.Advice.Triggered)
	}
	if n := tw.mails(); n != 0 {
		t.Errorf("%d mail rows exist", n)
	}
	if n := tw.seen().Total.Accepted; n != 0 {
		t.Errorf("%d mails left", n)
	}
}

type recording struct {
	folder    string
	telegrams int
}

// night writes the telegrams of the built-in scenario into three folders: until the false bulletin, its withdrawal, and the rest.
func (tw *tower) night(t *testing.T) (until, withdrawal, rest recording) {
	t.Helper()
	envs := must[[]desk.Envelope](t)(must[replay.Scenario](t)(replay.Builtin("noto")).Envelopes())
	seen := map[[32]byte]bool{}
	for i, e := range envs {
		part, name := &until, "until"
		switch at := e.ReceivedAt.In(desk.JST).Format("02 15:04"); {
		case at > "01 23:14":
			part, name = &rest, "rest"
		case at > "01 23:05":
			part, name = &withdrawal, "withdrawal"
		}
		part.folder = tw.path(name)
		tw.write(fmt.Sprintf("%s/%04d.xml", name, i), e.Raw)
		if sum := digest(e.Raw); !seen[sum] {
			seen[sum] = true
			part.telegrams++
		}
	}
	return until, withdrawal, rest
}

func contradicts(a *desk.Advice, code desk.CheckCode) bool {
	for _, c := range a.Checks {
		if c.Code == code && c.Result == desk.Contradicts {
			return true
		}
	}
	return false
}
