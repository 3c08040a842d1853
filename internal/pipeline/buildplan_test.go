package pipeline

import (
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/version"
)

func commitOf(c string) string { return strings.Repeat(c, 40) }

// fake is an artifact of a commit with some content.
func fake(commit, content string) *artifact {
	return &artifact{
		Info: bundle.Info{Revision: bundle.Revision{Ref: "main", Commit: commit}, Content: digest.FromString(content)},
		desc: ocispec.Descriptor{Digest: digest.FromString(commit + content)},
	}
}

func TestDecideBuild(t *testing.T) {
	a, b := commitOf("a"), commitOf("b")
	next := version.Candidate{Base: version.Stable{Patch: 1}, N: 2}
	base := func(change func(*buildFacts)) buildFacts {
		f := buildFacts{shaTag: "sha-aaaaaaa", integrationTag: "integration-aaaaaaa", mine: fake(a, "one"), next: next}
		change(&f)
		return f
	}
	all := []string{"sha-aaaaaaa", "0.0.1-rc.2", "integration-aaaaaaa"}
	for name, c := range map[string]struct {
		facts   buildFacts
		outcome Outcome
		writes  []string
		known   string
		refusal string // part of the error
	}{
		"first build": {base(func(*buildFacts) {}), Created, all, "", ""},
		"built already": {base(func(f *buildFacts) {
			f.existing, f.number, f.announced, f.integrated = fake(a, "one"), "0.0.1-rc.1", true, true
		}), Unchanged, nil, "0.0.1-rc.1", ""},
		"built already and late: it has its number": {base(func(f *buildFacts) {
			f.existing, f.number, f.announced, f.integrated, f.late = fake(a, "one"), "0.0.1-rc.1", true, true, "late"
		}), Unchanged, nil, "0.0.1-rc.1", ""},
		"killed before integration-": {base(func(f *buildFacts) {
			f.existing, f.number, f.announced = fake(a, "one"), "0.0.1-rc.1", true
		}), Unchanged, []string{"integration-aaaaaaa"}, "0.0.1-rc.1", ""},
		"killed before the candidate": {base(func(f *buildFacts) {
			f.existing, f.announced = fake(a, "one"), true
		}), Unchanged, all[1:], "", ""},
		"killed before the candidate, and newer builds came": {base(func(f *buildFacts) {
			f.existing, f.announced, f.late = fake(a, "one"), true, "late"
		}), Superseded, nil, "", ""},
		"sha- deleted": {base(func(f *buildFacts) {
			f.existing, f.number, f.integrated = fake(a, "one"), "0.0.1-rc.1", true
		}), Unchanged, []string{"sha-aaaaaaa"}, "0.0.1-rc.1", ""},
		"stable by hand without a candidate gets no number": {base(func(f *buildFacts) {
			f.existing, f.stable, f.announced, f.integrated = fake(a, "one"), "1.0.0", true, true
		}), Unchanged, nil, "1.0.0", ""},
		"the same from another branch": {base(func(f *buildFacts) {
			f.existing, f.number, f.announced, f.integrated = fake(a, "one"), "0.0.1-rc.1", true, true
			f.existing.Revision.Ref = "release"
		}), Unchanged, nil, "0.0.1-rc.1", ""},
		"other content": {base(func(f *buildFacts) {
			f.existing, f.announced, f.integrated = fake(a, "two"), true, true
		}), "", nil, "", "names other content"},
		"other content, to overwrite": {base(func(f *buildFacts) {
			f.existing, f.announced, f.integrated, f.overwrite = fake(a, "two"), true, true, true
		}), Created, all, "", ""},
		"short sha of another commit": {base(func(f *buildFacts) {
			f.existing = fake(a[:20]+b[20:], "one")
		}), "", nil, "", "belongs to another commit"},
		"short sha of another commit is not to overwrite": {base(func(f *buildFacts) {
			f.existing, f.overwrite = fake(a[:20]+b[20:], "one"), true
		}), "", nil, "", "belongs to another commit"},
		"a tag that was moved to another commit's artifact": {base(func(f *buildFacts) {
			f.existing, f.overwrite = fake(b, "one"), true
		}), "", nil, "", "somebody moved it"},
		"foreign artifact under sha-": {base(func(f *buildFacts) {
			f.existing = &artifact{desc: ocispec.Descriptor{Digest: digest.FromString("x")}}
		}), "", nil, "", "unknown"},
		"late": {base(func(f *buildFacts) {
			f.late = "late"
		}), Superseded, nil, "", ""},
		"integration has this content": {base(func(f *buildFacts) {
			f.selected, f.selectedTag = fake(b, "one"), "0.0.1-rc.1"
		}), Unchanged, nil, "0.0.1-rc.1", ""},
		"integration has other content": {base(func(f *buildFacts) {
			f.selected, f.selectedTag = fake(b, "two"), "0.0.1-rc.1"
		}), Created, all, "", ""},
		"artifact without our annotation is never the same content": {base(func(f *buildFacts) {
			f.selected, f.selectedTag = &artifact{}, "0.0.1-rc.1"
		}), Created, all, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := decideBuild(c.facts)
			if c.refusal != "" {
				if err == nil || !strings.Contains(err.Error(), c.refusal) {
					t.Fatalf("error %v, want one with %q", err, c.refusal)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if p.outcome != c.outcome || p.known != c.known || !slices.Equal(p.writes(c.facts), c.writes) {
				t.Errorf("%s %q writing %q, want %s %q writing %q", p.outcome, p.known, p.writes(c.facts), c.outcome, c.known, c.writes)
			}
			if p.reason == "" || strings.Contains(p.reason, "\n") {
				t.Errorf("reason %q is not one line", p.reason)
			}
		})
	}
}

// A number of a build that is not done, and perhaps under way, is to be made sure of, unless a promotion has passed it.
func TestDecideBuildToHold(t *testing.T) {
	open := version.Candidate{Base: version.Stable{Patch: 1}, N: 1}
	for name, c := range map[string]struct {
		open       version.Candidate
		integrated bool
		want       bool
	}{
		"done":                  {open, true, false},
		"not done":              {open, false, true},
		"passed by a promotion": {version.Candidate{}, false, false},
	} {
		mine := fake(commitOf("a"), "one")
		p, err := decideBuild(buildFacts{
			mine: mine, existing: mine, announced: true, number: open.String(), open: c.open, integrated: c.integrated,
			next: version.Candidate{Base: version.Stable{Patch: 1}, N: 2},
		})
		if err != nil || p.hold != c.want || p.hold && p.next != open || p.number {
			t.Errorf("%s: hold %v of %s, number %v, %v", name, p.hold, p.next, p.number, err)
		}
	}
}
