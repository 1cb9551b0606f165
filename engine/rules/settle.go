package rules

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"

	"yagura/store/desk"
)

// standing says whether what a telegram said still holds.
type standing uint8

const (
	holds     standing = iota // nothing took it back
	replaced                  // a 訂正 came after it
	retracted                 // a 取消 came after it
	retracts                  // it is the 取消 itself and says nothing of its own
)

// bulletin is a telegram with its standing among the others of the event.
type bulletin struct {
	*desk.Telegram
	standing standing
	serial   int // the number it is ordered by
}

// settle puts the telegrams of one event into JMA's order and says which still hold, whatever order they arrived in.
//
// A line is one type under one EventID. Within it the order key is (Serial as a number, 取消 last, press time): a 取消
// repeats the Serial of what it retracts and must win (feeds.md 1.2). Lines without a Serial (VXSE51) go by press time.
func settle(telegrams []desk.Telegram) []bulletin {
	lines := make(map[string][]bulletin)
	for i := range telegrams {
		t := &telegrams[i]
		key := lineOf(t)
		lines[key] = append(lines[key], bulletin{Telegram: t, serial: number(t.Serial)})
	}
	all := make([]bulletin, 0, len(telegrams))
	for _, line := range lines {
		if _, ok := threadOf(line[0].Telegram); ok {
			slices.SortFunc(line, byPress) // 第1号 of the next flood may follow 第12号 of the last one in the same thread
			judgeThread(line)
		} else {
			lendSerials(line)
			slices.SortFunc(line, inLine)
			judgeLine(line)
		}
		all = append(all, line...)
	}
	slices.SortFunc(all, byPress)
	correctAcross(all)
	return all
}

// lineOf names the line a telegram stands in. A typhoon may change its slot (VPTW60 to 65), the letters of a prefecture's
// warnings tell their phenomenon; telegrams without an EventID are one line within their event.
func lineOf(t *desk.Telegram) string {
	kind := t.Type
	if family(kind) == "VPTW" {
		kind = "VPTW"
	}
	return kind + "\x00" + t.Title + "\x00" + lineIDs(t)
}

// lineIDs leaves out EventIDs that change with every issue of one thread.
func lineIDs(t *desk.Telegram) string {
	switch family(t.Type) {
	case "VYSE", "VPBS", "VPOA":
		return ""
	}
	return strings.Join(t.EventIDs, " ")
}

// judgeThread: where each telegram carries the whole state, a 取消 takes back the one before it (of its Serial when it has one) and
// the state before that stands again; a 訂正 replaces everything before it, as an ordinary issue does.
func judgeThread(line []bulletin) {
	for i := range line {
		if line[i].Phase != desk.Cancelled {
			continue
		}
		line[i].standing = retracts
		for j := i - 1; j >= 0; j-- {
			if line[j].standing == holds && (line[i].Serial == "" || line[i].Serial == line[j].Serial) {
				line[j].standing = retracted
				break
			}
		}
	}
	for i, b := range line {
		if b.Phase != desk.Corrected || b.standing != holds {
			continue
		}
		for j := range line[:i] {
			if line[j].standing == holds {
				line[j].standing = replaced
			}
		}
	}
}

func number(serial string) int {
	n, err := strconv.Atoi(serial)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// lendSerials orders a telegram without a number after the numbered ones pressed before it, so that a 取消 with an empty
// Serial still retracts them.
func lendSerials(line []bulletin) {
	own := make([]int, len(line))
	for i := range line {
		own[i] = line[i].serial
	}
	for i := range line {
		if own[i] != 0 {
			continue
		}
		for j := range line {
			if !line[j].PressTime.After(line[i].PressTime) {
				line[i].serial = max(line[i].serial, own[j])
			}
		}
	}
}

func inLine(a, b bulletin) int {
	if c := cmp.Compare(a.serial, b.serial); c != 0 {
		return c
	}
	if a.serial > 0 {
		if c := cancelLast(a, b); c != 0 {
			return c
		}
	}
	return byPress(a, b)
}

func byPress(a, b bulletin) int {
	if c := a.PressTime.Compare(b.PressTime); c != 0 {
		return c
	}
	if c := cancelLast(a, b); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Type, b.Type); c != 0 {
		return c
	}
	return bytes.Compare(a.Digest[:], b.Digest[:]) // any fixed order will do; it must not be the order of arrival
}

func cancelLast(a, b bulletin) int {
	rank := func(x bulletin) int {
		if x.Phase == desk.Cancelled {
			return 1
		}
		return 0
	}
	return rank(a) - rank(b)
}

func judgeLine(line []bulletin) {
	after := holds
	for i := len(line) - 1; i >= 0; i-- {
		switch {
		case line[i].Phase == desk.Cancelled:
			line[i].standing, after = retracts, retracted
		default:
			line[i].standing = after
			if line[i].Phase == desk.Corrected && after == holds {
				after = replaced // 訂正 replaces the telegrams of the same title and EventID before it (feeds.md 1.2)
			}
		}
	}
}

// correctAcross lets a 訂正 of VXSE53, which names every area, also replace the 震度速報 and 長周期 pressed before it: a
// correction may lower what they said, an ordinary bulletin may not (feeds.md 1.4).
func correctAcross(all []bulletin) {
	for i := range all {
		c := &all[i]
		if c.Type != "VXSE53" || c.Phase != desk.Corrected || c.standing != holds {
			continue
		}
		for j := range all[:i] {
			if b := &all[j]; b.standing == holds && isObserved(b.Telegram) && b.Type != "VXSE53" {
				b.standing = replaced
			}
		}
	}
}
