package cluster

import (
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
)

// Digests are what the cluster's objects name: fetched, applied, attempted, or pinned. They may be of another repository, since
// the same artifact may be read from a copy.
func (s *State) Digests() []digest.Digest {
	named := map[digest.Digest]bool{}
	add := func(revisions ...string) {
		for _, revision := range revisions {
			if d := digestIn(revision); d != "" {
				named[d] = true
			}
		}
	}
	for _, src := range s.sources {
		add(src.Spec.Ref.Digest)
		if a := src.Status.Artifact; a != nil {
			add(a.Revision)
		}
	}
	for _, k := range s.kustomizations {
		add(k.Status.LastAppliedRevision, k.Status.LastAttemptedRevision)
	}
	return slices.Sorted(maps.Keys(named))
}

// digestIn is the digest of a revision, which is <tag>@<digest>, or of a source that is pinned to it the digest alone; "" for
// another form.
func digestIn(revision string) digest.Digest {
	d := digest.Digest(revision[strings.LastIndexByte(revision, '@')+1:])
	if d.Validate() != nil {
		return ""
	}
	return d
}

// Reads reports whether a source of the cluster reads the repository HOST/PATH, or is meant to.
func (s *State) Reads(name string) bool { return len(s.reading(Registry{Name: name})) > 0 }

// Picks are the tags of the repository HOST/PATH that the cluster's sources are told to take: the one that spec.ref.tag names,
// and of tags the one that spec.ref.semver selects now. Flux heeds one of the two; both count here.
func (s *State) Picks(name string, tags []string) []string {
	picked := map[string]bool{}
	for _, src := range s.reading(Registry{Name: name}) {
		picked[src.Spec.Ref.Tag] = true
		if src.Spec.Ref.Semver == "" {
			continue
		}
		if sel, problem := selectionOf(src); problem == "" {
			picked[sel.pick(tags)] = true
		}
	}
	delete(picked, "")
	return slices.Sorted(maps.Keys(picked))
}
