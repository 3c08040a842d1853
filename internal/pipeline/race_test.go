package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/version"
)

func isCandidate(tag string) bool {
	_, err := version.ParseCandidate(tag)
	return err == nil
}

// TestStableTakenMeanwhile has a promotion take the base right after a build claimed
// its number (promise 9): the build goes one up.
func TestStableTakenMeanwhile(t *testing.T) {
	for _, taken := range []string{"0.0.1", "0.0.2", "3.0.0"} {
		t.Run(taken, func(t *testing.T) {
			s := newStore(t)
			first := mustBuild(t, buildOf(t, s, 1))
			s.after = func(tag string) {
				if tag == "0.0.1-rc.2" {
					name(t, s, first.Candidate, taken)
				}
			}
			r := mustBuild(t, buildOf(t, s, 2))
			stable, _ := version.ParseStable(taken)
			if want := stable.Bump(version.Patch).String() + "-rc.1"; r.Candidate != want || r.Selected.Integration != want {
				t.Errorf("candidate %s, integration selects %s, want %s", r.Candidate, r.Selected.Integration, want)
			}
		})
	}
}

// TestSupersededWithANumber has a promotion take the base of a build's number, and a newer commit the next one. The build
// gets no other number, and does not report the one that names its artifact still: it does not hold that.
func TestSupersededWithANumber(t *testing.T) {
	s := newStore(t)
	first := mustBuild(t, buildOf(t, s, 0))
	b := buildOf(t, &hooked{Store: s.Store, after: func(tag string) {
		if tag == "0.0.1-rc.2" {
			name(t, s, first.Candidate, "0.0.1")
			mustBuild(t, buildOf(t, s, 2))
		}
	}}, 1)
	b.History = line{}
	r := mustBuild(t, b)
	if r.Outcome != Superseded || r.Candidate != "" || r.Version != "" || len(r.Tags) != 2 {
		t.Errorf("%s %s with tags %q, because %s", r.Outcome, r.Candidate, r.Tags, r.Reason)
	}
}

// TestFinishedNumberIsLeftAlone has another build come and go between a build's look at
// the tags and its first number. A number that is taken is seen, not overwritten.
func TestFinishedNumberIsLeftAlone(t *testing.T) {
	s := newStore(t)
	var other Report
	ours := &hooked{Store: s.Store, after: func(tag string) {
		if strings.HasPrefix(tag, shaPrefix) {
			other = mustBuild(t, buildOf(t, s, 2))
		}
	}, before: func(tag string) error {
		if isCandidate(tag) && tag == other.Candidate {
			return errors.New("overwriting " + tag)
		}
		return nil
	}}
	r := mustBuild(t, buildOf(t, ours, 1))
	if other.Candidate != "0.0.1-rc.1" || r.Candidate != "0.0.1-rc.2" {
		t.Errorf("candidates %s and %s, want 0.0.1-rc.1 and 0.0.1-rc.2", other.Candidate, r.Candidate)
	}
	checkAll(t, s, 1, 2)
}

// TestLostAfterReadBack overwrites a number right after its build has read it back. The
// neighbour that did it counts as numbered by then, and the build must not be content.
func TestLostAfterReadBack(t *testing.T) {
	s := newStore(t)
	ours := &thief{hooked: &hooked{Store: s.Store}, tag: "0.0.1-rc.1", reads: 2}
	ours.after = func(tag string) {
		if strings.HasPrefix(tag, shaPrefix) { // a neighbour announces itself and goes no further
			dieAt(t, s, buildOf(t, s, 2), isCandidate)
		}
	}
	ours.steal = func() { name(t, s, "sha-"+commitNumber(2)[:7], "0.0.1-rc.1") }
	r := mustBuild(t, buildOf(t, ours, 1))
	if tags := tagsOf(t, s); r.Candidate != "0.0.1-rc.2" || tags[r.Candidate] != r.Digest.String() {
		t.Errorf("reported %s on %s, tags %v", r.Candidate, r.Digest, tags)
	}
}

