package intake

import (
	"slices"
	"strings"

	"yagura/feeds/jalert"
	"yagura/feeds/jma"
	"yagura/feeds/p2pquake"
	"yagura/store/desk"
)

// secondFeed is the feed of the free second path, manualFeed that of what an operator typed in at the desk.
const (
	secondFeed = "p2pquake"
	manualFeed = "manual"
)

// xmlFeeds bring JMA telegrams and nothing else: what is not one there is a fault of the path (an error page, a broken body) and
// must never be taken for a civil-protection text.
var xmlFeeds = []string{"jma-pull", "dmdata"}

// parser understands the envelopes of one form.
type parser func(desk.Envelope) (desk.Telegram, error)

// parserFor chooses by content, and by the feed where the content could be anything. Text is taken from the desk's own line
// alone.
func (o *Options) parserFor(env desk.Envelope) parser {
	if slices.Contains(xmlFeeds, env.Feed) {
		return jma.Parse
	}
	if env.Feed == manualFeed {
		return jalert.ParseEntry
	}
	switch jalert.Sniff(env.Raw) {
	case jalert.FormatP2P:
		return p2pquake.Parse
	case jalert.FormatEDXL:
		if !o.EDXL {
			return refused("EDXL（Lアラート等）の電文ですが、EDXLの受信は設定されていません。内容を直接確かめてください。")
		}
		return jalert.ParseEDXL
	case jalert.FormatText:
		if isLine(env.Feed) {
			return jalert.ParseText
		}
	}
	if env.Feed == secondFeed {
		return p2pquake.Parse
	}
	return jma.Parse
}

func isLine(feed string) bool { return strings.HasPrefix(feed, "line") }

// refused shows an envelope as unreadable, with the reason.
func refused(why string) parser {
	return func(env desk.Envelope) (desk.Telegram, error) {
		return desk.Telegram{Envelope: env}, desk.Errorf(desk.Invalid, "intake.parse", "%s", why)
	}
}
