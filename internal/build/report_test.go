package build_test

import (
	"context"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/build"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
	"github.com/oci-promote/oci-promote/internal/version"
)

// TestReport is what the first build of a commit says, all of it.
func TestReport(t *testing.T) {
	s := pipelinetest.NewShelf(t, "0.0.1-rc.1=a @a 0.0.1=a")
	s.Put(t, "b")
	got := run(t, of(s, "b"))
	want := pipeline.Report{
		Mode: "build", Outcome: pipeline.Created, Reason: "a new candidate for integration", Repository: pipelinetest.Name,
		Version: "0.0.2-rc.2", Candidate: "0.0.2-rc.2", Digest: s.Digests["b"], SHA: pipelinetest.CommitOf("b"),
		Reference: pipelinetest.Name + "@" + s.Digests["b"].String(),
		Tags:      []string{"0.0.2-rc.2", pipelinetest.Tag("sha-", "b"), pipelinetest.Tag("integration-", "b")},
		Selected:  &pipeline.Selected{Integration: "0.0.2-rc.2", Live: "0.0.1"},
		Artifact:  got.Artifact,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant\n%+v", got, want)
	}
	if a := got.Artifact; a == nil || a.Height != 2 || a.Revision != "main@sha1:"+pipelinetest.CommitOf("b") || a.Files != 1 || !a.Created.Equal(pipelinetest.Epoch.Add(2*60e9)) {
		t.Errorf("artifact %+v", a)
	}
}

// TestDryRunWritesNothing: no tag, no manifest and no blob.
func TestDryRunWritesNothing(t *testing.T) {
	s := pipelinetest.NewStore(t)
	readOnly(t, s)
	r := dry(t, of(&sealed{s}, "a"))
	want := []string{"0.0.1-rc.1", pipelinetest.Tag("sha-", "a"), pipelinetest.Tag("integration-", "a")}
	if r.Outcome != pipeline.Planned || !slices.Equal(r.Plan, want) || r.Candidate != want[0] || r.Selected.Integration != want[0] || len(r.Tags) != 0 {
		t.Errorf("%+v, want a plan of %q", r, want)
	}
}

// sealed is a store that takes no content.
type sealed struct{ *pipelinetest.Store }

func (*sealed) Push(context.Context, ocispec.Descriptor, io.Reader) error {
	return errors.New("pushed")
}

func TestAutoBump(t *testing.T) {
	const live = "0.0.1-rc.1=a @a 0.0.1=a"
	for title, c := range map[string]struct {
		shelf   string
		history build.History
		want    string
		says    string
	}{
		"a feature":             {live, pipelinetest.Line{Said: []string{"fix: x", "feat: y"}}, "0.1.0-rc.2", "minor"},
		"breaking":              {live, pipelinetest.Line{Said: []string{"feat: y", "fix!: z"}}, "1.0.0-rc.2", "major"},
		"nothing known":         {live, pipelinetest.Line{Said: []string{"update stuff"}}, "0.0.2-rc.2", "1 are no Conventional Commits"},
		"no commits":            {live, pipelinetest.Line{}, "0.0.2-rc.2", "0 commits"},
		"GitHub is down":        {live, pipelinetest.Line{Err: errors.New("503")}, "0.0.2-rc.2", "patch is assumed: 503"},
		"no token":              {live, nil, "0.0.2-rc.2", "patch is assumed"},
		"a foreign stable":      {"0.0.1=0", pipelinetest.Line{Said: []string{"feat: y"}}, "0.0.2-rc.2", "has no revision"},
		"a higher base is open": {live + " 0.1.0-rc.1=a", pipelinetest.Line{Said: []string{"fix: x"}}, "0.1.0-rc.2", "patch"},
		"no stable":             {"0.0.1-rc.1=a", pipelinetest.Line{Said: []string{"feat: y"}}, "0.0.1-rc.2", ""},
		"nothing at all":        {"", pipelinetest.Line{Said: []string{"feat: y"}}, "0.0.1-rc.2", ""},
	} {
		t.Run(title, func(t *testing.T) {
			s := pipelinetest.NewShelf(t, c.shelf)
			b := of(s, "b")
			b.AutoBump, b.History = true, c.history
			r := checkForeseen(t, s.Store, b)
			if r.Candidate != c.want || !strings.Contains(strings.Join(append(r.Notices, r.Warnings...), "\n"), c.says) {
				t.Errorf("%s with %q %q, want %s with %q", r.Candidate, r.Notices, r.Warnings, c.want, c.says)
			}
		})
	}
}

