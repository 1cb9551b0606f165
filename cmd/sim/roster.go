package main

import (
	"fmt"
	"math/rand/v2"

	"yagura/store"
	"yagura/store/desk"
)

// BuildRoster invents a ministry: people, exactly so many addresses, six levels of units. The same seed gives the same people,
// units and mailboxes (the sealed bytes differ each time, as they must). All mailboxes lie under the simulated carriers'
// example domains. More than three addresses a person is Invalid.
func BuildRoster(seed uint64, people, addresses int, key desk.AddressKey) (store.Roster, error) {
	const op = "sim.BuildRoster"
	profiles, err := ShippedProfiles()
	if err != nil {
		return store.Roster{}, err
	}
	rng := rand.New(rand.NewPCG(seed, 0x79616775726121))
	b := rosterBuilder{rng: rng, profiles: profiles, key: key}
	b.buildUnits()
	unreached := (people*60 + 11_499) / 11_500 // nobody can mail them: the desk must see them by name // F3-1-g
	uncovered := (people*25 + 11_499) / 11_500 // in no audience ever // F3-1-f
	if people < 1 || addresses < 0 || addresses > 3*(people-unreached) {
		return store.Roster{}, desk.Errorf(desk.Invalid, op, "人数とアドレス数が釣り合いません（1人3つまで）。")
	}
	order := rng.Perm(people)
	without := map[int]bool{}
	for _, i := range order[:unreached] {
		without[i] = true
	}
	regionless := map[int]bool{}
	// They are new staff of whom nothing is registered yet, neither region nor address: every address there is belongs to somebody
	// who can be in an audience.
	for _, i := range order[:uncovered] {
		regionless[i] = true
	}
	for i := range people {
		b.addPerson(i, regionless[i])
	}
	if err := b.addAddresses(addresses, without); err != nil {
		return store.Roster{}, err
	}
	return b.roster, nil
}

type rosterBuilder struct {
	rng      *rand.Rand
	profiles []Profile
	key      desk.AddressKey
	roster   store.Roster
	leaves   [][]desk.GroupID // by bureau: units people belong to
	romaji   []string         // by person, for the mailbox
}

// bureau is one level-1 unit. Head offices sit in Tokyo.
type bureau struct {
	name        string
	share       float64
	prefectures []desk.Prefecture
	weights     []float64
}

var bureaus = []bureau{
	{"大臣官房", 0.10, []desk.Prefecture{13}, nil},
	{"総合政策局", 0.07, []desk.Prefecture{13}, nil},
	{"通商局", 0.06, []desk.Prefecture{13}, nil},
	{"産業局", 0.07, []desk.Prefecture{13}, nil},
	{"情報局", 0.05, []desk.Prefecture{13}, nil},
	{"商務局", 0.05, []desk.Prefecture{13}, nil},
	{"資源局", 0.06, []desk.Prefecture{13}, nil},
	{"環境保安局", 0.05, []desk.Prefecture{13}, nil},
	{"技術審査局", 0.04, []desk.Prefecture{13}, nil},
	{"北海道局", 0.04, []desk.Prefecture{1}, nil},
	{"東北局", 0.06, []desk.Prefecture{4, 2, 3, 5, 6, 7}, []float64{5, 1, 1, 1, 1, 1.5}},
	{"関東局", 0.08, []desk.Prefecture{11, 12, 14, 8, 9, 10, 19, 20}, []float64{5, 2, 3, 1.5, 1, 1, 0.7, 1}},
	{"北陸局", 0.04, []desk.Prefecture{17, 15, 16, 18}, []float64{3, 2.5, 2, 1.5}},
	{"中部局", 0.06, []desk.Prefecture{23, 22, 21, 24}, []float64{5, 2, 1.5, 1}},
	{"近畿局", 0.06, []desk.Prefecture{27, 26, 28, 25, 29, 30}, []float64{5, 1.5, 2, 0.7, 0.7, 0.7}},
	{"中国局", 0.03, []desk.Prefecture{34, 33, 31, 32, 35}, []float64{4, 1.5, 0.8, 0.8, 1}},
	{"四国局", 0.02, []desk.Prefecture{37, 36, 38, 39}, []float64{3, 1, 1.2, 1}},
	{"九州局", 0.05, []desk.Prefecture{40, 41, 42, 43, 44, 45, 46}, []float64{5, 0.8, 1, 1.2, 0.9, 0.9, 1.2}},
	{"沖縄局", 0.01, []desk.Prefecture{47}, nil},
}

var (
	divisions = []string{"総務部", "企画部", "業務部"}
	sections  = []string{"総務課", "企画課", "調査課", "指導課", "会計課", "連絡課", "審査課", "計画課", "推進課"}
	offices   = []string{"管理室", "調整室", "分析室", "支援室"}
)

