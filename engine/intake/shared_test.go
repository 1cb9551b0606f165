package intake

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"yagura/feeds/replay"
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
			_, in := playAll(t, db, envs)
			if c := in.Counts(); c.Unreadable != 0 {
				t.Errorf("%d files: %+v", len(envs), c)
			}
			var events, unlinked, twins int
			db.Scan(`SELECT count(*), (SELECT count(*) FROM telegram t WHERE NOT EXISTS (SELECT FROM event_telegram et WHERE et.telegram_id = t.id)),
				(SELECT count(*) FROM event WHERE cardinality(event_keys) > 1) FROM event`, &events, &unlinked, &twins)
			t.Logf("%d files, %d events, %d of them under several EventIDs, slowest %v", len(envs), events, twins, in.Counts().Slowest)
			if unlinked != 0 {
				t.Errorf("%d telegrams belong to no event", unlinked)
			}
		})
	}
}
