package verify

import (
	"cmp"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/cluster"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

// digestOf is what a tag names, as far as it was read.
func (r *reading) digestOf(tag string) digest.Digest {
	return cmp.Or(r.snap.Ladder.Named(tag), r.commits[tag])
}

// validatedTag is the subject's validated- tag, if it names the subject.
func (r *reading) validatedTag() string {
	if a := r.subject.artifact; a != nil && r.isValidated(a) {
		return r.validatedTagOf(a)
	}
	return ""
}

// validatedTagOf is the validated- tag of an artifact's commit, whatever it names; empty where
// it does not tell its commit.
func (r *reading) validatedTagOf(a *pipeline.Artifact) string {
	if a.Revision.Commit == "" {
		return ""
	}
	return r.commitTag(pipeline.ValidatedPrefix, a.Revision.Commit)
}

// isValidated reports whether that tag names the artifact.
func (r *reading) isValidated(a *pipeline.Artifact) bool {
	tag := r.validatedTagOf(a)
	return tag != "" && r.commits[tag] == a.Desc.Digest
}

// isFollowed reports whether integration selects a higher candidate in place of the subject's, so that what it has not
// said of that one by now it does not say any more. Not so where a cluster still has that one.
func (r *reading) isFollowed() bool {
	own, err := version.ParseCandidate(r.subject.candidate)
	next, nextErr := version.ParseCandidate(r.selected.Integration)
	if err != nil || nextErr != nil {
		return false
	}
	_, has := r.fetched(cluster.Integration, r.subject.artifact.Desc.Digest)
	return own.Compare(next) < 0 && !has
}

// word is what integration said of the subject.
func (r *reading) word() Word {
	if r.subject.artifact == nil {
		return Word{}
	}
	return r.wordOn(r.subject.artifact)
}

// wordOn is what integration said of an artifact. A word on its commit alone is of none of two
// artifacts that the commit has (promise 3).
func (r *reading) wordOn(a *pipeline.Artifact) Word {
	w := r.heard.words[a.Desc.Digest].Integration
	if only := r.onlyOf(a.Revision.Commit); w.Digest == a.Desc.Digest || only != nil && only.Desc.Digest == a.Desc.Digest {
		return w
	}
	return Word{}
}

// onlyOf is the artifact of a commit; nil where none is known, or more than one.
func (r *reading) onlyOf(commit string) (only *pipeline.Artifact) {
	for _, a := range r.artifacts {
		switch {
		case a == nil || a.Revision.Commit != commit:
		case only != nil && only.Desc.Digest != a.Desc.Digest:
			return nil
		default:
			only = a
		}
	}
	return only
}

func (r *reading) isSubject(a *pipeline.Artifact) bool {
	return r.subject.artifact != nil && r.subject.artifact.Desc.Digest == a.Desc.Digest
}

// waiting are the candidates, of those read, that may still go live, highest first: open, and
// on an artifact that is newer than the stable's. Each artifact has one, its highest.
func (r *reading) waiting() []string {
	return slices.DeleteFunc(pipeline.Descending(r.open()), func(tag string) bool {
		a := r.artifacts[tag]
		return a == nil || r.isStable(a) || r.isPassed(a) || r.highestOn(a.Desc.Digest) != tag
	})
}

// isPassed reports whether an artifact does not go live by itself: live has something newer, or
// a rollback holds it back.
func (r *reading) isPassed(a *pipeline.Artifact) bool { return r.passed[a.Desc.Digest].by != "" }

// oldestWaiting is the lowest of them; empty for none.
func (r *reading) oldestWaiting() string {
	all := r.waiting()
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}

// isStable reports whether a stable, of those looked at, names an artifact.
func (r *reading) isStable(a *pipeline.Artifact) bool {
	_, ok := r.versionsOf(a.Desc.Digest).Stable()
	return ok
}

// highestOn is the highest candidate that is known to name d.
func (r *reading) highestOn(d digest.Digest) string {
	if c, ok := r.versionsOf(d).Newest(); ok {
		return c.String()
	}
	return ""
}

// versionsOf are the versions that are known to name d.
func (r *reading) versionsOf(d digest.Digest) *version.Ladder { return version.Read(r.named[d]) }
