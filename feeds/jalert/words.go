package jalert

import (
	"regexp"
	"slices"
	"strings"

	"yagura/store/desk"
)

// The fixed wording of feeds.md 4.2, folded and without blanks. Each pattern is for one sentence.
var (
	// What takes back: nothing falls, nothing came over.
	goneAway = regexp.MustCompile(`(落下|飛来|着弾)(する|した|の)?(可能性|おそれ|恐れ)[はが]?(なくな|無くな|ない|無い|なし|ありません)|(落下|飛来)(は|が)?確認されて(いない|いません|おりません)|` +
		`飛来[はが]?(ない|なかった|ありません)|(落下|飛来|着弾)(はし|し)(ない|なかった|ません|てい(ない|ません)|ておりません|なく)|(落下|飛来|着弾)せず|影響はない|影響はありません`)
	unfell = regexp.MustCompile(`(落下|着弾)した(もの|こと|事実|模様|形跡|との情報)[^、。]{0,8}(では?ない|では?ありません|ではなく|はない|はありません|確認され(て|ず)|ありません|誤り)`)
	// What is not known yet is no lifting: the call to take shelter and its forecast stand.
	notYet    = regexp.MustCompile(`(落下|飛来|着弾)[^、。]{0,8}確認(され|でき)て(いない|いません|おりません)|(落下|着弾)した(もの|こと|事実|模様|形跡)?との(情報|報告|連絡)[^、。]{0,4}(ない|ありません|入って)`)
	notPassed = regexp.MustCompile(`越え(ず|てい?ない|ていません|ておりません|なかった)|通過(して(いない|いません|おりません)|したものでは(ない|なく|なかった|ありません)|し(なかった|ませんでした)|(は|が)確認されて(いない|いません|おりません))|消失し`)
	lifting   = regexp.MustCompile(`避難の呼び?かけ(を|の)(解除|終了|取り?消)|避難[^。]{0,8}解除|警報の?解除|警報を解除`)

	heading  = regexp.MustCompile(`(?:^|[。「])[^、。「」]{0,14}ミサイル(落下|通過)(?:情報|の情報)?(?:$|[。」])`)
	atOnce   = regexp.MustCompile(`(?:^|[。「報)】:・■])直ちに避難(?:$|[。」])`)
	falls    = regexp.MustCompile(`落下(する|の)(ものと|もよう|模様|見込|とみ|と見|おそれ|恐れ|可能性|予測|予想|危険)|落下が(予測|予想|見込|懸念)|着弾する`)
	fell     = regexp.MustCompile(`(に|へ|で)(落下|着弾)し(た(ものと|もよう|模様|とみ|と見|こと|おそれ|恐れ|可能性|との|。|」|$)|ました|、|。|$|ている|ております)|(に|へ)(落下|着弾)(。|$)`)
	passed   = regexp.MustCompile(`通過し(た|ました|、|。|$)|(へ|に|を|上空を)通過|飛び越え|(を|上空を)越え`)
	launched = regexp.MustCompile(`発射`)
	attacked = regexp.MustCompile(`航空攻撃|ゲリラ|特殊部隊|テロ|武力攻撃|着上陸`)
	// What to do if: advice for shelter names falls and passages that are none.
	guidance = regexp.MustCompile(`[^、。]*(落下|通過|発射|飛来|着弾)(した|する|された|し)?(場合|際|とき|時(に|は|の|、))[^、。]*、?`)

	seaPlace = regexp.MustCompile(`日本海|太平洋|オホーツク海|東シナ海|南シナ海|フィリピン海|黄海|海域|水域|海上|公海|EEZ|経済水域|接続水域|領海外|領海の外`)
	// A coast, an inner sea, or our own sea is territory: F3-1-o counts the territorial sea.
	homePlace = regexp.MustCompile(`(日本海|太平洋)(側|沿岸|岸)|瀬戸内海|領海(内|に|へ|の中|上)|領土|領域内|内水|湾内`)
	farPlace  = regexp.MustCompile(`\d+(km|キロ)|公海|EEZ|経済水域|接続水域|領海外|領海の外`)

	corrects  = regexp.MustCompile(`訂正|誤り(で|が|と|の|。|$)|誤って|誤報|正しくは|誤った`)
	withdraws = regexp.MustCompile(`(を|は|、|。|^)取り?消(し|す|$)|取消(電文|報|情報|し|$|【|\)|】)|【取消】|\(取消\)`)
	excludes  = regexp.MustCompile(`誤り|誤って|誤った|対象外|対象では(ない|なく|ありません)|対象から(外|除)|除き|除外|除く|含まれません|取り?消`)
	changes   = regexp.MustCompile(`(.+?)から、?(.+?)[にへ](訂正|修正|変更)`)
	told      = regexp.MustCompile(`.*?と(の(情報|内容)を)?(お知らせ|発信|伝達|送信|発表|お伝え)(し|いたし|致し)?(ました|た)?(ところですが|が|けれども|件について|ことについて|(ミサイル|件|情報|内容)(は|については?))、?`)
	quoted    = regexp.MustCompile(`「[^」]*」|『[^』]*』`)
)

