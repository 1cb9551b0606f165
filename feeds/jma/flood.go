package jma

import (
	"yagura/store/desk"
)

// readFlood gives the rivers of 指定河川洪水予報 and 水位周知河川に関する情報. The headline alone tells the kind: the Body speaks of
// gauges and districts. Which river lies in which prefecture is not told, so each is listed with all of the telegram.
func readFlood(t *desk.Telegram, r *meteorologyReport) []desk.WarnedArea {
	rivers := blockOf(r.Named, "（河川）", typeOfNamed)
	if rivers == nil || len(rivers.Items) == 0 {
		for _, stretch := range []string{"予報区域", "発表区間"} {
			if rivers = blockOf(r.Named, stretch, typeOfNamed); rivers != nil {
				break
			}
		}
	}
	if rivers == nil {
		return nil
	}
	areas := gathered{telegram: t, family: floodKinds}
	areas.addNamed(rivers.Items)
	where := placesOfFlood(r)
	for i := range areas.list {
		areas.list[i].Prefectures = where
	}
	return areas.list
}

// placesOfFlood is the 府県予報区 of the headline and the PrefectureCode ("09000") of the districts that may be flooded.
func placesOfFlood(r *meteorologyReport) []desk.Prefecture {
	found := make(places)
	if block := blockOf(r.Named, "府県予報区", typeOfNamed); block != nil {
		found.addNamed([]namedBlock{*block})
	}
	for _, b := range r.Body.Warnings {
		for _, it := range b.Items {
			for _, a := range it.Areas.Area {
				found.add(leadingPrefecture(trim(a.PrefectureCode)))
			}
		}
	}
	return found.list()
}
