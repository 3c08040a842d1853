package pipeline

import (
	"context"
	"slices"
	"time"
)

// lag is how long a reading may trail a write before it is believed: GHCR's can be seconds
// behind (docs/facts.md 16). The waits add up to about 6 s.
var lag = []time.Duration{
	100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond,
	800 * time.Millisecond, 1600 * time.Millisecond, 3200 * time.Millisecond, 0,
}

// waitOut looks until it is shown, as long as lag allows.
func waitOut(ctx context.Context, look func() (shown bool, err error)) error {
	for _, wait := range lag {
		if shown, err := look(); err != nil || shown {
			return err
		}
		if err := Sleep(ctx, wait); err != nil {
			return err
		}
	}
	return nil
}

// ListWith lists until tag, which this run has just written, is in the list. If it never is,
// the snapshot has the tag all the same, since it does exist; shown tells which.
func (s *Store) ListWith(ctx context.Context, before Snapshot, tag string) (snap Snapshot, shown bool, err error) {
	err = waitOut(ctx, func() (bool, error) {
		var err error
		snap, err = s.ListAgain(ctx, before)
		shown = err == nil && snap.Has(tag)
		return shown, err
	})
	if err != nil {
		return before, false, err
	}
	return snap.With(tag), shown, nil
}

// ListWritten is ListAgain for a tag that this run has written. A list that never shows it may lack others too, so that
// neither what is newest nor what is free can be told from it.
func (s *Store) ListWritten(ctx context.Context, before Snapshot, tag string) (Snapshot, error) {
	now, shown, err := s.ListWith(ctx, before, tag)
	if err == nil && !shown {
		err = Refuse("its tag list lags too far behind its writes, or ends before the last tag; run again in a minute, nothing has to be undone;"+
			" if it stays so, this registry does not list all its tags, and no version can be told from that: use another one",
			"%s took tag %q and does not list it", s.Name, tag)
	}
	return now, err
}

// ListWithout lists until none of some tags, which this run has deleted, is in the list; without tells whether that came.
func (s *Store) ListWithout(ctx context.Context, tags []string) (snap Snapshot, without bool, err error) {
	err = waitOut(ctx, func() (bool, error) {
		var err error
		snap, err = s.List(ctx)
		without = err == nil && !slices.ContainsFunc(tags, snap.Has)
		return without, err
	})
	return snap, without, err
}

// Sleep waits, or ends with ctx.
func Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