// claim is what one sentence says.
type claim struct {
	kind     desk.MissileKind // "" when the sentence says nothing of the kind
	negated  bool             // the sentence takes something back
	sentence string
}

// claimOf reads one sentence, folded and without blanks. What a sentence only tells of an earlier notice is not claimed, as long as it
// says anything beside it.
func claimOf(sentence string) claim {
	if now := told.ReplaceAllString(sentence, ""); now != sentence {
		if c := classify(quoted.ReplaceAllString(now, ""), corrects.MatchString(sentence)); c.kind != "" || c.negated {
			return c
		}
	}
	if corrects.MatchString(sentence) {
		if _, right, found := strings.Cut(sentence, "正しくは"); found {
			return classify(quoted.ReplaceAllString(right, ""), false)
		}
		return classify(quoted.ReplaceAllString(sentence, ""), true)
	}
	return classify(sentence, false)
}

func classify(sentence string, correcting bool) claim {
	now := guidance.ReplaceAllString(sentence, "")
	c := claim{sentence: sentence}
	landed := heading.FindStringSubmatch(now)
	switch {
	case correcting && excludes.MatchString(now):
		c.negated = true // 「…に落下」は誤り
	case landed != nil && landed[1] == "落下", fell.MatchString(now) && !unfell.MatchString(now):
		c.kind = landing(now)
	case goneAway.MatchString(now), unfell.MatchString(now):
		c.kind, c.negated = desk.MissileLifted, true
	case notPassed.MatchString(now):
		c.negated = true
	case falls.MatchString(now), atOnce.MatchString(now):
		if c.kind = desk.MissileForecast; seaOnly(placeIn(now)) {
			c.kind = desk.MissileSeaFall
		}
	case landed != nil, passed.MatchString(now):
		c.kind = desk.MissilePass
	case lifting.MatchString(now):
		c.kind = desk.MissileLifted
	case launched.MatchString(now):
		c.kind = desk.MissileLaunch
	case attacked.MatchString(now) && !strings.Contains(now, "ミサイル"):
		c.kind = desk.MissileAttack
	}
	return c
}

// landing tells a fall into the high sea from one on land or in our own sea.
func landing(sentence string) desk.MissileKind {
	if seaOnly(placeIn(sentence)) {
		return desk.MissileSeaFall
	}
	return desk.MissileImpact
}

// seaOnly reports whether a place is the sea outside our own. 北海道渡島大島の西約200kmの日本海 is; 青森県沖 tells neither and counts as ours.
func seaOnly(place string) bool {
	near := strings.Contains(place, "沖") && !farPlace.MatchString(place) // 青森県沖の太平洋
	return seaPlace.MatchString(place) && !homePlace.MatchString(place) && !near
}

var beforePlace = regexp.MustCompile(`\d+時(\d+分|半)?(頃|ごろ|ころ)?[、に]?|\d+:\d+(頃|ごろ|ころ)?、?|(ミサイル|飛翔体|もの|物体|一部|破片|弾頭)[がは]、?|(先程|先ほど|さきほど)の?、?|ではなく、?`)

var afterPlace = regexp.MustCompile(`[にへで]?、?(落下|着弾)|[へをに]?、?通過`)

