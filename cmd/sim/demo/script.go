package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"yagura/feeds/replay"
	"yagura/store"
	"yagura/store/desk"
)

// patience bounds the whole headless run; a step that has not happened by then has not happened.
const patience = 6 * time.Minute

// script is the headless run: the scripted operator at the desk, then the summary, then the proof that every step happened.
func (in *installation) script(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s, err := store.Open(ctx, store.Options{DSN: in.pg.DSN(database, deskRole), Name: "scripted desk"})
	if err != nil {
		return err
	}
	defer s.Close()
	expected, err := in.expected()
	if err != nil {
		return err
	}
	fmt.Fprintf(in.Out, "\n台本の当直者が着席（電文 %d 通を再生）\n", expected)
	if err := in.greet(ctx); err != nil {
		return err
	}
	op := &operator{desk: s, id: in.people[0], out: in.Out, seen: map[desk.EventID]desk.AdviceID{}, started: time.Now()}
	if err := in.watch(ctx, s, op, expected); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	r, err := gather(context.WithoutCancel(ctx), s)
	if err != nil {
		return err
	}
	r.expected, r.noto, r.notices.designated = expected, in.Replay == "", in.Designated
	if err := in.askCarriers(context.WithoutCancel(ctx), r.mailings(), r.notices); err != nil {
		return err
	}
	r.print(in.Out)
	return r.prove(in.Out)
}

// expected is the number of different telegrams the replay holds.
func (in *installation) expected() (int, error) {
	var envs []desk.Envelope
	var err error
	if in.Replay == "" {
		var scenario replay.Scenario
		if scenario, err = replay.Builtin("noto"); err == nil {
			envs, err = scenario.Envelopes()
		}
	} else {
		envs, err = replay.Files(in.Replay)
	}
	if err != nil {
		return 0, err
	}
	different := map[[32]byte]bool{}
	for _, e := range envs {
		different[digest(e.Raw)] = true
	}
	return len(different), nil
}

// greet proves that the desk answers to the operator's key over a real SSH connection and to no other.
func (in *installation) greet(ctx context.Context) error {
	client, err := dial(ctx, in.deskAddr, "tobanashi", in.secrets.operator, in.host)
	if err != nil {
		return fmt.Errorf("当直卓に SSH で入れません: %w", err)
	}
	defer client.Close()
	screen, err := glimpse(client, 3*time.Second)
	if err != nil {
		return err
	}
	if !strings.Contains(screen, "本番") {
		return errors.New("当直卓の画面が開きません")
	}
	fmt.Fprintln(in.Out, "当直卓に SSH で接続し、画面が出ることを確認")
	return nil
}

// watch lets the operator act until every telegram was read, everything is judged, every dispatch has ended and the answers
// have come to rest.
func (in *installation) watch(ctx context.Context, s *store.Store, op *operator, expected int) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	var calmSince time.Time
	before := -1
	for {
		if err := op.act(ctx); err != nil {
			return err
		}
		_, read, _, err := s.TelegramCounts(ctx)
		if err != nil {
			return err
		}
		open, answered, err := underWay(ctx, s)
		if err != nil {
			return err
		}
		if read < expected || open || answered != before {
			before, calmSince = answered, time.Now()
		}
		if time.Since(calmSince) > 8*time.Second {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// underWay says whether a dispatch or a bulletin is still leaving, and how many people have answered so far.
func underWay(ctx context.Context, s *store.Store) (open bool, answered int, err error) {
	list, err := s.ActiveDispatches(ctx)
	if err != nil {
		return false, 0, err
	}
	told, err := s.Bulletins(ctx, manyBulletins)
	if err != nil {
		return false, 0, err
	}
	open = slices.ContainsFunc(told, func(b desk.Bulletin) bool { return !b.State.Ended() })
	for _, p := range list {
		open = open || !p.Dispatch.State.Ended() && p.Dispatch.State != desk.Proposed && p.Pending > 0
		open = open || p.Dispatch.State == desk.Approved
		t, err := s.Tally(ctx, p.Dispatch.ID)
		if err != nil && desk.KindOf(err) != desk.NotFound {
			return false, 0, err
		}
		answered += t.Answered
	}
	return open, answered, nil
}

// report is what happened, read back from the store.
type report struct {
	expected, stored, read, unreadable int
	noto                               bool
	files                              []desk.EventFile // oldest first
	dispatches                         []desk.DispatchProgress
	tallies                            map[desk.DispatchID]desk.Tally
	asked                              map[int]int
	notices                            *notices
}

// mailings are the numbers of everything that was mailed, asked for or automatic.
func (r *report) mailings() (ids []desk.DispatchID) {
	for _, p := range r.dispatches {
		ids = append(ids, p.Dispatch.ID)
	}
	for i := range r.notices.bulletins {
		ids = append(ids, r.notices.bulletins[i].ID)
	}
	return ids
}

func gather(ctx context.Context, s *store.Store) (*report, error) {
	r := &report{tallies: map[desk.DispatchID]desk.Tally{}}
	var err error
	if r.stored, r.read, r.unreadable, err = s.TelegramCounts(ctx); err != nil {
		return nil, err
	}
	items, err := s.Inbox(ctx, 10_000)
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		if item.Unreadable {
			continue
		}
		file, err := s.EventFile(ctx, item.Event.ID)
		if err != nil {
			return nil, err
		}
		r.files = append(r.files, file)
	}
	slices.SortFunc(r.files, func(a, b desk.EventFile) int { return a.Item.Event.OccurredAt.Compare(b.Item.Event.OccurredAt) })
	if r.dispatches, err = s.ActiveDispatches(ctx); err != nil {
		return nil, err
	}
	slices.SortFunc(r.dispatches, func(a, b desk.DispatchProgress) int { return int(a.Dispatch.ID - b.Dispatch.ID) })
	for _, p := range r.dispatches {
		t, err := s.Tally(ctx, p.Dispatch.ID)
		if err != nil && desk.KindOf(err) != desk.NotFound {
			return nil, err
		}
		r.tallies[p.Dispatch.ID] = t
	}
	if r.asked, err = s.TimesAsked(ctx); err != nil {
		return nil, err
	}
	r.notices, err = gatherNotices(ctx, s)
	return r, err
}
