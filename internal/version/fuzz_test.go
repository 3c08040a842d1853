package version

import (
	"slices"
	"strings"
	"testing"
)

func FuzzParse(f *testing.F) {
	for _, tag := range []string{"1.2.3", "0.0.1-rc.0", "1.2.3-rc.10", "v1.0.0", "1.0", "1.2.3-rc.01", "1.2.3-rc1", "2147483647.2147483647.2147483647",
		"0.0.1-rc.2147483647", "1.2.3+b", "1.2.3-rc.1+b", "1.2.3-", "sha-0123456", "latest", "", " 1.2.3", "1.2.3\n", "\u0661.\u0662.\u0663"} {
		f.Add(tag, "0.0.1", 0)
		f.Add("0.0.2-rc.3", tag, 2)
	}
	f.Fuzz(func(t *testing.T, a, b string, bump int) {
		tags := []string{a, b}
		for _, tag := range tags {
			stable, notStable := ParseStable(tag)
			candidate, notCandidate := ParseCandidate(tag)
			switch {
			case notStable == nil && notCandidate == nil:
				t.Fatalf("%q is both a stable and a candidate", tag)
			case notStable == nil && stable.String() != tag:
				t.Fatalf("%q prints itself as %q", tag, stable)
			case notCandidate == nil && candidate.String() != tag:
				t.Fatalf("%q prints itself as %q", tag, candidate)
			}
		}
		nextIsAbove(t, tags, Bump(uint(bump)%3))
	})
}

// nextIsAbove holds Next to its promises, whatever the tags are.
func nextIsAbove(t *testing.T, tags []string, bump Bump) {
	t.Helper()
	l := Read(tags)
	next, err := l.Next(bump, Stable{0, 0, 1})
	if err != nil {
		if !strings.Contains(strings.Join(tags, " "), "2147483647") {
			t.Fatalf("tags %q: %v", tags, err)
		}
		return
	}
	if again, err := ParseCandidate(next.String()); err != nil || again != next {
		t.Fatalf("tags %q: the next candidate %s reads as %s, %v", tags, next, again, err)
	}
	if i := slices.IndexFunc(l.Candidates, func(c Candidate) bool { return c.Compare(next) >= 0 }); i >= 0 {
		t.Fatalf("tags %q: the next candidate %s is not above %s", tags, next, l.Candidates[i])
	}
	if stable, ok := l.Stable(); ok && next.Base.Compare(stable) <= 0 || next.N == 0 {
		t.Fatalf("tags %q: no cluster would pick %s", tags, next)
	}
	if !l.Above(next) {
		t.Fatalf("tags %q: the next candidate %s counts as stranded", tags, next)
	}
}

// Select never invents a tag, and where it picks a candidate of ours, no other of
// ours above it is left.
func FuzzSelect(f *testing.F) {
	f.Add(">= 0.0.0-0", "0.0.1-rc.1 0.0.1-rc.2 0.0.1 0.0.2-rc.1")
	f.Add(">= 0.0.0", "v1.0.0 1.0.1 1.0 2 latest")
	f.Add("~0.0.1-0", "0.0.1+b 00.0.1 9.9.9-beta.1")
	f.Add("*", "")
	f.Fuzz(func(t *testing.T, constraint, list string) {
		c, err := ParseConstraint(constraint)
		if err != nil {
			return
		}
		tags := strings.Fields(list)
		got := c.Select(tags)
		if got != "" && !slices.Contains(tags, got) {
			t.Fatalf("constraint %q picks %q, which is not in %q", constraint, got, tags)
		}
		picked, err := ParseCandidate(got)
		if err != nil || constraint != ">= 0.0.0-0" {
			return
		}
		if newest, _ := Read(tags).Newest(); picked != newest || !Read(tags).Above(picked) {
			t.Fatalf("integration picks %s of %q, the ladder says %s", picked, tags, newest)
		}
	})
}
