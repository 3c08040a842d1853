package prune

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/build"
	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
	"github.com/oci-promote/oci-promote/internal/promote"
	"github.com/oci-promote/oci-promote/internal/version"

	"context"
	"time"
)

// cluttered is a repository in which a and b go, each with something attached, while c has somebody's tag, d is live and e is
// open.
func cluttered(t *testing.T, api, tells bool) (*store, hung) {
	t.Helper()
	s, h := newStore(t, live("a b c d")+built("0.0.5", "e")+" latest=c other=0"), hung{}
	s.api, s.tells = api, tells
	h["of a"] = s.attach(t, s.Digests["a"], "a")
	h["of that"] = s.attach(t, h["of a"], "on a")
	h["of b"] = s.sign(t, s.Digests["b"], "sig", "b")
	h["bill"] = s.sign(t, s.Digests["b"], "sbom", "bill")
	s.sign(t, s.Digests["c"], "sbom", "bill")
	h["of d"] = s.attach(t, s.Digests["d"], "d")
	h["signature of e"] = s.sign(t, s.Digests["e"], "sig", "e")
	return s, h
}

const (
	keptOfCluttered = "0 c d e"
	hungOnCluttered = "bill, of d, signature of e"
)

// checkKept wants all to be there that is never deleted, with all its tags.
func (s *store) checkKept(t *testing.T, h hung, before map[string]string) {
	t.Helper()
	there, attached := s.letters(t), h.there(t, s)
	for letter := range strings.FieldsSeq(keptOfCluttered) {
		if !strings.Contains(there, letter) {
			t.Errorf("%s is gone, there is %s", letter, there)
		}
	}
	for name := range strings.SplitSeq(hungOnCluttered, ", ") {
		if !strings.Contains(attached, name) {
			t.Errorf("%s is gone, there is %s", name, attached)
		}
	}
	now := pipelinetest.Tags(t, s.Shelf)
	for tag, d := range before {
		if now[tag] != d && s.has(t, digest.Digest(d)) {
			t.Errorf("%s was on %s, which is there without it", tag, s.Letter(d))
		}
	}
}

// checkDone runs once more, without faults, and wants all to be done.
func (s *store) checkDone(t *testing.T, h hung) {
	t.Helper()
	s.around = nil
	mustRun(t, s, applying(s), keptOfCluttered)
	if got := h.there(t, s); got != hungOnCluttered {
		t.Errorf("attached is %q", got)
	}
	if r := mustRun(t, s, applying(s), keptOfCluttered); r.Outcome != pipeline.Unchanged || r.Retention.Left > 0 {
		t.Errorf("once more: %s (%s)", r.Outcome, r.Reason)
	}
}

// requestsOf are those of an applied prune.
func requestsOf(t *testing.T, api, tells bool) []string {
	t.Helper()
	s, h := cluttered(t, api, tells)
	mustRun(t, s, applying(s), keptOfCluttered)
	if got := h.there(t, s); got != hungOnCluttered {
		t.Fatalf("attached is %q", got)
	}
	return s.requests
}

var every = flag.Bool("every", false, "break and disturb each request of a prune, not every fourth")

// steps are the requests of an applied prune: of those of one kind that follow each other, and may be made at once, the first;
// and of these every fourth, or all with -every.
func steps(t *testing.T, api, tells bool) map[int]string {
	t.Helper()
	all, last := map[int]string{}, ""
	for i, request := range requestsOf(t, api, tells) {
		word, _, _ := strings.Cut(request, " ")
		if (word != last || word == "delete") && (*every || i%4 == 0) {
			all[i] = request
		}
		last = word
	}
	return all
}

