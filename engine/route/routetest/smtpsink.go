package routetest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"yagura/store/desk"
)

// SMTPSink starts Postfix's smtp-sink, the yardstick of limits.md §1, and gives it as a lane. The test is skipped when the tool
// is not found: in PATH, in /usr/sbin, in var/postfix of a folder above, or in the folder YAGURA_POSTFIX (an unpacked package).
func SMTPSink(t testing.TB, sessions int) desk.Carrier {
	t.Helper()
	tool := findPostfix("smtp-sink")
	if tool == "" {
		t.Skip("smtp-sink is not here: unpack Debian's postfix package into var/postfix")
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	_ = free.Close()
	address := fmt.Sprintf("127.0.0.1:%d", port)
	args := []string{address, "512"}
	if os.Geteuid() == 0 {
		args = append([]string{"-u", "nobody"}, args...) // as root the tool insists on whom to become
	}
	sink := exec.Command(tool, args...)
	sink.Env = append(os.Environ(), "LD_LIBRARY_PATH="+filepath.Join(filepath.Dir(tool), "..", "lib", "postfix"))
	sink.Stderr = os.Stderr
	if err := sink.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = sink.Process.Kill()
		_ = sink.Wait()
	})
	deadline := time.NewTimer(5 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return desk.Carrier{Lane: "sink", Name: "smtp-sink", Host: "127.0.0.1", Port: port, Sessions: sessions, Depth: 1}
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal("smtp-sink does not listen")
		}
	}
}

func findPostfix(tool string) string {
	if found, err := exec.LookPath(tool); err == nil {
		return found
	}
	places := []string{"/usr", os.Getenv("YAGURA_POSTFIX")}
	if dir, err := os.Getwd(); err == nil {
		for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			places = append(places, filepath.Join(dir, "var", "postfix", "usr"), filepath.Join(dir, "var", "postfix"))
		}
	}
	for _, place := range places {
		for _, under := range []string{"sbin", "usr/sbin"} {
			found := filepath.Join(place, under, tool)
			if s, err := os.Stat(found); place != "" && err == nil && !s.IsDir() {
				return found
			}
		}
	}
	return ""
}
