package build_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"

	"github.com/oci-promote/oci-promote/internal/build"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

// paused is a repository whose n-th question or write waits, before it has an effect, until
// it may go on. At is counted down; paused is closed when it waits.
type paused struct {
	pipeline.Repository
	mu          sync.Mutex
	at          int
	waits, goOn chan struct{}
}

func pauseAt(repo pipeline.Repository, n int) *paused {
	return &paused{Repository: repo, at: n, waits: make(chan struct{}), goOn: make(chan struct{})}
}

func (p *paused) step() {
	p.mu.Lock()
	p.at--
	now := p.at == -1
	p.mu.Unlock()
	if now {
		close(p.waits)
		<-p.goOn
	}
}

func (p *paused) Tags(ctx context.Context, last string, fn func([]string) error) error {
	p.step()
	return p.Repository.Tags(ctx, last, fn)
}

func (p *paused) Resolve(ctx context.Context, tag string) (ocispec.Descriptor, error) {
	p.step()
	return p.Repository.Resolve(ctx, tag)
}

func (p *paused) Tag(ctx context.Context, desc ocispec.Descriptor, tag string) error {
	p.step()
	return p.Repository.Tag(ctx, desc, tag)
}

// ended is what became of a run.
type ended struct {
	pipeline.Report
	err   error
	names string // the digest that its candidate named when it ended
}

// begin starts a build, and gives what to wait for.
func begin(t *testing.T, s pipeline.Repository, b build.Build) chan ended {
	done := make(chan ended, 1)
	go func() {
		r, err := b.Run(t.Context())
		e := ended{r, err, ""}
		if r.Candidate != "" {
			desc, _ := s.Resolve(context.WithoutCancel(t.Context()), r.Candidate)
			e.names = desc.Digest.String()
		}
		done <- e
	}()
	return done
}