// thief overwrites a tag once it was read a number of times.
type thief struct {
	*hooked
	tag   string
	reads int
	steal func()
}

func (s *thief) Resolve(ctx context.Context, tag string) (ocispec.Descriptor, error) {
	desc, err := s.hooked.Resolve(ctx, tag)
	if tag == s.tag {
		if s.reads--; s.reads == 0 {
			s.steal()
		}
	}
	return desc, err
}

// TestTwins builds one commit twice at once, on a branch and on a tag: two digests of the
// same content. In the end all tags of the commit name one of them. With other content
// the second is refused, and the first keeps the commit's tags.
func TestTwins(t *testing.T) {
	for title, content := range map[string]string{"same content": "replicas: 1", "other content": "replicas: 9"} {
		t.Run(title, func(t *testing.T) {
			s := newStore(t)
			var first Report
			ours := &hooked{Store: s.Store, before: func(tag string) error {
				if strings.HasPrefix(tag, shaPrefix) && first.Outcome == "" {
					first = mustBuild(t, buildOf(t, s, 1))
				}
				return nil
			}}
			b := buildOf(t, ours, 1)
			b.Meta.Revision.Ref, b.Source = "v1", tree(content)
			second, err := b.Run(t.Context())
			if same := content == "replicas: 1"; same != (err == nil) {
				t.Fatalf("error %v", err)
			} else if same && (second.Outcome != Unchanged || second.Digest != first.Digest || second.Candidate != first.Candidate) {
				t.Errorf("second report %+v, first %+v", second, first)
			}
			for tag, d := range tagsOf(t, s) {
				if d != first.Digest.String() {
					t.Errorf("%s names %s, want %s", tag, d, first.Digest)
				}
			}
		})
	}
}

// TestLateWriter has one build sleep for longer than others wait, between its look at
// a number and its write. The number that it takes from a finished build is replaced.
func TestLateWriter(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	other := make(chan Report)
	var once sync.Once
	late := &hooked{Store: s.Store}
	late.before = func(tag string) error {
		if isCandidate(tag) {
			once.Do(func() {
				fast := buildOf(t, s, 2)
				fast.Meta.Created = fast.Meta.Created.Add(time.Hour)
				go func() {
					r, err := fast.Run(t.Context())
					if err != nil {
						t.Error(err)
					}
					other <- r
				}()
				if r := <-other; r.Candidate != tag {
					t.Errorf("the fast build got %s, so that %s is not contended", r.Candidate, tag)
				}
			})
		}
		return nil
	}
	r := mustBuild(t, buildOf(t, late, 1))
	checkAll(t, s, 1, 2)
	if tags := tagsOf(t, s); tags[r.Candidate] != r.Digest.String() {
		t.Errorf("the late build reports %s, which names %s", r.Candidate, tags[r.Candidate])
	}
}

// checkAll wants each commit to have its three tags, and its own candidate.
func checkAll(t *testing.T, repo Repository, commits ...int) {
	t.Helper()
	tags := tagsOf(t, repo)
	numbered := map[string]string{}
	for tag, d := range tags {
		if isCandidate(tag) {
			numbered[d] = tag
		}
	}
	for _, n := range commits {
		short := commitNumber(n)[:7]
		d := tags["sha-"+short]
		if d == "" || d != tags["integration-"+short] || numbered[d] == "" {
			t.Errorf("commit %d: sha- %q, integration- %q, candidate %q", n, d, tags["integration-"+short], numbered[d])
		}
	}
	if t.Failed() {
		t.Log(tags)
	}
}

// immutable is a store that keeps its candidates where they are, as ECR, Harbor and zot can.
type immutable struct {
	*hooked
	answer error
}

// refused is the answer of a registry that says why.
type refused struct{}

func (refused) Error() string      { return "400 the tag is immutable" }
func (refused) TagImmutable() bool { return true }

// denied is the answer of one that does not.
type denied struct{}

func (denied) Error() string { return "403 denied" }
func (denied) Refused() bool { return true }

