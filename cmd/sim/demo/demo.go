// Package demo raises a whole installation on this machine, lets a person (or a script) sit at its desk, and takes it down.
package demo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/crypto/ssh"

	"yagura/store"
	"yagura/store/cluster"
	"yagura/store/desk"
	"yagura/store/schema"
)

// Options says what the demo shows.
type Options struct {
	Dir      string  // everything it writes, e.g. var/demo
	Bin      string  // where yagura-engine, yagura-console and yagura-sim are
	Headless bool    // a scripted operator instead of a person
	Replay   string  // a folder of recorded telegrams; "" = the Noto scenario
	Speed    float64 // 0 = a speed fit for the kind of demo
	Out      io.Writer
	Fill     func(ctx context.Context, s *store.Store, key desk.AddressKey) error // the roster and the carriers
	Edition  string                                                               // changes when Fill would write something else
	// Designated is how many people Fill has designated for automatic information.
	Designated int
}

const (
	owner      = "postgres"
	engineRole = "yagura_engine"
	deskRole   = "yagura_console"
	database   = "yagura_demo"
)

// installation is everything that was started and must be stopped, in the order of starting.
type installation struct {
	Options
	secrets  *secrets
	pg       *cluster.Cluster
	children []*child
	host     ssh.PublicKey
	people   [2]desk.OperatorID
	step     int
	begun    time.Time

	answerAddr, deskAddr, controlAddr string
}

// Run shows the demo and returns when the desk was left, the script has ended or ctx ends. Nothing it started is left running.
// In a headless run every step that did not happen is an error.
func Run(ctx context.Context, o Options) (err error) {
	in := &installation{Options: o, begun: time.Now()}
	if in.Speed == 0 {
		in.Speed = 20
		if o.Headless {
			in.Speed = 600
		}
	}
	defer func() { err = errors.Join(err, in.stop()) }()
	if err := in.raise(ctx); err != nil {
		return err
	}
	if o.Headless {
		return in.script(ctx)
	}
	return in.person(ctx)
}

func (in *installation) raise(ctx context.Context) (err error) {
	in.Dir, err = filepath.Abs(in.Dir)
	if err != nil {
		return err
	}
	if in.secrets, err = loadSecrets(filepath.Join(in.Dir, "keys")); err != nil {
		return err
	}
	for _, s := range []struct {
		title string
		do    func(context.Context) error
	}{
		{"データベースを起動", in.startDatabase},
		{"名簿（11,500 人・15,500 アドレス、自動配信 250 人）を用意", in.prepareRoster},
		{"携帯電話会社と職員の模擬を起動", in.startWorld},
		{"当直卓を起動", in.startConsole},
		{"配信エンジンを起動", in.startEngine},
	} {
		if err := in.progress(s.title, func() error { return s.do(ctx) }); err != nil {
			return err
		}
	}
	return nil
}

// progress shows a step while it runs and how long it took.
func (in *installation) progress(title string, do func() error) error {
	in.step++
	began := time.Now()
	fmt.Fprintf(in.Out, "[%d/5] %s …", in.step, title)
	if err := do(); err != nil {
		fmt.Fprintln(in.Out, " できません")
		return err
	}
	fmt.Fprintf(in.Out, " %.1f 秒\n", time.Since(began).Seconds())
	return nil
}

func (in *installation) startDatabase(ctx context.Context) (err error) {
	in.pg, err = cluster.Start(ctx, cluster.Options{Dir: filepath.Join(in.Dir, "pg"), Log: slog.New(slog.DiscardHandler)})
	return err
}

// prepareRoster fills a template database once and copies it for every run, so that each demo begins on a quiet desk.
func (in *installation) prepareRoster(ctx context.Context) error {
	admin := in.pg.DSN("postgres", owner)
	key, err := desk.NewAddressKey(in.secrets.address)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(append([]byte(schema.Fingerprint()+in.Edition), key.Fingerprint("template@example.org")...))
	template := "roster_" + hex.EncodeToString(sum[:8])
	there, err := schema.Exists(ctx, admin, template)
	if err != nil {
		return err
	}
	if !there {
		if err := in.fillTemplate(ctx, template, key); err != nil {
			return err
		}
	}
	if err := schema.Drop(ctx, admin, database); err != nil {
		return err
	}
	// Dispatches are numbered from 1 again: answers left in the journal would count for other people's mails.
	if err := os.RemoveAll(in.journal()); err != nil {
		return err
	}
	if err := schema.Create(ctx, admin, database, template); err != nil {
		return err
	}
	return in.registerOperators(ctx)
}

