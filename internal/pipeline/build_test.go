package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/content/oci"

	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/version"
)

// hooked is a real store, a layout on disk, that lets a test act around each tag.
type hooked struct {
	*oci.Store
	before func(tag string) error // of writing it; an error is a lost connection
	after  func(tag string)
	dir    string
}

// lose deletes content behind the store's back.
func (h *hooked) lose(t *testing.T, d digest.Digest) {
	t.Helper()
	if err := os.Remove(filepath.Join(h.dir, "blobs", d.Algorithm().String(), d.Encoded())); err != nil {
		t.Fatal(err)
	}
}

func (h *hooked) Tag(ctx context.Context, desc ocispec.Descriptor, tag string) error {
	if h.before != nil {
		if err := h.before(tag); err != nil {
			return err
		}
	}
	err := h.Store.Tag(ctx, desc, tag)
	if err == nil && h.after != nil {
		h.after(tag)
	}
	return err
}

func newStore(t *testing.T) *hooked {
	t.Helper()
	return openStore(t, t.TempDir())
}

func openStore(t *testing.T, dir string) *hooked {
	t.Helper()
	s, err := oci.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	return &hooked{Store: s, dir: dir}
}

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// commitNumber is the n-th commit of a linear history, committed n minutes after epoch.
func commitNumber(n int) string { return strings.Repeat(fmt.Sprintf("%08x", 0xa0000000+n<<12), 5) }

func tree(text string) fs.FS {
	return fstest.MapFS{"app.yaml": {Data: []byte(text), Mode: 0o644}}
}

// buildOf is a build of the n-th commit, whose content is its number.
func buildOf(t *testing.T, repo Repository, n int) Build {
	t.Helper()
	integration, err := version.ParseConstraint(">= 0.0.0-0")
	if err != nil {
		t.Fatal(err)
	}
	live, err := version.ParseConstraint(">= 0.0.0")
	if err != nil {
		t.Fatal(err)
	}
	return Build{
		Repo: repo, Name: "registry.test/acme/fleet", Source: tree(fmt.Sprint("replicas: ", n)), Path: ".",
		Meta:     bundle.Metadata{Created: epoch.Add(time.Duration(n) * time.Minute), Revision: bundle.Revision{Ref: "main", Commit: commitNumber(n)}},
		Initial:  version.Stable{Patch: 1},
		Clusters: Clusters{integration, live}, SHALength: 7,
	}
}

