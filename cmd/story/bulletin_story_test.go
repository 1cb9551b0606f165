package story

import (
	"testing"
	"time"

	"yagura/feeds/dmdata"
	"yagura/feeds/dmdata/dmdatatest"
	"yagura/store/desk"
)

// An earthquake is told to the designated people by itself: first the 震度速報, then what was measured. The same telegrams as 訓練 or
// 試験, by whatever path, are told to nobody. // F3-1-l F3-1-m, law 4
func TestAutomaticInformationNeedsNobody(t *testing.T) {
	push := dmdatatest.New(2)
	t.Cleanup(push.Close)
	h := newHouse(t)
	options := push.Options()
	options.Test = true
	h.run(t, dmdata.New(options))
	within(t, 10*time.Second, "both sockets are open", func() bool { return push.Open(0) == 1 && push.Open(1) == 1 })
	press := time.Now().Truncate(time.Second)
	for i, mode := range []desk.Mode{desk.Drill, desk.Test, desk.Live} {
		flash, report := shaking(30*i, press.Add(-100*time.Second), mode)
		push.Push(flash(press), report(press))
	}
	within(t, 60*time.Second, "all six telegrams are read", func() bool { return h.in.Counts().Judged == 6 })
	within(t, 60*time.Second, "two bulletins are accepted 250 times", func() bool { return len(h.carrier.Kept()) >= 2*designated })
	if quick, confirmed := h.mailsOf(t, "地震速報"), h.mailsOf(t, "地震確定"); quick != designated || confirmed != designated {
		t.Errorf("%d mails of 地震速報, %d of 地震確定", quick, confirmed)
	}
	var bulletins, unconsidered, foreign int
	h.db.Scan(`SELECT count(*), (SELECT count(*) FROM unconsidered), (SELECT count(*) FROM bulletin b JOIN reading r USING (telegram_id) WHERE r.mode <> 'live') FROM bulletin`,
		&bulletins, &unconsidered, &foreign)
	if bulletins != 2 || unconsidered != 0 || foreign != 0 {
		t.Errorf("%d bulletins, %d telegrams not considered, %d bulletins of drills", bulletins, unconsidered, foreign)
	}
}
