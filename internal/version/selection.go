package version

import (
	"fmt"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Constraint is what a cluster's OCIRepository has in ref.semver.
type Constraint struct {
	c      *semver.Constraints
	groups [][]*semver.Constraints // for SelectOlder
	text   string
}

// ParseConstraint accepts what Flux accepts: a Masterminds constraint.
func ParseConstraint(s string) (Constraint, error) {
	c, err := semver.NewConstraint(s)
	var groups [][]*semver.Constraints
	if err == nil {
		groups, err = groupsOf(c)
	}
	if err != nil {
		return Constraint{}, fmt.Errorf("%q is not a semver constraint such as \">= 0.0.0-0\": %w", s, err)
	}
	return Constraint{c, groups, s}, nil
}

// String is the constraint as it was written.
func (c Constraint) String() string { return c.text }

// Select is the tag that Flux picks from tags: the highest that satisfies the
// constraint, or "" when none does. Source-controller reads a tag as a version when
// it has three parts and is semver at large (fluxcd/pkg version.ParseVersion; docs/facts.md 8):
// v1.0.0 and 2026.01.02 count, 1.0 does not. Of two equal versions this picks the one
// first in byte order, where Flux leaves it open.
func (c Constraint) Select(tags []string) string { return highest(tags, c.c.Check) }

// highest is the highest of the tags that are versions and that a rule admits.
func highest(tags []string, admits func(*semver.Version) bool) string {
	var best *semver.Version
	for _, tag := range tags {
		if strings.Count(tag, ".") < 2 {
			continue
		}
		v, err := semver.NewVersion(tag)
		if err != nil || !admits(v) {
			continue
		}
		if best == nil || v.GreaterThan(best) || v.Equal(best) && tag < best.Original() {
			best = v
		}
	}
	if best == nil {
		return ""
	}
	return best.Original()
}
