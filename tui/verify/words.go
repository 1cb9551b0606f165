package verify

import "yagura/tui/ui"

var words = struct {
	title, genuine, false, held, detail, toIncident, toDispatch         ui.Text
	whyFalse, whyHeld, whyGenuine, saidGenuine, saidFalse, saidHeld     ui.Text
	occurred, retracted, noAdvice, against, clean, nobody, saidBy       ui.Text
	evidence, markAgainst, markPassed, markOpen                         ui.Text
	places, provisional, intensity, noPlaces, hypocenter, tsunami       ui.Text
	depth, depthUnknown, shallow, telegrams, serial, replayed, findings ui.Text
}{
	title:   ui.Text{JA: "真偽の判断", EN: "Is it true?"},
	genuine: ui.Text{JA: "真報", EN: "genuine"}, false: ui.Text{JA: "誤報", EN: "false"}, held: ui.Text{JA: "保留", EN: "hold"},
	detail: ui.Text{JA: "数値", EN: "figures"}, toIncident: ui.Text{JA: "併合か新規かへ", EN: "join or new"},
	toDispatch:  ui.Text{JA: "送信の準備へ", EN: "to dispatch"},
	whyFalse:    ui.Text{JA: "誤報とする理由を入力してください。", EN: "Why is it false?"},
	whyHeld:     ui.Text{JA: "保留の理由（何を待つか）を入力してください。", EN: "Why hold it (waiting for what)?"},
	whyGenuine:  ui.Text{JA: "矛盾があります。それでも真報とする理由を入力してください。", EN: "Checks contradict. Why is it genuine all the same?"},
	saidGenuine: ui.Text{JA: "真報と記録しました。", EN: "Recorded as genuine."},
	saidFalse:   ui.Text{JA: "誤報と記録しました。送信はありません。", EN: "Recorded as false. Nothing is sent."},
	saidHeld:    ui.Text{JA: "保留と記録しました。", EN: "Held."},
	occurred:    ui.Text{JA: "発生 %s（受信から %s）", EN: "at %s (%s since received)"},
	retracted:   ui.Text{JA: "気象庁がこの情報を取り消しました。", EN: "The agency has retracted this."},
	noAdvice:    ui.Text{JA: "判定の参考がまだありません。", EN: "No advice yet."},
	against:     ui.Text{JA: " 矛盾 %d 件  確認 %d 件  不明 %d 件 ", EN: " %d against  %d for  %d unknown "},
	clean:       ui.Text{JA: "矛盾なし  確認 %d 件  不明 %d 件", EN: "nothing against  %d for  %d unknown"},
	nobody:      ui.Text{JA: "まだ誰も判断していません", EN: "nobody has judged yet"},
	saidBy:      ui.Text{JA: "判断: %s（%s %s）", EN: "finding: %s (%s %s)"},
	evidence:    ui.Text{JA: "判断の材料（矛盾が先）", EN: "Evidence, contradictions first"},
	markAgainst: ui.Text{JA: " 矛盾 ", EN: "AGAINST"}, markPassed: ui.Text{JA: " 確認 ", EN: "  ok   "}, markOpen: ui.Text{JA: " 不明 ", EN: "unknown"},
	places: ui.Text{JA: "震度と地域", EN: "Where"}, provisional: ui.Text{JA: "(未入電のため仮)", EN: "(provisional)"},
	intensity: ui.Text{JA: "震度", EN: "Int "}, noPlaces: ui.Text{JA: "震度の情報はありません。", EN: "No intensity given."},
	hypocenter: ui.Text{JA: "震源", EN: "Source"}, tsunami: ui.Text{JA: "津波", EN: "Tsunami"},
	depth: ui.Text{JA: "深さ %.0fkm", EN: "depth %.0f km"}, depthUnknown: ui.Text{JA: "深さ不明", EN: "depth unknown"},
	shallow: ui.Text{JA: "ごく浅い", EN: "very shallow"}, telegrams: ui.Text{JA: "電文 %d 通（新しい順）", EN: "%d telegrams, newest first"},
	serial: ui.Text{JA: "第%s報", EN: "no. %s"}, replayed: ui.Text{JA: "【再生】", EN: "[REPLAY]"},
	findings: ui.Text{JA: "これまでの判断", EN: "Findings so far"},
}
