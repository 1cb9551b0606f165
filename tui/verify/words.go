package verify

import "yagura/tui/ui"

var words = struct {
	title, genuine, false, held, detail, toIncident, toDispatch     ui.Text
	whyFalse, whyHeld, whyGenuine, saidGenuine, saidFalse, saidHeld ui.Text
	occurred, retracted, noAdvice, nobody, saidBy, evidence         ui.Text
	telegrams, serial, replayed, findings                           ui.Text
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
	occurred:    ui.Text{JA: "発生 %s   当直卓に着信 %s（%s前）   電文 %d 通", EN: "at %s   here since %s (%s ago)   %d telegrams"},
	retracted:   ui.Text{JA: "気象庁がこの情報を取り消しました。", EN: "The agency has retracted this."},
	noAdvice:    ui.Text{JA: "判定の参考がまだありません。", EN: "No advice yet."},
	nobody:      ui.Text{JA: "まだ誰も判断していません", EN: "nobody has judged yet"},
	saidBy:      ui.Text{JA: "判断: %s（%s %s）", EN: "finding: %s (%s %s)"},
	evidence:    ui.Text{JA: "判断の材料（矛盾が先）", EN: "Evidence, contradictions first"},
	telegrams:   ui.Text{JA: "電文 %d 通（新しい順）", EN: "%d telegrams, newest first"},
	serial:      ui.Text{JA: "第%s報", EN: "no. %s"}, replayed: ui.Text{JA: "【再生】", EN: "[REPLAY]"},
	findings: ui.Text{JA: "これまでの判断", EN: "Findings so far"},
}
