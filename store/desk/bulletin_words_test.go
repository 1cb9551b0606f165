package desk

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSubscriptionsAreChecked(t *testing.T) {
	s, err := NewSubscription("P1", BulletinQuick, []Prefecture{17, 15, 17}, "5-", "")
	if err != nil || s.FromIntensity != Intensity5Lower || s.Cadence != ChangesOnly || !slices.Equal(s.Prefectures, []Prefecture{15, 17}) {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err = NewSubscription("P1", BulletinWeather, nil, "5", AsDigest); err != nil || s.FromLevel != LevelSpecial || s.FromIntensity != IntensityUnknown {
		t.Errorf("%+v, %v", s, err)
	}
	for _, one := range DesignateAll([]string{"P1", "P2"}, BulletinKinds()...) {
		if err := one.Validate(); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []struct {
		code    string
		kind    BulletinKind
		places  []Prefecture
		from    string
		cadence Cadence
		words   string
	}{
		{"", BulletinQuick, nil, "", "", "職員番号がありません"},
		{"P1", "fire", nil, "", "", "種別"},
		{"P1", BulletinDigest, nil, "", "", "種別"},
		{"P1", BulletinQuick, nil, "5", "", "震度"},
		{"P1", BulletinTsunami, nil, "6", "", "段階"},
		{"P1", BulletinTsunami, nil, "10", "", "段階"},
		{"P1", BulletinTsunami, nil, "", "daily", "頻度"},
		{"P1", BulletinQuick, nil, "", AsDigest, "まとめて送れません"}, // P5-2
		{"P1", BulletinQuick, []Prefecture{48}, "", "", "都道府県"},
	} {
		if _, err := NewSubscription(c.code, c.kind, c.places, c.from, c.cadence); KindOf(err) != Invalid || !strings.Contains(Message(err), c.words) {
			t.Errorf("%+v: %v %q", c, KindOf(err), Message(err))
		}
	}
}

func TestBulletinRulesAreChecked(t *testing.T) {
	good := BulletinRule{Kind: BulletinQuick, FromIntensity: Intensity4, StaleAfter: time.Hour, DigestEvery: time.Hour}
	if err := good.Validate(); err != nil || good.From() != int(Intensity4) {
		t.Errorf("%v, from %d", err, good.From())
	}
	for words, change := range map[string]func(*BulletinRule){
		"種別":   func(r *BulletinRule) { r.Kind = BulletinDigest },
		"設定震度": func(r *BulletinRule) { r.FromIntensity = IntensityUnknown },
		"段階":   func(r *BulletinRule) { r.FromLevel = 6 },
		"再通知":  func(r *BulletinRule) { r.RepeatAfter = -1 },
		"古い情報": func(r *BulletinRule) { r.StaleAfter = time.Second },
		"まとめ":  func(r *BulletinRule) { r.DigestEvery = 0 },
	} {
		bad := good
		change(&bad)
		if err := bad.Validate(); KindOf(err) != Invalid || !strings.Contains(Message(err), words) {
			t.Errorf("%s: %v", words, err)
		}
	}
}

func TestBulletinWords(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range append(BulletinKinds(), BulletinDigest) {
		if seen[k.Japanese()] || k.Japanese() == "" {
			t.Errorf("%s is called %q", k, k.Japanese())
		}
		seen[k.Japanese()] = true
		b := Bulletin{Kind: k, MaxIntensity: Intensity7, Level: LevelDanger}
		if want := map[bool]int{true: int(Intensity7), false: int(LevelDanger)}[k.ByIntensity()]; b.Grade() != want {
			t.Errorf("%s is graded %d", k, b.Grade())
		}
	}
	for s, ends := range map[BulletinStep]bool{
		BulletinNew: false, BulletinChanged: false, BulletinCorrected: false, BulletinGathered: false, BulletinWithdrawn: true, BulletinLifted: true,
	} {
		if s.Ends() != ends || strings.Contains(s.Japanese(), "不明") {
			t.Errorf("%s: %s, ends %v", s, s.Japanese(), s.Ends())
		}
	}
	for _, c := range []Cadence{EveryIssue, ChangesOnly, AsDigest} {
		if c.Japanese() == "不明" {
			t.Errorf("%s has no word", c)
		}
	}
}
