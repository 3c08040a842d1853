package pipeline

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/oci-promote/oci-promote/internal/version"
)

// Ask puts a question to the rules of a ladder, and learns what they need for the answer.
func (s *Store) Ask(ctx context.Context, now Snapshot, rule func(*version.Ladder) version.Need) error {
	for {
		need := rule(now.Ladder)
		if need.None() {
			return nil
		}
		if err := s.learn(ctx, now, need); err != nil {
			return err
		}
	}
}

// learn asks what a rule needs, eight questions at a time.
func (s *Store) learn(ctx context.Context, now Snapshot, need version.Need) error {
	names, err := AskAll(ctx, need.Names, s.Resolve)
	if err != nil {
		return err
	}
	artifacts, err := AskAll(ctx, need.Read, func(ctx context.Context, tag string) (*Artifact, error) {
		if stable, ok := now.Ladder.Stable(); ok && tag == stable.String() {
			return s.ReadStable(ctx, now)
		}
		return s.Read(ctx, tag)
	})
	if err != nil {
		return err
	}
	relations, err := AskAll(ctx, need.Compare, s.compare)
	if err != nil {
		return err
	}
	for i, tag := range need.Names {
		now.Ladder.Name(tag, names[i])
	}
	for i, tag := range need.Read {
		if a := artifacts[i]; a != nil {
			now.Ladder.Learn(tag, a.Known())
		} else {
			now.Ladder.Name(tag, "")
		}
	}
	for i, pair := range need.Compare {
		now.Ladder.Relate(pair[0], pair[1], relations[i])
	}
	return nil
}

// compare asks how one commit stands to another. Where that fails, the run goes by heights,
// and says so.
func (s *Store) compare(ctx context.Context, pair [2]string) (version.Relation, error) {
	if s.History == nil {
		return version.Unasked, nil
	}
	word, err := s.History.Compare(ctx, pair[0], pair[1])
	if err == nil {
		return version.Relation(word), nil
	}
	if ctx.Err() != nil {
		return "", err
	}
	s.once.Do(func() {
		s.Warn("the order of commits %.7s and %.7s is not known, so that their heights decide: %s", pair[0], pair[1], WithHint(err))
	})
	return version.Unasked, nil
}

// AskAll asks about each of some things, eight at a time. Answers come in their order.
func AskAll[Q, A any](ctx context.Context, questions []Q, ask func(context.Context, Q) (A, error)) ([]A, error) {
	answers := make([]A, len(questions))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for i, q := range questions {
		g.Go(func() (err error) {
			answers[i], err = ask(ctx, q)
			return err
		})
	}
	return answers, g.Wait()
}
