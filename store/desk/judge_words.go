package desk

// Checks that look at more than one shaking's bulletins.
const (
	CheckTsunami   CheckCode = "tsunami"       // a forecast area under a warning that vanished without a lifting code; when a slight change ends
	CheckSameKey   CheckCode = "same_key"      // the same number with different content by two ways
	CheckSurprise  CheckCode = "surprise"      // something in a telegram that this build does not know
	CheckAnnounces CheckCode = "drill_notice"  // a live notice that announces a drill
	CheckForecast  CheckCode = "eew_precision" // how an early warning was made: one station, PLUM, final or not
)
