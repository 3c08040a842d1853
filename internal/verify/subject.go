package verify

import (
	"context"
	"strings"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// findSubject finds the artifact whose path is asked for.
func (r *reading) findSubject(ctx context.Context) error {
	if r.Commit != "" {
		return r.findCommit(ctx)
	}
	if a := r.newest(); a != nil {
		r.setSubject(a, a.Revision.Commit)
	}
	return nil
}

// newest is the artifact of the highest candidate that can be read or, where none can, of the
// stable; nil for neither.
func (r *reading) newest() *pipeline.Artifact {
	for _, tag := range append(pipeline.Descending(r.snap.Ladder.Candidates), r.stable.tag) {
		if a := r.artifacts[tag]; a != nil {
			return a
		}
	}
	return nil
}

func (r *reading) findCommit(ctx context.Context) error {
	r.subject.commit = r.Commit
	tag := r.commitTag(pipeline.SHAPrefix, r.Commit)
	if !r.snap.Has(tag) {
		var err error
		if tag, err = r.snap.CommitTag(pipeline.SHAPrefix, r.Commit, r.SHALength); err != nil {
			return err
		}
	}
	if !r.snap.Has(tag) {
		r.findByCandidate()
		return nil
	}
	if err := r.inspectAll(ctx, []string{tag}); err != nil {
		return err
	}
	a := r.artifacts[tag]
	if a == nil {
		return nil
	}
	commit := r.Commit
	if strings.HasPrefix(a.Revision.Commit, commit) {
		commit = a.Revision.Commit
	}
	if _, _, err := r.rank(ctx, a); err != nil {
		return err
	}
	if err := r.readBases(ctx, a); err != nil {
		return err
	}
	r.setSubject(a, commit)
	return nil
}

// findByCandidate finds a commit by the candidates that were read: its build writes that tag
// first, and may have been cut short behind it.
func (r *reading) findByCandidate() {
	for _, tag := range pipeline.Descending(r.snap.Ladder.Candidates) {
		if a := r.artifacts[tag]; a != nil && strings.HasPrefix(a.Revision.Commit, r.Commit) {
			r.setSubject(a, a.Revision.Commit)
			return
		}
	}
}

// readBases looks at the stables that an artifact gets as a rule, the bases of its candidates.
func (r *reading) readBases(ctx context.Context, a *pipeline.Artifact) error {
	var bases []string
	for _, c := range r.versionsOf(a.Desc.Digest).Candidates {
		if base := c.Base.String(); r.digestOf(base) == "" && r.snap.Has(base) && len(bases) < maxBases {
			bases = append(bases, base)
		}
	}
	return r.resolveAll(ctx, bases)
}

func (r *reading) setSubject(a *pipeline.Artifact, commit string) {
	r.subject = subject{commit: commit, artifact: a, candidate: r.highestOn(a.Desc.Digest)}
	if s, ok := r.versionsOf(a.Desc.Digest).Stable(); ok {
		r.subject.stable = s.String()
	}
}
