package promote

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// mostOthers bounds of how many other artifacts one rule asks what integration said.
const mostOthers = 8

// lookAtSoak finds for how long integration has run the artifact, which would be promoted otherwise.
func (r *run) lookAtSoak(ctx context.Context, now pipeline.Snapshot, f *facts) error {
	a, s := f.artifact, &soak{need: r.Soak, now: r.now()}
	f.soak = s
	if a.Revision.Commit == "" {
		s.says = fmt.Sprintf("%s does not tell its commit, so that no commit status can be of it", a.Desc.Digest)
		s.mend = "soak counts from commit statuses: build it with a revision, or promote it by hand with its digest, without a soak"
		return nil
	}
	h, err := r.hearOwn(ctx, f)
	if err != nil {
		return err
	}
	unbroken := pipeline.Unbroken(h.words, f.subject.ByCommit)
	if len(unbroken) == 0 {
		s.says, s.mend = f.noProof(h)
		return nil
	}
	s.since = earlier(underOneTag(unbroken).At, s.now)
	return r.lookWhoFollowed(ctx, now, f)
}

// hearOwn asks for the words on the artifact. What catching up has just heard counts once.
func (r *run) hearOwn(ctx context.Context, f *facts) (heard, error) {
	if own := r.own; own != nil {
		r.own = nil
		return *own, nil
	}
	return r.hearForSoak(ctx, f.artifact, func(pipeline.Word) bool { return f.subject.ByCommit })
}

// hearForSoak asks for the words on an artifact, until they tell that it has soaked or that the
// run of proofs is broken. ByCommit tells of the newest whether words on the commit alone count.
func (r *run) hearForSoak(ctx context.Context, a *pipeline.Artifact, byCommit func(newest pipeline.Word) bool) (h heard, err error) {
	told := func(words []pipeline.Word) bool {
		if len(words) == 0 {
			return false
		}
		unbroken := pipeline.Unbroken(words, byCommit(words[0]))
		soaked := len(unbroken) > 0 && r.now().Sub(underOneTag(unbroken).At) >= r.Soak
		return soaked || slices.ContainsFunc(words, func(w pipeline.Word) bool { return !w.Healthy })
	}
	if h, err = r.hear(ctx, a, told); err == nil && !h.whole && !told(h.words) {
		err = tooMany(a)
	}
	return h, err
}

// noProof is why the newest word does not prove the artifact's health, and how it would.
func (f facts) noProof(h heard) (says, mend string) {
	switch newest := h.newest(); {
	case newest.Text == "" && f.subject.Kept:
		return fmt.Sprintf("GitHub lists no commit status of integration's on commit %.7s yet, and soak counts from those", f.artifact.Revision.Commit),
			"nothing has to be done: a run of mode tag on a schedule asks again"
	case newest.Text == "":
		return fmt.Sprintf("commit %.7s has no commit status of integration's, and soak counts from those", f.artifact.Revision.Commit),
			"let integration report by a Provider of type github, which leaves statuses; githubdispatch leaves none"
	case !newest.Healthy:
		return newest.Text, "when integration reports it healthy again, the time begins anew"
	case f.subject.Proven:
		mend = "a run of mode tag on a schedule goes by that"
	default:
		mend = "give its commit alone, with artifact-sha"
	}
	return h.newest().Text + "; that is of the commit alone, and not of this digest", mend
}

// lookWhoFollowed looks whether integration went on to a candidate above the artifact's, in their
// order: it did with its first word on one. Of what has no candidate every open one is above.
func (r *run) lookWhoFollowed(ctx context.Context, now pipeline.Snapshot, f *facts) error {
	var above []string
	for _, c := range now.Ladder.Candidates {
		if f.ranked && c.Compare(f.rank) > 0 || !f.ranked && now.Ladder.Open(c) {
			above = append(above, c.String())
		}
	}
	s := f.soak
	left, err := r.askOthers(ctx, now, f, above, func(tag string, a *pipeline.Artifact) (bool, error) {
		at, said, err := r.first(ctx, a, s.since.Add(s.need))
		if said {
			s.until, s.to = at, tag
		}
		return said, err
	})
	if left {
		s.unsure = fmt.Sprintf("whether integration went on is not known: %d candidates above it have no word of integration's, and there are more", mostOthers)
	}
	return err
}

// underOneTag is the oldest of the newest words that tell the same tag, or none. The time begins anew with each number of an
// artifact: it got another because something passed the first, which integration may have run between the two.
func underOneTag(words []pipeline.Word) (oldest pipeline.Word) {
	tag := ""
	for _, w := range words {
		if tag == "" {
			tag = w.Tag
		}
		if w.Tag != "" && w.Tag != tag {
			break
		}
		oldest = w
	}
	return oldest
}

// askOthers asks about the artifacts that some tags name, each once and not of the one that f is about, until done. One
// without a commit is left out: no status can be of it. Left reports whether there are more than it may ask about.
func (r *run) askOthers(ctx context.Context, now pipeline.Snapshot, f *facts, tags []string, ask func(tag string, a *pipeline.Artifact) (done bool, err error)) (left bool, err error) {
	seen, looked := map[digest.Digest]bool{f.artifact.Desc.Digest: true}, 0
	for _, tag := range tags {
		if seen[now.Ladder.Named(tag)] {
			continue
		}
		if looked++; looked > mostOthers {
			return true, nil
		}
		a, err := r.readVersion(ctx, now, tag)
		if err != nil {
			return false, err
		}
		if a == nil || seen[a.Desc.Digest] || a.Revision.Commit == "" {
			continue
		}
		now.Ladder.Learn(tag, a.Known())
		seen[a.Desc.Digest] = true
		if done, err := ask(tag, a); done || err != nil {
			return false, err
		}
	}
	return false, nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
