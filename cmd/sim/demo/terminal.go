package demo

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/term"

	"yagura/store/desk"
)

// dial opens a real SSH connection to the desk. The console was started by this program on this machine's loopback a moment
// ago, so its host key is taken from the file it wrote, not from the wire.
func dial(ctx context.Context, addr, user string, key ssh.Signer, host ssh.PublicKey) (*ssh.Client, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c, channels, requests, err := ssh.NewClientConn(conn, addr, &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: ssh.FixedHostKey(host), Timeout: 10 * time.Second,
	})
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return ssh.NewClient(c, channels, requests), nil
}

// sit joins this terminal to the desk until the person leaves it. A bare Debian has no ssh program, so this is a small one.
func sit(ctx context.Context, client *ssh.Client) error {
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	defer session.Close()
	in, out := int(os.Stdin.Fd()), int(os.Stdout.Fd())
	width, height, err := term.GetSize(out)
	if err != nil {
		return fmt.Errorf("端末の大きさがわかりません: %w", err)
	}
	before, err := term.MakeRaw(in)
	if err != nil {
		return err
	}
	defer term.Restore(in, before)
	session.Stdin, session.Stdout, session.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := session.RequestPty(terminalName(), height, width, ssh.TerminalModes{}); err != nil {
		return err
	}
	if err := session.Shell(); err != nil {
		return err
	}
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH)
	defer signal.Stop(resized)
	ended := make(chan error, 1)
	go func() { ended <- session.Wait() }()
	for {
		select {
		case <-resized:
			if w, h, err := term.GetSize(out); err == nil {
				session.WindowChange(h, w)
			}
		case <-ctx.Done():
			fmt.Fprint(os.Stdout, tidy)
			return nil
		case err := <-ended:
			var missing *ssh.ExitMissingError
			if errors.As(err, &missing) { // the console ended without taking leave
				fmt.Fprint(os.Stdout, tidy)
				return desk.Errorf(desk.Unavailable, "demo.sit", "当直卓との接続が切れました。記録は log/console.log にあります。")
			}
			return err
		}
	}
}

// tidy leaves the desk's screen when the desk could not do it itself: ordinary screen, cursor shown, no colour, no marked paste.
const tidy = "\x1b[?1049l\x1b[?25h\x1b[?2004l\x1b[0m\r\n"

func terminalName() string {
	if name := os.Getenv("TERM"); name != "" {
		return name
	}
	return "xterm-256color"
}

// inviteSecond tells how a second person sits down from another terminal, for the two-person rule. OpenSSH does not read the
// PKCS #8 form of an Ed25519 key, so it gets a copy in its own form. Without one the demo is complete all the same.
func (in *installation) inviteSecond() {
	text, err := os.ReadFile(filepath.Join(in.secrets.dir, "operator2.pem"))
	if err != nil {
		return
	}
	key, err := ssh.ParseRawPrivateKey(text)
	if err != nil {
		return
	}
	block, err := ssh.MarshalPrivateKey(key, "yagura-demo")
	if err != nil {
		return
	}
	path := filepath.Join(in.secrets.dir, "operator2")
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		return
	}
	host, port, err := net.SplitHostPort(in.deskAddr)
	if err != nil {
		return
	}
	fmt.Fprintf(in.Out, "もう一人の当直者（当直 二）は、別の端末から: ssh -o IdentitiesOnly=yes -i %s -p %s tobanji@%s\n", path, port, host)
}
