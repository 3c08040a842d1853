package version

import (
	"regexp"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// SelectOlder is what Select is on a cluster whose source-controller is older than 1.7.0 (Flux 2.7). Its semver library, up to
// 3.3.1, lets a pre-release in where every comparator of an AND group does by itself, the later one where one of them names a
// pre-release (docs/facts.md 27).
func (c Constraint) SelectOlder(tags []string) string {
	return highest(tags, func(v *semver.Version) bool {
		for _, group := range c.groups {
			if allow(group, v) {
				return true
			}
		}
		return false
	})
}

func allow(group []*semver.Constraints, v *semver.Version) bool {
	for _, comparator := range group {
		if !comparator.Check(v) {
			return false
		}
	}
	return true
}

// exactly is != with a whole version, which lets pre-releases in by itself in the older library.
var exactly = regexp.MustCompile(`^!=v?\d+\.\d+\.\d+`)

// groupsOf are the AND groups of a constraint, each comparator as a constraint of its own: the two libraries read one
// comparator alike, but for exactly.
func groupsOf(c *semver.Constraints) (groups [][]*semver.Constraints, err error) {
	for group := range strings.SplitSeq(c.String(), "||") {
		var all []*semver.Constraints
		for word := range strings.FieldsSeq(group) {
			one, err := semver.NewConstraint(word)
			if err != nil {
				return nil, err
			}
			one.IncludePrerelease = exactly.MatchString(word)
			all = append(all, one)
		}
		groups = append(groups, all)
	}
	return groups, nil
}
