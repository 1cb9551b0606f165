package store

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// Approve is the order to send: from here the engine expands the dispatch once the count-down is over, unless somebody stops
// it. No mail row exists without the row this writes (law 2). // F3-1-k.3
//
// Conflict when the dispatch is not proposed any more or its event is of another mode (law 4). Stale when the head-count or
// the latest advice is not what the operator saw. Forbidden when one key is not enough: the policy asks for two people, the
// latest advice has a contradiction (law 3); when the second person is the first; and, however many people, when the latest
// finding on the event is not genuine.
func (s *Store) Approve(ctx context.Context, operator desk.OperatorID, o desk.ApprovalOrder) (desk.Approval, error) {
	const op = "store.Approve"
	var made desk.Approval
	err := s.write(ctx, op, func(tx *Tx) error {
		actor, err := tx.actor(ctx, op, operator)
		if err != nil {
			return err
		}
		if err := tx.lockIncidentOf(ctx, o.DispatchID); err != nil {
			return err
		}
		d, err := tx.lockDispatch(ctx, op, o.DispatchID)
		if err != nil {
			return err
		}
		if d.state != desk.Proposed {
			return desk.Errorf(desk.Conflict, op, "この代行送信はすでに「%s」です。画面を読み直してください。", d.state.Japanese())
		}
		if d.mode != d.eventMode || d.mode != d.incidentMode {
			return modeConflict(op, d.eventMode, d.mode)
		}
		if d.closed {
			return desk.Errorf(desk.Conflict, op, "この災害事象は終了しています。代行送信を取り下げ、新しい災害事象を開いてください。")
		}
		advice, err := tx.latestAdvice(ctx, op, d.event)
		if err != nil {
			return err
		}
		if err := tx.stillAsSeen(ctx, op, d, advice.ID, o); err != nil {
			return err
		}
		policy, err := tx.policy(ctx)
		if err != nil {
			return err
		}
		if err := tx.mayApprove(ctx, op, operator, o.Method, d, advice, policy); err != nil {
			return err
		}
		if made, err = tx.insertApproval(ctx, op, operator, o, policy); err != nil {
			return err
		}
		err = tx.audit(ctx, actor, "dispatch.approve", dispatchSubject(o.DispatchID), map[string]any{
			"method": o.Method, "head_count": o.HeadCount, "advice": o.AdviceID, "policy": policy.Version,
		})
		if err != nil {
			return err
		}
		return tx.notify(ctx, desk.TopicDispatch, int64(o.DispatchID))
	})
	return made, err
}

// lockedDispatch is what the steps of a dispatch are decided on, its row held until the commit.
type lockedDispatch struct {
	state                         desk.DispatchState
	mode, eventMode, incidentMode desk.Mode
	event                         desk.EventID
	proposer                      desk.OperatorID
	incident                      desk.IncidentID
	closed                        bool // the incident was
	triggered                     []desk.TriggeredBy
	stopped                       bool
}

// lockIncidentOf lets one approval at a time decide in an incident: two at once would each not see whom the other asks, and
// people would be asked twice about one shaking. It stands before the dispatch's own lock everywhere. // F3-1-k.4
func (tx *Tx) lockIncidentOf(ctx context.Context, id desk.DispatchID) error {
	_, err := tx.Exec(ctx, `SELECT id FROM incident WHERE id = (SELECT incident_id FROM dispatch WHERE id = @id) FOR NO KEY UPDATE`, pgx.NamedArgs{"id": id})
	return err
}

func (tx *Tx) lockDispatch(ctx context.Context, op string, id desk.DispatchID) (lockedDispatch, error) {
	var d lockedDispatch
	// Locked first and read second: what the second statement reads is what the previous holder of the lock committed.
	args := pgx.NamedArgs{"id": id}
	err := tx.QueryRow(ctx, `SELECT id FROM dispatch WHERE id = @id FOR UPDATE`, args).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return d, noDispatch(op, id)
	}
	if err != nil {
		return d, err
	}
	err = tx.QueryRow(ctx, `
		SELECT d.state, d.mode, e.mode, i.mode, d.event_id, d.proposed_by,
		       d.incident_id, i.closed_at IS NOT NULL,
		       EXISTS (SELECT FROM stop s WHERE s.dispatch_id = d.id)
		FROM dispatch d JOIN event e ON e.id = d.event_id JOIN incident i ON i.id = d.incident_id
		WHERE d.id = @id`, pgx.NamedArgs{"id": id}).
		Scan(&d.state, &d.mode, &d.eventMode, &d.incidentMode, &d.event, &d.proposer, &d.incident, &d.closed, &d.stopped)
	if err != nil {
		return d, err
	}
	rows, err := tx.Query(ctx, `SELECT prefecture::smallint, reason FROM dispatch_prefecture WHERE dispatch_id = @id`, pgx.NamedArgs{"id": id})
	if err != nil {
		return d, err
	}
	var t desk.TriggeredBy
	_, err = pgx.ForEachRow(rows, []any{&t.Prefecture, &t.Reason}, func() error {
		d.triggered = append(d.triggered, t)
		return nil
	})
	return d, err
}

