package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"yagura/store/desk"
	"yagura/store/storetest"
)

func listFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "list.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSubscribeVerb(t *testing.T) { // F3-1-l F3-1-n
	db := storetest.New(t)
	t.Setenv("YAGURA_OWNER_DSN", db.DSN(storetest.Owner))
	storetest.People(t, db, 5, 17, 1)
	good := listFile(t, "\uFEFF職員番号,種別,都道府県,下限,頻度\r\nP00001,quick,17 新潟県,5-,every\r\nP00002,quick\r\nP00001,weather,,4,digest\r\n")
	says(t, "3 行を読みました。新しい指定 3、終えた指定 0。", "subscribe", "import", "--actor=sato", good)
	says(t, "新しい指定 0、終えた指定 0。", "subscribe", "import", "--actor=sato", good)
	out, err := give(t, "subscribe")
	if want := "職員番号,種別,都道府県,下限,頻度\nP00001,quick,15 17,5-,every\nP00002,quick,,,changes\nP00001,weather,,4,digest\n"; err != nil || out != want {
		t.Errorf("%q, %v", out, err)
	}
	says(t, "新しい指定 0、終えた指定 0。", "subscribe", "import", "--actor=sato", listFile(t, out)) // what is written can be read
	says(t, "新しい指定 1、終えた指定 2。", "subscribe", "import", "--actor=sato", listFile(t, "P00003,quick\n"))
	says(t, "気象情報の指定 1 件を終えました", "subscribe", "clear", "--actor=sato", "weather")
	var history int
	db.Scan(`SELECT count(*) FROM subscription`, &history)
	if history != 4 {
		t.Errorf("%d rows of history", history)
	}
	for text, want := range map[string]string{
		"":                             "一行もありません",
		"P00001,kind\n":                "1 行目: 職員番号 P00001: 種別",
		"P00001,quick,99\n":            "1 行目: 都道府県",
		"P00001,quick,,9\n":            "1 行目: 震度",
		"P00001,tsunami,,7\n":          "1 行目: 警戒の段階",
		"P00001,quick,,,digest\n":      "まとめて送れません",
		"P00001,quick\nX,quick\n":      "名簿にない職員番号があります: X",
		"P00001,giant\nP00001,giant\n": "二度あります",
		"P00001,\"quick\n":             "CSV として読めない",
	} {
		says(t, want, "subscribe", "import", "--actor=sato", listFile(t, text))
	}
	says(t, "読めません", "subscribe", "import", "--actor=sato", good+".missing")
	says(t, "ありません", "subscribe", "clear", "--actor=sato", "x")
	says(t, "操作記録", "audit")
}

func TestBulletinVerb(t *testing.T) {
	db := storetest.New(t)
	t.Setenv("YAGURA_OWNER_DSN", db.DSN(storetest.Owner))
	out, err := give(t, "bulletin", "rules")
	if err != nil || strings.Count(out, "\n") != len(desk.BulletinKinds()) || !strings.HasPrefix(out, "quick\t地震速報\t") || !strings.Contains(out, "震度4以上") {
		t.Errorf("%q, %v", out, err)
	}
	says(t, "quick\t地震速報\t版9\t配信しない\t震度5弱以上", "bulletin", "rules", "set", "--actor=sato", "--from=5-", "--no-enabled", "quick")
	says(t, "特別警報級以上\t再通知 1h0m0s", "bulletin", "rules", "set", "--actor=sato", "--from=5", "--repeat-after=1h", "weather")
	says(t, "警戒の段階", "bulletin", "rules", "set", "--actor=sato", "--from=9", "weather")
	says(t, "設定震度が要ります", "bulletin", "rules", "set", "--actor=sato", "--from=", "quick")
	says(t, "古い情報", "bulletin", "rules", "set", "--actor=sato", "--stale-after=1s", "quick")
	says(t, "ありません", "bulletin", "rules", "set", "--actor=sato", "fire")
	if out, err := give(t, "bulletin"); err != nil || out != "" {
		t.Errorf("%q, %v", out, err)
	}
	storetest.Operator(t, db, "tanaka")
	db.Exec(`WITH t AS (INSERT INTO telegram (digest, feed, name, raw, received_at, stored_at) VALUES (sha256('x'), 'test', '', '', now(), now()) RETURNING id),
		r AS (INSERT INTO reading (telegram_id, type, mode, phase, event_keys, serial, parsed, at) SELECT id, '', 'live', 'issued', '{}', '', '{}', now() FROM t)
		SELECT 1`)
	db.Exec(`INSERT INTO bulletin (id, kind, thread, number, mode, telegram_id, step, level, max_intensity, prefectures, subject, body, facts, occurred_at, issued_at, received_at, read_at, at, state, recipients, mails)
		SELECT 77, 'quick', 'x', 1, 'live', id, 'new', 0, 10, '{}', '【地震速報】', '', '{}', now(), now(), now(), now(), now(), 'expanded', 250, 260 FROM telegram`)
	says(t, "\t地震速報\t新規\t展開済\t250人\t260通\t【地震速報】", "bulletin")
	says(t, "登録されていません", "bulletin", "stop", "--operator=sato", "77")
	says(t, "ありません", "bulletin", "stop", "--operator=tanaka", "78")
	says(t, "自動情報 77 の送信を止めました", "bulletin", "stop", "--operator=tanaka", "--reason=誤り", "77")
	says(t, "すでに受け付けて", "bulletin", "stop", "--operator=tanaka", "77")
}
