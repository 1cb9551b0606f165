package inbox

import "yagura/tui/ui"

var words = struct {
	title, open, showNew, empty, count, newItems       ui.Text
	mode, grade, at, intensity, finding, what, hint    ui.Text
	telegrams, triggered, updated                      ui.Text
	unread, cannotRead, retracted, prefectures, pieces ui.Text
	inIncident, contradicts, joinAsk, apartAsk         ui.Text
	about, judged, merge, cancelled                    ui.Text
}{
	title: ui.Text{JA: "受付一覧", EN: "Inbox"}, open: ui.Text{JA: "開いて判断", EN: "open"},
	showNew: ui.Text{JA: "新着を表示", EN: "show new"}, empty: ui.Text{JA: "電文はまだありません。", EN: "No telegram yet."},
	count: ui.Text{JA: "全 %d 件", EN: "%d items"}, newItems: ui.Text{JA: "新着 %d 件（n で表示）", EN: "%d new (press n)"},
	mode: ui.Text{JA: "種別", EN: "Mode"}, grade: ui.Text{JA: "区分", EN: "Grd"}, at: ui.Text{JA: "発生", EN: "Time"},
	intensity: ui.Text{JA: "震度", EN: "Int"}, finding: ui.Text{JA: "判断", EN: "Finding"}, what: ui.Text{JA: "内容", EN: "What"},
	hint: ui.Text{JA: "参考", EN: "Hint"}, telegrams: ui.Text{JA: "電文", EN: "Tels"},
	triggered: ui.Text{JA: "対象地域", EN: "Concerned"}, updated: ui.Text{JA: "最新受信", EN: "Updated"},
	unread: ui.Text{JA: "電文", EN: "TEL"}, cannotRead: ui.Text{JA: "読めず", EN: "unread"},
	retracted: ui.Text{JA: "【取消】", EN: "[RETRACTED] "}, prefectures: ui.Text{JA: "%d 都道府県", EN: "%d prefs"},
	pieces: ui.Text{JA: "%d 通", EN: "%d"}, inIncident: ui.Text{JA: "災害 #%d", EN: "incident #%d"},
	contradicts: ui.Text{JA: "矛盾 %d 件", EN: "%d against"}, joinAsk: ui.Text{JA: "#%d に併合?", EN: "join #%d?"},
	apartAsk: ui.Text{JA: "#%d とは別?", EN: "not #%d?"},
	about:    ui.Text{JA: "選んでいる事象（Enter で判断）", EN: "Selected (Enter to judge)"},
	judged:   ui.Text{JA: "判断: %s", EN: "finding: %s"}, merge: ui.Text{JA: "併合の参考", EN: "Join or new"},
	cancelled: ui.Text{JA: "取消電文あり", EN: "a retraction"},
}