// fillTemplate builds the template under another name first: a half-filled one is never mistaken for a whole one.
func (in *installation) fillTemplate(ctx context.Context, template string, key desk.AddressKey) error {
	admin, draft := in.pg.DSN("postgres", owner), "roster_draft"
	if err := schema.Drop(ctx, admin, draft); err != nil {
		return err
	}
	if err := schema.Create(ctx, admin, draft, ""); err != nil {
		return err
	}
	if _, err := schema.Migrate(ctx, in.pg.DSN(draft, owner)); err != nil {
		return err
	}
	s, err := store.Open(ctx, store.Options{DSN: in.pg.DSN(draft, owner), Name: "demo"})
	if err != nil {
		return err
	}
	err = in.Fill(ctx, s, key)
	s.Close()
	if err != nil {
		return err
	}
	return schema.Create(ctx, admin, template, draft)
}

// journal is where the engine keeps answers while the database is away.
func (in *installation) journal() string { return filepath.Join(in.Dir, "journal") }

func (in *installation) registerOperators(ctx context.Context) error {
	s, err := store.Open(ctx, store.Options{DSN: in.pg.DSN(database, owner), Name: "demo"})
	if err != nil {
		return err
	}
	defer s.Close()
	for i, o := range []struct {
		name, display string
		key           ssh.PublicKey
	}{{"tobanashi", "当直 一", in.secrets.operator.PublicKey()}, {"tobanji", "当直 二", in.secrets.second.PublicKey()}} {
		in.people[i], err = s.AddOperator(ctx, desk.Operator{Name: o.name, Display: o.display, Fingerprint: ssh.FingerprintSHA256(o.key)},
			string(ssh.MarshalAuthorizedKey(o.key)))
		if err != nil {
			return err
		}
	}
	return nil
}

// launch starts one of our programs and remembers to stop it.
func (in *installation) launch(ctx context.Context, name, program string, args ...string) (*child, error) {
	c, err := start(ctx, in.Dir, name, filepath.Join(in.Bin, program), args...)
	if err == nil {
		in.children = append(in.children, c)
	}
	return c, err
}

func (in *installation) startConsole(ctx context.Context) (err error) {
	if in.deskAddr, err = freeAddr(); err != nil {
		return err
	}
	keys := filepath.Join(in.Dir, "hostkey")
	c, err := in.launch(ctx, "console", "yagura-console", "--dsn", in.pg.DSN(database, deskRole), "--listen", in.deskAddr, "--hostkey-dir", keys)
	if err != nil {
		return err
	}
	return c.await(ctx, 10*time.Second, func() error {
		found, err := filepath.Glob(filepath.Join(keys, "*.pub"))
		if err != nil || len(found) == 0 {
			return fmt.Errorf("ホスト鍵がまだありません: %w", errors.Join(err, os.ErrNotExist))
		}
		text, err := os.ReadFile(found[0])
		if err != nil {
			return err
		}
		if in.host, _, _, _, err = ssh.ParseAuthorizedKey(text); err != nil {
			return err
		}
		return answers(in.deskAddr)
	})
}

func (in *installation) startEngine(ctx context.Context) (err error) {
	if in.answerAddr == "" {
		return errors.New("回答ページの宛先が決まっていません")
	}
	replay := in.Replay
	if replay == "" {
		replay = "noto"
	}
	gap := 15 * time.Second
	if in.Headless {
		gap = time.Second
	}
	c, err := in.launch(ctx, "engine", "yagura-engine", "--dsn", in.pg.DSN(database, engineRole), "--name", "demo",
		"--address-key", in.secrets.addressFile, "--token-key", in.secrets.tokenFile, "--dkim-key", in.secrets.dkimFile,
		"--answer-listen", in.answerAddr, "--journal", in.journal(),
		"--replay", replay, "--replay-speed", strconv.FormatFloat(in.Speed, 'g', -1, 64), "--replay-max-gap", gap.String())
	if err != nil {
		return err
	}
	return c.await(ctx, 15*time.Second, func() error { return answers(in.answerAddr) })
}

// person gives this terminal to the desk.
func (in *installation) person(ctx context.Context) error {
	fmt.Fprintln(in.Out, "当直卓を開きます。席を離れるには Ctrl-C を2回。離れるとすべて止まります。")
	in.inviteSecond()
	client, err := dial(ctx, in.deskAddr, "tobanashi", in.secrets.operator, in.host)
	if err != nil {
		return err
	}
	defer client.Close()
	err = sit(ctx, client)
	fmt.Fprintln(in.Out, "席を離れました。動かしたものをすべて止めます。")
	return err
}

// stop ends everything in reverse order, each waited for.
func (in *installation) stop() error {
	var errs []error
	for i := len(in.children) - 1; i >= 0; i-- {
		errs = append(errs, in.children[i].stop(8*time.Second))
	}
	if in.pg != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		errs = append(errs, in.pg.Stop(ctx))
	}
	return errors.Join(errs...)
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func answers(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	return conn.Close()
}
