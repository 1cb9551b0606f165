package answer

import (
	"context"
	"errors"
	"slices"
	"time"

	"yagura/store/desk"
)

// drain brings journalled answers to the database as soon as it is back, until ctx ends. It is started by an append and by a
// timer, so that nothing depends on a signal that got lost.
func (s *Service) drain(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var stuckUntil time.Time
	for {
		if now := s.o.Now(); !s.away() && now.After(stuckUntil) && s.journal.waiting() {
			err := s.drainOnce(ctx)
			if err != nil && ctx.Err() == nil && !isAway(err) {
				stuckUntil = s.o.Now().Add(stuckFor)
				s.log.Error("一時保管した回答の一部を登録できません。消さずに残し、あとで試します", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.drainNow:
		}
	}
}

// drainOnce stores every segment written so far, oldest first. A segment is removed only when all its answers are stored.
func (s *Service) drainOnce(ctx context.Context) error {
	numbers, err := s.journal.sealed()
	if err != nil {
		return err
	}
	var stuck error
	for _, number := range numbers {
		answers, err := s.journal.read(number)
		if err != nil {
			stuck = errors.Join(stuck, err)
			continue
		}
		err = s.drainSegment(ctx, answers)
		if isAway(err) || ctx.Err() != nil {
			return err
		}
		if err == nil {
			err = s.journal.remove(number)
			s.drained.Add(int64(len(answers)))
		}
		stuck = errors.Join(stuck, err)
	}
	return stuck
}

// drainSegment stores in batches; when the database dislikes a batch, one by one, so that one bad answer keeps no other back.
func (s *Service) drainSegment(ctx context.Context, answers []desk.Response) error {
	var stuck error
	for batch := range slices.Chunk(answers, batchMost) {
		err := s.drainBatch(ctx, batch)
		if err == nil {
			continue
		}
		if isAway(err) || len(batch) == 1 {
			stuck = errors.Join(stuck, err)
			continue
		}
		for i := range batch {
			if err := s.drainBatch(ctx, batch[i:i+1]); err != nil {
				stuck = errors.Join(stuck, err)
				if isAway(err) {
					break
				}
			}
		}
	}
	return stuck
}

func (s *Service) drainBatch(ctx context.Context, batch []desk.Response) error {
	if s.away() {
		return desk.Errorf(desk.Unavailable, "answer.drain", "データベースにつながりません。")
	}
	ctx, cancel := context.WithTimeout(ctx, drainWithin)
	defer cancel()
	err := s.o.Store.RecordResponses(ctx, batch)
	s.markAway(err)
	return err
}
