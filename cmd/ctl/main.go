// Command ctl is the operator's tool outside the desk: each verb looks at or prepares one thing and ends.
package main

import (
	"errors"
	"io"
	"os"

	"github.com/alecthomas/kong"
)

// commandLine lists the verbs. Each verb has its own file and struct.
type commandLine struct {
	Decode    decodeCommand    `cmd:"" help:"電文を読み、1行に1つのJSONで書き出す。"`
	Migrate   migrateCommand   `cmd:"" help:"データベースを最新の版にする。"`
	Operators operatorsCommand `cmd:"" help:"当直者を登録・一覧・無効にする。"`
	Policy    policyCommand    `cmd:"" help:"運用方針を表示・変更する。"`
	Subscribe subscribeCommand `cmd:"" help:"自動情報を受け取る人を指定する。"`
	Bulletin  bulletinCommand  `cmd:"" help:"自動情報の一覧と、配信の基準。"`
	Audit     auditCommand     `cmd:"" help:"操作記録が改ざんされていないか確かめる。"`
	Breach    breachCommand    `cmd:"" help:"遅延報告を一覧・記入・書き出し、送付を記録する。"`
	Schema    schemaCommand    `cmd:"" help:"移行後のスキーマを書き出す。"`
}

// streams are the standard input and output of a verb, so that a test can give its own.
type streams struct {
	in  io.Reader
	out io.Writer
}

// errReported ends a verb with exit code 1 when it has already said what was wrong.
var errReported = errors.New("reported")

func main() {
	var line commandLine
	verb := kong.Parse(&line, kong.Name("yagura-ctl"), kong.Description("Yagura の保守用コマンド"), kong.UsageOnError())
	err := verb.Run(&streams{in: os.Stdin, out: os.Stdout})
	if errors.Is(err, errReported) {
		os.Exit(1)
	}
	verb.FatalIfErrorf(err)
}
