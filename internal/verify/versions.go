package verify

import (
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// tagsOf are the pipeline tags that name an artifact, as far as they were read.
func (r *reading) tagsOf(a *pipeline.Artifact) []string {
	tags := []string{}
	if a == nil {
		return tags
	}
	for _, tag := range r.snap.Tags {
		if r.digestOf(tag) == a.Desc.Digest {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}

// versions are the artifacts that clusters have or may get, the highest version first.
func (r *reading) versions() []pipeline.Version {
	byDigest := map[digest.Digest]int{}
	all := []pipeline.Version{}
	for _, tag := range r.ladder() {
		d := r.digestOf(tag)
		i, known := byDigest[d]
		if d == "" {
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
			if d, known := r.commits[tag]; r.snap.Has(tag) && (!known || d == all[i].Digest) {
				all[i].Tags = append(all[i].Tags, tag)
			}
		}
	}
	return all
}

// ladder is every candidate and stable, a stable before its candidates, highest first.
func (r *reading) ladder() []string {
	l := r.snap.Ladder
	tags := make([]string, 0, len(l.Candidates)+len(l.Stables))
	stables := l.Stables
	for _, c := range slices.Backward(l.Candidates) {
		for ; len(stables) > 0 && stables[len(stables)-1].Compare(c.Base) >= 0; stables = stables[:len(stables)-1] {
			tags = append(tags, stables[len(stables)-1].String())
		}
		tags = append(tags, c.String())
	}
	return append(tags, pipeline.Descending(stables)...)
}

func (r *reading) version(tag string, d digest.Digest) pipeline.Version {
	v := pipeline.Version{Version: tag, Digest: d}
	a := r.artifacts[tag]
	if a == nil {
		a = r.artifacts[r.highestOn(d)]
	}
	if a != nil {
		v.Commit, v.Created = a.Revision.Commit, a.Created
	}
	return v
}
