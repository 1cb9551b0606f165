package dmdata

import (
	"fmt"
	"strings"
	"time"

	"yagura/feeds"
)

// Rhythm is two minutes: the far side pings each socket well within one, and we ping when it does not.
func (s *Source) Rhythm() time.Duration { return 2 * time.Minute }

// Health tells how the sockets stand. One lost socket is trouble already: the other is alone now.
func (s *Source) Health() feeds.Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &s.tally
	h := feeds.Health{LastReceived: t.received, LastContact: t.contact, Reconnects: t.reconnects}
	var open int
	var why []string
	for i, l := range s.links {
		if l.open {
			open++
		} else {
			why = append(why, fmt.Sprintf("接続%d：%s", i+1, l.trouble))
		}
	}
	switch {
	case open == 0:
		h.Trouble = "DMDATAの接続がすべて切れています。" + strings.Join(why, " ")
	case open < len(s.links):
		h.Trouble = fmt.Sprintf("DMDATAの接続が%d本中%d本だけです。", len(s.links), open) + strings.Join(why, " ")
	}
	h.Trouble += t.catchUpTrouble
	h.Detail = fmt.Sprintf("接続 %d/%d、受信 %d、重複 %d、一覧から %d", open, len(s.links), t.stored, t.duplicates, t.caughtUp)
	for _, extra := range []struct {
		n    int
		name string
	}{{t.conversions, "XML以外"}, {t.garbage, "読めないフレーム"}, {t.altered, "検証値の不一致"}, {t.lost, "取得できない電文"}} {
		if extra.n > 0 {
			h.Detail += fmt.Sprintf("、%s %d", extra.name, extra.n)
		}
	}
	return h
}
