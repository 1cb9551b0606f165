package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	gossh "golang.org/x/crypto/ssh"

	"yagura/store/desk"
	"yagura/store/storetest"
	"yagura/tui"
	"yagura/tui/tuitest"
)

// The whole flow on the real store, as the console's own role: what the fake allows, the database must allow, and refuse the same.
func TestFlowOnTheRealStore(t *testing.T) {
	db := storetest.New(t)
	storetest.People(t, db, 40, 17, 1)
	storetest.People(t, db, 3, 17, 0)
	storetest.Event(t, db, storetest.Happening{})
	yamada, sato := seatFor(t, db, "yamada"), seatFor(t, db, "sato")
	yamada.sees(t, "未判断 警報1", "石川県能登地方 震度7")
	yamada.Press("enter")
	yamada.sees(t, "緊急地震速報がありました。", "【再生】")
	yamada.Press("g")
	yamada.sees(t, "[併合か新規か]")
	yamada.Press("n", "5")
	yamada.sees(t, "送信対象 43人", "届かない人 3人", "1人で送信できます", "件名: 【安否確認】石川県能登地方 震度7")
	yamada.Press("s")
	yamada.sees(t, "送信まで", "x:停止")
	sato.Advance(6 * time.Second)
	sato.Press("x")
	sato.sees(t, "停止を記録しました")
	yamada.Advance(6 * time.Second)
	yamada.sees(t, "取下", "sato さんが")
	// A stopped count-down asked nobody, so the same people may be asked again: this time by two people.
	yamada.Press("esc", "enter")
	yamada.Press("enter")
	yamada.sees(t, "送信対象 43人")
	// Nothing is under way: the incident can be closed, by its two keys, as the console's own role.
	yamada.Press("O")
	yamada.sees(t, "#1 石川県能登地方", "z 対応を終える")
	yamada.Press("z", "9")
	yamada.sees(t, "対応を終えたと記録しました", "対応中の災害はありません")
	yamada.Press("z", "9")
	yamada.sees(t, "対応中の災害はありません")
	yamada.Press("I", "enter", "enter")
	yamada.sees(t, "に終えています。送信できません。")
	yamada.seesNot(t, "s 本番送信", "p 2人目")
}

// Two people on the real store: the proposer is refused, the second operator's digits approve.
func TestTwoPeopleOnTheRealStore(t *testing.T) {
	db := storetest.New(t)
	storetest.People(t, db, 12, 17, 1)
	owner := db.Store(storetest.Owner)
	policy, err := owner.Policy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	policy.OnePersonMay = false
	if err := owner.SetPolicy(t.Context(), "test", policy); err != nil {
		t.Fatal(err)
	}
	storetest.Event(t, db, storetest.Happening{})
	yamada, sato := seatFor(t, db, "yamada"), seatFor(t, db, "sato")
	yamada.Press("enter", "g", "n", "5")
	yamada.sees(t, "2人必要")
	yamada.Press("p")
	yamada.sees(t, "自分の起案は自分では承認できません")
	sato.Advance(6 * time.Second)
	sato.sees(t, "承認待ち")
	sato.Press("D", "enter", "c")
	sato.Press("1", "2", "enter")
	sato.sees(t, "送信まで")
}

type seat struct{ *tuitest.Driver }

func (s seat) sees(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(s.Plain(), w) {
			t.Fatalf("the screen does not show %q:\n%s", w, s.Plain())
		}
	}
}

func (s seat) seesNot(t *testing.T, words ...string) {
	t.Helper()
	for _, w := range words {
		if strings.Contains(s.Plain(), w) {
			t.Fatalf("the screen shows %q:\n%s", w, s.Plain())
		}
	}
}

func seatFor(t *testing.T, db *storetest.DB, name string) seat {
	t.Helper()
	who := desk.Operator{ID: storetest.Operator(t, db, name), Name: name, Display: name}
	clock := tuitest.NewClock(time.Now())
	d := tuitest.NewDriver(clock)
	run := tui.NewRunner(t.Context(), func(p any) { t.Errorf("panic: %v", p) })
	d.Start(tui.New(tui.Options{Backend: db.Store(storetest.Console), Operator: who, Now: clock.Now, After: d.After}, run), 80, 24)
	return seat{d}
}

// The process itself: a registered key sees the inbox, a telegram's wake-up reaches the open session, and the end of ctx ends all within 3 s.
func TestConsoleProcess(t *testing.T) {
	db := storetest.New(t)
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := gossh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	owner := db.Store(storetest.Owner)
	who := desk.Operator{Name: "yamada", Display: "山田", Fingerprint: gossh.FingerprintSHA256(key.PublicKey())}
	if _, err := owner.AddOperator(t.Context(), who, string(gossh.MarshalAuthorizedKey(key.PublicKey()))); err != nil {
		t.Fatal(err)
	}
	c := config{DSN: db.DSN(storetest.Console), Listen: freeAddress(t), HostKeyDir: filepath.Join(t.TempDir(), "key"), Log: filepath.Join(t.TempDir(), "log"), Mode: "live", MaxConns: 4}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.run(ctx) }()
	screen := connect(t, c.Listen, key)
	screen.wait(t, "電文はまだありません")
	storetest.Event(t, db, storetest.Happening{})
	screen.wait(t, "石川県能登地方")
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Fatalf("run: %v", err)
		}
	case <-time.After(60 * time.Second): // 1 s on a quiet machine
		t.Fatal("the console did not end with a session open")
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// glass collects what a terminal shows.
type glass struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{}
}

func (g *glass) Write(p []byte) (int, error) {
	g.mu.Lock()
	g.text.Write(p)
	g.mu.Unlock()
	select {
	case g.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (g *glass) wait(t *testing.T, want string) {
	t.Helper()
	deadline := time.After(60 * time.Second)
	for {
		g.mu.Lock()
		text := ansi.Strip(g.text.String())
		g.mu.Unlock()
		if strings.Contains(text, want) {
			return
		}
		select {
		case <-g.more:
		case <-deadline:
			t.Fatalf("the terminal never showed %q", want)
		}
	}
}

// connect logs in as soon as the console listens.
func connect(t *testing.T, address string, key gossh.Signer) *glass {
	t.Helper()
	conf := &gossh.ClientConfig{User: "desk", Auth: []gossh.AuthMethod{gossh.PublicKeys(key)}, HostKeyCallback: gossh.InsecureIgnoreHostKey()} //nolint:gosec // this test's own server
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	deadline := time.After(60 * time.Second)
	for {
		client, err := gossh.Dial("tcp", address, conf)
		if err == nil {
			t.Cleanup(func() { _ = client.Close() })
			return shell(t, client)
		}
		select {
		case <-again.C:
		case <-deadline:
			t.Fatalf("no console: %v", err)
		}
	}
}

func shell(t *testing.T, client *gossh.Client) *glass {
	t.Helper()
	s, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	g := &glass{more: make(chan struct{}, 1)}
	s.Stdout = g
	in, err := s.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.(io.Closer).Close() })
	if err := s.RequestPty("xterm-256color", 24, 80, gossh.TerminalModes{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Shell(); err != nil {
		t.Fatal(err)
	}
	return g
}
