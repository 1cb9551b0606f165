package story

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"mime"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"yagura/engine/bulletin"
	"yagura/engine/compose"
	"yagura/engine/dispatch"
	"yagura/engine/intake"
	"yagura/engine/route"
	"yagura/engine/route/routetest"
	"yagura/engine/send"
	"yagura/feeds"
	"yagura/feeds/replay"
	"yagura/store"
	"yagura/store/desk"
	"yagura/store/storetest"
)

// designated is how many people get every automatic bulletin. // F3-1-l
const designated = 250

// house is the automatic path in one process: sources, intake, bulletin, sending, and a carrier that takes everything.
type house struct {
	db      *storetest.DB
	engine  *store.Store
	carrier *routetest.Server
	in      *intake.Intake
}

// newHouse has 250 designated people with one mailbox each.
func newHouse(t testing.TB) *house {
	t.Helper()
	db := storetest.New(t)
	h := &house{db: db, engine: db.Store(storetest.Engine), carrier: routetest.Start(t, routetest.Script{})}
	storetest.People(t, db, designated, 13, 0)
	key := must[desk.AddressKey](t)(desk.NewAddressKey(bytes.Repeat([]byte{7}, 32)))
	var list []desk.Subscription
	for i := 1; i <= designated; i++ {
		box := fmt.Sprintf("p%d@ministry.example", i)
		a := must[desk.Address](t)(key.Seal(box))
		db.Exec(`INSERT INTO address (person_id, sealed, domain, fingerprint) VALUES ($1, $2, $3, $4)`, i, a.Sealed, a.Domain, key.Fingerprint(box))
		for _, kind := range desk.BulletinKinds() {
			list = append(list, desk.Subscription{Code: fmt.Sprintf("P%05d", i), Kind: kind, Cadence: desk.EveryIssue})
		}
	}
	owner := db.Store(storetest.Owner)
	if _, _, err := owner.SetSubscriptions(t.Context(), "admin:test", desk.BulletinKinds(), list); err != nil {
		t.Fatal(err)
	}
	if err := owner.SetCarriers(t.Context(), "admin:test", []desk.Carrier{h.carrier.Carrier(desk.DefaultLane, 16)}); err != nil {
		t.Fatal(err)
	}
	return h
}

// run starts the services with these sources until the test ends.
func (h *house) run(t testing.TB, sources ...feeds.Source) {
	t.Helper()
	key := must[desk.AddressKey](t)(desk.NewAddressKey(bytes.Repeat([]byte{7}, 32)))
	opener := must[*route.Opener](t)(route.NewOpener(key))
	tokens := must[desk.TokenKey](t)(desk.NewTokenKey(1, bytes.Repeat([]byte{9}, 32)))
	log, holder := slog.New(slog.DiscardHandler), fmt.Sprintf("%s/%d", t.Name(), rand.Uint32())
	wakeSend, wakeDispatch := make(chan struct{}, 1), make(chan struct{}, 1)
	ring := func(c chan struct{}) {
		select {
		case c <- struct{}{}:
		default:
		}
	}
	h.in = intake.New(intake.Options{Store: h.engine, Sources: sources, Holder: holder, Now: time.Now, Log: log})
	issue := bulletin.New(bulletin.Options{Store: h.engine, Holder: holder, Now: time.Now, Log: log, Issued: func(desk.Bulletin) { ring(wakeSend) }})
	settle := dispatch.New(dispatch.Options{Store: h.engine, Holder: holder, Wake: wakeDispatch, Now: time.Now, Log: log})
	sender := send.New(send.Options{
		Store: h.engine, Process: "engine", Holder: holder, Opener: opener, Wake: wakeSend, Now: time.Now, Jitter: rand.Float64, Log: log,
		Compose: func(l desk.Letter) (send.Composer, error) {
			return compose.New(l, compose.Options{
				From: "anpi@desk.example", FromName: "当直室", LinkBase: "https://anpi.example/r/", MessageIDHost: "desk.example", ReturnPath: "b-{id}@desk.example",
			})
		},
		Token: func(m desk.Mail) (string, error) {
			return tokens.Sign(desk.Token{DispatchID: m.DispatchID, PersonID: m.PersonID, IssuedOn: m.CreatedAt})
		},
		Route: func(c desk.Carrier, gate route.Gate) send.Route {
			return route.New(c, route.Options{HeloName: "desk.example", Gate: gate, Now: time.Now})
		},
	})
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for _, run := range []func(context.Context) error{
		h.in.Run, issue.Run, settle.Run, sender.Run,
		func(ctx context.Context) error {
			return h.engine.Listen(ctx, []desk.Topic{desk.TopicDispatch, desk.TopicMail}, func(desk.Wake) { ring(wakeSend); ring(wakeDispatch) })
		},
	} {
		all.Go(func() { _ = run(ctx) })
	}
	t.Cleanup(func() { stop(); all.Wait() })
}

// shakingID is the EventID of shaking i.
func shakingID(i int) string {
	return time.Date(2026, 1, 1, 0, 0, i, 0, desk.JST).Format("20060102150405")
}

// shaking is earthquake i, at a place of its own: its 震度速報, its 震源・震度情報 and its 津波警報.
func shaking(i int, origin time.Time, mode desk.Mode) (flash, report, wave func(press time.Time) desk.Envelope) {
	var areas []desk.ForecastArea
	for p := desk.Prefecture(1); p <= 47; p++ {
		areas = append(areas, desk.LocalAreas(p)...)
	}
	area := areas[i*len(areas)/100%len(areas)]
	depth := 10.0
	q := &replay.Quake{
		ID: shakingID(i), Origin: origin.In(desk.JST), PlaceCode: "390", Place: "試験海域",
		Source: replay.Source{
			Lat: 24 + float64(i%10)*2, Lon: 124 + float64(i/10%10)*2, DepthKM: &depth, Magnitude: 6.8, MagnitudeKind: desk.MagnitudeNumber,
		},
		Shaking: []replay.Level{{Area: area.Code, From: desk.Intensity6Lower, Stations: 3}},
	}
	write := func(kind replay.Kind, press time.Time) desk.Envelope {
		b := replay.Bulletin{
			Kind: kind, Quake: q, Press: press.In(desk.JST), Mode: mode, Phase: desk.Issued, Office: "気象庁", EventID: q.ID, Serial: "1",
			Levels: q.Shaking, Source: q.Source,
		}
		if kind == replay.TsunamiKey {
			b.Tsunami, b.Levels = []replay.TsunamiLevel{{Area: "390", Grade: desk.TsunamiWarning}}, nil
		}
		envs, err := replay.Scenario{Name: "one", Title: "一件", Quakes: []*replay.Quake{q}, Bulletins: []replay.Bulletin{b}}.Envelopes()
		if err != nil {
			panic(err) // the facts above are complete
		}
		return envs[0]
	}
	as := func(kind replay.Kind) func(time.Time) desk.Envelope {
		return func(press time.Time) desk.Envelope { return write(kind, press) }
	}
	return as(replay.Flash), as(replay.Report), as(replay.TsunamiKey)
}

// mailsOf counts what the carrier took, by a word of the subject.
func (h *house) mailsOf(t testing.TB, word string) int {
	t.Helper()
	n := 0
	for _, m := range h.carrier.Kept() {
		parsed := must[*mail.Message](t)(mail.ReadMessage(strings.NewReader(m.Data)))
		if strings.Contains(must[string](t)(new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject"))), word) {
			n++
		}
	}
	return n
}
