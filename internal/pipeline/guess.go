package pipeline

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/oci-promote/oci-promote/internal/version"
)

// listAndGuess lists, and reads beside that what the subject most likely is found by: the
// look would ask for it right after. What the list does not bear out is not used.
func (r *tagRun) listAndGuess(ctx context.Context) (now snapshot, err error) {
	g, both := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		now, err = r.list(both)
		return err
	})
	if by := r.guess(); by != "" {
		g.Go(func() error {
			r.guessed, _ = r.read(both, by) // on an error the look asks again, and tells
			return nil
		})
	}
	err = g.Wait()
	return now, err
}

// guess is the tag or digest that the look will read first, "" if that is not known without
// a list. A tag comes from an event: only one of ours is asked for.
func (r *tagRun) guess() string {
	s := r.Subject
	switch {
	case s == nil || s.Latest:
		return ""
	case s.ByCommit && len(s.Commit) >= r.SHALength:
		return shaPrefix + s.Commit[:r.SHALength]
	case s.ByCommit:
		return ""
	case s.Tag == "":
		return s.Digest.String()
	}
	if ladder := version.Read([]string{s.Tag}); len(ladder.Stables)+len(ladder.Candidates) == 0 {
		return ""
	}
	return s.Tag
}

// readGuessed is read, for what may have been read beside the list already. That counts once:
// who looks again wants to know what is there then.
func (r *tagRun) readGuessed(ctx context.Context, by string) (*artifact, error) {
	a := r.guessed
	r.guessed = nil
	if a != nil && a.readBy == by {
		return a, nil
	}
	return r.read(ctx, by)
}