func mustBuild(t *testing.T, b Build) Report {
	t.Helper()
	r, err := b.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// tagsOf maps each tag of a store to its digest.
func tagsOf(t *testing.T, repo Repository) map[string]string {
	t.Helper()
	s := store{repo, "test"}
	snap, err := s.list(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all, err := s.resolveAll(t.Context(), snap.tags)
	if err != nil {
		t.Fatal(err)
	}
	tags := map[string]string{}
	for tag, d := range all {
		tags[tag] = d.String()
	}
	return tags
}

// name gives an artifact that the store has one more tag, as a person might.
func name(t *testing.T, s *hooked, from, tag string) {
	t.Helper()
	desc, err := s.Resolve(t.Context(), from)
	if err == nil {
		err = s.Store.Tag(t.Context(), desc, tag)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// line is a linear history of numbered commits, or one that cannot be asked.
type line struct {
	err      error
	messages []string
}

func (l line) Contains(_ context.Context, newer, commit string) (bool, error) {
	return newer >= commit, l.err
}

func (l line) Messages(context.Context, string, string, string) ([]string, error) {
	return l.messages, l.err
}

func TestBuildNumbers(t *testing.T) {
	for title, c := range map[string]struct {
		tags []string // on the first commit's artifact, before the second is built
		bump version.Bump
		want string
	}{
		"next of the same base":                {nil, version.Patch, "0.0.1-rc.2"},
		"numeric order":                        {[]string{"0.0.1-rc.9", "0.0.1-rc.10"}, version.Patch, "0.0.1-rc.11"},
		"stable moves the base":                {[]string{"0.0.1"}, version.Patch, "0.0.2-rc.1"},
		"minor":                                {[]string{"0.0.1"}, version.Minor, "0.1.0-rc.1"},
		"major":                                {[]string{"0.0.1"}, version.Major, "1.0.0-rc.1"},
		"the highest candidate's base is kept": {[]string{"0.0.1", "0.1.0-rc.1"}, version.Patch, "0.1.0-rc.2"},
		"after a rescue":                       {[]string{"0.0.1", "0.0.2-rc.0"}, version.Patch, "0.0.2-rc.1"},
		"manual version far above":             {[]string{"7.0.0"}, version.Patch, "7.0.1-rc.1"},
		"foreign tags do not count":            {[]string{"v3.0.0", "2.0.0-beta.1", "0.0.1-rc10", "latest", "01.0.0"}, version.Patch, "0.0.1-rc.2"},
	} {
		t.Run(title, func(t *testing.T) {
			s := newStore(t)
			first := mustBuild(t, buildOf(t, s, 1))
			for _, tag := range c.tags {
				name(t, s, first.Candidate, tag)
			}
			b := buildOf(t, s, 2)
			b.Bump = c.bump
			if got := mustBuild(t, b); got.Candidate != c.want || got.Version != c.want || got.Outcome != Created {
				t.Errorf("%s %s, want created %s", got.Outcome, got.Candidate, c.want)
			}
		})
	}
}

func TestBuildTwiceChangesNothing(t *testing.T) {
	s := newStore(t)
	first := mustBuild(t, buildOf(t, s, 1))
	mustBuild(t, buildOf(t, s, 2))
	before := tagsOf(t, s)
	s.before = func(tag string) error { return errors.New("wrote " + tag) }
	again := mustBuild(t, buildOf(t, s, 1))
	if again.Outcome != Unchanged || again.Digest != first.Digest || again.Candidate != first.Candidate || !slices.Equal(again.Tags, first.Tags) {
		t.Errorf("second report %+v, first %+v", again, first)
	}
	if after := tagsOf(t, s); len(after) != len(before) {
		t.Errorf("tags %v became %v", before, after)
	}
}

// TestBuildUploadsAgainWhatWasLost: the manifest is there, and a part of it is not. The tags do not tell, so that
// overwrite must say it.
func TestBuildUploadsAgainWhatWasLost(t *testing.T) {
	s := newStore(t)
	b := buildOf(t, s, 1)
	first := mustBuild(t, b)
	mustBuild(t, buildOf(t, s, 2)) // whose config is the same, and no proof that it is there
	for _, part := range partsOf(t, s, first.Digest) {
		s.lose(t, part.Digest)
		s = openStore(t, s.dir)
		b.Repo, b.Overwrite = s, true
		before := tagsOf(t, s)
		r := mustBuild(t, b)
		if r.Outcome != Unchanged || r.Digest != first.Digest || !maps.Equal(tagsOf(t, s), before) {
			t.Errorf("%s %s, want unchanged %s and the same tags", r.Outcome, r.Digest, first.Digest)
		}
		if ok, err := s.Exists(t.Context(), part); err != nil || !ok {
			t.Errorf("%s %s is not there again: %v", part.MediaType, part.Digest, err)
		}
	}
}

// partsOf are the config and the layer of an artifact.
func partsOf(t *testing.T, s *hooked, d digest.Digest) []ocispec.Descriptor {
	t.Helper()
	desc, err := s.Resolve(t.Context(), d.String())
	if err != nil {
		t.Fatal(err)
	}
	parts, err := content.Successors(t.Context(), s, desc)
	if err != nil || len(parts) != 2 {
		t.Fatal(parts, err)
	}
	return parts
}

func TestBuildLateGetsNoTag(t *testing.T) {
	for title, history := range map[string]History{"by time": nil, "by GitHub": line{}, "GitHub is down": line{err: errors.New("503")}} {
		t.Run(title, func(t *testing.T) {
			s := newStore(t)
			mustBuild(t, buildOf(t, s, 2))
			before := tagsOf(t, s)
			b := buildOf(t, s, 1)
			b.History = history
			r := mustBuild(t, b)
			if r.Outcome != Superseded || r.Digest != "" || len(r.Tags) != 0 {
				t.Errorf("report %+v, want superseded with nothing to show", r)
			}
			if after := tagsOf(t, s); len(after) != len(before) {
				t.Errorf("tags %v became %v", before, after)
			}
		})
	}
}

func TestBuildDivergedHistoryIsNewer(t *testing.T) {
	s := newStore(t)
	mustBuild(t, buildOf(t, s, 2))
	b := buildOf(t, s, 1)
	b.History = diverged{}
	if r := mustBuild(t, b); r.Outcome != Created || r.Candidate != "0.0.1-rc.2" {
		t.Errorf("%s %s, want created 0.0.1-rc.2", r.Outcome, r.Candidate)
	}
}

// A branch that was built last does not let an older commit of main, run again, end above a newer one.
func TestBuildLateBelowABranch(t *testing.T) {
	for title, created := range map[string]time.Time{"a later one": epoch.Add(time.Hour), "an earlier one": epoch} {
		t.Run(title, func(t *testing.T) {
			s := newStore(t)
			mustBuild(t, buildOf(t, s, 2))
			branch := buildOf(t, s, 3)
			branch.History, branch.Meta.Created = beside{branch: commitNumber(3)}, created
			mustBuild(t, branch)
			before := tagsOf(t, s)
			for _, c := range []struct {
				n    int
				want Outcome
			}{{1, Superseded}, {4, Created}} {
				b := buildOf(t, s, c.n)
				b.History = branch.History
				if r := mustBuild(t, b); r.Outcome != c.want {
					t.Errorf("commit %d: %s (%s), want %s", c.n, r.Outcome, r.Reason, c.want)
				}
			}
			for tag := range tagsOf(t, s) {
				if before[tag] == "" && strings.HasSuffix(tag, commitNumber(1)[:7]) {
					t.Errorf("the older commit got %s", tag)
				}
			}
		})
	}
}

// beside is a line with one commit beside it.
type beside struct {
	line
	branch string
}

func (b beside) Contains(ctx context.Context, newer, commit string) (bool, error) {
	if (newer == b.branch) != (commit == b.branch) {
		return false, nil
	}
	return b.line.Contains(ctx, newer, commit)
}

type diverged struct{ line }

func (diverged) Contains(context.Context, string, string) (bool, error) { return false, nil }

func TestBuildAutoBump(t *testing.T) {
	for title, c := range map[string]struct {
		history History
		want    string
		says    string
	}{
		"feature":       {line{messages: []string{"fix: x", "feat: y"}}, "0.1.0-rc.1", "minor"},
		"breaking":      {line{messages: []string{"feat: y", "fix!: z"}}, "1.0.0-rc.1", "major"},
		"nothing known": {line{messages: []string{"update stuff"}}, "0.0.2-rc.1", "1 are no Conventional Commits"},
		"none":          {line{}, "0.0.2-rc.1", "0 commits"},
		"doubt":         {line{err: errors.New("the history is diverged")}, "0.0.2-rc.1", "patch is assumed: the history is diverged"},
		"no token":      {nil, "0.0.2-rc.1", "patch is assumed"},
	} {
		t.Run(title, func(t *testing.T) {
			s := newStore(t)
			name(t, s, mustBuild(t, buildOf(t, s, 1)).Candidate, "0.0.1")
			b := buildOf(t, s, 2)
			b.AutoBump, b.History = true, c.history
			if _, down := c.history.(line); down && c.history.(line).err == nil {
				b.History = afterAll{c.history.(line)}
			}
			r := mustBuild(t, b)
			if r.Candidate != c.want || !strings.Contains(strings.Join(append(r.Notices, r.Warnings...), "\n"), c.says) {
				t.Errorf("%s with %q %q, want %s with %q", r.Candidate, r.Notices, r.Warnings, c.want, c.says)
			}
		})
	}
}

// afterAll has every build come after all others.
type afterAll struct{ line }

func (afterAll) Contains(context.Context, string, string) (bool, error) { return false, nil }

func TestBuildSkipUnchanged(t *testing.T) {
	s := newStore(t)
	first := mustBuild(t, buildOf(t, s, 1))
	b := buildOf(t, s, 2)
	b.Source, b.SkipUnchanged = tree("replicas: 1"), true
	r := mustBuild(t, b)
	if r.Outcome != Unchanged || r.Digest != first.Digest || r.Candidate != first.Candidate || r.SHA != commitNumber(1) {
		t.Errorf("report %+v, want unchanged on %s", r, first.Digest)
	}
	b.SkipUnchanged = false
	if r := mustBuild(t, b); r.Outcome != Created {
		t.Errorf("%s without skip-unchanged, want created", r.Outcome)
	}
}

func TestBuildDryRunWritesNothing(t *testing.T) {
	s := newStore(t)
	s.before = func(tag string) error { return errors.New("wrote " + tag) }
	b := buildOf(t, s, 1)
	b.DryRun = true
	r := mustBuild(t, b)
	want := []string{"sha-" + commitNumber(1)[:7], "0.0.1-rc.1", "integration-" + commitNumber(1)[:7]}
	if r.Outcome != Planned || !slices.Equal(r.Plan, want) || r.Candidate != "0.0.1-rc.1" || r.Selected.Integration != "0.0.1-rc.1" {
		t.Errorf("report %+v, want a plan of %q", r, want)
	}
	if ok, err := s.Exists(t.Context(), ocispec.Descriptor{Digest: r.Digest}); ok || err != nil {
		t.Errorf("the manifest exists after a dry run: %v, %v", ok, err)
	}
}

func TestBuildTellsWhoWinsInstead(t *testing.T) {
	for _, foreign := range []string{"v2.0.0", "9.9.9-beta.1"} {
		s := newStore(t)
		name(t, s, mustBuild(t, buildOf(t, s, 1)).Candidate, foreign)
		r := mustBuild(t, buildOf(t, s, 2))
		if r.Candidate != "0.0.1-rc.2" || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], foreign) {
			t.Errorf("%s with warnings %q, want 0.0.1-rc.2 with one that names %s", r.Candidate, r.Warnings, foreign)
		}
	}
}

func TestBuildChangedSHALength(t *testing.T) {
	s := newStore(t)
	first := mustBuild(t, buildOf(t, s, 1))
	b := buildOf(t, s, 1)
	b.SHALength = 12
	r := mustBuild(t, b)
	if r.Outcome != Unchanged || r.Candidate != first.Candidate {
		t.Errorf("%s %s, want unchanged %s", r.Outcome, r.Candidate, first.Candidate)
	}
	if tags := tagsOf(t, s); tags["sha-"+commitNumber(1)[:12]] != first.Digest.String() || tags["integration-"+commitNumber(1)[:12]] != first.Digest.String() {
		t.Errorf("tags %v lack the longer ones", tags)
	}
}

// TestRefusalNamesTheTagThatIsThere builds other content under another sha-length: it is
// the candidate that names the commit's artifact, not a tag that nobody wrote.
func TestRefusalNamesTheTagThatIsThere(t *testing.T) {
	s := newStore(t)
	first := mustBuild(t, buildOf(t, s, 1))
	b := buildOf(t, s, 1)
	b.SHALength, b.Source = 12, tree("replicas: 9")
	if _, err := b.Run(t.Context()); err == nil || !strings.Contains(err.Error(), `tag "`+first.Candidate+`" names other content`) {
		t.Errorf("error %v, want one that names %s", err, first.Candidate)
	}
}
