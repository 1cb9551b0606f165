package intake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"yagura/feeds"
	"yagura/store"
	"yagura/store/desk"
	"yagura/store/storetest"
)

// TestThreePathsEndLikeOne: the night of Noto by three paths at once, each dropping, repeating and reordering telegrams on its own,
// leaves the store as one clean path does: nothing lost, nothing doubled, the same events with the same advice.
func TestThreePathsEndLikeOne(t *testing.T) {
	envs := scenario(t, "noto")
	cleanStore, clean := playAll(t, storetest.New(t), envs)
	want := nightOf(t, cleanStore)
	for seed := range uint64(2) {
		r := rand.New(rand.NewPCG(seed, 11))
		db := storetest.New(t)
		st := db.Store(storetest.Engine)
		names := []string{"dmdata", "jma-pull", "line"}
		paths := make([][]desk.Envelope, len(names))
		for i, env := range envs {
			first := i % len(names) // at least one path brings it
			for p, name := range names {
				if p != first && r.IntN(3) == 0 {
					continue // dropped
				}
				env := env
				env.Feed = name
				if p > 0 {
					env.Raw = bytes.ReplaceAll(bytes.ReplaceAll(env.Raw, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
				}
				paths[p] = append(paths[p], env)
				if r.IntN(4) == 0 {
					paths[p] = append(paths[p], env) // doubled
				}
			}
		}
		var sources []feeds.Source
		handed := 0
		for p, name := range names {
			reorder(r, paths[p])
			sources = append(sources, slice{name, paths[p]})
			handed += len(paths[p])
		}
		in := start(t, st, "a", sources...)
		await(t, "three paths", func() bool {
			c := in.Counts()
			return c.Stored+c.Duplicates == int64(handed) && c.Judged+c.Unreadable == c.Stored
		})
		c := in.Counts()
		t.Logf("seed %d: %d handed over for %d telegrams, %d stored, %d known, %d unreadable", seed, handed, clean.Counts().Stored, c.Stored, c.Duplicates, c.Unreadable)
		if c.Stored != clean.Counts().Stored || c.Unreadable != 0 {
			t.Errorf("seed %d: %+v, one path gave %+v", seed, c, clean.Counts())
		}
		if got := nightOf(t, st); got != want {
			t.Errorf("seed %d (- one path, + three):\n%s", seed, cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")))
		}
	}
}

// reorder exchanges telegrams with near ones, as networks do.
func reorder(r *rand.Rand, envs []desk.Envelope) {
	for i := range envs {
		j := min(len(envs)-1, i+r.IntN(4))
		envs[i], envs[j] = envs[j], envs[i]
	}
}

// nightOf writes down what the desk would see, without the ids and receiving times that depend on the path.
func nightOf(t *testing.T, st *store.Store) string {
	t.Helper()
	items, err := st.Inbox(t.Context(), 500)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(items, func(a, b desk.InboxItem) int {
		return strings.Compare(fmt.Sprint(a.Event.EventIDs), fmt.Sprint(b.Event.EventIDs))
	})
	var out bytes.Buffer
	for _, i := range items {
		triggered, err := json.Marshal(i.Advice.Triggered)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "%v %s %s 最大%v 津波%s %d通 等級%d %s\n", i.Event.EventIDs, i.Event.Status, i.Event.Title, i.Event.MaxIntensity,
			i.Event.Tsunami, i.Event.Telegrams, i.Advice.Grade, triggered)
	}
	return out.String()
}