func (i immutable) Tag(ctx context.Context, desc ocispec.Descriptor, tag string) error {
	if old, err := i.Resolve(ctx, tag); isCandidate(tag) && (err == nil && old.Digest != desc.Digest) {
		return i.answer
	}
	return i.hooked.Tag(ctx, desc, tag)
}

// TestImmutableRegistry takes a refusal to move a tag for a lost race, in whatever words it comes.
func TestImmutableRegistry(t *testing.T) {
	for _, answer := range []error{refused{}, denied{}} {
		s := newStore(t)
		mustBuild(t, buildOf(t, s, 1))
		slow := immutable{&hooked{Store: s.Store}, answer}
		slowed := false
		repo := stepIn{slow, func(tag string) {
			if isCandidate(tag) && !slowed {
				slowed = true
				mustBuild(t, buildOf(t, s, 3))
			}
		}}
		r := mustBuild(t, buildOf(t, repo, 2))
		if r.Candidate != "0.0.1-rc.3" {
			t.Errorf("%v: candidate %s, want 0.0.1-rc.3", answer, r.Candidate)
		}
		checkAll(t, s, 1, 2, 3)
	}
}

// TestRefusalOfAFreeTag is no race: the registry lets nobody write.
func TestRefusalOfAFreeTag(t *testing.T) {
	s := newStore(t)
	_, err := buildOf(t, locked{&hooked{Store: s.Store}}, 1).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "403 denied") {
		t.Errorf("got %v, want the registry's refusal", err)
	}
}

// locked is a store whose candidates nobody may write.
type locked struct{ *hooked }

func (l locked) Tag(ctx context.Context, desc ocispec.Descriptor, tag string) error {
	if isCandidate(tag) {
		return denied{}
	}
	return l.hooked.Tag(ctx, desc, tag)
}

// stepIn does something between the look at a tag and its write.
type stepIn struct {
	immutable
	do func(tag string)
}

func (s stepIn) Tag(ctx context.Context, desc ocispec.Descriptor, tag string) error {
	s.do(tag)
	return s.immutable.Tag(ctx, desc, tag)
}

// TestNewestCommitEndsHighest starts builds of a linear history together, again and
// again: whoever wins which number, integration ends with the newest commit, and an
// older one is numbered below it or superseded.
func TestNewestCommitEndsHighest(t *testing.T) {
	for round := range 10 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			t.Parallel()
			const builds = 5
			s := newStore(t)
			var started, done sync.WaitGroup
			started.Add(builds)
			reports := make([]Report, builds)
			for n := range builds {
				b := buildOf(t, &hooked{Store: s.Store, before: waitForAll(&started)}, n)
				b.History = line{}
				b.Meta.Created = time.Now().Add(time.Duration(n-builds) * time.Second)
				done.Go(func() {
					var err error
					if reports[n], err = b.Run(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			done.Wait()
			tags := tagsOf(t, s)
			for n, r := range reports {
				if r.Outcome == Created && tags[r.Candidate] != r.Digest.String() || r.Outcome == Superseded && n == builds-1 {
					t.Errorf("commit %d: %s %s on %s", n, r.Outcome, r.Candidate, r.Digest)
				}
			}
			if c := reports[builds-1].Selected; tags[c.Integration] != reports[builds-1].Digest.String() || topOf(tags) != c.Integration {
				t.Errorf("the highest number %s is not the newest commit's, who saw %s selected: %v", topOf(tags), c.Integration, tags)
			}
		})
	}
}

// topOf is the highest candidate of a store's tags.
func topOf(tags map[string]string) string {
	top, _ := version.Read(slices.Collect(maps.Keys(tags))).Newest()
	return top.String()
}

// waitForAll holds back each build's first candidate until all builds have looked.
func waitForAll(started *sync.WaitGroup) func(string) error {
	var once sync.Once
	return func(tag string) error {
		if isCandidate(tag) {
			once.Do(func() { started.Done(); started.Wait() })
		}
		return nil
	}
}
