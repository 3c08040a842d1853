package promote

import (
	"context"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

// byHand is what rule 2 asks: which version, and what it would be.
type byHand struct {
	version   version.Stable // that was given, or that is next
	following version.Stable // what "next" is
	taken     digest.Digest  // what the version names already, or for "next" the stable
	validated bool           // the artifact's validated- tag names it
	rollback  bool           // live would go back
}

// lookByHand reads what rule 2 asks, and for the summary where the artifact stands.
func (r *run) lookByHand(ctx context.Context, now pipeline.Snapshot, f *facts) (err error) {
	h := &f.hand
	if h.following, err = now.Ladder.Following(); err != nil {
		return err
	}
	var tags []string
	stable, promoted := now.Ladder.Stable()
	if promoted {
		tags = append(tags, stable.String())
	}
	if h.version = f.manual.Version; f.manual.Next {
		h.version = h.following
	}
	own := f.artifact.Tag(pipeline.ValidatedPrefix, r.SHALength)
	for _, tag := range []string{h.version.String(), own} {
		if now.Has(tag) {
			tags = append(tags, tag)
		}
	}
	var was version.Stable
	err = r.store.Ask(ctx, now, func(l *version.Ladder) version.Need {
		need := l.NeedNames(tags...)
		if !need.None() {
			return need
		}
		var live bool
		if was, live, need = l.Promoted(f.artifact.Known()); live {
			f.stable = was.String()
		}
		return need
	})
	if err != nil {
		return err
	}
	h.validated = now.Ladder.Named(own) == f.artifact.Desc.Digest
	if h.taken = now.Ladder.Named(h.version.String()); f.manual.Next {
		h.taken = now.Ladder.Named(stable.String())
	}
	if h.taken == f.artifact.Desc.Digest || h.taken != "" && !f.manual.Next || promoted && h.version.Compare(stable) <= 0 {
		return nil // unchanged, or refused
	}
	then := now.With(h.version.String())
	then.Ladder.Learn(h.version.String(), f.artifact.Known())
	return r.store.Ask(ctx, then, func(l *version.Ladder) (need version.Need) {
		h.rollback, need = l.Rollback(h.version)
		return need
	})
}

// byHand is rule 2. Which digest gets the version was chosen by a person; that it never
// moves, never goes down, holds if it is a rollback, and was validated, is checked all the
// same.
func (f facts) byHand() (plan, error) {
	if why := f.missing + f.doubt; f.artifact == nil || why != "" {
		return plan{}, pipeline.Refuse("give the exact artifact with the input digest", "%s", why)
	}
	h, d := f.hand, f.artifact.Desc.Digest
	stable, promoted := f.now.Ladder.Stable()
	top, open := f.now.Ladder.Top()
	accept := "accepted is any X.Y.Z above the highest stable, such as " + h.following.String() + "; or next"
	switch {
	case f.manual.Next && h.taken == d:
		return f.unchanged(stable.String()), nil
	case h.taken == d:
		return f.unchanged(h.version.String()), nil
	case !f.manual.Next && h.taken != "":
		return plan{}, pipeline.Refuse(accept, "version %s names another artifact, %s, and a stable never moves", h.version, h.taken)
	case promoted && h.version.Compare(stable) <= 0:
		return plan{}, pipeline.Refuse(accept, "version %s is not above %s, the highest stable, so that live would not take it", h.version, stable)
	case h.rollback && open && top.Base.Compare(h.version) > 0:
		return plan{}, pipeline.Refuse("give version: next, which is "+h.following.String(),
			"a rollback as %s would not hold: the candidate %s is above it and would go live when it is validated", h.version, top)
	case !h.validated && !f.subject.Proven && !f.manual.Unvalidated:
		return plan{}, pipeline.Refuse("wait for integration's report where it runs it, or set allow-unvalidated: true if you know that it is good: a version by hand "+
			"may go anywhere, also back, while artifact-sha or digest alone only go forward, and need no such word",
			"%s is not known to be validated: no validated- tag of its commit names it", d)
	case !f.soak.over():
		return f.unsoaked(), nil
	}
	return plan{outcome: pipeline.Promoted, reason: "a version by hand", validate: true, version: h.version}, nil
}
