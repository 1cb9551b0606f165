package store_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"yagura/store/desk"
	"yagura/store/storetest"
)

// TestTheSchemaKnowsTheSameSteps tries every pair of states as each role, past every method: the schema lets through exactly
// what desk.DispatchState.May does.
func TestTheSchemaKnowsTheSameSteps(t *testing.T) {
	d := onDuty(t)
	id := d.approve(t)
	states := []desk.DispatchState{desk.Proposed, desk.Approved, desk.Expanded, desk.Sending, desk.Sent, desk.Stopped, desk.Expired, desk.Withdrawn}
	for _, role := range []string{storetest.Engine, storetest.Console} {
		conn := d.db.Conn(role)
		for _, from := range states {
			for _, to := range states {
				if from == to {
					continue
				}
				d.db.Exec(`UPDATE dispatch SET state = $1 WHERE id = $2`, string(from), int64(id))
				_, err := conn.Exec(t.Context(), `UPDATE dispatch SET state = $1 WHERE id = $2`, string(to), int64(id))
				if (err == nil) != from.May(to) || (err != nil && !isViolation(err)) {
					t.Errorf("%s: %s to %s: %v, May says %v", role, from, to, err, from.May(to))
				}
			}
		}
	}
}

// TestNobodyApprovesWithoutARow: the engine, or a desk that forgot to write who approved, cannot put a draft under way. // law 2
func TestNobodyApprovesWithoutARow(t *testing.T) {
	d := onDuty(t)
	id := d.propose(t).ID
	for _, role := range []string{storetest.Engine, storetest.Console} {
		if _, err := d.db.Conn(role).Exec(t.Context(), `UPDATE dispatch SET state = 'approved' WHERE id = $1`, int64(id)); !isViolation(err) {
			t.Errorf("%s approved without an approval: %v", role, err)
		}
	}
}

// TestADraftIsOfTheModeOfItsEvent: a drill cannot become a live dispatch by any statement of the desk. // law 4
func TestADraftIsOfTheModeOfItsEvent(t *testing.T) {
	db := storetest.New(t)
	operator := storetest.Operator(t, db, "tanaka")
	event, _ := storetest.Event(t, db, storetest.Happening{Mode: desk.Drill})
	incident := storetest.Incident(t, db, operator, event)
	for _, c := range []struct {
		mode, state string
		taken       bool
	}{{"live", "proposed", false}, {"test", "proposed", false}, {"drill", "approved", false}, {"drill", "proposed", true}} {
		_, err := db.Conn(storetest.Console).Exec(t.Context(), `
			INSERT INTO dispatch (incident_id, event_id, mode, state, subject, body, template_id, template_version, head_count, addresses, unreached, proposed_by, proposed_at)
			VALUES (@incident, @event, @mode, @state, 'x', 'x', 'safety', 1, 0, 0, 0, @operator, now())`,
			pgx.NamedArgs{"incident": incident, "event": event, "mode": c.mode, "state": c.state, "operator": operator})
		if (err == nil) != c.taken || (err != nil && !isViolation(err)) {
			t.Errorf("%s %s: %v", c.mode, c.state, err)
		}
	}
}

func isViolation(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23514" // check_violation
}
