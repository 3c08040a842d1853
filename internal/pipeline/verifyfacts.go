package pipeline

import (
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/version"
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
	for _, tag := range r.commitTags(r.subject.artifact) {
		if tag[:len(validatedPrefix)] == validatedPrefix && r.commits[tag] == r.subject.artifact.desc.Digest {
			return tag
		}
	}
	return ""
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
	return slices.DeleteFunc(descending(r.snap.ladder.Candidates), func(tag string) bool {
		a := r.artifacts[tag]
		c, err := version.ParseCandidate(tag)
		return a == nil || err != nil || !r.snap.ladder.Above(c) || r.isStable(a) || r.outranked(tag, a)
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
	for _, d := range r.stables {
		if d == a.desc.Digest {
			return true
		}
	}
	return false
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
	selected := r.Clusters.selected(r.snap.tags)
	byDigest := map[digest.Digest]int{}
	all := []Version{}
	for _, tag := range r.ladder() {
		d := r.digestOf(tag)
		i, known := byDigest[d]
		if d == "" || !known && r.aside[tag] && !r.matters(d) {
			continue
		}
		if !known {
			i = len(all)
			byDigest[d] = i
			all = append(all, r.version(tag, d))
		}
		v := &all[i]
		v.Tags = append(v.Tags, tag)
		if tag == selected.Integration {
			v.SelectedBy = append(v.SelectedBy, "integration")
		}
		if tag == selected.Live {
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

// matters reports whether an artifact is the one whose path is told, or has a stable.
func (r *verifyRun) matters(d digest.Digest) bool {
	if a := r.subject.artifact; a != nil && a.desc.Digest == d {
		return true
	}
	return slices.Contains(slices.Collect(maps.Values(r.stables)), d)
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
