// Package version is the ladder of versions that one artifact climbs: candidates
// X.Y.Z-rc.N below the stable X.Y.Z. Everything here is pure; tags come in as the
// strings that a registry lists and are trusted in nothing.
package version

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// maxNumber bounds each part of X.Y.Z, so that adding one never overflows, and MaxHeight
// the N of rc.N, so that every JSON reader gives it back as it is (RFC 8259, 6). A tag
// with a larger number is somebody else's and is ignored.
const (
	maxNumber = 1<<31 - 1
	MaxHeight = 1 << 53
)

// Stable is a version X.Y.Z. The zero value is 0.0.0, which is never built.
type Stable struct{ Major, Minor, Patch uint64 }

// Candidate is a version X.Y.Z-rc.N; X.Y.Z is its base, N the height of its commit.
type Candidate struct {
	Base Stable
	N    uint64
}

// ParseStable accepts X.Y.Z and nothing else: no "v", no leading zeros, no
// pre-release, no build metadata (docs/facts.md 15: a tag cannot hold a "+").
func ParseStable(s string) (Stable, error) {
	v, ok := parse(s)
	if !ok || v.Prerelease() != "" {
		return Stable{}, fmt.Errorf("%q is not a version X.Y.Z such as 1.4.0", s)
	}
	return Stable{v.Major(), v.Minor(), v.Patch()}, nil
}

// ParseCandidate accepts X.Y.Z-rc.N and nothing else. The dot matters: semver
// orders rc.10 above rc.9, but rc9 above rc10 (docs/facts.md 8).
func ParseCandidate(s string) (Candidate, error) {
	v, ok := parse(s)
	number, isRC := "", false
	if ok {
		number, isRC = strings.CutPrefix(v.Prerelease(), "rc.")
	}
	n, err := strconv.ParseUint(number, 10, 64)
	if !isRC || err != nil || n > MaxHeight || strconv.FormatUint(n, 10) != number {
		return Candidate{}, fmt.Errorf("%q is not a candidate X.Y.Z-rc.N such as 1.4.0-rc.2", s)
	}
	return Candidate{Stable{v.Major(), v.Minor(), v.Patch()}, n}, nil
}

func parse(s string) (*semver.Version, bool) {
	v, err := semver.StrictNewVersion(s)
	if err != nil || v.Metadata() != "" || v.Original() != v.String() {
		return nil, false
	}
	return v, max(v.Major(), v.Minor(), v.Patch()) <= maxNumber
}

// String is the tag of s.
func (s Stable) String() string { return fmt.Sprintf("%d.%d.%d", s.Major, s.Minor, s.Patch) }

// Compare is negative when s is below t, positive when it is above.
func (s Stable) Compare(t Stable) int {
	return cmp.Or(cmp.Compare(s.Major, t.Major), cmp.Compare(s.Minor, t.Minor), cmp.Compare(s.Patch, t.Patch))
}

// valid reports whether c can be read back.
func (c Candidate) valid() bool {
	return max(c.Base.Major, c.Base.Minor, c.Base.Patch) <= maxNumber && c.N <= MaxHeight
}

// String is the tag of c.
func (c Candidate) String() string { return fmt.Sprintf("%s-rc.%d", c.Base, c.N) }

// Compare is negative when c is below d, positive when it is above.
func (c Candidate) Compare(d Candidate) int {
	return cmp.Or(c.Base.Compare(d.Base), cmp.Compare(c.N, d.N))
}

// Bump says which number of the stable the next base raises.
type Bump int

// The bumps, smallest first, so that the larger of two is their maximum.
const (
	Patch Bump = iota
	Minor
	Major
)

// String is the name of b as the input "bump" spells it.
func (b Bump) String() string { return [...]string{"patch", "minor", "major"}[b] }

// Bump is the version that follows s.
func (s Stable) Bump(b Bump) Stable {
	switch b {
	case Major:
		return Stable{s.Major + 1, 0, 0}
	case Minor:
		return Stable{s.Major, s.Minor + 1, 0}
	default:
		return Stable{s.Major, s.Minor, s.Patch + 1}
	}
}
