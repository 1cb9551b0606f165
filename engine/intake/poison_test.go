package intake

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"yagura/store"
	"yagura/store/desk"
	"yagura/store/storetest"
)

// TestAPoisonousTelegramDoesNotHoldUpTheNext: a telegram that parses but that the database cannot take in some field must be
// shown, and the one behind it judged. // law 1
func TestAPoisonousTelegramDoesNotHoldUpTheNext(t *testing.T) {
	envs := scenario(t, "noto")
	var eventID string
	if i := bytes.Index(envs[0].Raw, []byte("<EventID>")); i >= 0 {
		eventID = string(envs[0].Raw[i : i+len("<EventID>20240101160608</EventID>")])
	} else {
		t.Fatal("no EventID in the first telegram")
	}
	long := func(n int) string { // does not compress away
		r := rand.New(rand.NewPCG(1, 2))
		var b strings.Builder
		for b.Len() < n {
			fmt.Fprintf(&b, "%d", r.Uint64())
		}
		return b.String()[:n]
	}
	var ids []string
	for i := range 5000 {
		ids = append(ids, fmt.Sprint(20240101000000+i))
	}
	at := envs[0].ReceivedAt
	poison := map[string]string{
		"long":   "<EventID>" + long(100_000) + "</EventID>",
		"many":   "<EventID>" + strings.Join(ids, " ") + "</EventID>",
		"escape": "<EventID>x&#xFFFD;\u202e</EventID>",
	}
	var all []desk.Envelope
	for name, id := range poison {
		raw := bytes.Replace(envs[0].Raw, []byte(eventID), []byte(id), 1)
		if bytes.Equal(raw, envs[0].Raw) {
			t.Fatal("nothing was edited")
		}
		at = at.Add(time.Second)
		all = append(all, desk.Envelope{Feed: "x", Name: name, Raw: raw, ReceivedAt: at})
	}
	for i, when := range []string{"0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"} {
		raw := []byte(swapTimes(string(envs[0].Raw), when))
		all = append(all, desk.Envelope{Feed: "x", Name: "time", Raw: raw, ReceivedAt: at.Add(time.Duration(i+1) * time.Second)})
	}
	good := envs[1]
	all = append(all, good)
	began := time.Now()
	_, in := playAll(t, storetest.New(t), all)
	c := in.Counts()
	t.Logf("%+v in %s", c, time.Since(began))
	if c.Judged+c.Unreadable != int64(len(all)) || c.Judged < 1 {
		t.Errorf("%+v of %d telegrams", c, len(all))
	}
}

// swapTimes replaces every time of a telegram.
func swapTimes(text, when string) string {
	for _, name := range []string{"DateTime", "ReportDateTime", "TargetDateTime", "OriginTime", "ArrivalTime"} {
		open, end := "<"+name+">", "</"+name+">"
		for from := 0; ; {
			i := strings.Index(text[from:], open)
			if i < 0 {
				break
			}
			i += from + len(open)
			j := strings.Index(text[i:], end)
			text = text[:i] + when + text[i+j:]
			from = i
		}
	}
	return text
}

// picky is a store that refuses whatever was read of one telegram, as it would a field it cannot hold.
type picky struct {
	*store.Store
	refused atomic.Int64
}

func (p *picky) RecordReading(ctx context.Context, t desk.Telegram, problem string) error {
	if p.refused.CompareAndSwap(0, int64(t.ID)); t.Title != "" && p.refused.Load() == int64(t.ID) {
		return desk.Errorf(desk.Internal, "test", "refused")
	}
	return p.Store.RecordReading(ctx, t, problem)
}

// TestAReadingTheStoreRefusesIsShownWithoutIt: law 1.
func TestAReadingTheStoreRefusesIsShownWithoutIt(t *testing.T) {
	envs := scenario(t, "noto")[:3]
	st := &picky{Store: storetest.New(t).Store(storetest.Engine)}
	in := start(t, st, "a", slice{"replay", envs})
	await(t, "the telegrams behind it", func() bool { return in.Counts().Judged == 2 })
	items, err := st.Inbox(t.Context(), 10)
	if c := in.Counts(); err != nil || c.Unreadable != 1 || !slices.ContainsFunc(items, func(i desk.InboxItem) bool { return i.Unreadable }) {
		t.Errorf("%+v, %+v, %v", c, items, err)
	}
}

// slow is a store that never has the time to save the first telegram.
type slow struct{ *store.Store }

func (s *slow) SaveEvent(ctx context.Context, e desk.Event, id desk.TelegramID, a desk.Advice) (desk.EventID, desk.AdviceID, error) {
	if id == 1 {
		return 0, 0, desk.Errorf(desk.Unavailable, "test", "timed out")
	}
	return s.Store.SaveEvent(ctx, e, id, a)
}

// TestATelegramThatAlwaysTimesOutLetsTheOthersPast: law 1.
func TestATelegramThatAlwaysTimesOutLetsTheOthersPast(t *testing.T) {
	in := start(t, &slow{storetest.New(t).Store(storetest.Engine)}, "a", slice{"replay", scenario(t, "noto")[:3]})
	await(t, "the telegrams behind it", func() bool { c := in.Counts(); return c.Judged == 2 && c.Unreadable == 1 })
}
