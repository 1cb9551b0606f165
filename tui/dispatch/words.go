package dispatch

import "yagura/tui/ui"

var words = struct {
	title, list, listHead, listEmpty, open, tally, incident, event                                                                     ui.Text
	sendLive, sendDrill, propose, confirm, giveUp, wrongNumber                                                                         ui.Text
	counting, proposed, gaveUp, whyNoAdvice, whyAgainst, whyPolicy                                                                     ui.Text
	nobody, people, addresses, unreached, uncovered, notGenuine, waiting                                                               ui.Text
	ownProposal, onePerson, twoPeople, byPrefecture, howMany, persons                                                                  ui.Text
	letter, subject, link, unreachedList, andMore, earlier                                                                             ui.Text
	byOneKey, byTwo, approved, stopNow, stoppedBy, stoppedCount, expired                                                               ui.Text
	unfold, detail, byLane, lane, mails, accepted, refused, deferred, total, pending, clocks, again, reached, whatNow, notBegun, ended ui.Text
}{
	title: ui.Text{JA: "安否確認の送信", EN: "Dispatch"}, list: ui.Text{JA: "送信の一覧（直近24時間）", EN: "Dispatches, last 24 h"},
	listHead:  ui.Text{JA: "種別 番号 状態     起案        人数      件名", EN: "Mode No.  State    Proposed    People    Subject"},
	listEmpty: ui.Text{JA: "送信はありません。", EN: "No dispatch."}, open: ui.Text{JA: "開く", EN: "open"}, tally: ui.Text{JA: "集計", EN: "tally"},
	incident: ui.Text{JA: "災害 #%d", EN: "Incident #%d"}, event: ui.Text{JA: "事象", EN: "event"},
	sendLive:  ui.Text{JA: "本番送信（秒読み開始）", EN: "SEND LIVE (count-down)"},
	sendDrill: ui.Text{JA: "訓練送信（秒読み開始）", EN: "send drill (count-down)"},
	propose:   ui.Text{JA: "2人目に確認を求める", EN: "ask the second operator"},
	confirm:   ui.Text{JA: "人数を入力して承認", EN: "approve by head-count"}, giveUp: ui.Text{JA: "取り下げる", EN: "withdraw"},
	wrongNumber: ui.Text{JA: "人数が違います。承認していません。", EN: "Wrong number. Not approved."},
	counting:    ui.Text{JA: "承認を記録しました。", EN: "Approval recorded."},
	proposed:    ui.Text{JA: "起案しました。ほかの当直者の承認を待っています。", EN: "Proposed. Waiting for the second operator."},
	gaveUp:      ui.Text{JA: "取り下げました。送信していません。", EN: "Withdrawn. Nothing was sent."},
	whyNoAdvice: ui.Text{JA: "判定の参考がありません。", EN: "There is no advice."},
	whyAgainst:  ui.Text{JA: "判断の材料に矛盾があります。", EN: "A check contradicts."},
	whyPolicy:   ui.Text{JA: "運用方針が2人での送信を求めています。", EN: "The policy asks for two people."},
	nobody:      ui.Text{JA: "追加で確認する人はいません。送信するものはありません。", EN: "Nobody more to ask. Nothing to send."},
	people:      ui.Text{JA: "送信対象 %s人", EN: "%s people"}, addresses: ui.Text{JA: "アドレス %s件", EN: "%s addresses"},
	unreached: ui.Text{JA: "届かない人 %s人", EN: "%s cannot be reached"}, uncovered: ui.Text{JA: "地域未登録 %s人", EN: "%s without region"},
	notGenuine:   ui.Text{JA: "この事象は真報と判断されていません。送信できません。", EN: "Not found genuine: it cannot be sent."},
	waiting:      ui.Text{JA: "%s さんが %s に起案。承認を待っています（%s）。", EN: "Proposed by %s at %s, waiting for %s."},
	ownProposal:  ui.Text{JA: "自分の起案は自分では承認できません。", EN: "You cannot approve your own proposal."},
	onePerson:    ui.Text{JA: "矛盾なし・真報（%s）。1人で送信できます。s のあと %d秒は誰でも停止可。", EN: "Clean and genuine (%s). You alone may send: s, then %d s in which anybody can stop."},
	twoPeople:    ui.Text{JA: "2人必要: %s 別の当直者が人数を数字で入力すると送信されます。", EN: "Two people: %s Another operator types the head-count."},
	byPrefecture: ui.Text{JA: "都道府県別の人数", EN: "By prefecture"}, howMany: ui.Text{JA: " %d都道府県 延べ%s人", EN: ": %d prefectures, %s people"}, persons: ui.Text{JA: "%s人", EN: "%s"},
	letter: ui.Text{JA: "届く文面", EN: "The mail"}, subject: ui.Text{JA: "件名:", EN: "Subject:"},
	link:          ui.Text{JA: "[ここに一人ずつの回答用リンクが入ります]", EN: "[each person's own link]"},
	unreachedList: ui.Text{JA: "届かない人 %s人（使えるアドレスがない）", EN: "%s people without a usable address"},
	andMore:       ui.Text{JA: " ほか %d 人", EN: " and %d more"}, earlier: ui.Text{JA: "この災害のこれまでの送信", EN: "Dispatches of this incident"},
	byOneKey: ui.Text{JA: "1人", EN: "one key"}, byTwo: ui.Text{JA: "2人で確認", EN: "two people"},
	approved:     ui.Text{JA: "承認 %s %s（%s、起案 %s）", EN: "Approved by %s %s (%s, proposed by %s)"},
	stopNow:      ui.Text{JA: "x または ! で停止できます（どの端末からでも）", EN: "x or ! stops it, at any desk"},
	stoppedBy:    ui.Text{JA: "%s さんが %s に停止。理由: %s", EN: "Stopped by %s at %s: %s"},
	stoppedCount: ui.Text{JA: "止めた %s通 / すでに引き渡した %s通", EN: "%s mails stopped / %s already handed over"},
	expired:      ui.Text{JA: "承認の期限が過ぎたため送信していません。送るにはもう一度起案してください。", EN: "The approval expired; nothing was sent. Propose again to send."},
	byLane:       ui.Text{JA: "送信経路別（受理 = 事業者に引き渡した）", EN: "By lane (accepted = handed over)"},
	lane:         ui.Text{JA: "経路", EN: "Lane"}, mails: ui.Text{JA: "通数", EN: "Mails"}, accepted: ui.Text{JA: "受理", EN: "Accepted"},
	refused: ui.Text{JA: "拒否", EN: "Refused"}, deferred: ui.Text{JA: "再試行", EN: "Retrying"}, total: ui.Text{JA: "合計", EN: "Total"},
	pending: ui.Text{JA: "残り %s通", EN: "%s left"},
	unfold:  ui.Text{JA: "  v で内訳", EN: "  v unfolds"}, detail: ui.Text{JA: "内訳", EN: "unfold"},
	again:    ui.Text{JA: "送信の準備に戻る", EN: "prepare again"},
	reached:  ui.Text{JA: "1通も出ていません。送るには r で準備に戻り、もう一度確かめてください。", EN: "No mail left. r prepares it again."},
	notBegun: ui.Text{JA: "承認済み。まだ1通も出ていません（秒読みの終わりから %s）。送信系が動けばすぐ出ます。%s を過ぎると失効し、送りません。", EN: "Approved, but no mail has left (%s since the count-down). It leaves once an engine runs; after %s it expires."},
	ended:    ui.Text{JA: "この災害の対応は %s に終えています。送信できません。", EN: "This incident was closed at %s: nothing can be sent in it."},
	whatNow:  ui.Text{JA: "この事象の対応は終わりです。Esc で受付一覧に戻ります。", EN: "Nothing more to do here: Esc."},
	clocks:   ui.Text{JA: "承認から最初の受理 %s、最新の結果 %s（%s）", EN: "approval to first %s, to latest %s (%s)"},
}
