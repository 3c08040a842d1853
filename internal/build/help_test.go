package build_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/build"
	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
	"github.com/oci-promote/oci-promote/internal/version"
)

// of is the build of a letter's commit, as a Shelf has it: the letter is the content too.
func of(repo pipeline.Repository, letter string) build.Build {
	return numbered(repo, pipelinetest.Number(letter), letter)
}

// numbered is the build of the n-th commit, whose height is n, with a text for content.
func numbered(repo pipeline.Repository, n int, text string) build.Build {
	return build.Build{
		Repo: repo, Name: pipelinetest.Name, Source: pipelinetest.Tree(text), Path: ".",
		Meta:     bundle.Metadata{Revision: bundle.Revision{Ref: "main", Commit: pipelinetest.Commit(n)}},
		Origin:   origin(n, n),
		Initial:  version.Stable{Patch: 1},
		Clusters: pipelinetest.Clusters(), SHALength: 7,
	}
}

// twin is a build of the same commit by another run, on a git tag: it has the same content
// and another digest.
func twin(b build.Build) build.Build {
	b.Meta.Revision.Ref = "v1"
	return b
}

// origin is that of a commit of some height, made so many minutes after the epoch.
func origin(height, minute int) func(context.Context) (build.Origin, error) {
	return func(context.Context) (build.Origin, error) {
		return build.Origin{Height: uint64(height), Created: pipelinetest.Epoch.Add(time.Duration(minute) * time.Minute)}, nil
	}
}

