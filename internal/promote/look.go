package promote

import (
	"context"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

// look reads what the rules ask, and no more: what an early rule decides is not read for
// the next one.
func (r *run) look(ctx context.Context, s Subject, now pipeline.Snapshot) (facts, error) {
	f := facts{subject: s, manual: r.Manual, now: now}
	if err := r.lookAtArtifact(ctx, now, &f); err != nil || f.artifact == nil || f.foreign != "" {
		return f, err
	}
	tag := f.artifact.Tag(pipeline.ValidatedPrefix, r.SHALength)
	f.tagged = tag == "" || now.Has(tag)
	if err := r.lookAtTags(ctx, now, &f); err != nil {
		return f, err
	}
	if f.manual != nil {
		return f, r.lookByHand(ctx, now, &f)
	}
	if f.stable != "" || f.missing+f.doubt != "" || f.plainlyNewer() {
		return f, nil
	}
	return f, r.lookAtStable(ctx, now, &f)
}

// lookAtTags asks at once for all that the artifact may be named by: the candidates of its
// height, the stables of their bases, and, for a word on the commit alone, integration-.
func (r *run) lookAtTags(ctx context.Context, now pipeline.Snapshot, f *facts) error {
	const enough = 8
	var tags []string
	for _, c := range slices.Backward(now.Ladder.At(f.artifact.Height)) {
		tags = append(tags, c.String(), c.Base.String())
	}
	tags = tags[:min(len(tags), enough)]
	done := ""
	if f.subject.ByCommit {
		done = pipeline.IntegrationOf(f.artifact.ReadBy)
		tags = append(tags, done)
	}
	tags = slices.DeleteFunc(tags, func(tag string) bool { return !now.Has(tag) || now.Ladder.Named(tag) != "" })
	named, err := pipeline.AskAll(ctx, tags, r.store.Resolve)
	if err != nil {
		return err
	}
	var integration digest.Digest
	for i, tag := range tags {
		if tag == done { // a commit's tags may move, while those of versions do not
			integration = named[i]
		} else {
			now.Ladder.Name(tag, named[i])
		}
	}
	if err := r.lookAtRank(ctx, now, f); err != nil || done == "" || f.stable != "" {
		return err
	}
	return r.lookForDoubt(ctx, now, f, done, integration)
}

// lookAtRank finds the highest candidate that names the artifact, and a stable that does: of
// the bases of its candidates, or the one that the cluster told (the echo of a promotion,
// docs/facts.md 9).
func (r *run) lookAtRank(ctx context.Context, now pipeline.Snapshot, f *facts) error {
	a := f.artifact
	err := r.store.Ask(ctx, now, func(l *version.Ladder) (need version.Need) {
		f.rank, f.ranked, need = l.Rank(a.Known())
		if base := f.rank.Base.String(); f.ranked && now.Has(base) {
			need = l.NeedNames(base)
		}
		return need
	})
	if err != nil {
		return err
	}
	for _, s := range slices.Backward(now.Ladder.Stables) {
		if now.Ladder.Named(s.String()) == a.Desc.Digest {
			f.stable = s.String()
			break
		}
	}
	return nil
}

// lookForDoubt looks for what takes a word on the commit alone its worth: it counts while the
// commit's candidates and tags name one digest (promise 3).
func (r *run) lookForDoubt(ctx context.Context, now pipeline.Snapshot, f *facts, done string, d digest.Digest) error {
	a := f.artifact
	switch {
	case d == "":
		f.missing = fmt.Sprintf("the build of commit %.7s is not complete: there is no tag %q", f.subject.Commit, done)
		return nil
	case d != a.Desc.Digest:
		f.missing = fmt.Sprintf("tags %q and %q name different digests, %s and %s, so that a word on the commit alone is of neither", a.ReadBy, done, a.Desc.Digest, d)
		return nil
	}
	if a.Height == 0 {
		return nil
	}
	for _, tag := range pipeline.Descending(now.Ladder.At(a.Height)) {
		d := now.Ladder.Named(tag)
		if d == "" || d == a.Desc.Digest {
			continue
		}
		other, err := r.store.ReadDigest(ctx, d)
		if err != nil {
			return err
		}
		if other != nil && other.Revision.Commit == a.Revision.Commit {
			f.doubt = fmt.Sprintf("commit %.7s has two artifacts, %s and, as %s, %s, so that a word on the commit alone is of neither", a.Revision.Commit, a.Desc.Digest, tag, d)
			return nil
		}
	}
	return nil
}

// plainlyNewer reports whether the list alone tells that the artifact is newer than what the
// stable names: its candidate is open and of a greater height than any other, no clean-up took
// the stable's own, and it was never announced, as a promotion by hand is.
func (f facts) plainlyNewer() bool {
	l := f.now.Ladder
	s, promoted := l.Stable()
	if !promoted {
		return true
	}
	alone := f.artifact.Height > 0 && len(l.At(f.artifact.Height)) == 1 && !l.Exceeds(f.artifact.Height)
	return alone && l.Open(f.rank) && l.HasBase(s) && !f.cleanedUp() && !f.tagged
}

// cleanedUp reports whether more commits are built than heights are listed, so that some have
// lost their candidates.
func (f facts) cleanedUp() bool {
	heights, built := map[uint64]bool{}, 0
	for _, c := range f.now.Ladder.Candidates {
		heights[c.N] = true
	}
	for _, tag := range f.now.Tags {
		if pipeline.IsCommitTag(pipeline.SHAPrefix, tag) {
			built++
		}
	}
	return built > len(heights)
}

// lookAtStable reads what rules 3, 5 and 6 ask about the stable.
func (r *run) lookAtStable(ctx context.Context, now pipeline.Snapshot, f *facts) error {
	s, _ := now.Ladder.Stable()
	live, err := r.store.ReadStable(ctx, now)
	if err != nil {
		return err
	}
	now.Ladder.Learn(s.String(), live.Known())
	if f.live = live; live.Desc.Digest == f.artifact.Desc.Digest {
		f.stable = s.String()
		return nil
	}
	return r.store.Ask(ctx, now, func(l *version.Ladder) (need version.Need) {
		var newer bool
		if newer, need = l.Newer(f.artifact.Known(), live.Known()); !need.None() {
			return need
		}
		if f.older = !newer; f.older {
			return need
		}
		f.held, need = l.HeldBack(f.artifact.Known())
		return need
	})
}