// TestFaults loses each request of a prune, before it took effect or after, and kills the run at it: nothing is gone that is
// kept, the report does not claim more than was done, and the next run completes.
func TestFaults(t *testing.T) {
	lost := errors.New("connection reset")
	for _, api := range []bool{false, true} {
		for i := range steps(t, api, false) {
			for _, killed := range []bool{false, true} {
				for _, effect := range []bool{false, true} {
					t.Run(fmt.Sprintf("request %d, API: %v, killed: %v, took effect: %v", i, api, killed, effect), func(t *testing.T) {
						s, h := cluttered(t, api, i%2 == 0)
						before, n := pipelinetest.Tags(t, s.Shelf), 0
						var mu sync.Mutex
						s.around = func(_ string, do func() error) error {
							mu.Lock()
							defer mu.Unlock()
							n++
							if n-1 < i || n-1 > i && !killed {
								return do()
							}
							if n-1 == i && effect {
								return errors.Join(do(), lost)
							}
							return lost
						}
						r, err := applying(s).Run(t.Context())
						if !errors.Is(err, lost) {
							t.Errorf("%v", err)
						}
						s.checkKept(t, h, before)
						if r.Retention != nil && r.Retention.Deleted > 6-len(strings.Fields(s.letters(t))) {
							t.Errorf("%d deleted, and there is %s", r.Retention.Deleted, s.letters(t))
						}
						s.checkDone(t, h)
					})
				}
			}
		}
	}
}

// at has something happen just before the i-th request, and gives what that is about.
func (s *store) at(i int, happens func(request string)) {
	n := 0
	var mu sync.Mutex
	s.around = func(request string, do func() error) error {
		mu.Lock()
		n++
		now := n-1 == i
		mu.Unlock()
		if now {
			happens(request)
		}
		return do()
	}
}

// beside is the same store, seen by somebody else.
func (s *store) beside() *store {
	return &store{Shelf: s.Shelf, api: s.api, tells: s.tells, deletes: s.deletes}
}

// TestTwoPrunes runs a whole prune within another one, at each of its requests.
func TestTwoPrunes(t *testing.T) {
	for _, api := range []bool{false, true} {
		for i, request := range steps(t, api, true) {
			t.Run(fmt.Sprint(request, api), func(t *testing.T) {
				s, h := cluttered(t, api, true)
				before := pipelinetest.Tags(t, s.Shelf)
				s.at(i, func(string) { mustRun(t, s, applying(s.beside()), keptOfCluttered) })
				if r, err := applying(s).Run(t.Context()); err != nil {
					t.Errorf("%s: %v", r.Outcome, pipeline.WithHint(err))
				}
				s.checkKept(t, h, before)
				s.checkDone(t, h)
			})
		}
	}
}

// TestPrunesAtOnce has some run at once.
func TestPrunesAtOnce(t *testing.T) {
	for range 10 {
		s, h := cluttered(t, false, true)
		before := pipelinetest.Tags(t, s.Shelf)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if _, err := applying(s.beside()).Run(t.Context()); err != nil {
					t.Error(pipeline.WithHint(err))
				}
			})
		}
		wg.Wait()
		s.checkKept(t, h, before)
		s.checkDone(t, h)
	}
}

// TestBesideOthers has a build or a promotion happen at each request of a prune: what it wrote is there afterwards, and the
// prune stops, or was done. Only where a registry does not look at the tags of what it deletes is there a moment, between
// the last look and the deletion, in which a promotion of that very artifact, or a tag that is moved to it, is lost.
func TestBesideOthers(t *testing.T) {
	for name, other := range map[string]func(*testing.T, *store) (pipeline.Report, error){
		"a build":     func(t *testing.T, s *store) (pipeline.Report, error) { return s.build(t, "f") },
		"a promotion": func(t *testing.T, s *store) (pipeline.Report, error) { return s.promote(t, "e", nil) },
		"a rollback to what goes first": func(t *testing.T, s *store) (pipeline.Report, error) {
			return s.promote(t, "a", &promote.Manual{Next: true})
		},
		"a rollback to what goes last": func(t *testing.T, s *store) (pipeline.Report, error) {
			return s.promote(t, "b", &promote.Manual{Next: true})
		},
		"somebody's tag":        func(t *testing.T, s *store) (pipeline.Report, error) { return s.name(t, "b", "prod") },
		"somebody's tag, moved": func(t *testing.T, s *store) (pipeline.Report, error) { return s.name(t, "b", "latest") },
	} {
		for _, tells := range []bool{false, true} {
			for i, request := range steps(t, false, tells) {
				t.Run(fmt.Sprintf("%s, tells: %v, %d %.20s", name, tells, i, request), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						s, _ := cluttered(t, false, tells)
						var r pipeline.Report
						var err error
						deleted, began := "", 0
						s.at(i, func(request string) {
							deleted, _ = strings.CutPrefix(request, "delete ")
							r, err = other(t, s.beside())
							began = len(s.sent()) // of what is asked at once some may be before that
						})
						pruned, failed := applying(s).Run(t.Context())
						if failed != nil {
							t.Error(pipeline.WithHint(failed))
						}
						if err != nil || !tells && deleted == r.Digest.String() {
							return // it is gone already, which it said; or it goes this moment
						}
						if strings.HasSuffix(name, "moved") && !slices.Contains(s.sent()[began:], "head latest") {
							return // nobody looked after that
						}
						s.checkWritten(t, r)
						s.around = nil
						if _, err := applying(s).Run(t.Context()); err != nil {
							t.Error(pipeline.WithHint(err))
						}
						s.checkWritten(t, r)
						if t.Failed() {
							t.Logf("%s %+v; %s (%s) %+v; %q", r.Outcome, r.Tags, pruned.Outcome, pruned.Reason, pruned.Warnings, s.requests)
						}
					})
				})
			}
		}
	}
}

