package rules

import "yagura/store/desk"

// Triggered lists the prefectures whose people are concerned, in JIS order: those at or over the policy's intensity, and all
// 47 when the national maximum reaches the nationwide level. Only what was observed counts; an EEW never triggers.
func Triggered(e desk.Event, p desk.Policy) []desk.TriggeredBy {
	felt := make(map[desk.Prefecture]desk.Intensity, len(e.Prefectures))
	for _, f := range e.Prefectures {
		felt[f.Code] = max(felt[f.Code], f.Intensity)
	}
	nationwide := p.NationwideFrom > desk.IntensityUnknown && e.MaxIntensity >= p.NationwideFrom
	var out []desk.TriggeredBy
	for code := desk.Prefecture(1); code <= desk.Prefectures; code++ {
		switch {
		case p.PrefectureFrom > desk.IntensityUnknown && felt[code] >= p.PrefectureFrom:
			out = append(out, desk.TriggeredBy{Prefecture: code, Intensity: felt[code], Reason: desk.ReasonIntensity})
		case nationwide:
			out = append(out, desk.TriggeredBy{Prefecture: code, Intensity: felt[code], Reason: desk.ReasonNationwide})
		}
	}
	return out
}

// Grade says how loudly the desk is told: 1 for what may be dispatched, a tsunami warning, or the retraction of such; 2 for
// what was felt strongly, a tsunami advisory, an EEW; 3 for the rest.
func Grade(e desk.Event, telegrams []desk.Telegram, p desk.Policy) desk.Grade {
	if e.Hazard == desk.Missile {
		return MissileGrade(e, telegrams)
	}
	all := settle(telegrams)
	if e.Hazard != desk.Earthquake || isGiant(all) {
		return hazardGrade(&e, all)
	}
	switch {
	case len(Triggered(e, p)) > 0, e.Tsunami == desk.TsunamiMajorWarning, e.Tsunami == desk.TsunamiWarning:
		return desk.GradeAlarm
	case e.Status == desk.EventRetracted && wasAlarm(telegrams, p):
		return desk.GradeAlarm
	case e.MaxIntensity >= desk.Intensity4, e.Tsunami == desk.TsunamiAdvisory, e.EEWWarning:
		return desk.GradeWatch
	case e.MaxIntensity == desk.IntensityUnknown && e.Forecast > desk.IntensityUnknown && !onlyUnsure(all):
		return desk.GradeWatch
	case announcesDrill(all), unknownInside(all):
		return desk.GradeWatch
	case e.Status == desk.EventRetracted && !neverSure(all):
		return desk.GradeWatch
	}
	return desk.GradeInfo
}

// wasAlarm reports whether a bulletin that was taken back had reached the threshold or warned of a tsunami.
func wasAlarm(telegrams []desk.Telegram, p desk.Policy) bool {
	for _, b := range settle(telegrams) {
		if b.standing != retracted {
			continue
		}
		if tsunamiRank(desk.HighestTsunami(b.Tsunami)) >= tsunamiRank(desk.TsunamiWarning) {
			return true
		}
		if isObserved(b.Telegram) && p.PrefectureFrom > desk.IntensityUnknown && b.MaxIntensity >= p.PrefectureFrom {
			return true
		}
	}
	return false
}
