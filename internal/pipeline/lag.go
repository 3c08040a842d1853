package pipeline

import (
	"context"
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

// Sleep waits, or ends with ctx.
func Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