// checkWritten wants the tags of a report to be on its artifact.
func (s *store) checkWritten(t *testing.T, r pipeline.Report) {
	t.Helper()
	now := pipelinetest.Tags(t, s.Shelf)
	for _, tag := range append(r.Tags, r.Version) {
		if tag != "" && now[tag] != r.Digest.String() {
			t.Errorf("%s is on %q, not on %s", tag, s.Letter(now[tag]), s.Letter(r.Digest.String()))
		}
	}
}

func (s *store) name(t *testing.T, letter, tag string) (pipeline.Report, error) {
	desc, err := s.Store.Resolve(t.Context(), s.Digests[letter].String())
	if err == nil {
		err = s.Store.Store.Tag(t.Context(), desc, tag)
	}
	return pipeline.Report{Digest: desc.Digest, Tags: []string{tag}}, err
}

func (s *store) promote(t *testing.T, letter string, m *promote.Manual) (pipeline.Report, error) {
	return promote.Promotion{
		Repo: s.Shelf, Name: pipelinetest.Name, History: pipelinetest.Line{}, Manual: m, SHALength: 7, Clusters: pipelinetest.Clusters(),
		Subject: &promote.Subject{Digest: s.Digests[letter], Commit: pipelinetest.CommitOf(letter), Proven: m == nil, Because: "because"},
	}.Run(t.Context())
}

func (s *store) build(t *testing.T, letter string) (pipeline.Report, error) {
	n := pipelinetest.Number(letter)
	return build.Build{
		Repo: s.Shelf, Name: pipelinetest.Name, Source: pipelinetest.Tree(letter), Path: ".", History: pipelinetest.Line{},
		Meta: bundle.Metadata{Revision: bundle.Revision{Ref: "main", Commit: pipelinetest.Commit(n)}},
		Origin: func(context.Context) (build.Origin, error) {
			return build.Origin{Height: uint64(n), Created: pipelinetest.Epoch.Add(time.Duration(n) * time.Minute)}, nil
		},
		Initial: version.Stable{Patch: 1}, Clusters: pipelinetest.Clusters(), SHALength: 7,
	}.Run(t.Context())
}

// TestStopped: what was deleted before somebody else wrote is told, and the rest is left.
func TestStopped(t *testing.T) {
	s := newStore(t, live("a b c d"))
	p := applying(s)
	p.Progress = func(what string, done, _ int) {
		if what == "deleting" && done == 1 {
			s.Put(t, "e", "0.0.5-rc.5")
		}
	}
	r := mustRun(t, s, p, "b c d e")
	states := map[string]int{}
	for _, x := range r.Retention.Delete {
		states[x.State]++
	}
	want := map[string]int{pipeline.PrunedDeleted: 1, pipeline.PrunedPlanned: 2}
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "0.0.5-rc.5") || r.Retention.Deleted != 1 || r.Retention.Left != 2 || !maps.Equal(states, want) {
		t.Errorf("%q, %+v", r.Warnings, r.Retention)
	}
}

