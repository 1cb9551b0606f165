package intake

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"yagura/engine/rules"
	"yagura/feeds"
	"yagura/feeds/replay"
	"yagura/store"
	"yagura/store/desk"
	"yagura/store/storetest"
)

// sharedFolder finds a folder of telegrams that is no part of the project.
func sharedFolder(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("YAGURA_SHARED")
	for dir, _ := os.Getwd(); root == "" && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "shared", "jma")); err == nil {
			root = filepath.Join(dir, "shared")
		}
	}
	path := filepath.Join(root, "jma", name)
	if _, err := os.Stat(path); root == "" || err != nil {
		t.Skipf("the telegrams are not here (set YAGURA_SHARED): %s", name)
	}
	return path
}

func TestRealTelegramsAndSamplesAreAllJudged(t *testing.T) {
	for _, folder := range []string{"real", "samples"} {
		t.Run(folder, func(t *testing.T) {
			envs, err := replay.Files(sharedFolder(t, folder))
			if err != nil {
				t.Fatal(err)
			}
			slices.SortStableFunc(envs, func(a, b desk.Envelope) int { return a.ReceivedAt.Compare(b.ReceivedAt) })
			db := storetest.New(t)
			st, in := playAll(t, db, envs)
			if c := in.Counts(); c.Unreadable != 0 {
				t.Errorf("%d files: %+v", len(envs), c)
			}
			var events, twins int
			db.Scan(`SELECT count(*), count(*) FILTER (WHERE cardinality(event_keys) > 1) FROM event`, &events, &twins)
			t.Logf("%d files, %d events, %d of them under several EventIDs, slowest %v", len(envs), events, twins, in.Counts().Slowest)
			spared := 0
			for _, env := range envs { // every file belongs to an event, or is one the desk is spared on purpose
				tg, err := in.parse(desk.Telegram{Envelope: env})
				if err != nil {
					t.Fatal(env.Name, err)
				}
				digest := feeds.Digest(env.Raw)
				var linked bool
				db.Scan(`SELECT EXISTS (SELECT FROM telegram t JOIN event_telegram et ON et.telegram_id = t.id WHERE t.digest = '\x`+hex.EncodeToString(digest[:])+`')`, &linked)
				if !linked {
					spared++
				}
				if !linked && !rules.Quiet(tg) {
					t.Errorf("%s (%s) belongs to no event", env.Name, tg.Title)
				}
			}
			t.Logf("the desk is spared %d", spared)
			showEvents(t, st)
		})
	}
}

// showEvents logs the inbox, so that a reader of the test sees what the desk would.
func showEvents(t *testing.T, st *store.Store) {
	t.Helper()
	items, err := st.Inbox(t.Context(), 500)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range items {
		if i.Event.Title == "" || i.Advice == nil {
			t.Errorf("event %d has no title or no advice", i.Event.ID)
			continue
		}
		t.Logf("%d %s %s %q %d通 %v", i.Advice.Grade, i.Event.Hazard, i.Event.Mode, i.Event.Title, i.Event.Telegrams, i.Event.EventIDs)
	}
}
