package pipeline

import (
	"context"
	"strings"

	"github.com/oci-promote/oci-promote/internal/version"
)

// findSubject finds the artifact whose path is asked for.
func (r *verifyRun) findSubject(ctx context.Context) error {
	if r.Commit != "" {
		return r.findCommit(ctx)
	}
	if a := r.newest(); a != nil {
		r.setSubject(a, a.Revision.Commit, r.highestOn(a.desc.Digest))
	}
	return nil
}

// newest is the artifact of the highest candidate that can be read or, where none can, of the
// stable; nil for neither.
func (r *verifyRun) newest() *artifact {
	for _, tag := range append(descending(r.snap.ladder.Candidates), r.stable.tag) {
		if a := r.artifacts[tag]; a != nil {
			return a
		}
	}
	return nil
}

func (r *verifyRun) findCommit(ctx context.Context) error {
	r.subject.commit = r.Commit
	tag := r.commitTag(shaPrefix, r.Commit)
	if !r.snap.has[tag] {
		var err error
		if tag, err = r.snap.shaTag(r.Commit, r.SHALength); err != nil {
			return err
		}
	}
	if !r.snap.has[tag] {
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
	candidate := r.highestOn(a.desc.Digest)
	if candidate == "" {
		var err error
		if candidate, err = r.searchCandidate(ctx, a); err != nil {
			return err
		}
	}
	r.setSubject(a, commit, candidate)
	return r.findSubjectsStable(ctx)
}

// searchCandidate looks for the candidate of an artifact that is older than those read: the
// order of commits leads there (promise 10), in a bounded number of steps.
func (r *verifyRun) searchCandidate(ctx context.Context, a *artifact) (string, error) {
	_, _, err := bisect(ctx, descending(r.snap.ladder.Candidates), a, maxSearch, func(ctx context.Context, tag string) (*artifact, error) {
		err := r.inspectAside(ctx, []string{tag})
		return r.artifacts[tag], err
	})
	return r.highestOn(a.desc.Digest), err
}

func (r *verifyRun) setSubject(a *artifact, commit, candidate string) {
	r.subject = subject{commit: commit, artifact: a, candidate: candidate}
	for _, tag := range descending(r.snap.ladder.Stables) {
		if r.stables[tag] == a.desc.Digest {
			r.subject.stable = tag
			break
		}
	}
}

// findSubjectsStable looks below the highest few stables at the one that an artifact gets as
// a rule, its candidate's base.
func (r *verifyRun) findSubjectsStable(ctx context.Context) error {
	c, err := version.ParseCandidate(r.subject.candidate)
	if err != nil {
		return nil //nolint:nilerr // it has no candidate
	}
	base := c.Base.String()
	if _, known := r.stables[base]; known || r.subject.stable != "" || !r.snap.has[base] {
		return nil
	}
	if r.stables[base], err = r.resolve(ctx, base); err != nil {
		return err
	}
	r.setSubject(r.subject.artifact, r.subject.commit, r.subject.candidate)
	return nil
}