// buildUnits makes the tree of six levels with about 600 units.
func (b *rosterBuilder) buildUnits() {
	add := func(parent desk.GroupID, level int, name string) desk.GroupID {
		id := desk.GroupID(len(b.roster.Groups) + 1)
		b.roster.Groups = append(b.roster.Groups, desk.Group{ID: id, Parent: parent, Name: name, Level: level})
		return id
	}
	for n, u := range bureaus {
		var leaves []desk.GroupID
		top := add(0, 1, u.name)
		for d := range 2 + n%2 {
			division := add(top, 2, divisions[d])
			for s := range 3 {
				section := add(division, 3, sections[(n+3*d+s)%len(sections)])
				office := add(section, 4, offices[(n+s)%len(offices)])
				leaves = append(leaves, section, office)
				if s == 2 {
					leaves = append(leaves, add(section, 4, "危機管理室"))
				}
				team := add(office, 5, fmt.Sprintf("第%d班", s+1))
				leaves = append(leaves, team)
				if s == 0 {
					leaves = append(leaves, add(team, 6, "当番係"), add(team, 6, "連絡係"))
				}
			}
		}
		b.leaves = append(b.leaves, leaves)
	}
}

// addPerson invents person i (from 0).
func (b *rosterBuilder) addPerson(i int, regionless bool) {
	family, given := surnames[b.rng.IntN(len(surnames))], givenNames[b.rng.IntN(len(givenNames))]
	n := pick(b.rng, len(bureaus), func(k int) float64 { return bureaus[k].share })
	leaves := b.leaves[n]
	p := desk.Person{
		ID: desk.PersonID(i + 1), Code: fmt.Sprintf("%06d", 100_000+i), Name: family.kanji + " " + given.kanji, Kana: family.kana + " " + given.kana,
		Groups: []desk.GroupID{leaves[b.rng.IntN(len(leaves))]},
	}
	if b.rng.Float64() < 0.1 { // belongs to an emergency team elsewhere as well // F3-1-h
		if second := leaves[b.rng.IntN(len(leaves))]; second != p.Groups[0] {
			p.Groups = append(p.Groups, second)
		}
	}
	if !regionless {
		p.Regions = b.regions(&bureaus[n])
	}
	b.roster.People = append(b.roster.People, p)
	b.romaji = append(b.romaji, family.romaji+"."+given.romaji)
}

// regions are one to three prefectures: where the person works, often where he lives, rarely a third.
func (b *rosterBuilder) regions(u *bureau) []desk.Prefecture {
	work := u.prefectures[0]
	if u.weights != nil {
		work = u.prefectures[pick(b.rng, len(u.prefectures), func(k int) float64 { return u.weights[k] })]
	}
	out := []desk.Prefecture{work}
	around := u.prefectures
	if work == 13 {
		around = []desk.Prefecture{11, 12, 14, 8} // commuters to Tokyo
	}
	for _, chance := range []float64{0.15, 0.2} {
		if b.rng.Float64() >= chance {
			break
		}
		next := around[b.rng.IntN(len(around))]
		if next == out[0] || next == out[len(out)-1] {
			break
		}
		out = append(out, next)
	}
	return out
}

// addAddresses gives every person but those without one address first, then second and third ones at random.
func (b *rosterBuilder) addAddresses(total int, without map[int]bool) error {
	var owners []int
	for i := range b.roster.People {
		if !without[i] {
			owners = append(owners, i)
		}
	}
	b.rng.Shuffle(len(owners), func(i, j int) { owners[i], owners[j] = owners[j], owners[i] })
	how := make([]int, len(b.roster.People))
	for n := range total {
		if round := n / len(owners); n%len(owners) == 0 && round > 0 {
			b.rng.Shuffle(len(owners), func(i, j int) { owners[i], owners[j] = owners[j], owners[i] })
		}
		how[owners[n%len(owners)]]++
	}
	for i, count := range how {
		for n := range count {
			if err := b.addAddress(i, n); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *rosterBuilder) addAddress(i, n int) error {
	lane := &b.profiles[pick(b.rng, len(b.profiles), func(k int) float64 { return b.profiles[k].Share })]
	local := fmt.Sprintf("%s%d%c", b.romaji[i], i+1, 'a'+n)
	if x := b.rng.Float64(); (lane.Lane == "docomo" || lane.Lane == "au") && x < 0.01 {
		local = []string{"-" + local, local + ".", fmt.Sprintf("%s..%d%c", b.romaji[i], i+1, 'a'+n)}[int(x*300)] // as they still exist (field.md 6.1)
	}
	mailbox := local + "@" + lane.Domains[b.rng.IntN(len(lane.Domains))]
	sealed, err := b.key.Seal(mailbox)
	if err != nil {
		return err
	}
	state := desk.AddressVerified
	if b.rng.Float64() < 0.08 {
		state = desk.AddressUnverified
	}
	b.roster.Addresses = append(b.roster.Addresses, store.RosterAddress{
		PersonID: desk.PersonID(i + 1), Address: sealed, Fingerprint: b.key.Fingerprint(mailbox), State: state,
	})
	return nil
}

// pick draws one of n by weight.
func pick(rng *rand.Rand, n int, weight func(int) float64) int {
	sum := 0.0
	for i := range n {
		sum += weight(i)
	}
	x := rng.Float64() * sum
	for i := range n {
		if x -= weight(i); x < 0 {
			return i
		}
	}
	return n - 1
}
