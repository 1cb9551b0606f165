package store_test

import (
	"testing"
	"time"

	"yagura/store/desk"
	"yagura/store/storetest"
)

// A page host whose clock is ahead must not make its answer beat every later one.
func TestAnAnswerFromTheFutureIsCutBack(t *testing.T) { // F3-1-a.1
	db := storetest.New(t)
	db.Exec(tallyBase)
	addDispatch(db, 1, "sending")
	s := db.Store(storetest.Engine)
	for i, r := range []desk.Response{
		{ReceivedAt: time.Now().Add(time.Hour), Safety: desk.SafetySerious},
		{ReceivedAt: time.Now().Add(time.Minute), Safety: desk.SafetyWell},
	} {
		r.Nonce[0], r.DispatchID, r.PersonID, r.Attendance, r.Channel = byte(i), 1, 1, desk.AttendNow, "link"
		if err := s.RecordResponses(t.Context(), []desk.Response{r}); err != nil {
			t.Fatal(err)
		}
	}
	var safety string
	var future bool
	db.Scan(`SELECT safety, received_at > now() FROM standing WHERE person_id = 1`, &safety, &future)
	if safety != "well" || future {
		t.Errorf("the standing answer is %s, in the future: %v", safety, future)
	}
}