// interleave runs two builds: the first up to its i-th step, the second up to its j-th, the
// first to its end, the second to its end. More is false where the first has no i-th step, or the second no j-th.
func interleave(t *testing.T, s pipeline.Repository, first, second build.Build, i, j int) (ends [2]ended, moreI, moreJ bool) {
	a, b := pauseAt(first.Repo, i), pauseAt(second.Repo, j)
	first.Repo, second.Repo = a, b
	doneA := begin(t, s, first)
	synctest.Wait()
	moreI = isClosed(a.waits)
	doneB := begin(t, s, second)
	synctest.Wait()
	moreJ = isClosed(b.waits)
	close(a.goOn)
	ends[0] = <-doneA
	close(b.goOn)
	ends[1] = <-doneB
	return ends, moreI, moreJ
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// world is how a registry treats a tag that is to be moved, and a repository's state.
type world struct {
	title, shelf string
	repo         func(s *pipelinetest.Store) pipeline.Repository
}

func worlds() []world {
	moves := func(s *pipelinetest.Store) pipeline.Repository {
		return &pipelinetest.Store{Store: s.Store, Dir: s.Dir}
	}
	keeps := func(s *pipelinetest.Store) pipeline.Repository { return &immutable{Store: s, answer: keptError{}} }
	denies := func(s *pipelinetest.Store) pipeline.Repository {
		return &immutable{Store: s, answer: deniedError{}, keeps: pipeline.IsCandidate}
	}
	return []world{
		{"tags move", "", moves}, {"tags stay", "", keeps}, {"candidates stay", "0.0.1=0", denies}, {"tags move, after a stable", "0.0.1-rc.1=a 0.0.1=a", moves},
	}
}

// TestTwins has two runs of commit b, of one content and two digests, meet at each pair of
// steps. In the end the commit's candidate and its tags name one digest, and each run has told the
// truth when it ended. One of other content is refused, or ends alone.
func TestTwins(t *testing.T) {
	for _, w := range worlds() {
		for title, content := range map[string]string{"same content": "b", "other content": "b'"} {
			if content != "b" && w.shelf != "" {
				continue // the two kinds of registry are enough
			}
			t.Run(w.title+", "+title, func(t *testing.T) {
				t.Parallel()
				for i, more := 0, true; more && !t.Failed(); i++ {
					for j, moreJ := 0, true; moreJ; j++ {
						shelf := pipelinetest.NewShelf(t, w.shelf)
						synctest.Test(t, func(t *testing.T) {
							second := twin(of(w.repo(shelf.Store), "b"))
							second.Source = pipelinetest.Tree(content)
							var ends [2]ended
							ends, more, moreJ = interleave(t, shelf, of(w.repo(shelf.Store), "b"), second, i, j)
							where := fmt.Sprintf("%d, %d", i, j)
							for _, e := range ends {
								switch {
								case e.err == nil && e.names != e.Digest.String():
									t.Errorf("%s: %s %s on %.14s, which named %.14s", where, e.Outcome, e.Candidate, e.Digest, e.names)
								case e.err != nil && (content == "b" || !strings.Contains(e.err.Error(), "names other content")):
									t.Errorf("%s: %v", where, e.err)
								}
							}
							checkOneDigest(t, where, shelf.Store)
						})
					}
				}
			})
		}
	}
}

// checkOneDigest wants commit b to have one candidate, and its tags to name the same digest.
func checkOneDigest(t *testing.T, where string, s *pipelinetest.Store) {
	t.Helper()
	tags := pipelinetest.Tags(t, s)
	c := top(tags)
	sha, integration := tags[pipelinetest.Tag(pipeline.SHAPrefix, "b")], tags[pipelinetest.Tag(pipeline.IntegrationPrefix, "b")]
	if c == "" || tags[c] != sha || sha != integration {
		t.Errorf("%s: the tags do not end alike: %v", where, tags)
	}
}

// TestTwinsKilled has a run of commit b be killed at each write, beside another at each step
// of that; both ways round. The next run of either ends it; with a promotion of the one that ended, too.
func TestTwinsKilled(t *testing.T) {
	for _, w := range worlds() {
		for _, promoted := range []bool{false, true} {
			t.Run(fmt.Sprint(w.title, ", promoted ", promoted), func(t *testing.T) {
				t.Parallel()
				for write := 0; write < 3 && !t.Failed(); write++ {
					for step, more := 0, true; more; step++ {
						for _, effect := range []bool{false, true} {
							shelf := pipelinetest.NewShelf(t, w.shelf)
							synctest.Test(t, func(t *testing.T) {
								where := fmt.Sprintf("killed at write %d (%t), paused at step %d", write, effect, step)
								// The one that dies is paused, and the other runs through; then it goes on, and dies.
								dies := twin(of(&dying{Repository: w.repo(shelf.Store), at: write, effect: effect}, "b"))
								p := pauseAt(dies.Repo, step)
								dies.Repo = p
								done := begin(t, shelf, dies)
								synctest.Wait()
								more = isClosed(p.waits)
								whole, err := of(w.repo(shelf.Store), "b").Run(t.Context())
								if err != nil {
									t.Fatal(where, err)
								}
								if promoted && whole.Candidate != "" {
									stable, _, _ := strings.Cut(whole.Candidate, "-")
									shelf.Name(t, whole.Digest.String(), stable)
								}
								close(p.goOn)
								if e := <-done; e.err != nil && !errors.Is(e.err, errKilled) {
									t.Error(where, e.err)
								}
								for _, next := range []build.Build{of(w.repo(shelf.Store), "b"), twin(of(w.repo(shelf.Store), "b"))} {
									r, err := next.Run(t.Context())
									if err != nil || r.Outcome != pipeline.Unchanged {
										t.Fatal(where, r.Outcome, err)
									}
									checkTruth(t, shelf, r)
								}
								tags := pipelinetest.Tags(t, shelf)
								if sha := tags[pipelinetest.Tag(pipeline.SHAPrefix, "b")]; tags[whole.Candidate] != sha || sha != tags[pipelinetest.Tag(pipeline.IntegrationPrefix, "b")] || len(candidates(tags)) > 2 {
									t.Errorf("%s: the tags do not end alike: %v", where, tags)
								}
							})
						}
					}
				}
			})
		}
	}
}

// dying is a repository of a run that dies at one write of a tag, and does nothing after it.
type dying struct {
	pipeline.Repository
	mu     sync.Mutex
	at     int
	effect bool
	dead   bool
}

func (d *dying) Tag(ctx context.Context, desc ocispec.Descriptor, tag string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.at--; d.dead || d.at == -1 {
		last := !d.dead && d.effect
		d.dead = true
		if last {
			return errors.Join(d.Repository.Tag(ctx, desc, tag), errKilled)
		}
		return errKilled
	}
	return d.Repository.Tag(ctx, desc, tag)
}

// TestTwinTakesTheNumberLate: a run completes what is there but for one tag, and meanwhile a
// twin that had found the number free overwrites it. All tags follow, those too that were right.
func TestTwinTakesTheNumberLate(t *testing.T) {
	for _, missing := range []string{pipeline.SHAPrefix, pipeline.IntegrationPrefix} {
		s := pipelinetest.NewShelf(t, "0.0.1-rc.2=b @b")
		remove(t, s.Store, pipelinetest.Tag(missing, "b"))
		other := pipelinetest.NewStore(t)
		theirs := run(t, twin(of(other, "b"))).Digest.String()
		if _, err := oras.Copy(t.Context(), other, theirs, s, theirs, oras.DefaultCopyOptions); err != nil {
			t.Fatal(err)
		}
		b := of(s, "b")
		inTheMiddle(&b, s.Store, func() { s.Name(t, theirs, "0.0.1-rc.2") })
		r := run(t, b)
		if r.Outcome != pipeline.Unchanged || r.Digest.String() != theirs || r.Candidate != "0.0.1-rc.2" || len(r.Tags) != 3 {
			t.Errorf("%s %s of %q on %.14s, want unchanged 0.0.1-rc.2 on %.14s", r.Outcome, r.Candidate, r.Tags, r.Digest, theirs)
		}
		checkTruth(t, s, r)
		checkComplete(t, s.Store, "b", theirs)
	}
}

// TestOverwriteBesideOtherContent: two runs that overwrite, with two contents, meet. Neither
// says that the other's content is its own.
func TestOverwriteBesideOtherContent(t *testing.T) {
	for _, w := range worlds()[:3] {
		t.Run(w.title, func(t *testing.T) {
			shelf := pipelinetest.NewShelf(t, w.shelf+" 0.0.1-rc.2=b @b")
			build := func(content string) build.Build {
				b := of(w.repo(shelf.Store), "b")
				b.Source, b.Overwrite = pipelinetest.Tree(content), true
				return b
			}
			b := build("one")
			var other pipeline.Report
			var took bool
			b.Repo = &between{Repository: b.Repo, happens: func() {
				other = run(t, build("two"))
				took = true
			}}
			r := run(t, b)
			if !took || r.Digest == other.Digest || r.Outcome != pipeline.Created {
				t.Errorf("%s %s because %s, and the other %s %s", r.Outcome, r.Candidate, r.Reason, other.Outcome, other.Candidate)
			}
			if tags := pipelinetest.Tags(t, shelf); tags[r.Candidate] != r.Digest.String() {
				t.Errorf("%s is not on %s: %v", r.Candidate, r.Digest, tags)
			}
		})
	}
}

// TestRefusalOfAFreeTag is no race: the registry lets nobody write.
func TestRefusalOfAFreeTag(t *testing.T) {
	s := pipelinetest.NewStore(t)
	s.Before = func(tag string) error { return fmt.Errorf("putting %s: %w", tag, deniedError{}) }
	if _, err := of(s, "a").Run(t.Context()); err == nil || !strings.Contains(err.Error(), "403 denied") {
		t.Errorf("%v, want the registry's refusal", err)
	}
}
