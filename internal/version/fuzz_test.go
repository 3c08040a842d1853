package version

import (
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

func FuzzParse(f *testing.F) {
	for _, tag := range []string{"1.2.3", "0.0.1-rc.0", "1.2.3-rc.10", "v1.0.0", "1.0", "1.2.3-rc.01", "1.2.3-rc1", "2147483647.2147483647.2147483647",
		"0.0.1-rc.2147483647", "0.0.1-rc.9007199254740992", "0.0.1-rc.9007199254740993", "1.2.3+b", "1.2.3-rc.1+b", "1.2.3-", "sha-0123456", "latest", "", " 1.2.3", "1.2.3\n", "\u0661.\u0662.\u0663"} {
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
		baseIsAbove(t, tags, Bump(uint(bump)%3))
	})
}

// baseIsAbove holds Base to its promises, whatever the tags are, and whatever they name.
func baseIsAbove(t *testing.T, tags []string, bump Bump) {
	t.Helper()
	w := &world{tags: map[string]digest.Digest{}}
	for i, tag := range tags {
		if l := Read([]string{tag}); len(l.Stables)+len(l.Candidates) > 0 {
			w.tags[tag] = digest.Digest(rune('a' + i))
		}
	}
	l := w.ladder()
	from, n := Stable{0, 0, 1}, uint64(7)
	if s, ok := l.Stable(); ok {
		from = s.Bump(bump)
	}
	if top, ok := l.Top(); ok {
		n = max(top.N, 1)
	}
	var c Candidate
	var ok bool
	w.ask(t, l, func(l *Ladder) (need Need) { c, ok, need = l.Base(from, n, "a"); return need })
	if !ok {
		if !strings.Contains(strings.Join(tags, " "), "2147483647") {
			t.Fatalf("tags %q: no candidate is left", tags)
		}
		return
	}
	if again, err := ParseCandidate(c.String()); err != nil || again != c {
		t.Fatalf("tags %q: the candidate %s reads as %s, %v", tags, c, again, err)
	}
	if i := slices.IndexFunc(l.Candidates, func(d Candidate) bool { return l.Open(d) && d.Compare(c) > 0 }); i >= 0 {
		t.Fatalf("tags %q: the candidate %s is not above %s", tags, c, l.Candidates[i])
	}
	if d, taken := w.tags[c.String()]; taken && d != "a" {
		t.Fatalf("tags %q: the candidate %s is another's", tags, c)
	}
	if !l.Open(c) || c.N != n {
		t.Fatalf("tags %q: no cluster would pick %s, or its height is not %d", tags, c, n)
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
		if newest, _ := Read(tags).Newest(); picked != newest || !Read(tags).Open(picked) {
			t.Fatalf("integration picks %s of %q, the ladder says %s", picked, tags, newest)
		}
	})
}
