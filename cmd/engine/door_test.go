package main

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yagura/store"
	"yagura/store/desk"
	"yagura/store/storetest"
)

// settings are those of an engine with keys of its own, a free port and this database.
func settings(t *testing.T, dsn string) *config {
	t.Helper()
	dir := t.TempDir()
	key := func(name string, b byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(hex.EncodeToString([]byte(strings.Repeat(string(rune(b)), 32)))), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return &config{
		DSN: dsn, Name: "engine@test", AddressKey: key("address", 'a'), TokenKey: key("token", 'k'), TokenKeyID: 1, Host: "anpi.example",
		AnswerListen: l.Addr().String(), Journal: filepath.Join(dir, "journal"),
	}
}

// post answers by a good link until the page takes it, or gives the last refusal.
func post(t *testing.T, c *config) (status int, body string) {
	t.Helper()
	keys, err := c.tokenKeys()
	if err != nil {
		t.Fatal(err)
	}
	token, err := keys[0].Sign(desk.Token{DispatchID: 1, PersonID: 2, IssuedOn: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"safety": {"well"}, "attendance": {"now"}}
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		res, err := http.PostForm("http://"+c.AnswerListen+"/r/"+token, form)
		if err == nil {
			text, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			return res.StatusCode, string(text)
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the page does not answer:", err)
		}
	}
}

// TestAnEngineTakesAnswersWhileTheDatabaseIsAway: an engine that is restarted in the middle of a failover must not shut the page
// until the database is back. // law 14
func TestAnEngineTakesAnswersWhileTheDatabaseIsAway(t *testing.T) {
	c := settings(t, "host=/nowhere dbname=x")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, c) }()
	status, body := post(t, c)
	if status != http.StatusOK || !strings.Contains(body, "記録しました") {
		t.Errorf("%d %s", status, body)
	}
	if kept, err := filepath.Glob(filepath.Join(c.Journal, "*.journal")); err != nil || len(kept) != 1 {
		t.Errorf("journal: %v, %v", kept, err)
	}
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Error("the engine did not end")
	}
}

func TestAConnectionStringThatCannotBeReadIsSaidAtOnce(t *testing.T) {
	if err := run(t.Context(), settings(t, "::::")); desk.KindOf(err) != desk.Invalid {
		t.Errorf("got %v", err)
	}
}

// TestADoorOpensWhenTheDatabaseComesBack waits through two failures and opens once for everybody.
func TestADoorOpensWhenTheDatabaseComesBack(t *testing.T) {
	db := storetest.New(t)
	tries := 0
	d := newDoor(store.Options{})
	d.open = func(ctx context.Context) (*store.Store, error) {
		if tries++; tries < 3 {
			return nil, desk.Wrap(desk.Unavailable, "test", errors.New("away"))
		}
		return store.Open(ctx, store.Options{DSN: db.DSN(storetest.Engine), Name: t.Name()})
	}
	defer d.close()
	for range 2 {
		if _, err := d.Headings(t.Context()); desk.KindOf(err) != desk.Unavailable {
			t.Errorf("a shut door says %v", err)
		}
	}
	if _, err := d.Headings(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := d.Headings(t.Context()); err != nil || tries != 3 {
		t.Errorf("opened %d times, %v", tries, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	d.turn <- struct{}{} // somebody is opening
	if _, err := d.enter(ended); desk.KindOf(err) != desk.Unavailable {
		t.Errorf("a caller that may not wait gets %v", err)
	}
	<-d.turn
}
