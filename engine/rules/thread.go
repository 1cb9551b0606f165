package rules

import (
	"slices"
	"strings"
	"time"

	"yagura/store/desk"
)

// OpensAt is the level from which a weather or volcano telegram opens an event. Below it the desk is spared: thousands of
// 注意報 and 情報 a day stay readable in the store but make no line of the inbox, unless they change an event that is open.
const OpensAt = desk.LevelWarning

// thread is the line of telegrams that tell one thing other than a shaking: a prefecture's warnings, a river, a volcano, a
// typhoon. JMA uses one key for years there, so an event is a piece of the thread: it ends after a silence (gap) or when it
// has grown old (age).
type thread struct {
	key     string
	natural bool // the key is never used again (TC2410): it is the event's key by itself
	gap     time.Duration
	age     time.Duration
}

const (
	day            = 24 * time.Hour
	warningGap     = 36 * time.Hour // a warning unchanged for longer than this is rare; shorter would tear one storm in two
	warningAge     = 7 * day
	volcanoGap     = 3 * day
	giantGap       = 8 * day // 巨大地震注意 stands for a week
	giantAge       = 15 * day
	naturalLasting = 30 * day
)

// threadOf says to which thread a telegram belongs; ok is false for shakings, missiles and whatever has no key of its own.
func threadOf(t *desk.Telegram) (th thread, ok bool) {
	switch {
	case strings.HasPrefix(t.Type, "VYSE"):
		return dated("giant:"+giantLine(t.Type), giantGap, giantAge), true
	case t.Hazard == desk.Weather:
		return weatherThread(t)
	case t.Hazard == desk.Volcano:
		return volcanoThread(t)
	}
	return thread{}, false
}

func dated(key string, gap, age time.Duration) thread { return thread{key: key, gap: gap, age: age} }

func natural(key string) thread {
	return thread{key: key, natural: true, gap: naturalLasting, age: naturalLasting}
}

// giantLine keeps 南海トラフ (VYSE50 to 52) and 北海道・三陸沖 (VYSE60) apart. Each issue has an EventID of its own, its time.
func giantLine(kind string) string {
	if kind == "VYSE60" {
		return "VYSE60"
	}
	return "VYSE50"
}

func weatherThread(t *desk.Telegram) (thread, bool) {
	switch family(t.Type) {
	case "VPTW":
		if t.Typhoon != nil && t.Typhoon.ID != "" {
			return natural("typhoon:" + t.Typhoon.ID), true
		}
		return firstID(t, "typhoon:")
	case "VPWW", "VPNO": // every phenomenon of one 府県予報区 is one storm for the desk, whichever title carries it
		if len(t.Warned) > 0 && t.Warned[0].Code != "" {
			return dated("weather:"+t.Warned[0].Code, warningGap, warningAge), true
		}
		return thread{}, false
	case "VPBS", "VPOA": // JPTE202309081000_202309081019: the office and the first time, then this time
		if len(t.EventIDs) > 0 {
			first, _, _ := strings.Cut(t.EventIDs[0], "_")
			return natural(family(t.Type) + ":" + first), true
		}
		return thread{}, false
	case "VPHW":
		if len(t.Place) > 0 {
			return dated("tornado:"+t.Place[0].Name()+":"+t.Office, 3*time.Hour, day), true
		}
		return thread{}, false
	case "VXWW", "VXKO", "VXSU": // <県名>土砂災害警戒情報, a river's code: used for years
		if len(t.EventIDs) > 0 {
			return dated(family(t.Type)+":"+t.EventIDs[0], warningGap, warningAge), true
		}
	}
	return thread{}, false
}

func family(kind string) string { return kind[:min(4, len(kind))] }

func firstID(t *desk.Telegram, prefix string) (thread, bool) {
	if len(t.EventIDs) == 0 {
		return thread{}, false
	}
	return natural(prefix + t.EventIDs[0]), true
}

