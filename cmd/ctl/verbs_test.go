package main

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"golang.org/x/crypto/ssh"

	"yagura/store/desk"
	"yagura/store/storetest"
)

// give parses a command line as main does and gives its output.
func give(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var line commandLine
	parser, err := kong.New(&line, kong.Name("yagura-ctl"), kong.Exit(func(int) { t.Fatal("the parser ended the program") }))
	if err != nil {
		t.Fatal(err)
	}
	verb, err := parser.Parse(args)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	err = verb.Run(&streams{in: strings.NewReader(""), out: &out})
	return out.String(), err
}

func says(t *testing.T, want string, args ...string) {
	t.Helper()
	out, err := give(t, args...)
	if err != nil {
		out += err.Error()
	}
	if !strings.Contains(out, want) {
		t.Errorf("%v: %q does not say %q", args, out, want)
	}
}

func keyFile(t *testing.T) string {
	t.Helper()
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "id.pub")
	if err := os.WriteFile(path, ssh.MarshalAuthorizedKey(key), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOperatorsVerb(t *testing.T) {
	db := storetest.New(t)
	t.Setenv("YAGURA_OWNER_DSN", db.DSN(storetest.Owner))
	key := keyFile(t)
	says(t, "登録しました: tanaka SHA256:", "operators", "add", "tanaka", "田中", key)
	says(t, "すでに登録されています", "operators", "add", "tanaka", "田中", key)
	says(t, "読めません", "operators", "add", "sato", "佐藤", key+".missing")
	if err := os.WriteFile(key, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	says(t, "SSH 公開鍵ではありません", "operators", "add", "sato", "佐藤", key)
	says(t, "tanaka\t田中\tSHA256:", "operators")
	says(t, "無効にしました: tanaka", "operators", "disable", "tanaka")
	says(t, "\t無効", "operators", "list")
	says(t, "登録されていません", "operators", "disable", "tanaka")
	out, err := give(t, "audit")
	if err != nil || !strings.Contains(out, "操作記録 2 行に異常はありません") || !strings.Contains(out, "admin\t") {
		t.Errorf("audit: %q, %v", out, err)
	}
	db.Exec(`UPDATE audit SET subject = 'operator:9' WHERE id = 1`)
	if out, err = give(t, "audit"); !errors.Is(err, errReported) || !strings.Contains(out, "番号 1") {
		t.Errorf("audit of an altered record: %q, %v", out, err)
	}
}

func TestPolicyVerb(t *testing.T) {
	db := storetest.New(t)
	t.Setenv("YAGURA_OWNER_DSN", db.DSN(storetest.Owner))
	says(t, "震度5弱以上", "policy")
	says(t, "震度6弱以上", "policy", "set", "--actor=sato", "--prefecture=6-", "--nationwide=none", "--count-down=10s", "--no-one-person")
	p, err := db.Store(storetest.Console).Policy(t.Context())
	if err != nil || p.Version != 2 || p.PrefectureFrom != desk.Intensity6Lower || p.NationwideFrom != desk.IntensityUnknown || p.CountDown.Seconds() != 10 || p.OnePersonMay {
		t.Errorf("%+v, %v", p, err)
	}
	says(t, "読めません", "policy", "set", "--actor=sato", "--prefecture=8")
	says(t, "承認の有効期限", "policy", "set", "--actor=sato", "--not-after=1s")
	says(t, "--actor", "policy", "set")
}

func TestMigrateVerb(t *testing.T) {
	db := storetest.New(t)
	says(t, "最新です", "migrate", "--dsn", db.DSN(storetest.Owner))
	out, err := give(t, "migrate", "--dsn", "host=/nowhere dbname=x")
	if err == nil || out != "" || strings.Contains(err.Error(), "nowhere") || !strings.Contains(err.Error(), "つながりません") {
		t.Errorf("%q, %v", out, err)
	}
}

func TestSchemaVerbIsDeterministic(t *testing.T) {
	first, err := give(t, "schema")
	if err != nil || !strings.Contains(first, "TABLE approval") {
		t.Fatalf("%q, %v", first, err)
	}
	file, err := os.ReadFile(filepath.Join("..", "..", "store", "schema", "current.sql"))
	if err != nil || string(file) != first {
		t.Errorf("store/schema/current.sql differs; run make schema (%v)", err)
	}
}