// TestSkipUnchanged: no push where integration selects the same content already, by whatever
// commit.
func TestSkipUnchanged(t *testing.T) {
	for title, c := range map[string]struct {
		shelf   string
		skip    bool
		outcome pipeline.Outcome
		version string
	}{
		"a candidate":               {"0.0.1-rc.1=a @a", true, pipeline.Unchanged, "0.0.1-rc.1"},
		"the stable":                {"0.0.1=a", true, pipeline.Unchanged, "0.0.1"},
		"without the input":         {"0.0.1-rc.1=a @a", false, pipeline.Created, "0.0.1-rc.3"},
		"other content":             {"0.0.1-rc.2=b @b", true, pipeline.Created, "0.0.1-rc.3"},
		"other content above it":    {"0.0.1-rc.1=a 0.0.1-rc.2=b", true, pipeline.Created, "0.0.1-rc.3"},
		"somebody's, of no content": {"0.0.1-rc.1=0", true, pipeline.Created, "0.0.1-rc.3"},
		"nothing":                   {"", true, pipeline.Created, "0.0.1-rc.3"},
	} {
		t.Run(title, func(t *testing.T) {
			s := pipelinetest.NewShelf(t, c.shelf)
			b := of(s, "c")
			b.Source, b.SkipUnchanged, b.History = pipelinetest.Tree("a"), c.skip, pipelinetest.Line{}
			r := checkForeseen(t, s.Store, b)
			if r.Outcome != c.outcome || r.Version != c.version {
				t.Errorf("%s %s because %s, want %s %s", r.Outcome, r.Version, r.Reason, c.outcome, c.version)
			}
			if c.outcome == pipeline.Unchanged && (r.Digest != s.Digests["a"] || r.SHA != pipelinetest.CommitOf("a")) {
				t.Errorf("%s of %s, want a's", r.Digest, r.SHA)
			}
		})
	}
}

// TestWarnsWhereIntegrationDoesNotSee: a candidate that no cluster would pick is no use.
func TestWarnsWhereIntegrationDoesNotSee(t *testing.T) {
	for title, c := range map[string]struct{ shelf, constraint, says string }{
		"as it should be":      {"0.0.1-rc.1=a 0.0.1=a", ">= 0.0.0-0", ""},
		"a newer one is there": {"0.0.1-rc.2=b @b 0.0.1-rc.3=c", ">= 0.0.0-0", ""},
		"it is live":           {"0.0.1-rc.2=b @b 0.0.1=b", ">= 0.0.0-0", ""},
		"a foreign version":    {"v2.0.0=0", ">= 0.0.0-0", `integration selects "v2.0.0", not 0.0.1-rc.2`},
		"a foreign candidate":  {"9.9.9-beta.1=0", ">= 0.0.0-0", `integration selects "9.9.9-beta.1", not 0.0.1-rc.2`},
		"no candidates":        {"", ">= 0.0.0", "integration selects nothing"},
		"only stables":         {"0.0.1=a", ">= 0.0.0", `integration selects "0.0.1" and can never select 0.0.2-rc.2`},
	} {
		t.Run(title, func(t *testing.T) {
			s := pipelinetest.NewShelf(t, c.shelf)
			b := of(s, "b")
			b.History = pipelinetest.Line{}
			var err error
			if b.Clusters.Integration, err = version.ParseConstraint(c.constraint); err != nil {
				t.Fatal(err)
			}
			for _, r := range []pipeline.Report{dry(t, b), run(t, b)} {
				if text := strings.Join(r.Warnings, "\n"); (text == "") != (c.says == "") || !strings.Contains(text, c.says) || len(r.Warnings) > 1 {
					t.Errorf("%s: warnings %q, want %q", r.Outcome, r.Warnings, c.says)
				}
			}
		})
	}
}

// TestWarnsWhereLiveLetsIn: a candidate that live takes goes live before integration has seen it.
func TestWarnsWhereLiveLetsIn(t *testing.T) {
	for constraint, want := range map[string]bool{">= 0.0.0": false, "*": false, ">= 0.0.0-0": true, "~0.0.1-0": true, ">= 0.0.0, != 1.0.0-rc.1": true, ">= 9.0.0-0": false} {
		s := pipelinetest.NewShelf(t, "0.0.1-rc.1=a 0.0.1=a")
		b := of(s, "b")
		b.History = pipelinetest.Line{}
		b.Clusters.Live = pipelinetest.Must(version.ParseConstraint(constraint))
		for _, r := range []pipeline.Report{dry(t, b), run(t, b)} {
			text := strings.Join(r.Warnings, "\n")
			if said := strings.HasPrefix(text, "live takes what nobody validated: its constraint \""+constraint+"\" admits candidates such as 0.0.2-rc.2"); said != want || len(r.Warnings) > 1 {
				t.Errorf("%q, %s: warnings %q", constraint, r.Outcome, r.Warnings)
			}
		}
	}
}

// TestKeptTagsAreNotReported: a registry whose tags cannot move keeps the commit's on the
// content that was overwritten. The report warns of that, and does not say that they are on the new one.
func TestKeptTagsAreNotReported(t *testing.T) {
	s := pipelinetest.NewShelf(t, "0.0.1-rc.2=b' @b'")
	b := of(&immutable{Store: s.Store, answer: keptError{}}, "b")
	b.Overwrite = true
	r := run(t, b)
	if r.Outcome != pipeline.Created || r.Candidate != "0.0.2-rc.2" || len(r.Warnings) != 2 || !slices.Equal(r.Tags, []string{"0.0.2-rc.2"}) {
		t.Errorf("%s %s of %q, warnings %q", r.Outcome, r.Candidate, r.Tags, r.Warnings)
	}
	checkTruth(t, s, r)
}

// TestWarningOfTheTime is passed on.
func TestWarningOfTheTime(t *testing.T) {
	b := of(pipelinetest.NewStore(t), "a")
	b.Origin = func(context.Context) (build.Origin, error) {
		return build.Origin{Height: 1, Created: pipelinetest.Epoch, Warning: "the time is a guess"}, nil
	}
	if r := run(t, b); !slices.Equal(r.Warnings, []string{"the time is a guess"}) {
		t.Errorf("%q", r.Warnings)
	}
}
