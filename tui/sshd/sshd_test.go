package sshd_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	gossh "golang.org/x/crypto/ssh"

	"yagura/store/desk"
	"yagura/tui"
	"yagura/tui/sshd"
	"yagura/tui/tuitest"
)

// patience is how long a story waits for something it expects.
const patience = 10 * time.Second

// house is a desk behind a real door.
type house struct {
	registry *tuitest.Registry
	address  string
	keyDir   string
	log      *buffer
	stop     context.CancelFunc
	ended    chan error
}

func open(t *testing.T, program func(context.Context, sshd.Session) tea.Model) *house {
	t.Helper()
	b := tuitest.NewBackend(time.Now)
	tuitest.Scene(b, desk.Live)
	h := &house{registry: tuitest.NewRegistry(b), keyDir: filepath.Join(t.TempDir(), "hostkey"), log: &buffer{}, ended: make(chan error, 1)}
	hub := tui.NewHub(h.registry)
	if program == nil {
		program = func(ctx context.Context, s sshd.Session) tea.Model {
			wait, leave := hub.Subscribe(ctx)
			context.AfterFunc(ctx, leave)
			return tui.New(tui.Options{Backend: h.registry, Operator: s.Operator, Now: time.Now, After: tui.Timed, Wake: wait}, tui.NewRunner(ctx, s.Report))
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.address = l.Addr().String()
	server, err := sshd.New(sshd.Options{
		Address: h.address, HostKeyDir: h.keyDir, Registry: h.registry, Program: program, Log: slog.New(slog.NewTextHandler(h.log, nil)), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	h.stop = cancel
	go func() { _ = hub.Run(ctx) }()
	go func() { h.ended <- server.Serve(ctx, l) }()
	t.Cleanup(func() { h.close(t) })
	return h
}

func (h *house) close(t *testing.T) {
	h.stop()
	select {
	case err := <-h.ended:
		h.ended <- err
		if err != nil {
			t.Errorf("Serve: %v", err)
		}
	case <-time.After(15 * time.Second): // 1 s on a quiet machine
		t.Error("the server did not end with sessions open")
	}
}

func key(t *testing.T) gossh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := gossh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (h *house) admit(t *testing.T, who desk.Operator) gossh.Signer {
	k := key(t)
	h.registry.Admit(gossh.FingerprintSHA256(k.PublicKey()), who)
	return k
}

func (h *house) dial(auth ...gossh.AuthMethod) (*gossh.Client, error) {
	return gossh.Dial("tcp", h.address, &gossh.ClientConfig{
		User: "desk", Auth: auth, HostKeyCallback: gossh.InsecureIgnoreHostKey(), Timeout: patience, //nolint:gosec // the server is this test's own
	})
}

func (h *house) client(t *testing.T, k gossh.Signer) *gossh.Client {
	t.Helper()
	c, err := h.dial(gossh.PublicKeys(k))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// terminal is a session with a window; what it shows is everything the server wrote.
type terminal struct {
	*gossh.Session
	in  io.Writer
	out *buffer
}

func (h *house) terminal(t *testing.T, k gossh.Signer, w, rows int) terminal {
	t.Helper()
	s, err := h.client(t, k).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	out := &buffer{}
	s.Stdout, s.Stderr = out, out
	in, err := s.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RequestPty("xterm-256color", rows, w, gossh.TerminalModes{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Shell(); err != nil {
		t.Fatal(err)
	}
	return terminal{s, in, out}
}

func (x terminal) sees(t *testing.T, want string) {
	t.Helper()
	if !x.out.wait(func(s string) bool { return strings.Contains(s, want) }) {
		t.Fatalf("the terminal never showed %q; it has %q", want, x.out.tail())
	}
}

// buffer collects output and tells waiters.
type buffer struct {
	mu      sync.Mutex
	b       bytes.Buffer
	changed chan struct{}
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
	return b.b.Write(p)
}

func (b *buffer) tail() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.b.String()
	return s[max(0, len(s)-2000):]
}

func (b *buffer) wait(ok func(string) bool) bool {
	deadline := time.After(patience)
	for {
		b.mu.Lock()
		if ok(b.b.String()) {
			b.mu.Unlock()
			return true
		}
		if b.changed == nil {
			b.changed = make(chan struct{})
		}
		changed := b.changed
		b.mu.Unlock()
		select {
		case <-changed:
		case <-deadline:
			return false
		}
	}
}

func TestWrongKeyIsRefused(t *testing.T) {
	h := open(t, nil)
	wrong := key(t)
	if _, err := h.dial(gossh.PublicKeys(wrong)); err == nil {
		t.Fatal("an unregistered key was let in")
	}
	if !h.log.wait(func(s string) bool { return strings.Contains(s, gossh.FingerprintSHA256(wrong.PublicKey())) }) {
		t.Fatal("the refusal was not logged with its fingerprint")
	}
	for name, auth := range map[string][]gossh.AuthMethod{"none": nil, "password": {gossh.Password("x")}} {
		if _, err := h.dial(auth...); err == nil {
			t.Fatalf("%s was let in", name)
		}
	}
	off := tuitest.Sato
	off.Disabled = true
	if _, err := h.dial(gossh.PublicKeys(h.admit(t, off))); err == nil {
		t.Fatal("a disabled operator was let in")
	}
}

// A second key that is merely offered first must not lend its name to the proven one.
func TestProvenKeyCounts(t *testing.T) {
	h := open(t, nil)
	yamada, sato := h.admit(t, tuitest.Yamada), h.admit(t, tuitest.Sato)
	c, err := h.dial(gossh.PublicKeys(key(t), yamada, sato))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	h.terminal(t, yamada, 80, 24).sees(t, "山田")
}

func TestInboxJudgeAndSend(t *testing.T) {
	h := open(t, nil)
	x := h.terminal(t, h.admit(t, tuitest.Yamada), 80, 24)
	x.sees(t, "未判断 警報1")
	x.sees(t, "石川県能登地方 震度7")
	for _, step := range []struct{ key, shows string }{
		{"\r", "矛盾なし"}, {"g", "新しい災害にする"}, {"n", "最初の事象"}, {"5", "1人で送信できます"}, {"s", "送信まで"}, {"x", "停止を記録しました"},
	} {
		h.pressUntil(t, x, step.key, step.shows)
	}
	all, err := h.registry.ActiveDispatches(t.Context())
	if err != nil || len(all) != 1 || all[0].Dispatch.State != desk.Withdrawn {
		t.Fatalf("%v %+v", err, all)
	}
	if err := x.Close(); err != nil && err != io.EOF {
		t.Fatal(err)
	}
}

// pressUntil waits out the dead time like a person: the screen is looked at before a key is pressed.
func (h *house) pressUntil(t *testing.T, x terminal, key, shows string) {
	t.Helper()
	pause := time.NewTimer(tui.DeadTime + 50*time.Millisecond)
	<-pause.C
	if _, err := io.WriteString(x.in, key); err != nil {
		t.Fatal(err)
	}
	x.sees(t, shows)
}

func TestOnlyATerminalIsServed(t *testing.T) {
	h := open(t, nil)
	c := h.client(t, h.admit(t, tuitest.Yamada))
	run := func() *gossh.Session {
		s, err := c.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if err := run().Run("id"); err == nil {
		t.Fatal("exec was accepted")
	}
	if err := run().RequestSubsystem("sftp"); err == nil {
		t.Fatal("a subsystem was accepted")
	}
	if _, err := c.Dial("tcp", h.address); err == nil {
		t.Fatal("forwarding was accepted")
	}
	if _, err := c.Listen("tcp", "127.0.0.1:0"); err == nil {
		t.Fatal("reverse forwarding was accepted")
	}
	s := run()
	out := &buffer{}
	s.Stdout, s.Stderr = out, out
	if err := s.Shell(); err != nil {
		t.Fatal(err)
	}
	if !out.wait(func(s string) bool {
		return strings.Contains(s, "端末が必要です") && strings.Contains(s, "terminal is required")
	}) {
		t.Fatalf("without a terminal: %q", out.tail())
	}
}

func TestWindowIsClamped(t *testing.T) {
	seen := &buffer{}
	h := open(t, func(context.Context, sshd.Session) tea.Model {
		return spy{func(w, rows int) { _, _ = io.WriteString(seen, itoa(w)+"x"+itoa(rows)+" ") }}
	})
	x := h.terminal(t, h.admit(t, tuitest.Yamada), 5000, 5000)
	x.sees(t, "300x120")
	for _, size := range [][2]int{{90, 40}, {60000, 60000}, {70, 20}} {
		if err := x.WindowChange(size[1], size[0]); err != nil {
			t.Fatal(err)
		}
	}
	if !seen.wait(func(s string) bool { return strings.HasSuffix(s, "70x20 ") }) {
		t.Fatalf("sizes seen: %q", seen.tail())
	}
	for _, size := range strings.Fields(seen.tail()) {
		if size != "300x120" && size != "90x40" && size != "70x20" {
			t.Fatalf("the program saw %s", size)
		}
	}
}

// spy shows its window size, and panics on p.
type spy struct{ seen func(w, h int) }

type spySize struct {
	spy
	text string
}

func (s spy) Init() tea.Cmd                         { return nil }
func (s spy) Update(m tea.Msg) (tea.Model, tea.Cmd) { return spySize{s, ""}.Update(m) }
func (s spy) View() tea.View                        { return tea.NewView("") }

func (s spySize) Update(m tea.Msg) (tea.Model, tea.Cmd) {
	switch m := m.(type) {
	case tea.WindowSizeMsg:
		s.seen(m.Width, m.Height)
		s.text = itoa(m.Width) + "x" + itoa(m.Height)
	case tea.KeyPressMsg:
		if m.String() == "p" {
			panic("a fault of a screen")
		}
	}
	return s, nil
}

func (s spySize) View() tea.View { return tea.NewView(s.text) }

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

func TestPanicEndsOneSession(t *testing.T) {
	h := open(t, func(context.Context, sshd.Session) tea.Model { return spy{func(int, int) {}} })
	k := h.admit(t, tuitest.Yamada)
	one, two := h.terminal(t, k, 80, 24), h.terminal(t, k, 80, 24)
	one.sees(t, "80x24")
	two.sees(t, "80x24")
	if _, err := io.WriteString(one.in, "p"); err != nil {
		t.Fatal(err)
	}
	one.sees(t, "内部の誤り")
	if err := two.WindowChange(30, 100); err != nil {
		t.Fatal(err)
	}
	two.sees(t, "100x30")
	if !h.log.wait(func(s string) bool { return strings.Contains(s, "a fault of a screen") }) {
		t.Fatal("the panic was not logged")
	}
}

func TestSeatsAreLimited(t *testing.T) {
	h := open(t, func(context.Context, sshd.Session) tea.Model { return spy{func(int, int) {}} })
	k := h.admit(t, tuitest.Yamada)
	for range sshd.MaxPerOperator {
		h.terminal(t, k, 80, 24).sees(t, "80x24")
	}
	h.terminal(t, k, 80, 24).sees(t, "同時に開ける画面は1人 8")
}

func TestRevokedKeyIsThrownOut(t *testing.T) {
	h := open(t, nil)
	k := h.admit(t, tuitest.Yamada)
	x := h.terminal(t, k, 80, 24)
	x.sees(t, "未判断")
	off := tuitest.Yamada
	off.Disabled = true
	h.registry.Admit(gossh.FingerprintSHA256(k.PublicKey()), off)
	x.sees(t, "登録が取り消されたため")
	if err := x.Wait(); err != nil {
		t.Fatalf("the session ended badly: %v", err)
	}
}

// SIGTERM of the console is the end of ctx: every session ends with a sentence and is recorded as closed, within 3 s.
func TestServerEndsWithSessionsOpen(t *testing.T) {
	h := open(t, nil)
	x := h.terminal(t, h.admit(t, tuitest.Yamada), 80, 24)
	x.sees(t, "未判断")
	h.close(t)
	if opened, closed := h.registry.Sessions(); opened != 1 || closed != 1 {
		t.Fatalf("sessions opened %d, closed %d", opened, closed)
	}
	info, err := os.Stat(h.keyDir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("host key directory: %v %v", info.Mode(), err)
	}
}
