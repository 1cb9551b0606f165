package answer

import (
	"strings"
	"time"

	"yagura/store/desk"
)

// words is every sentence of the page in one language; the other language is the same table again. // F3-1-c
type words struct {
	Lang, OtherLang, OtherName                      string
	Title, Lead, AnyMode, Must                      string
	Safety, Attendance, Comment, Optional, Button   string
	Done, DoneLead, When, Receipt, ChangeIt, Rescue string
	Cut, Drill, Test, DrillStamp, TestStamp         string
	NothingYet, NoPersonal                          string
	Forged, ForgedHelp, Expired, ExpiredHelp        string
	TooBig, TooBigHelp, Method, MethodHelp          string
	TooMany, TooManyHelp, NotFound, NotFoundHelp    string
	Format, FormatHelp, ChooseSafety, ChooseAttend  string
	Unsaved, UnsavedHelp                            string
	clock                                           string
	safety                                          func(desk.Safety) string
	attendance                                      func(desk.Attendance) string
}

func japanese() *words {
	return &words{
		Lang: "ja", OtherLang: "en", OtherName: "English",
		Title:   "安否の回答",
		Lead:    "2つの質問に答えて、いちばん下の「回答する」を押してください。",
		AnyMode: "訓練のメールから開いた場合も、同じように答えてください。",
		Must:    "必須",
		Safety:  "安否", Attendance: "登庁できるか", Comment: "連絡事項", Optional: "（なくてもかまいません。200文字まで）", Button: "回答する",
		Done: "記録しました", DoneLead: "回答を受け付けました。この画面は閉じてかまいません。",
		When: "受付時刻（日本時間）", Receipt: "受付番号",
		ChangeIt: "状況が変わったら、メールの同じリンクをもう一度開いて答えてください。いちばん新しい回答が有効です。",
		Rescue:   "命の危険があるときは、119番に通報してください。この回答だけでは通報されません。",
		Cut:      "連絡事項は200文字までを記録しました。",
		Drill:    "【訓練】これは訓練です", Test: "【試験】これは試験です", DrillStamp: "【訓練】", TestStamp: "【試験】",
		NothingYet: "「回答する」を押すまで、何も記録されません。", NoPersonal: "このページに氏名やアドレスは表示されません。",
		Forged:     "このリンクは正しくありません",
		ForgedHelp: "メールのリンクが途中で切れていないか確かめて、最後まで含めて開き直してください。開けないときは、上司または当直に直接連絡してください。",
		Expired:    "このリンクの有効期限が過ぎました", ExpiredHelp: "このリンクでは回答を記録できません。新しい安否確認のメールが届いていれば、そのリンクから答えてください。届いていないときは、上司または当直に直接連絡してください。",
		TooBig: "送られた内容が大きすぎます", TooBigHelp: "回答はまだ記録されていません。前の画面に戻り、連絡事項を200文字までにして、もう一度送ってください。",
		Method: "この操作はできません", MethodHelp: "メールのリンクを開き直してください。",
		TooMany: "続けて送られたため、この回答は受け付けていません", TooManyHelp: "前に「記録しました」と表示された回答は有効です。変えるときは、1分ほど待ってもう一度送ってください。",
		NotFound: "ページがありません", NotFoundHelp: "メールのリンクを最後まで含めて開き直してください。",
		Format: "送られた形を読めません", FormatHelp: "メールのリンクを開き直して、もう一度答えてください。回答はまだ記録されていません。",
		ChooseSafety: "「安否」を選んでください。", ChooseAttend: "「登庁できるか」を選んでください。",
		Unsaved: "まだ記録できていません", UnsavedHelp: "ただいま記録できません。お手数ですが、30秒ほど待ってから下のボタンでもう一度送ってください。何度も記録できないときは、上司または当直に直接連絡してください。",
		clock:  "2006年1月2日 15時04分05秒",
		safety: desk.Safety.Japanese, attendance: desk.Attendance.Japanese,
	}
}

func english() *words {
	return &words{
		Lang: "en", OtherLang: "ja", OtherName: "日本語",
		Title:   "Safety confirmation",
		Lead:    "Answer the two questions, then press “Send answer”.",
		AnyMode: "If the mail you came from says it is a drill (訓練), please answer in the same way.",
		Must:    "required",
		Safety:  "Are you safe?", Attendance: "Can you come to the office?", Comment: "Message", Optional: "(optional, up to 200 characters)", Button: "Send answer",
		Done: "Recorded", DoneLead: "Your answer has been received. You may close this page.",
		When: "Received (Japan time)", Receipt: "Receipt number",
		ChangeIt: "If your situation changes, open the same link in the mail again and answer once more. The latest answer counts.",
		Rescue:   "If your life is in danger, call 119. This answer alone does not call for help.",
		Cut:      "The first 200 characters of the message were recorded.",
		Drill:    "【訓練】 This is a drill", Test: "【試験】 This is a test", DrillStamp: "[DRILL] ", TestStamp: "[TEST] ",
		NothingYet: "Nothing is recorded until you press “Send answer”.", NoPersonal: "This page never shows your name or address.",
		Forged:     "This link is not valid",
		ForgedHelp: "Please check that the link was not cut off in the mail, and open all of it. If it still does not work, contact your supervisor or the duty desk directly.",
		Expired:    "This link has expired", ExpiredHelp: "No answer can be recorded with this link. If a newer safety mail has reached you, answer with the link in it; otherwise contact your supervisor or the duty desk directly.",
		TooBig: "What was sent is too large", TooBigHelp: "Nothing has been recorded yet. Go back, keep the message to 200 characters, and send again.",
		Method: "This cannot be done here", MethodHelp: "Please open the link in the mail again.",
		TooMany: "Too many answers in a short time; this one was not taken", TooManyHelp: "An answer for which “Recorded” was shown is valid. To change it, wait a minute and send again.",
		NotFound: "No such page", NotFoundHelp: "Please open all of the link in the mail.",
		Format: "What was sent cannot be read", FormatHelp: "Please open the link in the mail again and answer once more. Nothing has been recorded yet.",
		ChooseSafety: "Please answer “Are you safe?”.", ChooseAttend: "Please answer “Can you come to the office?”.",
		Unsaved: "Not recorded yet", UnsavedHelp: "Your answer cannot be recorded right now. Please wait about 30 seconds, then send it again with the button below. If it still cannot be recorded, contact your supervisor or the duty desk directly.",
		clock:  "2 January 2006, 15:04:05",
		safety: desk.Safety.English, attendance: desk.Attendance.English,
	}
}

func (w *words) at(t time.Time) string { return t.In(desk.JST).Format(w.clock) }

// stamp and banner of a mode; a live or unknown one has none (law 4).
func (w *words) stamp(m desk.Mode) string {
	switch m {
	case desk.Drill:
		return w.DrillStamp
	case desk.Test:
		return w.TestStamp
	}
	return ""
}

func (w *words) banner(m desk.Mode) string {
	switch m {
	case desk.Drill:
		return w.Drill
	case desk.Test:
		return w.Test
	}
	return ""
}

// language is ?lang= when it is ja or en, else the first of the two in Accept-Language (RFC 9110 §12.5.4, read in the order
// written), else ja.
func language(asked, accept string) string {
	if asked == "ja" || asked == "en" {
		return asked
	}
	for part := range strings.SplitSeq(accept, ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		switch primary, _, _ := strings.Cut(strings.ToLower(tag), "-"); primary {
		case "ja", "en":
			return primary
		}
	}
	return "ja"
}
