package pipeline

import (
	"context"
	"fmt"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/version"
)

// Rescued is an artifact that got another candidate, since it is newer than what integration
// would select without that (promise 9).
type Rescued struct {
	From      string        `json:"from"` // the candidate that it had
	Candidate string        `json:"candidate"`
	Digest    digest.Digest `json:"digest"`
}

// WriteDue writes what promise 9 says is due, until nothing is, and gives the list with it.
// In a dry run it only tells.
func (s *Store) WriteDue(ctx context.Context, now Snapshot, dryRun bool) (done []Rescued, _ Snapshot, err error) {
	const bound = 8 // another run may write beside this one; each later run goes on
	for range bound {
		var (
			to, from version.Candidate
			a        version.Artifact
			due      bool
		)
		err := s.Ask(ctx, now, func(l *version.Ladder) (need version.Need) {
			to, a, from, due, need = l.Due()
			return need
		})
		if err != nil || !due {
			return done, now, err
		}
		tag, named := to.String(), a.Digest
		if !dryRun {
			artifact, err := s.ReadDigest(ctx, a.Digest)
			if err == nil && artifact == nil {
				err = fmt.Errorf("reading %s of %s, which %s names: it is gone", a.Digest, s.Name, from)
			}
			if err == nil {
				named, err = s.Claim(ctx, artifact, tag, false)
			}
			if err != nil {
				return done, now, fmt.Errorf("giving %s (commit %.7s) the number %s: %w", from, a.Commit, tag, err)
			}
		}
		now = now.With(tag)
		now.Ladder.Name(tag, named)
		if named == a.Digest {
			done = append(done, Rescued{From: from.String(), Candidate: tag, Digest: a.Digest})
		}
	}
	return done, now, nil
}
