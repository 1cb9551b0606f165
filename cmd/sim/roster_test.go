package main

import (
	"bytes"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"yagura/store/desk"
	"yagura/store/storetest"
)

func writeFile(name, text string) error { return os.WriteFile(name, []byte(text), 0o600) }

func testKey(t testing.TB) desk.AddressKey {
	t.Helper()
	key, err := desk.NewAddressKey(bytes.Repeat([]byte{9}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestBuildRoster(t *testing.T) {
	r, err := BuildRoster(1, 11_500, 15_500, testKey(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.People) != 11_500 || len(r.Addresses) != 15_500 {
		t.Errorf("%d people, %d addresses", len(r.People), len(r.Addresses))
	}
	if n := len(r.Groups); n < 550 || n > 650 {
		t.Errorf("%d units", n)
	}
	levels, codes, variants := map[int]int{}, map[string]bool{}, ""
	for _, g := range r.Groups {
		levels[g.Level]++
	}
	if len(levels) != 6 || levels[6] == 0 {
		t.Errorf("levels %v", levels)
	}
	prefectures, tokyo, regionless := map[desk.Prefecture]int{}, 0, 0
	for _, p := range r.People {
		codes[p.Code] = true
		variants += p.Name
		if len(p.Regions) == 0 {
			regionless++
		} else if p.Regions[0] == 13 {
			tokyo++
		}
		seen := map[desk.Prefecture]bool{}
		for _, x := range p.Regions {
			if seen[x] || !x.Valid() {
				t.Fatalf("%s: regions %v", p.Code, p.Regions)
			}
			seen[x] = true
			prefectures[x]++
		}
		if len(p.Regions) > 3 || len(p.Groups) == 0 {
			t.Fatalf("%s: regions %v groups %v", p.Code, p.Regions, p.Groups)
		}
	}
	if len(codes) != 11_500 || len(prefectures) != 47 || regionless != 25 || tokyo < 5500 || tokyo > 7100 {
		t.Errorf("codes %d, prefectures %d, without region %d, Tokyo %d", len(codes), len(prefectures), regionless, tokyo)
	}
	for _, c := range []string{"髙", "﨑", "𠮷"} {
		if !strings.Contains(variants, c) {
			t.Errorf("nobody is written with %s", c)
		}
	}
	reached, prints := map[desk.PersonID]int{}, map[string]bool{}
	for _, a := range r.Addresses {
		reached[a.PersonID]++
		prints[string(a.Fingerprint)] = true
		if !strings.HasSuffix(a.Address.Domain, ".example") {
			t.Fatalf("address outside the example domains: %v", a.Address)
		}
	}
	if len(r.People)-len(reached) != 60 || len(prints) != 15_500 {
		t.Errorf("%d people without an address, %d different addresses", len(r.People)-len(reached), len(prints))
	}
}

func TestBuildRosterRepeats(t *testing.T) {
	one, err := BuildRoster(7, 300, 420, testKey(t))
	if err != nil {
		t.Fatal(err)
	}
	two, _ := BuildRoster(7, 300, 420, testKey(t))
	other, _ := BuildRoster(8, 300, 420, testKey(t))
	if !reflect.DeepEqual(one.People, two.People) || !reflect.DeepEqual(one.Groups, two.Groups) || reflect.DeepEqual(one.People, other.People) {
		t.Error("the seed does not decide who the people are")
	}
	for i := range one.Addresses {
		if !bytes.Equal(one.Addresses[i].Fingerprint, two.Addresses[i].Fingerprint) {
			t.Fatal("mailboxes differ from run to run")
		}
	}
	if _, err := BuildRoster(1, 10, 40, testKey(t)); desk.KindOf(err) != desk.Invalid {
		t.Errorf("four addresses a person: %v", err)
	}
}

func TestSeedIsQuick(t *testing.T) {
	db := storetest.New(t)
	start := time.Now()
	r, err := BuildRoster(1, 11_500, 15_500, testKey(t))
	if err != nil {
		t.Fatal(err)
	}
	built := time.Since(start)
	if err := db.Store(storetest.Owner).ImportRoster(t.Context(), "admin:yagura-sim", r); err != nil {
		t.Fatal(err)
	}
	t.Logf("built in %v, imported in %v", built, time.Since(start)-built)
	if took := time.Since(start); took > 60*time.Second { // 3 s on a quiet machine
		t.Errorf("took %v", took)
	}
	var people, addresses, top int
	db.Scan(`SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM address), (SELECT count(*) FROM groups WHERE level = 1)`, &people, &addresses, &top)
	if people != 11_500 || addresses != 15_500 || top != len(bureaus) {
		t.Errorf("%d people, %d addresses, %d bureaus", people, addresses, top)
	}
}

func TestAddressKeyFile(t *testing.T) {
	dir := t.TempDir()
	for text, ok := range map[string]bool{
		strings.Repeat("k", 32): true, strings.Repeat("0f", 32) + "\n": true, "short": false,
	} {
		if err := writeFile(dir+"/key", text); err != nil {
			t.Fatal(err)
		}
		if _, err := readAddressKey(dir + "/key"); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := readAddressKey(dir + "/none"); desk.KindOf(err) != desk.NotFound {
		t.Errorf("missing file: %v", err)
	}
}

func BenchmarkBuildRoster115k(b *testing.B) {
	key := testKey(b)
	for b.Loop() {
		if _, err := BuildRoster(1, 115_000, 155_000, key); err != nil {
			b.Fatal(err)
		}
	}
}
