package tui

import "yagura/tui/ui"

var words = struct {
	stop, nextAlarm, back, help, list, tally, home, lang, redraw, quit ui.Text
	burst, imeOn, tooSoon, leave, stopped, inCountdown, askStop, idle  ui.Text
	stopReasons                                                        []ui.Text
	duty, nobody, unjudged, replay, feed, noFeed, engines, noEngine    ui.Text
	lost, failing, tooSmall, helpTitle, helpClose, drills, otherDrill  ui.Text
	moved, unknownEngines, proposed, locked, unlocked, incidents       ui.Text
	silent, stuck, late, reading, bulletins, latest, owed, waiting     ui.Text
	others, trouble                                                    ui.Text
}{
	stop: ui.Text{JA: "停止", EN: "STOP"}, nextAlarm: ui.Text{JA: "次の警報", EN: "next alarm"}, back: ui.Text{JA: "戻る", EN: "back"},
	help: ui.Text{JA: "キー一覧", EN: "keys"}, list: ui.Text{JA: "送信一覧", EN: "dispatches"}, tally: ui.Text{JA: "集計", EN: "tally"},
	home: ui.Text{JA: "受付一覧", EN: "inbox"}, lang: ui.Text{JA: "English", EN: "日本語"}, redraw: ui.Text{JA: "描き直し", EN: "redraw"}, quit: ui.Text{JA: "席を離れる（2回）", EN: "leave (twice)"},
	burst:   ui.Text{JA: "貼り付けや一度に届いた多数のキーは、すべて捨てました。", EN: "Pasted or burst keys were thrown away."},
	imeOn:   ui.Text{JA: "日本語入力が入っています。切ってから操作してください。", EN: "Turn the input method off."},
	tooSoon: ui.Text{JA: "画面が変わった直後のキーは受け付けません。もう一度押してください。", EN: "Too soon after the screen changed. Press again."},
	leave:   ui.Text{JA: "席を離れるにはもう一度 Ctrl-C を押してください。", EN: "Press Ctrl-C again to leave."},
	stopped: ui.Text{JA: "停止を記録しました。", EN: "Stop recorded."}, inCountdown: ui.Text{JA: "秒読み中に停止", EN: "stopped in the count-down"},
	askStop:   ui.Text{JA: " を停止します。理由を数字で。", EN: ""},
	idle:      ui.Text{JA: "長い間操作がなかったので席を閉じました。この端末ではもう警報が鳴りません。つなぎ直してください。", EN: ""},
	locked:    ui.Text{JA: "しばらく操作がないため、判断と送信のキーに鍵をかけました。どのキーでも外れます。", EN: "No key for a while: judging and sending keys are locked; any key unlocks."},
	unlocked:  ui.Text{JA: "鍵を外しました。画面を確かめてから、もう一度押してください。", EN: "Unlocked. Look at the screen, then press again."},
	incidents: ui.Text{JA: "災害一覧", EN: "incidents"},
	stopReasons: []ui.Text{
		{JA: "誤報とわかった", EN: "false report"},
		{JA: "対象の誤り", EN: "wrong people"},
		{JA: "文面の誤り", EN: "wrong text"},
		{JA: "その他", EN: "other"},
	},
	duty: ui.Text{JA: "在席 %s", EN: "at the desk %s"}, nobody: ui.Text{JA: "なし", EN: "nobody"},
	unjudged: ui.Text{JA: "未判断 警報%d 注意%d", EN: "open: alarm %d watch %d"},
	replay:   ui.Text{JA: "【再生】%s の電文", EN: "[REPLAY] telegram of %s"},
	feed:     ui.Text{JA: "最新電文 %s（%s %s前）", EN: "last telegram %s (%s, %s ago)"},
	noFeed:   ui.Text{JA: "電文はまだ届いていません", EN: "no telegram yet"},
	engines:  ui.Text{JA: "送信系 %d 稼働", EN: "%d engines alive"}, noEngine: ui.Text{JA: "送信系が停止中。メールは出ません", EN: "NO ENGINE ALIVE: NO MAIL LEAVES"},
	lost:      ui.Text{JA: "通知が途切れました。再接続中（5秒ごとに読み直しています）", EN: "Reconnecting (reading every 5 s)"},
	failing:   ui.Text{JA: "データベースにつながりません（再接続中）。画面は古く、判断も送信も不可", EN: "Database away, reconnecting; the screen is old"},
	tooSmall:  ui.Text{JA: "画面が小さすぎます（今 %dx%d、必要 80x24）。広げてください。", EN: "Too small: %dx%d, needs 80x24."},
	helpTitle: ui.Text{JA: "今使えるキー", EN: "Keys valid now"}, helpClose: ui.Text{JA: "どのキーでも閉じます。", EN: "Any key closes this."},
	drills: ui.Text{JA: "  別に訓練・試験 %d件", EN: "  plus %d drill items"}, otherDrill: ui.Text{JA: "これは%sです", EN: "this is a %s"},
	unknownEngines: ui.Text{JA: "送信系 不明", EN: "engines unknown"},
	moved:          ui.Text{JA: "判断の元になる情報が変わりました。もう一度見てから押してください。", EN: "What you decide on has changed. Look again."},
	silent:         ui.Text{JA: "受信が止まっています: %s", EN: "NOTHING RECEIVED: %s"},
	stuck:          ui.Text{JA: "処理が止まっています: %s", EN: "STUCK: %s"},
	reading:        ui.Text{JA: "電文の解析", EN: "reading"},
	bulletins:      ui.Text{JA: "自動配信の判断", EN: "bulletins"},
	late:           ui.Text{JA: "期限を %s過ぎて送信中", EN: "SENDING %s PAST THE LIMIT"},
	latest:         ui.Text{JA: "最新 %s", EN: "last %s"},
	owed:           ui.Text{JA: "遅延報告 %d件", EN: "%d delay reports"},
	waiting:        ui.Text{JA: "接続中", EN: "connecting"},
	others:         ui.Text{JA: "（ほかは受信中: %s）", EN: "(others received: %s)"},
	trouble:        ui.Text{JA: "不調", EN: "in trouble"},
	proposed:       ui.Text{JA: "承認待ち #%d %s人（起案 %s）。D で開けます", EN: "waiting for approval: #%d, %s people (by %s); press D"},
}
