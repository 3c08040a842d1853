package promote

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// listAndGuess lists, and reads beside that what the subject most likely is found by: the
// look would ask for it right after. What the list does not bear out is not used.
func (r *run) listAndGuess(ctx context.Context) (now pipeline.Snapshot, err error) {
	g, both := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		now, err = r.store.List(both)
		return err
	})
	if by := r.guess(); by != "" {
		g.Go(func() error {
			r.guessed, _ = r.store.Read(both, by) // on an error the look asks again, and tells
			return nil
		})
	}
	err = g.Wait()
	return now, err
}

// guess is the tag or digest that the look will read first, "" if that is not known without
// a list. A tag comes from an event: only one of ours is asked for.
func (r *run) guess() string {
	s := r.Subject
	switch {
	case s == nil || s.Latest:
		return ""
	case s.ByCommit && len(s.Commit) >= r.SHALength:
		return pipeline.SHAPrefix + s.Commit[:r.SHALength]
	case s.ByCommit:
		return ""
	case s.Tag == "":
		return s.Digest.String()
	case pipeline.IsCandidate(s.Tag) || pipeline.IsStable(s.Tag):
		return s.Tag
	}
	return ""
}

// read is the store's Read, for what may have been read beside the list already. That counts
// once: who looks again wants to know what is there then.
func (r *run) read(ctx context.Context, by string) (*pipeline.Artifact, error) {
	a := r.guessed
	r.guessed = nil
	if a != nil && a.ReadBy == by {
		return a, nil
	}
	return r.store.Read(ctx, by)
}

// lookAtArtifact finds what the subject names.
func (r *run) lookAtArtifact(ctx context.Context, now pipeline.Snapshot, f *facts) (err error) {
	switch s := f.subject; {
	case s.Latest:
		err = r.lookAtNewestCandidate(ctx, now, f)
	case s.ByCommit:
		err = r.lookAtCommit(ctx, now, f)
	default:
		err = r.lookAtDigest(ctx, now, f)
	}
	a := f.artifact
	if err != nil || a == nil {
		return err
	}
	now.Ladder.Learn(a.Desc.Digest.String(), a.Known()) // what a digest names is known, whichever tag names it too
	if pipeline.IsCandidate(a.ReadBy) || pipeline.IsStable(a.ReadBy) {
		now.Ladder.Learn(a.ReadBy, a.Known())
	}
	s := f.subject
	if s.ByCommit && a.Revision.Commit == "" {
		if err := r.store.Foreign(a.ReadBy, a); err != nil {
			return err
		}
	}
	switch {
	case a.Layer == "":
		return pipeline.Refuse("give the digest of an artifact in Flux's format, such as mode build makes",
			"%s is no artifact: it has not exactly one layer", a.Desc.Digest)
	case s.ByCommit && s.Proven && a.Revision.Commit == "":
		f.foreign = fmt.Sprintf("%s has no revision of commit %.7s, so that a word on the commit alone is not of it", a.Desc.Digest, s.Commit)
	case s.Commit != "" && a.Revision.Commit != "" && !strings.HasPrefix(a.Revision.Commit, s.Commit):
		f.foreign = fmt.Sprintf("%s is of commit %s, not of %s", a.Desc.Digest, a.Revision.Commit, s.Commit)
	case s.ByCommit && s.Digest != "" && s.Digest != a.Desc.Digest:
		f.foreign = fmt.Sprintf("the artifact of commit %.7s is %s, not %s", s.Commit, a.Desc.Digest, s.Digest)
	}
	return nil
}

func (r *run) lookAtNewestCandidate(ctx context.Context, now pipeline.Snapshot, f *facts) (err error) {
	newest, ok := now.Ladder.Newest()
	if !ok {
		r.lacks(f, now, r.Name+" has no candidate yet", "build something first, and run this again")
		return nil
	}
	if f.artifact, err = r.store.Read(ctx, newest.String()); err == nil && f.artifact == nil {
		f.missing = r.unreadable(newest.String())
	}
	return err
}

// lacks says what is not there, and what to do about that. Of a repository without any tag it says that to a person; a cluster
// has taken its artifact from somewhere, and may be ahead of a list.
func (r *run) lacks(f *facts, now pipeline.Snapshot, what, todo string) {
	if f.missing, f.absent = what, todo; len(now.Tags) == 0 && !f.subject.Proven {
		f.missing, f.absent = pipeline.NoTags(r.Name), "check repository; "+todo
	}
}

// lookAtDigest reads the manifest, by the tag that the cluster told if that still names
// it: such a tag is a candidate or a stable of the artifact, which is asked next.
func (r *run) lookAtDigest(ctx context.Context, now pipeline.Snapshot, f *facts) (err error) {
	s := f.subject
	if now.Has(s.Tag) {
		if f.artifact, err = r.read(ctx, s.Tag); err != nil || f.artifact != nil && f.artifact.Desc.Digest == s.Digest {
			return err
		}
	}
	if f.artifact, err = r.read(ctx, s.Digest.String()); err == nil && f.artifact == nil {
		r.lacks(f, now, fmt.Sprintf("%s has no artifact %s", r.Name, s.Digest), "check digest and repository; if the artifact was deleted, build its commit again, and run this again")
	}
	return err
}

// lookAtCommit reads what the commit's sha- tag names.
func (r *run) lookAtCommit(ctx context.Context, now pipeline.Snapshot, f *facts) error {
	tag, err := now.CommitTag(pipeline.SHAPrefix, f.subject.Commit, r.SHALength)
	if err != nil {
		return err
	}
	if !now.Has(tag) {
		r.lacks(f, now, fmt.Sprintf("commit %.7s is not built: there is no tag %q in %s", f.subject.Commit, tag, r.Name),
			"build it first, and run this again when the build is done; sha-length must be the same in every mode")
		return nil
	}
	if f.artifact, err = r.read(ctx, tag); err == nil && f.artifact == nil {
		f.missing = r.unreadable(tag)
	}
	return err
}

func (r *run) unreadable(tag string) string {
	return fmt.Sprintf("the tag %q of %s is listed and cannot be read", tag, r.Name)
}
