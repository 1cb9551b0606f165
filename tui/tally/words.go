package tally

import "yagura/tui/ui"

var words = struct {
	title, byUnit, byPrefecture, dispatch, none, sum, wrong, rate ui.Text
	help, safety, attend, sent, answered, open, lost, needHelp    ui.Text
}{
	title: ui.Text{JA: "回答の集計", EN: "Tally"}, byUnit: ui.Text{JA: "組織別", EN: "by unit"}, byPrefecture: ui.Text{JA: "都道府県別", EN: "by prefecture"},
	dispatch: ui.Text{JA: "送信 #%d", EN: "Dispatch #%d"}, none: ui.Text{JA: "まだ集計はありません。", EN: "Nothing counted yet."},
	sum:    ui.Text{JA: "回答 %s + 未回答 %s + 不達 %s + 停止 %s = 送信 %s人", EN: "answered %s + unanswered %s + undeliverable %s + withdrawn %s = sent %s"},
	wrong:  ui.Text{JA: "集計の合計が合いません。この画面の数字を使わないでください。", EN: "The sum does not add up. Do not use these figures."},
	rate:   ui.Text{JA: "回答率 %3d%% %s 集計 %s", EN: "answered %3d%% %s as of %s"},
	help:   ui.Text{JA: " 助けが必要 %s人 ", EN: "need help: %s"},
	safety: ui.Text{JA: " = 軽傷 %s + 重傷・要救助 %s   無事 %s", EN: " = slightly injured %s + seriously %s   safe %s"},
	attend: ui.Text{JA: "登庁できる %s  時間がかかる %s  できない %s", EN: "can come %s  later %s  cannot %s"},
	sent:   ui.Text{JA: "送信", EN: "sent"}, answered: ui.Text{JA: "回答", EN: "answ."}, open: ui.Text{JA: "未回答", EN: "open"},
	lost: ui.Text{JA: "不達", EN: "lost"}, needHelp: ui.Text{JA: "要支援", EN: "help"},
}
