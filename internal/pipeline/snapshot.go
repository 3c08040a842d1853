package pipeline

import (
	"slices"
	"strings"

	"github.com/oci-promote/oci-promote/internal/version"
)

// Snapshot is one reading of the tag list, and what was learnt of it since.
type Snapshot struct {
	Tags   []string
	Ladder *version.Ladder
	has    map[string]bool
}

// NewSnapshot reads a tag list.
func NewSnapshot(tags []string) Snapshot {
	snap := Snapshot{tags, version.Read(tags), make(map[string]bool, len(tags))}
	for _, tag := range tags {
		snap.has[tag] = true
	}
	return snap
}

// Has reports whether a tag is listed.
func (snap Snapshot) Has(tag string) bool { return snap.has[tag] }

// With is the list with tags that are known to be there.
func (snap Snapshot) With(tags ...string) Snapshot {
	more := slices.DeleteFunc(slices.Clone(tags), snap.Has)
	if len(more) == 0 {
		return snap
	}
	all := NewSnapshot(append(slices.Clip(snap.Tags), more...))
	all.Ladder.Keep(snap.Ladder)
	return all
}

// CommitTag is the tag, with that prefix, of a commit of which some first digits are known.
// More than the tag has are compared with the artifact's own later.
func (snap Snapshot) CommitTag(prefix, commit string, length int) (string, error) {
	if len(commit) >= length {
		return prefix + commit[:length], nil
	}
	tags := slices.DeleteFunc(slices.Clone(snap.Tags), func(tag string) bool {
		return !IsCommitTag(prefix, tag) || !strings.HasPrefix(tag, prefix+commit)
	})
	slices.Sort(tags)
	switch tags = slices.Compact(tags); len(tags) {
	case 0:
		return prefix + commit, nil // which is not there
	case 1:
		return tags[0], nil
	}
	return "", Refuse("give more digits of the commit", "commit %s is more than one: %s", commit, strings.Join(tags, ", "))
}
