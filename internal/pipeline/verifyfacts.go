package pipeline

import (
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
)

// digestOf is what a tag names, as far as it was read.
func (r *verifyRun) digestOf(tag string) digest.Digest {
	if a := r.artifacts[tag]; a != nil {
		return a.desc.Digest
	}
	if d := r.stables[tag]; d != "" {
		return d
	}
	return r.commits[tag]
}

// validatedTag is the subject's validated- tag, if it names the subject.
func (r *verifyRun) validatedTag() string {
	if a := r.subject.artifact; a != nil && r.isValidated(a) {
		return r.validatedTagOf(a)
	}
	return ""
}

// validatedTagOf is the validated- tag of an artifact's commit, whatever it names; empty where
// it does not tell its commit.
func (r *verifyRun) validatedTagOf(a *artifact) string {
	if a.Revision.Commit == "" {
		return ""
	}
	return r.commitTag(validatedPrefix, a.Revision.Commit)
}

// isValidated reports whether that tag names the artifact.
func (r *verifyRun) isValidated(a *artifact) bool {
	tag := r.validatedTagOf(a)
	return tag != "" && r.commits[tag] == a.desc.Digest
}

// word is what integration said of the subject.
func (r *verifyRun) word() Word {
	if r.subject.artifact == nil {
		return Word{}
	}
	return r.wordOn(r.subject.artifact)
}

// wordOn is what integration said of an artifact. A word on its commit alone is of none of two
// artifacts that the commit has (promise 3).
func (r *verifyRun) wordOn(a *artifact) Word {
	w := r.heard.words[a.desc.Digest]
	if w == (Word{}) || strings.Contains(w.Context, a.desc.Digest.String()) {
		return w
	}
	for _, other := range r.artifacts {
		if other != nil && other.Revision.Commit == a.Revision.Commit && other.desc.Digest != a.desc.Digest {
			return Word{}
		}
	}
	return w
}

func (r *verifyRun) isSubject(a *artifact) bool {
	return r.subject.artifact != nil && r.subject.artifact.desc.Digest == a.desc.Digest
}

// waiting are the candidates, of those read, that may still go live, highest first: above the
// stable, on an artifact that is newer than the stable's.
func (r *verifyRun) waiting() []string {
	return slices.DeleteFunc(descending(r.snap.ladder.Candidates[r.snap.below():]), func(tag string) bool {
		a := r.artifacts[tag]
		return a == nil || r.isStable(a) || r.outranked(tag, a)
	})
}

// oldestWaiting is the lowest of them; empty for none.
func (r *verifyRun) oldestWaiting() string {
	all := r.waiting()
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}

// isStable reports whether a stable, of those read, names an artifact.
func (r *verifyRun) isStable(a *artifact) bool {
	return slices.Contains(slices.Collect(maps.Values(r.stables)), a.desc.Digest)
}

// tagsOf are the pipeline tags that name an artifact, as far as they were read.
func (r *verifyRun) tagsOf(a *artifact) []string {
	tags := []string{}
	if a == nil {
		return tags
	}
	for tag := range r.snap.has {
		if r.digestOf(tag) == a.desc.Digest {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	return tags
}

// versions are the artifacts that clusters have or may get, the highest version first.
func (r *verifyRun) versions() []Version {
	byDigest := map[digest.Digest]int{}
	all := []Version{}
	for _, tag := range r.ladder() {
		d := r.digestOf(tag)
		i, known := byDigest[d]
		a := r.artifacts[tag]
		if d == "" || !known && r.aside[tag] && !r.isSubject(a) && !r.isStable(a) {
			continue
		}
		if !known {
			i = len(all)
			byDigest[d] = i
			all = append(all, r.version(tag, d))
		}
		v := &all[i]
		v.Tags = append(v.Tags, tag)
		if tag == r.selected.Integration {
			v.SelectedBy = append(v.SelectedBy, "integration")
		}
		if tag == r.selected.Live {
			v.SelectedBy = append(v.SelectedBy, "live")
		}
	}
	for i := range all {
		for _, tag := range r.commitTagsOf(all[i].Commit) {
			if d, known := r.commits[tag]; r.snap.has[tag] && (!known || d == all[i].Digest) {
				all[i].Tags = append(all[i].Tags, tag)
			}
		}
	}
	return all
}

// ladder is every candidate and stable, a stable before its candidates, highest first.
func (r *verifyRun) ladder() []string {
	l := r.snap.ladder
	tags := make([]string, 0, len(l.Candidates)+len(l.Stables))
	stables := l.Stables
	for _, c := range slices.Backward(l.Candidates) {
		for ; len(stables) > 0 && stables[len(stables)-1].Compare(c.Base) >= 0; stables = stables[:len(stables)-1] {
			tags = append(tags, stables[len(stables)-1].String())
		}
		tags = append(tags, c.String())
	}
	return append(tags, descending(stables)...)
}

func (r *verifyRun) version(tag string, d digest.Digest) Version {
	v := Version{Version: tag, Digest: d}
	a := r.artifacts[tag]
	if a == nil {
		a = r.artifacts[r.highestOn(d)]
	}
	if a != nil {
		v.Commit, v.Created = a.Revision.Commit, a.Created
	}
	return v
}