// volcanoThread finds the volcano by its code, also where only the EventID tells it ("506", "20140927120000_312").
func volcanoThread(t *desk.Telegram) (thread, bool) {
	code := ""
	if t.Volcano != nil {
		code = t.Volcano.Code
	}
	if code == "" && len(t.EventIDs) > 0 {
		if _, after, found := strings.Cut(t.EventIDs[0], "_"); found {
			code = after
		} else {
			code = t.EventIDs[0]
		}
	}
	if code == "" {
		return thread{}, false
	}
	if len(code) > 3 { // an eruption abroad, sent as VXSE53: its EventID is a time
		return natural("volcano:" + code), true
	}
	return dated("volcano:"+code, volcanoGap, warningAge), true
}

// Keys are the event keys under which the events of a telegram are to be looked for: the JMA EventIDs of a shaking, the days
// of a thread for everything else.
func Keys(t desk.Telegram) []string {
	th, ok := threadOf(&t)
	switch {
	case !ok:
		return t.EventIDs
	case th.natural:
		return []string{th.key}
	}
	at := OccurredAt(&t)
	keys := make([]string, 0, 20)
	for d := -th.age; d <= th.gap+day; d += day { // a telegram that comes late may be older than its event
		keys = append(keys, keyAt(th, at.Add(d)))
	}
	return keys
}

func keyAt(th thread, start time.Time) string {
	if th.natural {
		return th.key
	}
	return th.key + "@" + start.In(desk.JST).Format("20060102")
}

// threadKey is the key of the event that its telegrams make: the thread and the day of its first telegram.
func threadKey(all []bulletin) (string, bool) {
	for _, b := range all {
		th, ok := threadOf(b.Telegram)
		if !ok {
			continue
		}
		first := OccurredAt(b.Telegram)
		for _, other := range all {
			if at := OccurredAt(other.Telegram); at.Before(first) {
				first = at
			}
		}
		return keyAt(th, first), true
	}
	return "", false
}

// inThread finds the event a telegram continues; of several the latest.
func inThread(t *desk.Telegram, th thread, candidates []desk.Event) desk.EventID {
	keys := Keys(*t)
	at := OccurredAt(t)
	var best *desk.Event
	for i := range candidates {
		e := &candidates[i]
		if !sameWorld(t, e) || !shareID(keys, e.EventIDs) {
			continue
		}
		if !th.natural && (at.Before(e.OccurredAt.Add(-th.gap)) || at.After(lastSeenOf(e).Add(th.gap)) || at.After(e.OccurredAt.Add(th.age))) {
			continue
		}
		if best == nil || e.OccurredAt.After(best.OccurredAt) {
			best = e
		}
	}
	if best == nil {
		return 0
	}
	return best.ID
}

func lastSeenOf(e *desk.Event) time.Time {
	if e.UpdatedAt.After(e.OccurredAt) {
		return e.UpdatedAt
	}
	return e.OccurredAt
}

// Quiet reports whether a telegram that belongs to no open event makes none either: a second source, the line test of the early
// warning, and weather and volcano telegrams below OpensAt. What this build does not know is never quiet (law 1), nor is a
// retraction whose thread cannot be told.
func Quiet(t desk.Telegram) bool {
	if IsSecondSource(t) || t.Type == "VXSE42" {
		return true
	}
	if t.Type == "" || t.Surprise != "" || t.Hazard != desk.Weather && t.Hazard != desk.Volcano {
		return false
	}
	if _, ok := threadOf(&t); !ok && (t.Phase == desk.Cancelled || t.Level >= OpensAt) {
		return false
	}
	switch t.Type {
	case "VFVO53", "VFVO60", "VZVO40": // 定時の降灰予報: eight a day for each restless volcano
		return true
	case "VFVO51": // repeats the level every day or week while it stands
		return t.Level < desk.LevelSpecial
	case "VFVO52", "VFVO56": // an eruption was seen
		return t.Volcano != nil && !t.Volcano.Eruption && t.Level < OpensAt
	}
	if family(t.Type) == "VPTW" || strings.HasPrefix(t.Type, "VXSE") { // every typhoon; an eruption abroad
		return false
	}
	return t.Level < OpensAt
}

// Follows reports whether a quiet telegram may still change an event that is open.
func Follows(t desk.Telegram) bool {
	return !IsSecondSource(t) && !slices.Contains([]string{"VXSE42", "VFVO53", "VFVO60", "VZVO40"}, t.Type)
}
