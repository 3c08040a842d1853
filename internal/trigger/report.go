package trigger

import (
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
)

// Report is a commit status and the artifact that its context names; that is empty where it
// names only a commit.
type Report struct {
	Status
	Tag    string
	Digest digest.Digest
}

// Reports are the Kustomization's statuses among those of a commit, in their order. One whose
// context is cut short is an error.
func (g Gate) Reports(statuses []Status) (all []Report, err error) {
	for _, s := range statuses {
		if !g.speaks(s.Context) {
			continue
		}
		tag, d, err := bound(s.Context)
		if err != nil {
			return nil, err
		}
		all = append(all, Report{s, tag, d})
	}
	return all, nil
}

// Overlaps reports whether a status could be of both: the context of one begins as that of the
// other, in whole segments, so that nobody can tell who reports.
func (g Gate) Overlaps(other Gate) bool {
	a, b := g.context(), other.context()
	n := min(len(a), len(b))
	return slices.EqualFunc(a[:n], b[:n], strings.EqualFold)
}

// Prefix is how the contexts of the gate's statuses begin.
func (g Gate) Prefix() string { return strings.Join(g.context(), "/") }
