package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"yagura/store/desk"
	"yagura/store/storetest"
)

// P5-6: from the list to the file in the post, with the refusals on the way.
func TestBreachVerbs(t *testing.T) {
	db := storetest.New(t)
	dsn := "--dsn=" + db.DSN(storetest.Owner)
	says(t, "遅延報告はありません", "breach", "list", dsn)
	says(t, "遅延報告 1 はありません", "breach", "report", "1", dsn)
	engine := db.Store(storetest.Engine)
	clock := desk.StageClock{Subject: desk.ClockSubject{Kind: desk.SubjectBulletin, ID: 12}, Clause: desk.ClauseQuick, Mode: desk.Live, Title: "【地震速報】\x1b[31m能登"}
	rule := desk.ClockRule{Clause: desk.ClauseQuick, From: desk.StageOccurred, Until: desk.StageLastAccepted, Limit: 3 * time.Minute}
	id, _, err := engine.OpenBreach(t.Context(), "engine", clock, rule, 1.5)
	if err != nil || id != 1 {
		t.Fatal(id, err)
	}
	says(t, "地震速報 自動配信 12\t期限の 1.5 倍\t作成中\t【地震速報】[31m能登", "breach", "list", dsn)
	says(t, "まだできていません", "breach", "report", "1", dsn)
	if err := engine.DraftBreach(t.Context(), id, clock, "遅延報告書（案）\n", []byte("PK odt")); err != nil {
		t.Fatal(err)
	}
	says(t, "遅延報告書（案）", "breach", "report", "1", dsn)
	says(t, "未送付（原因が未記入）", "breach", "list", dsn)
	file := filepath.Join(t.TempDir(), "report.odt")
	says(t, "書き出しました", "breach", "report", "1", "--odt", file, dsn)
	says(t, "まだないファイル名", "breach", "report", "1", "--odt", file, dsn)
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, []byte("PK odt")) {
		t.Errorf("%q %v", got, err)
	}
	says(t, "原因がまだ書かれていません", "breach", "sent", "1", "--actor=sato", dsn)
	says(t, "原因か再発防止策", "breach", "cause", "1", "--actor=sato", dsn)
	says(t, "遅延報告 1 に書きました", "breach", "cause", "1", "受信の遅れ", "--measures=二重化", "--actor=sato", dsn)
	says(t, "送付済みと記録しました", "breach", "sent", "1", "--actor=sato", dsn)
	says(t, "送付済みです", "breach", "sent", "1", "--actor=sato", dsn)
	says(t, "admin:sato", "breach", "list", dsn)
}

// The clock of a mailing, from the quake to the last mailbox, as one line of evidence. // P5-2
func TestClocksVerb(t *testing.T) {
	db := storetest.New(t)
	db.Exec(`
		INSERT INTO telegram OVERRIDING SYSTEM VALUE VALUES (1, sha256('1'), 'jma', '', 'x', now(), now());
		INSERT INTO reading VALUES (1, 'VXSE51', 'live', 'issued', '{}', '', NULL, '{}', '', now());
		INSERT INTO bulletin (id, kind, thread, number, mode, telegram_id, step, level, max_intensity, prefectures, subject, body, facts,
		  occurred_at, issued_at, received_at, read_at, at, state)
		VALUES (7, 'quick', 't', 1, 'live', 1, 'new', 0, 10, '{17}', '速報', '', '{}', now() - interval '92 s', now() - interval '2 s', now(), now(), now(), 'sending');
		INSERT INTO mail OVERRIDING SYSTEM VALUE VALUES (1, 7, NULL, 1, 1, 'other', '\x00', 'example.jp', now()), (2, 7, NULL, 2, 1, 'other', '\x00', 'example.jp', now());
		INSERT INTO attempt SELECT 1, 1, 1, 7, 'other', at + interval '1500 ms', 1, 'data', 250, 'ok', 'r', now() FROM bulletin`)
	dsn := "--dsn=" + db.DSN(storetest.Owner)
	says(t, "\t発表 +90.0秒\t受信 +92.0秒\t解析 +92.0秒\t判断 +92.0秒\t送信準備 +92.0秒\t最初の受理 +93.5秒\t最後の受理 +93.5秒\t受理 1/2（送信中）\n", "breach", "clocks", dsn)
	says(t, "自動配信 7\t地震速報\t本番\t発生 ", "breach", "clocks", dsn)
}

func TestLimitVerbs(t *testing.T) {
	dsn := "--dsn=" + storetest.New(t).DSN(storetest.Owner)
	says(t, "P5-2\t地震速報\t発生から最後の受理まで 3m0s\t1.0 倍で警告\t1.5 倍で遅延報告", "breach", "limits", dsn)
	says(t, "遅延報告なし（目標）", "breach", "limits", dsn)
	says(t, "最後の受理まで 2m0s\t1.0 倍で警告\t1.2 倍で遅延報告", "breach", "limit", "P5-3", "--limit=2m", "--breach=1.2", "--actor=sato", dsn)
	says(t, "発表から最後の受理まで 2m0s", "breach", "limits", dsn)
	says(t, "期限は 1 秒から 24 時間です", "breach", "limit", "P5-3", "--limit=1ms", "--actor=sato", dsn)
	says(t, "その期限はありません", "breach", "limit", "P5-2", "--until=first_accepted", "--actor=sato", dsn)
}