// latestAdvice reads the advice that counts. An event without any cannot be approved.
func (tx *Tx) latestAdvice(ctx context.Context, op string, event desk.EventID) (desk.Advice, error) {
	var advice desk.Advice
	var id desk.AdviceID
	var content []byte
	err := tx.QueryRow(ctx, `SELECT id, content FROM advice WHERE event_id = @event ORDER BY id DESC LIMIT 1`, pgx.NamedArgs{"event": event}).Scan(&id, &content)
	if errors.Is(err, pgx.ErrNoRows) {
		return advice, desk.Errorf(desk.Stale, op, "この事象にはまだ判定参考がありません。届くのを待ってやり直してください。")
	}
	if err != nil {
		return advice, err
	}
	err = json.Unmarshal(content, &advice)
	advice.ID = id
	return advice, err
}

// stillAsSeen compares what the operator decided on with what is true now.
func (tx *Tx) stillAsSeen(ctx context.Context, op string, d lockedDispatch, latest desk.AdviceID, o desk.ApprovalOrder) error {
	if latest != o.AdviceID {
		return desk.Errorf(desk.Stale, op, "判定参考が新しくなりました。事象をもう一度確かめてから承認してください。")
	}
	concerned, err := tx.audienceOf(ctx, d.incident, d.triggered)
	if err != nil {
		return err
	}
	people, err := tx.countPeople(ctx, concerned)
	if err != nil {
		return err
	}
	if people != o.HeadCount {
		return desk.Errorf(desk.Stale, op, "対象人数は現在 %d 人です（承認の申請は %d 人）。人数を確かめてやり直してください。", people, o.HeadCount)
	}
	return nil
}

// mayApprove says whether this many people suffice (law 3).
func (tx *Tx) mayApprove(ctx context.Context, op string, operator desk.OperatorID, method desk.ApproveMethod, d lockedDispatch, advice desk.Advice, policy desk.Policy) error {
	finding, err := tx.latestFinding(ctx, d.event)
	if err != nil {
		return err
	}
	if finding != desk.Genuine {
		return desk.Errorf(desk.Forbidden, op, "最新の真偽判断は「%s」です。送信するには、先に真報と判断してください。", finding.Japanese())
	}
	switch method {
	case desk.OneKey:
		if !policy.OnePersonMay {
			return desk.Errorf(desk.Forbidden, op, "運用方針により、一人では送信できません。二人目の当直者が対象人数を入力して承認してください。")
		}
		if n := advice.Contradictions(); n > 0 {
			return desk.Errorf(desk.Forbidden, op, "判定参考に矛盾が %d 件あります。二人目の当直者が対象人数を入力して承認してください。", n)
		}
		return nil
	case desk.TwoPeople:
		if operator == d.proposer {
			return desk.Errorf(desk.Forbidden, op, "起案した本人は二人目になれません。別の当直者が承認してください。")
		}
		return nil
	}
	return desk.Errorf(desk.Invalid, op, "承認の方法が正しくありません。画面を読み直してください。")
}

// latestFinding is a person's last word on an event; "" while nobody judged.
func (tx *Tx) latestFinding(ctx context.Context, event desk.EventID) (desk.Finding, error) {
	var finding desk.Finding
	err := tx.QueryRow(ctx, `SELECT finding FROM verification WHERE event_id = @event ORDER BY id DESC LIMIT 1`, pgx.NamedArgs{"event": event}).Scan(&finding)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return finding, err
}

func (tx *Tx) insertApproval(ctx context.Context, op string, operator desk.OperatorID, o desk.ApprovalOrder, policy desk.Policy) (desk.Approval, error) {
	made := desk.Approval{
		DispatchID: o.DispatchID, OperatorID: operator, HeadCount: o.HeadCount, Method: o.Method,
		At: tx.Now, NotBefore: tx.Now.Add(policy.CountDown), NotAfter: tx.Now.Add(policy.NotAfter),
	}
	err := tx.QueryRow(ctx, `
		INSERT INTO approval (dispatch_id, operator_id, head_count, method, advice_id, at, not_before, not_after)
		VALUES (@dispatch, @operator, @heads, @method, @advice, @at, @notBefore, @notAfter)
		RETURNING id, (SELECT display FROM operator WHERE id = @operator)`,
		pgx.NamedArgs{
			"dispatch": o.DispatchID, "operator": operator, "heads": o.HeadCount, "method": o.Method, "advice": o.AdviceID,
			"at": made.At, "notBefore": made.NotBefore, "notAfter": made.NotAfter,
		}).Scan(&made.ID, &made.Operator)
	if err != nil {
		return made, err
	}
	return made, tx.exec(ctx, op, `UPDATE dispatch SET state = 'approved' WHERE id = @id AND state = 'proposed'`, pgx.NamedArgs{"id": o.DispatchID})
}

