package story

import (
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"yagura/store/storetest"
)

// console starts the duty desk.
func (tw *tower) console() *process {
	tw.t.Helper()
	tw.deskAt = freeAddress(tw.t)
	p := launch(tw.t, "console", "console", "--dsn", tw.db.DSN(storetest.Console), "--listen", tw.deskAt, "--hostkey-dir", filepath.Join(tw.dir, "hostkey"))
	tw.all = append(tw.all, p)
	within(tw.t, 15*time.Second, "the desk's door is open", func() bool { return reachable(tw.deskAt) })
	return p
}

// dial knocks at the desk's door with a key.
func (tw *tower) dial(key ssh.Signer) (*ssh.Client, error) {
	return ssh.Dial("tcp", tw.deskAt, &ssh.ClientConfig{
		User: "desk", Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, Timeout: 10 * time.Second,
		HostKeyCallback: ssh.InsecureIgnoreHostKey(), //nolint:gosec // the door is this test's own
	})
}

// screen is a terminal at the desk in a real SSH session.
type screen struct {
	t    testing.TB
	in   io.Writer
	said *speech
	mark int // what stood before the last key does not count
	last int // where the last whole picture was asked for
}

// sits opens a terminal at the desk for the operator.
func (o *operator) sits() *screen {
	tw, t := o.tw, o.tw.t
	t.Helper()
	client := must[*ssh.Client](t)(tw.dial(o.key))
	t.Cleanup(func() { _ = client.Close() })
	session := must[*ssh.Session](t)(client.NewSession())
	s := &screen{t: t, said: &speech{}}
	session.Stdout, session.Stderr = s.said, s.said
	s.in = must[io.WriteCloser](t)(session.StdinPipe())
	if err := session.RequestPty("xterm-256color", 40, 110, ssh.TerminalModes{}); err != nil {
		t.Fatal(err)
	}
	if err := session.Shell(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		tw.keep("the screen of "+o.name, s.since(0))
		if t.Failed() {
			t.Logf("== the screen of %s at the end:\n%s", o.name, s.since(s.last))
		}
	})
	return s
}

var controls = regexp.MustCompile(`\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[PX^_][^\x1b]*\x1b\\|\x1b[()][A-Z0-9]|\x1b[=>78cM]|[\x00-\x09\x0b-\x1f]`)

// since is the text drawn from a place on, without colours and cursor movements.
func (s *screen) since(mark int) string { return controls.ReplaceAllString(s.said.String()[mark:], "") }

// types sends keys as a terminal does.
func (s *screen) types(keys string) {
	s.t.Helper()
	s.mark = len(s.said.String())
	s.last = s.mark
	s.send(keys)
}

func (s *screen) send(keys string) {
	s.t.Helper()
	if _, err := io.WriteString(s.in, keys); err != nil {
		s.t.Fatalf("the desk has hung up: %v", err)
	}
}

// presses is a key of a person who has seen the screen: slower than the dead time of confirming keys. // field.md 5.2-2
func (s *screen) presses(key string) {
	s.t.Helper()
	<-time.After(500 * time.Millisecond)
	s.types(key)
}

const redrawKey = "\x0c"

// shows waits until all the texts stand on the screen since the last key. Now and then it asks for the whole picture, because
// the desk draws only what changed.
func (s *screen) shows(limit time.Duration, texts ...string) {
	s.t.Helper()
	looked := time.Now()
	within(s.t, limit, "the screen shows "+strings.Join(texts, " and "), func() bool {
		drawn := s.since(s.mark)
		for _, text := range texts {
			if !strings.Contains(drawn, text) {
				if time.Since(looked) > 700*time.Millisecond {
					looked, s.last = time.Now(), len(s.said.String())
					s.send(redrawKey)
				}
				return false
			}
		}
		return true
	})
}

// look is the whole picture now.
func (s *screen) look() string {
	s.t.Helper()
	s.types(redrawKey) // what is drawn from here on is the present
	within(s.t, 10*time.Second, "the desk draws itself", func() bool {
		drawn := s.since(s.mark)
		return strings.Contains(drawn, "JST") && (strings.Contains(drawn, "キー一覧") || strings.Contains(drawn, "やめる"))
	})
	return s.since(s.mark)
}
