package incident

import (
	"yagura/store/desk"
	"yagura/tui/ui"
)

var words = struct {
	title, join, new, next, whyJoin, whyNew, whyOther                  ui.Text
	event, occurred, already, open, none, facts, compare, notCompared  ui.Text
	unknown, elapsed, within, distance, overlap, added, raised, advice ui.Text
	list, close, closeYes, closed, listHint, noneOpen, listFacts       ui.Text
	notYet, mailings, listTimes                                        ui.Text
	nothing, doorJoin, doorJoinWhat, doorNoJoin, doorNew, doorNewWhat  ui.Text
}{
	title: ui.Text{JA: "併合か新規か", EN: "Join or new"},
	list:  ui.Text{JA: "対応中の災害", EN: "Open incidents"}, close: ui.Text{JA: "対応を終える", EN: "close"},
	closeYes: ui.Text{JA: "対応を終える", EN: "close it"}, closed: ui.Text{JA: "対応を終えたと記録しました。これからの事象は併合されません。", EN: "Closed. No event joins it any more."},
	listHint:  ui.Text{JA: "終えた災害には併合も送信もできません。併合の目安は最後の揺れから %d時間以内。", EN: "A closed incident takes no event and no dispatch (merge window %d h)."},
	noneOpen:  ui.Text{JA: "対応中の災害はありません。", EN: "No open incident."},
	listFacts: ui.Text{JA: "最大震度%s  事象%d件", EN: "max %s  %d events"},
	listTimes: ui.Text{JA: "  最後の揺れ %s  開始 %s %s", EN: "  last shaking %s  opened %s %s"},
	notYet:    ui.Text{JA: "  送信 #%d が未完了", EN: "  dispatch #%d is not done"}, mailings: ui.Text{JA: "  送信 %d回", EN: "  %d dispatches"},
	join: ui.Text{JA: "併合する", EN: "join"}, new: ui.Text{JA: "新しい災害にする", EN: "new incident"}, next: ui.Text{JA: "併合先を選ぶ", EN: "choose"},
	whyJoin:  ui.Text{JA: "併合する理由を数字で選んでください。", EN: "Why join? Press a digit."},
	whyNew:   ui.Text{JA: "新しい災害にする理由を数字で選んでください。", EN: "Why new? Press a digit."},
	whyOther: ui.Text{JA: "理由を入力してください。", EN: "The reason, please."},
	event:    ui.Text{JA: "事象", EN: "Event"}, occurred: ui.Text{JA: "発生 %s", EN: "at %s"},
	already:     ui.Text{JA: "この事象はもう災害 #%d に入っています。", EN: "Already in incident #%d."},
	open:        ui.Text{JA: "対応中の災害 %d 件", EN: "%d open incidents"},
	none:        ui.Text{JA: "対応中の災害はありません。新しい災害になります。", EN: "No open incident: this one is new."},
	facts:       ui.Text{JA: "最大震度%s 事象%d件 最後から%s", EN: "max %s, %d events, last %s ago"},
	compare:     ui.Text{JA: "災害 #%d との比較", EN: "Compared with #%d"},
	notCompared: ui.Text{JA: "この災害との比較は、規則からは出ていません。", EN: "The rules did not compare with this one."},
	unknown:     ui.Text{JA: "不明", EN: "unknown"}, elapsed: ui.Text{JA: "最後の揺れからの時間", EN: "since last shaking"},
	within: ui.Text{JA: "%s（併合の目安 %.0f時間以内）", EN: "%s (window %.0f h)"}, distance: ui.Text{JA: "震源どうしの距離", EN: "distance"},
	overlap: ui.Text{JA: "重なる都道府県", EN: "overlap"}, added: ui.Text{JA: "新しく確認する地域", EN: "newly asked"},
	raised: ui.Text{JA: "通知時より強い地域", EN: "raised"}, advice: ui.Text{JA: "参考", EN: "advice"}, nothing: ui.Text{JA: "なし", EN: "none"},
	doorJoin: ui.Text{JA: "j  災害 #%d に併合する", EN: "j  join incident #%d"}, doorJoinWhat: ui.Text{JA: "新しい地域と強くなった地域だけ確認", EN: "asks only what is new or raised"},
	doorNoJoin: ui.Text{JA: "（併合できる災害はない）", EN: "(nothing to join)"},
	doorNew:    ui.Text{JA: "n  新しい災害にする", EN: "n  open a new incident"}, doorNewWhat: ui.Text{JA: "対象の地域すべてに確認", EN: "asks every region concerned"},
}

func english(r desk.MergeReason) string {
	switch r {
	case desk.SameShaking:
		return "same shaking"
	case desk.SameSeries:
		return "same series"
	case desk.OtherPlace:
		return "other place"
	case desk.LongAfter:
		return "long after"
	case desk.FirstOfItsKind:
		return "first of its kind"
	}
	return "other"
}