// placeIn is the words of place before 落下 or 通過: 北海道周辺, 青森県から太平洋.
func placeIn(sentence string) string {
	sentence = strings.ReplaceAll(strings.ReplaceAll(sentence, "ミサイル落下", "ミサイル"), "ミサイル通過", "ミサイル")
	end := afterPlace.FindStringIndex(sentence)
	if end == nil {
		return ""
	}
	place := sentence[:end[0]]
	if before := beforePlace.FindAllStringIndex(place, -1); before != nil {
		place = place[before[len(before)-1][1]:]
	}
	place = strings.Trim(place, "、,「」")
	if runes := []rune(place); len(runes) > 60 {
		return string(runes[len(runes)-60:])
	}
	return place
}

// gravity orders kinds: of several claims of one notice the gravest is what it is about. A passage and a fall into the sea end with
// a lifting in the same breath, so they come before it.
var gravity = [...]desk.MissileKind{
	desk.MissileImpact, desk.MissileForecast, desk.MissilePass, desk.MissileSeaFall, desk.MissileLifted, desk.MissileLaunch, desk.MissileAttack,
}

// gravest chooses among the claims that take nothing back; of several of one kind the one that names a place, else the fullest.
func gravest(claims []claim) (claim, bool) {
	for _, kind := range gravity {
		var best claim
		for _, c := range claims {
			if c.kind != kind || c.negated {
				continue
			}
			here, there := placeIn(c.sentence) != "", placeIn(best.sentence) != ""
			if best.kind == "" || here && !there || here == there && !there && len(c.sentence) > len(best.sentence) {
				best = c
			}
		}
		if best.kind != "" {
			return best, true
		}
	}
	return claim{}, false
}

var (
	noDrill  = regexp.MustCompile(`(訓練|試験|テスト|演習)(放送|配信|電文)?では(ありません|ない|なく|ございません)`)
	declared = regexp.MustCompile(`これは、?[^。、]{0,20}(訓練|試験|テスト|演習)` +
		`|(訓練|試験|テスト)(放送|配信|送信|発信|電文|通報|通知|メール|メッセージ|情報|速報|報|用)` +
		`|訓練(として|による|のため)` +
		`|(訓練|試験|テスト|演習)です` +
		`|[【\[<〔《※][^】\]>〕》。\n]{0,10}(訓練|試験|テスト|演習)` +
		`|\([^()。]{0,6}(訓練|試験|テスト|演習)(用|中|です)?\)` +
		`|(訓練|試験|テスト)[、。・!](訓練|試験|テスト)` +
		`|(?m:^[■◆○●・*※]?(訓練|試験|テスト|演習)(用|中|:|$|[、。]))` +
		`|(種別|区分|状態|運用|件名|標題|Subject)[^:\n。]{0,4}:[^\n。]{0,20}(訓練|試験|テスト|演習)`)
	noTest    = regexp.MustCompile(`(試験|テスト|実験)的?(に|な)?発射|発射(試験|テスト|実験|訓練)|(実験|実弾|軍事|合同)(演習|訓練)|核(実験|試験)`) // what others do
	drillWord = regexp.MustCompile(`訓練|試験|テスト|演習|リハーサル`)
)

// drillWords finds the words of drill or test: first what declares the notice itself one, then the bare words elsewhere. A text that
// says it is no drill (訓練ではありません) is none.
func drillWords(folded string) []string {
	text := noDrill.ReplaceAllString(folded, "")
	var out []string
	add := func(w string) {
		if w = strings.Trim(w, "※*■◆○●・ \n、。!:"); w != "" && !slices.Contains(out, w) && len(out) < 8 {
			out = append(out, w)
		}
	}
	for _, w := range declared.FindAllString(text, -1) {
		if bare := strings.Trim(w, "※*■◆○●・ \n、。!:"); drillWord.FindString(bare) == bare {
			w = bare + "（見出し）" // standing alone it heads the notice: a declaration, not a word in passing
		}
		add(w)
	}
	for _, w := range drillWord.FindAllString(declared.ReplaceAllString(text, ""), -1) {
		add(w)
	}
	return out
}

// modeOf reads the mode off the head of a notice; anything but a declaration leaves it live (law 4: the body contradicts instead).
func modeOf(head string) desk.Mode {
	head = noTest.ReplaceAllString(noDrill.ReplaceAllString(head, ""), "")
	word := drillWord.FindString(head)
	switch word {
	case "":
		return desk.Live
	case "試験", "テスト":
		return desk.Test
	}
	return desk.Drill
}
