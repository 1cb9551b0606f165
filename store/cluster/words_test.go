package cluster

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"yagura/store/desk"
)

func TestDSN(t *testing.T) {
	local := &Cluster{place: place{socketDir: "/tmp/with blank's"}}
	for _, c := range []struct {
		cluster    *Cluster
		name, user string
		want       string
	}{
		{local, "yagura", "engine", `host='/tmp/with blank\'s' port=5432 dbname=yagura user=engine`},
		{local, "", "", `host='/tmp/with blank\'s' port=5432 dbname=postgres user=postgres`},
		{&Cluster{foreign: "host=db user=a"}, "x", "", "host=db user=a dbname=x"},
		{&Cluster{foreign: "host=db user=a"}, "", "b", "host=db user=a user=b"},
		{&Cluster{foreign: "postgres://a:b@db:5433/old?sslmode=require"}, "new", "", "postgres://a:b@db:5433/new?sslmode=require"},
		{&Cluster{foreign: "postgresql://a@db/old"}, "", "c", "postgresql://c@db/old"},
	} {
		if got := c.cluster.DSN(c.name, c.user); got != c.want {
			t.Errorf("DSN(%q, %q) = %s, want %s", c.name, c.user, got, c.want)
		}
	}
}

func TestForeignServerIsNeverStopped(t *testing.T) {
	t.Setenv("YAGURA_TEST_DSN", "host=elsewhere.example")
	c, err := Shared(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Errorf("Stop touched a server that is not ours: %v", err)
	}
	if got := c.DSN("d", "u"); got != "host=elsewhere.example dbname=d user=u" {
		t.Errorf("got %s", got)
	}
}

func TestFittingBinaries(t *testing.T) {
	found := []binaries{{dir: "a", version: "9"}, {dir: "b", version: "17"}, {dir: "c", version: "15"}, {dir: "d", version: "18beta1"}}
	for want, dir := range map[string]string{"": "d", "15": "c", "9": "a"} {
		got, err := fitting(found, want)
		if err != nil || got.dir != dir {
			t.Errorf("fitting %q: got %q, %v; want %q", want, got.dir, err, dir)
		}
	}
	if _, err := fitting(found, "16"); desk.KindOf(err) != desk.Conflict {
		t.Errorf("a data directory of another version must be refused, got %v", err)
	}
}

func TestMayPass(t *testing.T) {
	dir := t.TempDir()
	us := identity{uid: os.Getuid(), gid: os.Getgid(), drop: true}
	mate := identity{uid: us.uid + 1, gid: us.gid, drop: true}
	stranger := identity{uid: us.uid + 1, gid: us.gid + 1, drop: true}
	for _, c := range []struct {
		mode os.FileMode
		who  identity
		want bool
	}{
		{0o700, us, true}, {0o077, us, false}, {0o710, mate, true}, {0o701, mate, false}, {0o701, stranger, true}, {0o770, stranger, false},
	} {
		if err := os.Chmod(dir, c.mode); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.who.mayPass(info); got != c.want {
			t.Errorf("mode %o, uid+%d gid+%d: got %t", c.mode, c.who.uid-us.uid, c.who.gid-us.gid, got)
		}
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if got := stranger.cannotEnter(filepath.Join(dir, "inner")); got == "" {
		t.Error("a stranger passes a closed folder")
	}
}

func TestSomebodyElsesFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := mustOwn(dir, os.Getuid()); err != nil {
		t.Errorf("our own folder: %v", err)
	}
	if err := mustOwn(dir, os.Getuid()+1); desk.KindOf(err) != desk.Forbidden {
		t.Errorf("a folder of somebody else was accepted: %v", err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(t.TempDir(), link); err != nil {
		t.Fatal(err)
	}
	if err := mustOwn(link, os.Getuid()); desk.KindOf(err) != desk.Forbidden {
		t.Errorf("a planted symlink was accepted: %v", err)
	}
}

// A server that is just being killed still takes connections and never answers; it must not be adopted.
func TestOpenSocketIsNotAnAnswer(t *testing.T) {
	for _, c := range []struct {
		name, says string
		want       bool
	}{{"no encryption", "N", true}, {"encryption", "S", true}, {"error", "E", false}, {"closed", "", false}} {
		t.Run(c.name, func(t *testing.T) {
			p := place{socketDir: t.TempDir()}
			l := listen(t, p)
			go func() {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = io.ReadFull(conn, make([]byte, 8)) // the question
				_, _ = io.WriteString(conn, c.says)
				_ = conn.Close()
			}()
			if got := p.answers(t.Context()); got != c.want {
				t.Errorf("answer %q: got %t", c.says, got)
			}
		})
	}
	t.Run("silence", func(t *testing.T) {
		p := place{socketDir: t.TempDir()}
		if p.answers(t.Context()) {
			t.Error("no socket, and yet an answer")
		}
		listen(t, p) // the kernel connects, nobody accepts
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if p.answers(ctx) {
			t.Error("an open socket counted as an answer")
		}
	})
}

func listen(t *testing.T, p place) net.Listener {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(p.socketDir, ".s.PGSQL."+socketPort))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}
