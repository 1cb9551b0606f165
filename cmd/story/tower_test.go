package story

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"yagura/engine/route/routetest"
	"yagura/feeds/replay"
	"yagura/store"
	"yagura/store/desk"
	"yagura/store/storetest"
)

// database is where an installation keeps its facts: storetest's, or a server of the story's own.
type database interface{ DSN(role string) string }

// plan says what an installation is like. The zero value is a small ministry with calm carriers and nobody who answers.
type plan struct {
	People    int           // 0 = 300
	PerPerson int           // mailboxes of each; 0 = 1
	CountDown time.Duration // 0 = 200 ms, so that a story does not wait; one that needs the usual five seconds says so
	NotAfter  time.Duration // 0 = as shipped
	Lanes     []lane        // 0 = one calm lane
	Staff     time.Duration // median time to answer; 0 = nobody answers
	Share     float64       // of people who answer
	Database  database      // nil = one of storetest
	Letters   bool          // the mails are kept to be read, by a double in this process instead of the simulated carriers
}

// tower is one installation in the middle of a story.
type tower struct {
	t       testing.TB
	plan    plan
	dir     string
	db      database
	owner   *store.Store
	people  []desk.Person
	keys    desk.TokenKeys
	answers string // host:port of the first engine's answer page
	control string // of the simulated carriers
	post    *routetest.Server
	all     []*process
	traces  []trace
	one     *operator
	two     *operator

	deskAt string // host:port of the console's door
}

// raise builds an installation without engine and console: those are started by the story.
func raise(t testing.TB, p plan) *tower {
	t.Helper()
	tw := &tower{t: t, plan: p, dir: t.TempDir(), db: p.Database, answers: freeAddress(t)}
	if tw.db == nil {
		tw.db = storetest.New(t)
	}
	tw.owner = tw.open(storetest.Owner)
	address := tw.secret("address.key")
	token := must[desk.TokenKey](t)(desk.NewTokenKey(1, tw.secret("token.key")))
	tw.keys = desk.TokenKeys{token}
	tw.dkim()
	tw.enrol(must[desk.AddressKey](t)(desk.NewAddressKey(address)))
	tw.govern()
	tw.one, tw.two = tw.admit("tobanashi", "当直 一"), tw.admit("tobanji", "当直 二")
	tw.world()
	t.Cleanup(func() { tw.leaveNoTrace() }) // runs before the processes are gone but after the story's last word
	return tw
}

func (tw *tower) open(role string) *store.Store {
	tw.t.Helper()
	s := must[*store.Store](tw.t)(store.Open(tw.t.Context(), store.Options{DSN: tw.db.DSN(role), Name: "story", MaxConns: 4}))
	tw.t.Cleanup(s.Close)
	return s
}

func (tw *tower) path(name string) string { return filepath.Join(tw.dir, name) }

func (tw *tower) write(name string, content []byte) string {
	tw.t.Helper()
	path := tw.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		tw.t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		tw.t.Fatal(err)
	}
	return path
}

func (tw *tower) secret(name string) []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails on Linux
	tw.write(name, []byte(hex.EncodeToString(b)))
	return b
}

