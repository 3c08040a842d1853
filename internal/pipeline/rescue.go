package pipeline

import (
	"context"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/version"
)

// stranding is a candidate that no cluster will pick any more, since a stable took its base
// or more, and the one that its artifact is due (promise 9).
type stranding struct {
	artifact *artifact
	from     string
	to       version.Candidate
}

// stableFacts are what a run knows of the highest stable of a list already.
type stableFacts struct {
	digest   digest.Digest // what it names; "" for unknown
	rank     string        // the highest candidate that names the same; "" for unknown
	rollback *bool         // nil for unknown
}

// rescue gives the newest stranded artifact a candidate above the stable, if it is due by
// promise 9, and nil where none is. The list must be taken after the stable was written, and
// builds start at rc.1, so that the candidate is free and below theirs.
func (r *tagRun) rescue(ctx context.Context, now snapshot, known stableFacts) (*Rescued, error) {
	s, err := r.stranded(ctx, now, known)
	if err != nil || s == nil {
		return nil, err
	}
	tag := s.to.String()
	named, err := r.claim(ctx, s.artifact, tag, now.fresh)
	if err == nil {
		named, err = r.resolveWritten(ctx, tag)
	}
	if tagImmutable(err) || err == nil && named != s.artifact.desc.Digest {
		return nil, nil //nolint:nilnil // another promotion was faster, so that there is a candidate above the stable
	}
	return &Rescued{From: s.from, Candidate: tag, Digest: s.artifact.desc.Digest}, err
}

// stranded finds the candidate that promise 9 speaks of: the newest whose artifact outranks
// the stable's and has no stable, if no candidate is above the stable and that is no rollback.
func (r *tagRun) stranded(ctx context.Context, now snapshot, known stableFacts) (*stranding, error) {
	stable, ok := now.ladder.Stable()
	newest, has := now.ladder.Newest()
	if !ok || !has || now.ladder.Above(newest) || newest.String() == known.rank {
		return nil, nil //nolint:nilnil // nothing is stranded
	}
	to := version.Candidate{Base: stable.Bump(version.Patch)}
	if _, valid := version.Read([]string{to.String()}).Newest(); !valid {
		return nil, nil //nolint:nilnil // no version is left above the stable
	}
	known, err := r.completed(ctx, now, known)
	if err != nil || known.rank == "" {
		return nil, err // hand-made, and nobody knows what is newer
	}
	for _, tag := range descending(now.ladder.Candidates) {
		if err := r.readAll(ctx, []string{tag}); err != nil {
			return nil, err
		}
		a := r.candidates[tag]
		if a == nil {
			continue
		}
		if a.desc.Digest == known.digest {
			return nil, nil //nolint:nilnil // the rest is older than the stable
		}
		others := slices.DeleteFunc(r.stablesToAsk(now, a, tag), func(tag string) bool { return tag == stable.String() })
		named, err := r.find(ctx, others, a.desc.Digest)
		if err != nil {
			return nil, err
		}
		if named != "" {
			continue
		}
		rollback, err := r.isRollback(ctx, now, known)
		if err != nil || rollback {
			return nil, err
		}
		return &stranding{a, tag, to}, nil
	}
	return nil, nil //nolint:nilnil // the stable's own candidate is gone
}

// completed reads what is not known of the stable yet.
func (r *tagRun) completed(ctx context.Context, now snapshot, known stableFacts) (stableFacts, error) {
	if known.digest != "" && known.rank != "" {
		return known, nil
	}
	a, err := r.readStable(ctx, now)
	if err != nil {
		return stableFacts{}, err
	}
	known.digest = a.desc.Digest
	known.rank, err = r.rank(ctx, now.ladder, a)
	return known, err
}

func (r *tagRun) isRollback(ctx context.Context, now snapshot, known stableFacts) (bool, error) {
	if known.rollback != nil {
		return *known.rollback, nil
	}
	return r.wasLive(ctx, now, known.digest)
}

// inFlight are the candidates above what was the stable, split by whether v is above their
// base.
func inFlight(l version.Ladder, before, v version.Stable) (held, notHeld []string) {
	for _, c := range slices.Backward(l.Candidates) {
		switch {
		case c.Base.Compare(before) <= 0:
		case c.Base.Compare(v) <= 0:
			held = append(held, c.String())
		default:
			notHeld = append(notHeld, c.String())
		}
	}
	return held, notHeld
}
