package bulletin_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"yagura/store"
	"yagura/store/desk"
)

// broken refuses the digest of one person for a reason of its own.
type broken struct {
	*store.Store
	person desk.PersonID
}

func (b broken) IssueDigest(ctx context.Context, d store.DueDigest, subject, body string) (desk.Bulletin, error) {
	if slices.Contains(d.People, b.person) {
		return desk.Bulletin{}, desk.Errorf(desk.Internal, "test", "壊れたまとめ")
	}
	return b.Store.IssueDigest(ctx, d, subject, body)
}

func TestOneBrokenDigestHoldsNobodyElseUp(t *testing.T) {
	for _, person := range []desk.PersonID{1, 2} { // whichever of the two comes first
		o := newOffice(t, 2)
		list := []desk.Subscription{
			{Code: code(1), Kind: desk.BulletinConfirmed, Cadence: desk.AsDigest},
			{Code: code(2), Kind: desk.BulletinConfirmed, Cadence: desk.AsDigest, FromIntensity: desk.Intensity7},
		}
		if _, _, err := o.owner.SetSubscriptions(t.Context(), "admin:test", []desk.BulletinKind{desk.BulletinConfirmed}, list); err != nil {
			t.Fatal(err)
		}
		o.read(report("20240101161100", "1", desk.Intensity6Upper, "Ｍ６．４"))
		o.read(report(noto, "1", desk.Intensity7, "Ｍ７．６"))
		o.consider()
		o.db.Exec(`UPDATE bulletin_recipient SET due_at = now() - interval '1 second' WHERE due_at IS NOT NULL`)
		stop := o.run("digest", broken{o.engine, person})
		await(t, "the other's digest", func() bool {
			return o.count(fmt.Sprintf(`SELECT count(*) FROM mail WHERE person_id = %d`, 3-person)) == 1
		})
		stop()
		if n := o.count(`SELECT count(*) FROM mail`); n != 1 {
			t.Errorf("%d mails, the broken digest left", n)
		}
		stop = o.run("mended", nil)
		await(t, "the digest that was broken", func() bool { return o.count(`SELECT count(*) FROM mail`) == 2 })
		stop()
	}
}