func (tw *tower) dkim() {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		tw.t.Fatal(err)
	}
	der := must[[]byte](tw.t)(x509.MarshalPKCS8PrivateKey(key))
	tw.write("dkim.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// govern sets the rules in force.
func (tw *tower) govern() {
	policy := must[desk.Policy](tw.t)(tw.owner.Policy(tw.t.Context()))
	policy.CountDown = 200 * time.Millisecond
	if tw.plan.CountDown > 0 {
		policy.CountDown = tw.plan.CountDown
	}
	if tw.plan.NotAfter > 0 {
		policy.NotAfter = tw.plan.NotAfter
	}
	if err := tw.owner.SetPolicy(tw.t.Context(), "admin:story", policy); err != nil {
		tw.t.Fatal(err)
	}
}

// engine starts an engine process with the flags of the demonstration.
func (tw *tower) engine(name string, more ...string) *process {
	tw.t.Helper()
	listen := tw.answers
	if name != "east" {
		listen = freeAddress(tw.t)
	}
	args := append([]string{
		"--dsn", tw.db.DSN(storetest.Engine), "--name", name,
		"--address-key", tw.path("address.key"), "--token-key", tw.path("token.key"), "--dkim-key", tw.path("dkim.pem"),
		"--answer-listen", listen, "--journal", tw.path("journal-" + name),
	}, more...)
	p := launch(tw.t, "engine "+name, "engine", args...)
	tw.all = append(tw.all, p)
	within(tw.t, 20*time.Second, "the engine "+name+" answers", func() bool {
		if !p.alive() {
			tw.t.Fatalf("engine %s ended at once: %v\n%s", name, p.err, p.said.tail(20))
		}
		return reachable(listen)
	})
	return p
}

// playing gives the flags to replay a folder without gaps.
func playing(folder string) []string {
	return []string{"--replay", folder, "--replay-speed", "0"}
}

// telegrams writes the telegrams of a scenario as files and gives their folder and number.
func (tw *tower) telegrams(scenario string) (folder string, count int) {
	tw.t.Helper()
	s := must[replay.Scenario](tw.t)(replay.ParseScenario(strings.NewReader(scenario)))
	envs := must[[]desk.Envelope](tw.t)(s.Envelopes())
	name := "telegrams-" + strconv.Itoa(len(tw.traces)+len(tw.all))
	for i, e := range envs {
		tw.write(filepath.Join(name, fmt.Sprintf("%03d.xml", i)), e.Raw)
	}
	return tw.path(name), len(envs)
}

// hasRead waits until so many telegrams were read (or shown as unreadable).
func (tw *tower) hasRead(limit time.Duration, telegrams int) {
	tw.t.Helper()
	var stored, read int
	within(tw.t, limit, fmt.Sprintf("%d telegrams are read", telegrams), func() bool {
		var err error
		stored, read, _, err = tw.owner.TelegramCounts(tw.t.Context())
		return err == nil && read >= telegrams
	})
	if stored != telegrams {
		tw.t.Fatalf("%d telegrams are stored, %d were played", stored, telegrams)
	}
}

// admit registers an operator with a fresh key.
func (tw *tower) admit(name, display string) *operator {
	tw.t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		tw.t.Fatal(err)
	}
	key := must[ssh.Signer](tw.t)(ssh.NewSignerFromKey(private))
	id := must[desk.OperatorID](tw.t)(tw.owner.AddOperator(tw.t.Context(),
		desk.Operator{Name: name, Display: display, Fingerprint: ssh.FingerprintSHA256(key.PublicKey())}, string(ssh.MarshalAuthorizedKey(key.PublicKey()))))
	return &operator{tw: tw, id: id, name: name, key: key, store: tw.open(storetest.Console)}
}

// progress is the state of a dispatch as any desk would count it.
func (tw *tower) progress(id desk.DispatchID) desk.DispatchProgress {
	tw.t.Helper()
	return must[desk.DispatchProgress](tw.t)(tw.owner.Progress(tw.t.Context(), id))
}

// mails is the number of mails of all dispatches, whatever their state.
func (tw *tower) mails() int {
	tw.t.Helper()
	n := 0
	for _, p := range must[[]desk.DispatchProgress](tw.t)(tw.owner.ActiveDispatches(tw.t.Context())) {
		n += p.Mails
	}
	return n
}

// settles waits until every mail of a dispatch has a final result.
func (tw *tower) settles(limit time.Duration, id desk.DispatchID) desk.DispatchProgress {
	tw.t.Helper()
	var p desk.DispatchProgress
	within(tw.t, limit, "the dispatch is sent", func() bool {
		var err error
		p, err = tw.owner.Progress(tw.t.Context(), id)
		return err == nil && p.Dispatch.State == desk.Sent
	})
	return p
}

// seen is what the simulated carriers and staff counted by themselves.
type seen struct {
	Total struct {
		Accepted, Mailboxes, Mails, Duplicates, Dropped, Unknown, Resets int
		RefusedData                                                      int `json:"refused_data"`
	} `json:"total"`
	Staff struct {
		People, Silent, Waiting, Answered, Failed int
		Safety                                    map[desk.Safety]int
		LastErr                                   string `json:"last_error"`
	} `json:"staff"`
}

func (tw *tower) seen() seen {
	tw.t.Helper()
	var s seen
	if err := tw.ask("/stats", &s); err != nil {
		tw.t.Fatalf("the simulated carriers: %v", err)
	}
	return s
}

// ask reads a page of the simulated carriers.
func (tw *tower) ask(page string, into any) error {
	res, err := http.Get("http://" + tw.control + page) //nolint:noctx // our own process on loopback
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", page, res.Status)
	}
	return json.NewDecoder(res.Body).Decode(into)
}
