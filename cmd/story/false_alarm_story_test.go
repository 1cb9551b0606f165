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
	parts, read := tw.night(t, "23:04", "23:05", "23:14", "24:00"), 0
	plays := func() (stop func()) { // the next part of the night, by an engine of its own
		t.Helper()
		engine := tw.engine("east", playing(parts[0].folder)...)
		read, parts = read+parts[0].telegrams, parts[1:]
		tw.hasRead(60*time.Second, read)
		return engine.stop
	}
	plays()() // the evening
	stop := plays()
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
	stop()

	stop = plays() // the withdrawal
	gone := tw.one.sees(5*time.Second, "the withdrawal", func(i desk.InboxItem) bool {
		return i.Event.ID == item.Event.ID && i.Event.Status == desk.EventRetracted
	})
	tw.one.finds(gone, desk.False, "気象庁が取り消した")
	if _, err := tw.two.tries(gone, d, desk.TwoPeople); desk.KindOf(err) != desk.Forbidden {
		t.Errorf("two people after the finding was false: %v", err)
	}
	stop()

	plays() // the report that follows says 3
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

// night writes the telegrams of the built-in scenario into folders, each until a time of the clock (JST, that day or the next).
func (tw *tower) night(t *testing.T, until ...string) []recording {
	t.Helper()
	parts := make([]recording, len(until))
	seen := map[[32]byte]bool{}
	for i, e := range must[[]desk.Envelope](t)(must[replay.Scenario](t)(replay.Builtin("noto")).Envelopes()) {
		part := 0
		for at := e.ReceivedAt.In(desk.JST); part < len(until)-1 && (at.Day() != 1 || at.Format("15:04") > until[part]); part++ {
		}
		tw.write(fmt.Sprintf("night%d/%04d.xml", part, i), e.Raw)
		if sum := digest(e.Raw); !seen[sum] {
			seen[sum] = true
			parts[part].telegrams++
		}
		parts[part].folder = tw.path(fmt.Sprintf("night%d", part))
	}
	return parts
}

func contradicts(a *desk.Advice, code desk.CheckCode) bool {
	for _, c := range a.Checks {
		if c.Code == code && c.Result == desk.Contradicts {
			return true
		}
	}
	return false
}