// StopDispatch writes the stop row that every sender looks at before each batch (law 7). It works on what is approved,
// expanded or being sent; during the count-down, before anything was written, the dispatch is withdrawn at once. A second
// stop is Conflict. The reason may be empty: nobody in a hurry is asked for words.
func (s *Store) StopDispatch(ctx context.Context, operator desk.OperatorID, id desk.DispatchID, reason string) (desk.Stop, error) {
	const op = "store.StopDispatch"
	var made desk.Stop
	err := s.write(ctx, op, func(tx *Tx) error {
		actor, err := tx.actor(ctx, op, operator)
		if err != nil {
			return err
		}
		if err := tx.stopDispatch(ctx, op, operator, actor, id, reason); err != nil {
			return err
		}
		after, err := tx.dispatch(ctx, op, id)
		if err == nil {
			made = *after.Stop
		}
		return err
	})
	return made, err
}

// stopDispatch writes the stop of one dispatch with its audit row, and withdraws it when nothing was written of it yet.
func (tx *Tx) stopDispatch(ctx context.Context, op string, operator desk.OperatorID, actor string, id desk.DispatchID, reason string) error {
	d, err := tx.lockDispatch(ctx, op, id)
	if err != nil {
		return err
	}
	if err := mayStop(op, d); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO stop (dispatch_id, operator_id, reason, at) VALUES (@id, @operator, @reason, @at)`,
		pgx.NamedArgs{"id": id, "operator": operator, "reason": desk.CleanText(reason, false), "at": tx.Now})
	if err != nil {
		return err
	}
	// The clock is read after the lock was won: a fan-out that began while this waited has moved expanded_through.
	tag, err := tx.Exec(ctx, `
		UPDATE dispatch d SET state = 'withdrawn', ended_at = @at
		FROM approval a
		WHERE d.id = @id AND a.dispatch_id = d.id AND d.state = 'approved' AND d.expanded_through = 0 AND clock_timestamp() < a.not_before`,
		pgx.NamedArgs{"id": id, "at": tx.Now})
	if err != nil {
		return err
	}
	err = tx.audit(ctx, actor, "dispatch.stop", dispatchSubject(id), map[string]any{"state": d.state, "withdrawn": tag.RowsAffected() == 1})
	if err != nil {
		return err
	}
	return tx.notify(ctx, desk.TopicDispatch, int64(id))
}

func mayStop(op string, d lockedDispatch) error {
	switch {
	case d.stopped:
		return desk.Errorf(desk.Conflict, op, "送信停止はすでに受け付けています。送信状況を確かめてください。")
	case d.state == desk.Proposed:
		return desk.Errorf(desk.Conflict, op, "まだ承認されていないので、何も送っていません。やめるときは取下げを選んでください。")
	case d.state.Ended():
		return desk.Errorf(desk.Conflict, op, "この代行送信は「%s」で終わっているため、停止できません。", d.state.Japanese())
	}
	return nil
}

// Withdraw gives up a dispatch that nobody has approved. From any other state it is Conflict: what was approved is stopped.
func (s *Store) Withdraw(ctx context.Context, operator desk.OperatorID, id desk.DispatchID) error {
	const op = "store.Withdraw"
	return s.write(ctx, op, func(tx *Tx) error {
		actor, err := tx.actor(ctx, op, operator)
		if err != nil {
			return err
		}
		d, err := tx.lockDispatch(ctx, op, id)
		if err != nil {
			return err
		}
		if d.state != desk.Proposed {
			return desk.Errorf(desk.Conflict, op, "この代行送信は「%s」なので取り下げられません。やめるときは送信停止を選んでください。", d.state.Japanese())
		}
		err = tx.exec(ctx, op, `UPDATE dispatch SET state = 'withdrawn', ended_at = @at WHERE id = @id AND state = 'proposed'`, pgx.NamedArgs{"id": id, "at": tx.Now})
		if err != nil {
			return err
		}
		if err := tx.audit(ctx, actor, "dispatch.withdraw", dispatchSubject(id), nil); err != nil {
			return err
		}
		return tx.notify(ctx, desk.TopicDispatch, int64(id))
	})
}
