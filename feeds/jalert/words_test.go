package jalert

import (
	"strings"
	"testing"
	"time"

	"yagura/store/desk"
)

// Sentences as agencies word them, right and nearly right.
func TestOneSentence(t *testing.T) {
	for text, want := range map[string]desk.MissileKind{
		"ミサイル発射情報": desk.MissileLaunch,
		"先程、北朝鮮からミサイルが発射された模様です": desk.MissileLaunch,
		"直ちに避難": desk.MissileForecast,
		"ミサイルが落下する可能性があります":                         desk.MissileForecast,
		"ミサイルが落下するおそれがあります":                         desk.MissileForecast,
		"政府は、ミサイルが北海道周辺に落下するとみられると発表しましたが、詳細は調査中です": desk.MissileForecast,
		"北海道周辺に落下する可能性は低いとみられます":                    desk.MissileForecast,
		"ミサイル落下": desk.MissileImpact,
		"国民保護に関する情報ミサイル落下情報":                       desk.MissileImpact,
		"ミサイルが秋田県に落下した可能性があります":                    desk.MissileImpact,
		"ミサイルは秋田県沖の領海に落下しました":                      desk.MissileImpact,
		"ミサイルは陸奥湾に落下した模様です":                        desk.MissileImpact,
		"ミサイルは青森県に落下し、被害の可能性はありません":                desk.MissileImpact,
		"ミサイルは北海道の西約200kmの日本海に落下した模様です":            desk.MissileSeaFall,
		"ミサイルは既に日本のEEZの外に落下したとみられます":               desk.MissileSeaFall,
		"ミサイルは領海外の太平洋に落下するものとみられます":                desk.MissileSeaFall,
		"ミサイルは青森県沖の太平洋に落下するものとみられます":               desk.MissileForecast,
		"ミサイルは青森県沖約350kmの太平洋に落下した模様です":             desk.MissileSeaFall,
		"ミサイルは北海道沖の日本海（EEZの外）に落下した模様です":            desk.MissileSeaFall,
		"先程のミサイルは、7時7分頃、北海道地方から太平洋へ通過した模様です":       desk.MissilePass,
		"北海道周辺に落下するものとみられるとお知らせしたミサイルは、太平洋へ通過しました": desk.MissilePass,
		"屋内避難の呼びかけは解除されました":                        desk.MissileLifted,
		"避難の呼びかけの取消しをお知らせします":                      desk.MissileLifted,
		"我が国の領域への飛来はないものとみられます":                    "-",
		"ミサイルは我が国の領域には落下しておりません":                   "-",
		"北海道周辺に落下する可能性がなくなりました":                    "-",
		"秋田県に落下した事実は確認されておりません":                    "-",
		"「秋田県に落下した」との情報は誤りでした":                     "-",
		"ミサイルは日本列島を越えていません":                        "-",
		"近くにミサイルが落下した場合は、口と鼻をハンカチで覆ってください":         "",
		"ミサイル落下時の行動は次のとおりです":                       "",
		"破片を見つけたときは近寄らないでください":                     "",
		"大規模テロが発生しました":                             desk.MissileAttack,
		"今後の情報に注意してください":                           "",
	} {
		c := claimOf(fold(text))
		switch {
		case want == "-" && !c.negated, want != "-" && (c.kind != want || c.negated):
			t.Errorf("%s: %q, negated %v", text, c.kind, c.negated)
		}
	}
}

// TestNotKnownIsNoLifting: while nobody knows of an impact, the forecast and the call to take shelter stand.
func TestNotKnownIsNoLifting(t *testing.T) {
	for text, want := range map[string]desk.MissileKind{
		"ミサイルが我が国の領域に落下したとの情報はありません。": desk.MissileOther,
		"現時点でミサイルの落下は確認されていません。":      desk.MissileOther,
		"ミサイルは我が国には飛来しないものとみられます。":    desk.MissileLifted,
	} {
		n := understand(text, time.Time{})
		if n.kind != want || (n.surprise != "") != (want == desk.MissileOther) {
			t.Errorf("%s: %s %q", text, n.kind, n.surprise)
		}
	}
}

func TestPlaces(t *testing.T) {
	for text, want := range map[string]string{
		"ミサイルが、8時00分頃、北海道周辺に落下するものとみられます": "北海道周辺",
		"先程のミサイルは、青森県から太平洋へ通過しました":        "青森県から太平洋",
		"青森県青森市ではなく、岩手県宮古市周辺に落下しました":      "岩手県宮古市周辺",
		"ミサイル落下":   "",
		"避難してください": "",
	} {
		if got := placeIn(text); got != want {
			t.Errorf("%s: %q", text, got)
		}
	}
	for text, want := range map[string]string{
		"東京都(島しょ部を除く)": "東京都", "沖縄県(宮古・八重山地方)": "沖縄県（宮古・八重山地方）", "北海道(全域)": "北海道", "青森県(八戸市、三沢市)": "青森県（八戸市） 青森県（三沢市）",
	} {
		if got := namesOf(areasIn(text)); got != want {
			t.Errorf("%s: %q", text, got)
		}
	}
}

func TestDrillWordsAndModes(t *testing.T) {
	for text, want := range map[string]struct {
		mode     desk.Mode
		declares bool
		words    bool
	}{
		"【訓練】国民保護に関する情報\nミサイル発射。":            {desk.Drill, true, true},
		"Ｊアラート全国一斉情報伝達試験\nミサイル発射。":           {desk.Test, false, true},
		"国民保護に関する情報\nこれは、試験です。ミサイル発射。":       {desk.Test, true, true},
		"国民保護に関する情報\nミサイル発射。\n※これは訓練です。":     {desk.Live, true, true},
		"北朝鮮が試験発射か\nミサイル発射。":                 {desk.Live, false, true},
		"国民保護に関する情報\nミサイル発射。これは訓練ではありません。":   {desk.Live, false, false},
		"国民保護に関する情報\nミサイル発射。避難訓練を思い出してください。": {desk.Live, false, true},
		"国民保護に関する情報\n種別：訓練\nミサイル発射。":         {desk.Drill, true, true},
		"国民保護に関する情報\nミサイル発射。":                {desk.Live, false, false},
	} {
		n := understand(text, time.Time{})
		m := desk.MissileReport{DrillWords: n.drillWords}
		if n.mode != want.mode || m.DeclaresDrill() != want.declares || (len(n.drillWords) > 0) != want.words {
			t.Errorf("%s: %s %q", strings.ReplaceAll(text, "\n", "/"), n.mode, n.drillWords)
		}
	}
}

// TestALongTextIsReadQuickly: a text made to be long keeps no reader busy.
func TestALongTextIsReadQuickly(t *testing.T) {
	for _, piece := range []string{"ミサイル落下", "北海道、", "に落下", "「", "(訓練", "対象地域:東京都大島町\n", "から北海道に訂正", "8時"} {
		text := []byte("国民保護" + strings.Repeat(piece, maxRunes/len([]rune(piece))-1))
		began := time.Now()
		if _, err := ParseText(desk.Envelope{Raw: text, ReceivedAt: began}); err != nil && desk.KindOf(err) != desk.Invalid {
			t.Error(err)
		}
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("%q over and over took %v", piece, took)
		} else {
			t.Logf("%q: %v", piece, took)
		}
	}
}
