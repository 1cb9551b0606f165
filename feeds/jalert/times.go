package jalert

import (
	"regexp"
	"strconv"
	"time"

	"yagura/store/desk"
)

var (
	clockPattern = regexp.MustCompile(`(午前|午後)?(\d{1,2})時(?:(\d{1,2})分|(半))?|\b(\d{1,2}):(\d{2})\b`)
	datePattern  = regexp.MustCompile(`(?:(令和)(\d{1,2}|元)年|(\d{4})年)?(\d{1,2})月(\d{1,2})日|\b(\d{4})[/.\-](\d{1,2})[/.\-](\d{1,2})`)
)

// timeIn reads the first time of day in a folded text, with the date before it when there is one. Without a date it is the one
// nearest to the moment of receiving, in JST: 23時58分 received at 00:01 was yesterday. Zero when there is no time.
func timeIn(text string, received time.Time) time.Time {
	at := clockPattern.FindStringSubmatchIndex(text)
	if at == nil {
		return time.Time{}
	}
	hour, minute, ok := clockOf(submatches(text, at))
	if !ok {
		return time.Time{}
	}
	if date := datePattern.FindStringSubmatch(text[:at[0]]); date != nil {
		return dated(date, hour, minute, received)
	}
	return nearest(hour, minute, received)
}

func submatches(text string, at []int) []string {
	groups := make([]string, len(at)/2)
	for i := range groups {
		if at[2*i] >= 0 {
			groups[i] = text[at[2*i]:at[2*i+1]]
		}
	}
	return groups
}

func clockOf(g []string) (hour, minute int, ok bool) {
	hour, minute = atoi(g[2]+g[5]), atoi(g[3]+g[6])
	if g[4] != "" {
		minute = 30
	}
	switch {
	case g[1] == "午後" && hour < 12:
		hour += 12
	case g[1] == "午前" && hour == 12:
		hour = 0
	}
	return hour, minute, hour <= 24 && minute < 60
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s) // the pattern lets digits through only
	return n
}

// nearest is the time of day on the day that brings it closest to the moment of receiving.
func nearest(hour, minute int, received time.Time) time.Time {
	if received.IsZero() {
		return time.Time{}
	}
	ref := received.In(desk.JST)
	var best time.Time
	for day := -1; day <= 1; day++ {
		t := time.Date(ref.Year(), ref.Month(), ref.Day()+day, hour, minute, 0, 0, desk.JST)
		if best.IsZero() || t.Sub(ref).Abs() < best.Sub(ref).Abs() {
			best = t
		}
	}
	return best.UTC()
}

// reiwa is the year before 令和元年.
const reiwa = 2018

func dated(g []string, hour, minute int, received time.Time) time.Time {
	year, month, day := atoi(g[3]+g[6]), atoi(g[4]+g[7]), atoi(g[5]+g[8])
	switch {
	case g[1] != "" && g[2] == "元":
		year = reiwa + 1
	case g[1] != "":
		year = reiwa + atoi(g[2])
	}
	if month < 1 || month > 12 || day < 1 || day > 31 {
		return time.Time{}
	}
	if year != 0 {
		return time.Date(year, time.Month(month), day, hour, minute, 0, 0, desk.JST).UTC()
	}
	var best time.Time
	for y := received.In(desk.JST).Year() - 1; y <= received.In(desk.JST).Year()+1; y++ { // around New Year
		t := time.Date(y, time.Month(month), day, hour, minute, 0, 0, desk.JST)
		if best.IsZero() || t.Sub(received).Abs() < best.Sub(received).Abs() {
			best = t
		}
	}
	return best.UTC()
}