func run(t *testing.T, b build.Build) pipeline.Report {
	t.Helper()
	r, err := b.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// refused is the text of the refusal that a build must end with, and its hint.
func refused(t *testing.T, b build.Build) string {
	t.Helper()
	r, err := b.Run(t.Context())
	var refusal *pipeline.Refusal
	if !errors.As(err, &refusal) || refusal.Hint() == "" {
		t.Fatalf("%s %s, %v; want a refusal with a hint", r.Outcome, r.Candidate, err)
	}
	return pipeline.WithHint(err)
}

// dry is what a build foresees.
func dry(t *testing.T, b build.Build) pipeline.Report {
	t.Helper()
	b.DryRun = true
	return run(t, b)
}

var errKilled = errors.New("killed")

// readOnly has a store refuse every write of a tag.
func readOnly(t *testing.T, s *pipelinetest.Store) {
	t.Helper()
	s.Before = func(tag string) error { return errors.New("wrote " + tag) }
}

// remove takes tags away, as a clean-up does.
func remove(t *testing.T, s *pipelinetest.Store, tags ...string) {
	t.Helper()
	for _, tag := range tags {
		if err := s.Untag(t.Context(), tag); err != nil {
			t.Fatal(tag, err)
		}
	}
}

// top is the highest candidate that no stable passed; empty for none.
func top(tags map[string]string) string {
	c, open := version.Read(slices.Collect(maps.Keys(tags))).Top()
	if !open {
		return ""
	}
	return c.String()
}

// candidates are the candidates of a store's tags, each with its digest.
func candidates(tags map[string]string) map[string]string {
	tags = maps.Clone(tags)
	maps.DeleteFunc(tags, func(tag, _ string) bool { return !pipeline.IsCandidate(tag) })
	return tags
}

// checkTruth wants every tag that a report names to name the report's digest.
func checkTruth(t *testing.T, repo pipeline.Repository, r pipeline.Report) {
	t.Helper()
	tags := pipelinetest.Tags(t, repo)
	for _, tag := range slices.Concat(r.Tags, []string{r.Candidate, r.Version}) {
		if tag != "" && tags[tag] != r.Digest.String() {
			t.Errorf("the report (%s) says %.14s of %q, which names %.14s", r.Outcome, r.Digest, tag, tags[tag])
		}
	}
}

// checkForeseen wants a run to write exactly what its dry run foresaw, and to end alike.
func checkForeseen(t *testing.T, s *pipelinetest.Store, b build.Build) pipeline.Report {
	t.Helper()
	before := pipelinetest.Tags(t, s)
	d := dry(t, b)
	if after := pipelinetest.Tags(t, s); !maps.Equal(before, after) {
		t.Errorf("a dry run made %v of %v", after, before)
	}
	r := run(t, b)
	var wrote []string
	for tag, digest := range pipelinetest.Tags(t, s) {
		if before[tag] != digest {
			wrote = append(wrote, tag)
		}
	}
	plan := slices.Clone(d.Plan)
	slices.Sort(plan)
	slices.Sort(wrote)
	if !slices.Equal(plan, wrote) || d.Outcome != pipeline.Planned || !strings.Contains(d.Reason, "would be "+string(r.Outcome)+":") {
		t.Errorf("%s (%s) planned %q, and %s wrote %q", d.Outcome, d.Reason, d.Plan, r.Outcome, wrote)
	}
	if d.Digest != r.Digest || d.SHA != r.SHA || *d.Selected != *r.Selected {
		t.Errorf("foreseen %.14s of %s with %v selected, done %.14s of %s with %v", d.Digest, d.SHA, d.Selected, r.Digest, r.SHA, r.Selected)
	}
	checkTruth(t, s, r)
	return r
}

// family is a history that branches: each commit's parent.
type family map[string]string

// parents makes a family of numbered commits from child, parent pairs.
func parents(pairs ...[2]int) family {
	f := family{}
	for _, p := range pairs {
		f[pipelinetest.Commit(p[0])] = pipelinetest.Commit(p[1])
	}
	return f
}

func (f family) leads(from, to string) bool {
	for ; to != ""; to = f[to] {
		if to == from {
			return true
		}
	}
	return false
}

// Compare tells the order of two commits.
func (f family) Compare(_ context.Context, commit, base string) (string, error) {
	switch {
	case commit == base:
		return "identical", nil
	case f.leads(base, commit):
		return "ahead", nil
	case f.leads(commit, base):
		return "behind", nil
	}
	return "diverged", nil
}

// Messages are none.
func (family) Messages(context.Context, string, string, string) ([]string, error) { return nil, nil }

// word is a history that has one answer to everything.
type word string

// Compare gives it.
func (w word) Compare(context.Context, string, string) (string, error) { return string(w), nil }

// Messages are none.
func (word) Messages(context.Context, string, string, string) ([]string, error) { return nil, nil }

// histories are those of a line of commits: asked, not to be asked, and failing.
func histories() map[string]build.History {
	return map[string]build.History{"with GitHub": pipelinetest.Line{}, "without GitHub": nil, "GitHub is down": pipelinetest.Line{Err: errors.New("503")}}
}

// immutable is a store that keeps a tag where it is, as ECR, Harbor and zot can.
type immutable struct {
	*pipelinetest.Store
	answer error
	keeps  func(tag string) bool // nil for all
}

// Tag refuses to move one.
func (s *immutable) Tag(ctx context.Context, desc ocispec.Descriptor, tag string) error {
	if s.Before != nil {
		if err := s.Before(tag); err != nil {
			return err
		}
	}
	if old, err := s.Resolve(ctx, tag); err == nil && old.Digest != desc.Digest && (s.keeps == nil || s.keeps(tag)) {
		return s.answer
	}
	err := s.Store.Store.Tag(ctx, desc, tag)
	if err == nil && s.After != nil {
		s.After(tag)
	}
	return err
}

// keptError is the answer of a registry that says why; it wraps nothing.
type keptError struct{}

func (keptError) Error() string      { return "400 the tag is immutable" }
func (keptError) TagImmutable() bool { return true }
func (keptError) Refused() bool      { return true }

// deniedError is the answer of one that does not.
type deniedError struct{}

func (deniedError) Error() string { return "403 denied" }
func (deniedError) Refused() bool { return true }

type ctx = context.Context

// inTheMiddle has something happen after a build has looked, and before its first write.
func inTheMiddle(b *build.Build, s *pipelinetest.Store, happens func()) {
	inTheMiddleOf(b, &pipelinetest.Store{Store: s.Store, Dir: s.Dir}, happens)
}

// inTheMiddleOf is that of a build on some kind of store.
func inTheMiddleOf(b *build.Build, repo pipeline.Repository, happens func()) {
	b.Repo = &between{Repository: repo, happens: happens}
}

// between is a store before whose first write of a tag something happens.
type between struct {
	pipeline.Repository
	once    sync.Once
	happens func()
}

// Tag names an artifact.
func (s *between) Tag(ctx context.Context, desc ocispec.Descriptor, tag string) error {
	s.once.Do(s.happens)
	return s.Repository.Tag(ctx, desc, tag)
}

// hidden is a store whose list omits some tags, which can be read.
type hidden struct {
	*pipelinetest.Store
	omits func(tag string) bool
}

// Tags lists the others.
func (s *hidden) Tags(ctx context.Context, last string, fn func([]string) error) error {
	return s.Store.Tags(ctx, last, func(tags []string) error {
		return fn(slices.DeleteFunc(slices.Clone(tags), s.omits))
	})
}

// killAt runs a build until its n-th write of a tag, which takes effect or not.
func killAt(t *testing.T, s *pipelinetest.Store, b build.Build, n int, effect bool) {
	t.Helper()
	if !killedAt(t, s, b, n, effect) {
		t.Fatalf("it has no write %d", n)
	}
}

// killedAt reports whether the build came so far.
func killedAt(t *testing.T, s *pipelinetest.Store, b build.Build, n int, effect bool) bool {
	t.Helper()
	mortal := &mortal{Store: s, at: n, effect: effect}
	b.Repo = mortal
	_, err := b.Run(t.Context())
	if err != nil && !errors.Is(err, errKilled) {
		t.Fatalf("%v, want it killed", err)
	}
	return err != nil
}

// mortal is a store of a run that dies at one write of a tag, and does nothing after it.
type mortal struct {
	*pipelinetest.Store
	mu     sync.Mutex
	at     int
	effect bool
	dead   bool
}

// Tag dies.
func (s *mortal) Tag(ctx context.Context, desc ocispec.Descriptor, tag string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at--
	switch {
	case s.dead || s.at == -1 && !s.effect:
		s.dead = true
		return errKilled
	case s.at == -1:
		s.dead = true
		return errors.Join(s.Store.Tag(ctx, desc, tag), errKilled)
	}
	return s.Store.Tag(ctx, desc, tag)
}

// keys are the tags, sorted.
func keys(tags map[string]string) []string { return slices.Sorted(maps.Keys(tags)) }
