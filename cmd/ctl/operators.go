package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/crypto/ssh"

	"yagura/store"
	"yagura/store/desk"
)

// operatorsCommand says who may sit at the desk.
type operatorsCommand struct {
	List    listOperators   `cmd:"" default:"1" help:"当直者を一覧する。"`
	Add     addOperator     `cmd:"" help:"当直者と SSH 公開鍵を登録する。"`
	Disable disableOperator `cmd:"" help:"当直者を無効にする。"`
}

type listOperators struct {
	database
}

// Run prints one operator a line: name, display name, fingerprint, state.
func (c *listOperators) Run(s *streams) error {
	return c.with(func(ctx context.Context, st *store.Store) error {
		all, err := st.Operators(ctx)
		for _, o := range all {
			state := "有効"
			if o.Disabled {
				state = "無効"
			}
			fmt.Fprintf(s.out, "%s\t%s\t%s\t%s\n", o.Name, o.Display, o.Fingerprint, state)
		}
		return err
	})
}

type addOperator struct {
	database
	Name    string `arg:"" help:"ログイン名（英小文字と数字）。"`
	Display string `arg:"" help:"画面に出す名前。"`
	Key     string `arg:"" help:"SSH 公開鍵のファイル（authorized_keys 形式）。"`
}

// Run reads one public key and registers its owner.
func (c *addOperator) Run(s *streams) error {
	text, err := os.ReadFile(c.Key)
	if err != nil {
		return desk.Errorf(desk.Invalid, "ctl.operators", "公開鍵のファイル %s が読めません。", c.Key)
	}
	key, comment, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return desk.Errorf(desk.Invalid, "ctl.operators", "%s は SSH 公開鍵ではありません。authorized_keys と同じ形の 1 行を渡してください。", c.Key)
	}
	operator := desk.Operator{Name: c.Name, Display: c.Display, Fingerprint: ssh.FingerprintSHA256(key)}
	return c.with(func(ctx context.Context, st *store.Store) error {
		line := string(ssh.MarshalAuthorizedKey(key))
		if _, err := st.AddOperator(ctx, operator, line[:len(line)-1]+" "+comment); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "登録しました: %s %s\n", operator.Name, operator.Fingerprint)
		return nil
	})
}

type disableOperator struct {
	database
	Name string `arg:"" help:"ログイン名。"`
}

// Run shuts one operator out.
func (c *disableOperator) Run(s *streams) error {
	return c.with(func(ctx context.Context, st *store.Store) error {
		if err := st.DisableOperator(ctx, c.Name); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "無効にしました: %s\n", c.Name)
		return nil
	})
}

// with opens the store as the owner for one verb.
func (d *database) with(fn func(context.Context, *store.Store) error) error {
	ctx := context.Background()
	st, err := store.Open(ctx, store.Options{DSN: d.DSN, Name: "ctl", MaxConns: 2})
	if err != nil {
		return plain(err)
	}
	defer st.Close()
	return plain(fn(ctx, st))
}

// plain is the sentence a person may read for err, without the driver's text, which may name a host.
func plain(err error) error {
	if err == nil || errors.Is(err, errReported) {
		return err
	}
	return errors.New(desk.Message(err))
}