// TestPlanDeletesNothing: without Apply nothing is deleted, and what would be is told.
func TestPlanDeletesNothing(t *testing.T) {
	s, h := cluttered(t, false, true)
	before := pipelinetest.Tags(t, s.Shelf)
	r := mustRun(t, s, keeping(s), "0 a b c d e")
	if after := pipelinetest.Tags(t, s.Shelf); !maps.Equal(before, after) || s.count("delete") > 0 || len(strings.Split(h.there(t, s), ", ")) != len(h) {
		t.Errorf("%v, %q", after, s.requests)
	}
	if x := r.Retention; r.Outcome != pipeline.Planned || len(x.Delete) != 2 || x.Deleted != 0 || x.Kept != 4 || x.Applied {
		t.Errorf("%s, %+v", r.Outcome, x)
	}
}

// TestKeptMakesRoom: what turns out to stay is not one of those that a run may delete. Else the oldest that nobody can delete
// would hold up each run for ever.
func TestKeptMakesRoom(t *testing.T) {
	const tags = "a b c d e"
	for name, row := range map[string]struct {
		tags string
		keep string // letters of what the deleter keeps, whoever asks
		most int
		want string
		left int
	}{
		"one that is never deleted":      {live(tags), "a", 1, "a c d e", 3},
		"two of them, and room for more": {live(tags), "a c", 3, "a c e", 2},
		"all of them":                    {live(tags), "a b c d", 1, "a b c d e", 4},
		"as many as there are":           {live(tags), "b", 4, "b e", 1},
		"a tag that names another":       {live(tags) + " sha-" + pipelinetest.CommitOf("a")[:7] + "=0", "", 1, "0 a c d e", 3},
		"what shows a rollback":          {live("a b c") + " 0.0.4=a" + built("0.0.5", "d") + " 0.0.5=d", "a", 2, "a c d", 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, row.tags)
			p := applying(s)
			p.MaxDeletes = row.most
			p.Deleter = &refuser{s, map[digest.Digest]bool{}}
			for _, letter := range strings.Fields(row.keep) {
				p.Deleter.(*refuser).never[s.Digests[letter]] = true
			}
			before := len(strings.Fields(s.letters(t)))
			r := mustRun(t, s, p, row.want)
			there := len(strings.Fields(s.letters(t)))
			if x := r.Retention; x.Deleted != before-there || x.Left != row.left || x.Deleted > row.most {
				t.Errorf("%d of %d are there; %+v", there, before, x)
			}
			rules := 0
			for _, k := range r.Retention.Keep {
				rules += k.Artifacts
			}
			if x := r.Retention; rules+x.Left != x.Kept {
				t.Errorf("%d kept by rules, %d left, %d kept", rules, x.Left, x.Kept)
			}
		})
	}
}

// refuser deletes all but some.
type refuser struct {
	*store
	never map[digest.Digest]bool
}

func (d *refuser) Delete(ctx context.Context, x digest.Digest, tags []string) (bool, error) {
	if d.never[x] {
		return false, fmt.Errorf("%w, for ever", ErrChanged)
	}
	return d.store.Delete(ctx, x, tags)
}

// TestToldToEnd: a deletion that is under way when a run is told to end is not cut off, and none is begun after it.
func TestToldToEnd(t *testing.T) {
	s := newStore(t, live("a b c"))
	ctx, cancel := context.WithCancel(t.Context())
	p := applying(s)
	p.Deleter = &interrupted{s, cancel}
	r, err := p.Run(ctx)
	if !errors.Is(err, context.Canceled) || s.letters(t) != "b c" || r.Retention.Deleted != 1 {
		t.Errorf("%v, there is %s; %+v", err, s.letters(t), r.Retention)
	}
}

// interrupted has its run be told to end as it deletes.
type interrupted struct {
	*store
	end func()
}

func (d *interrupted) Delete(ctx context.Context, x digest.Digest, tags []string) (bool, error) {
	d.end()
	if err := ctx.Err(); err != nil {
		return false, err
	}
	return d.store.Delete(ctx, x, tags)
}
