package build_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/build"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
	"github.com/oci-promote/oci-promote/internal/version"
)

// TestNumbers is the base rule, seen from a build: what a shelf has, who is built, and its
// candidate.
func TestNumbers(t *testing.T) {
	for title, c := range map[string]struct {
		shelf, letter string
		bump          version.Bump
		want          string
	}{
		"the first build":                {"", "a", version.Patch, "0.0.1-rc.1"},
		"the first build of a long line": {"", "z", version.Patch, "0.0.1-rc.26"},
		"a bump needs a stable":          {"", "a", version.Major, "0.0.1-rc.1"},
		"the next commit":                {"0.0.1-rc.1=a @a", "b", version.Patch, "0.0.1-rc.2"},
		"commits between were not built": {"0.0.1-rc.1=a @a", "g", version.Patch, "0.0.1-rc.7"},
		"numbers are numbers":            {"0.0.1-rc.9=i 0.0.1-rc.10=j", "k", version.Patch, "0.0.1-rc.11"},

		"a stable moves the base":                 {"0.0.1-rc.1=a 0.0.1=a", "b", version.Patch, "0.0.2-rc.2"},
		"a minor":                                 {"0.0.1-rc.1=a 0.0.1=a", "b", version.Minor, "0.1.0-rc.2"},
		"a major":                                 {"0.3.1-rc.1=a 0.3.1=a", "b", version.Major, "1.0.0-rc.2"},
		"the highest open base is kept":           {"0.0.1=a 0.1.0-rc.2=b", "c", version.Patch, "0.1.0-rc.3"},
		"a larger bump is heard":                  {"0.0.1=a 0.1.0-rc.2=b", "c", version.Major, "1.0.0-rc.3"},
		"a smaller one is in there":               {"0.0.1=a 1.0.0-rc.2=b", "c", version.Minor, "1.0.0-rc.3"},
		"a stable by hand, far above":             {"0.0.1-rc.1=a 7.0.0=a", "b", version.Patch, "7.0.1-rc.2"},
		"a base that was passed":                  {"0.1.0-rc.2=b 0.0.1=a 1.0.0=b", "c", version.Patch, "1.0.1-rc.3"},
		"the stable's candidates were cleaned up": {"0.0.4=a", "b", version.Patch, "0.0.5-rc.2"},

		"max+1 numbers below the height":     {"0.0.1-rc.1=a* 0.0.1-rc.2=b*", "e", version.Patch, "0.0.1-rc.5"},
		"a max+1 number above the height":    {"0.0.1-rc.9=a*", "b", version.Patch, "0.0.2-rc.2"},
		"after that":                         {"0.0.1-rc.9=a* 0.0.2-rc.2=b", "c", version.Patch, "0.0.2-rc.3"},
		"a max+1 number of the same height":  {"0.0.1-rc.2=a*", "b", version.Patch, "0.0.2-rc.2"},
		"max+1 numbers that a stable passed": {"0.0.1-rc.7=a* 0.0.1=a*", "b", version.Patch, "0.0.2-rc.2"},
		"somebody's artifact on our number":  {"0.0.1-rc.2=0", "b", version.Patch, "0.0.2-rc.2"},
		"an rc.0 of a rescue long ago":       {"0.0.1=a* 0.0.2-rc.0=b*", "c", version.Patch, "0.0.2-rc.3"},

		"foreign tags do not count": {"v3.0.0=0 2.0.0-beta.1=0 0.0.9-rc10=0 latest=0 01.0.0=0 1.0=0 0.0.1-rc.1=a", "b", version.Patch, "0.0.1-rc.2"},
	} {
		t.Run(title, func(t *testing.T) {
			s := pipelinetest.NewShelf(t, c.shelf)
			b := of(s, c.letter)
			b.Bump, b.History = c.bump, pipelinetest.Line{}
			r := checkForeseen(t, s.Store, b)
			if r.Outcome != pipeline.Created || r.Candidate != c.want || r.Version != c.want || len(r.Rescued) != 0 {
				t.Errorf("%s %s, rescued %v, want created %s", r.Outcome, r.Candidate, r.Rescued, c.want)
			}
			checkComplete(t, s.Store, c.letter, r.Digest.String())
		})
	}
}

// checkComplete wants a commit's two tags to name a digest.
func checkComplete(t *testing.T, s *pipelinetest.Store, letter, digest string) {
	t.Helper()
	tags := pipelinetest.Tags(t, s)
	for _, prefix := range []string{pipeline.SHAPrefix, pipeline.IntegrationPrefix} {
		if tag := pipelinetest.Tag(prefix, letter); tags[tag] != digest {
			t.Errorf("%s names %.14s, want %.14s", tag, tags[tag], digest)
		}
	}
}

func TestInitialVersion(t *testing.T) {
	for shelf, want := range map[string]string{"": "2.0.0-rc.2", "0.0.1-rc.1=a": "2.0.0-rc.2", "3.0.0-rc.1=a": "3.0.0-rc.2", "0.0.1=a": "0.0.2-rc.2"} {
		b := of(pipelinetest.NewShelf(t, shelf), "b")
		b.Initial = version.Stable{Major: 2}
		if r := run(t, b); r.Candidate != want {
			t.Errorf("after %q: %s, want %s", shelf, r.Candidate, want)
		}
	}
}

func TestNoVersionLeft(t *testing.T) {
	const last = "2147483647.2147483647.2147483647"
	for _, shelf := range []string{last + "=a", last + "-rc.9=a*"} {
		s := pipelinetest.NewShelf(t, shelf)
		readOnly(t, s.Store)
		if text := refused(t, of(s, "b")); !strings.Contains(text, "no version is left above the tags of "+pipelinetest.Name) {
			t.Error(text)
		}
	}
}

// TestHeightIsNotGuessed: no answer, no build.
func TestHeightIsNotGuessed(t *testing.T) {
	s := pipelinetest.NewShelf(t, "0.0.1-rc.1=a")
	readOnly(t, s.Store)
	b := of(s, "b")
	b.Origin = func(ctx) (build.Origin, error) { return build.Origin{}, errKilled }
	if _, err := b.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("%v, want the error of who was asked for the height", err)
	}
}

// TestTwoOfOneHeight: b and c are of one height, on two branches. The second takes the next
// base, whenever it hears of the first.
func TestTwoOfOneHeight(t *testing.T) {
	for title, hears := range map[string]func(b *build.Build, s *pipelinetest.Shelf, first func()){
		"it is listed": func(_ *build.Build, _ *pipelinetest.Shelf, first func()) { first() },
		"it can be read, and the list lags": func(b *build.Build, s *pipelinetest.Shelf, first func()) {
			first()
			b.Repo = &hidden{s.Store, func(tag string) bool { return tag == "0.0.1-rc.2" }}
		},
		"the registry keeps it there": func(b *build.Build, s *pipelinetest.Shelf, first func()) {
			inTheMiddleOf(b, &immutable{Store: s.Store, answer: deniedError{}}, first)
		},
		"it takes the number from us": func(b *build.Build, s *pipelinetest.Shelf, first func()) {
			var once sync.Once
			b.Repo = &pipelinetest.Store{Store: s.Store.Store, After: func(tag string) {
				if pipeline.IsCandidate(tag) {
					once.Do(func() {
						remove(t, s.Store, tag)
						first()
					})
				}
			}}
		},
	} {
		t.Run(title, func(t *testing.T) {
			s := pipelinetest.NewShelf(t, "0.0.1-rc.1=a @a")
			b := numbered(s, 3, "c")
			b.Origin, b.History = origin(2, 3), word("diverged")
			hears(&b, s, func() {
				first := of(s, "b")
				first.History = word("diverged")
				run(t, first)
			})
			r := run(t, b)
			if r.Outcome != pipeline.Created || r.Candidate != "0.0.2-rc.2" || len(r.Rescued) != 0 {
				t.Errorf("%s %s, rescued %v, want created 0.0.2-rc.2", r.Outcome, r.Candidate, r.Rescued)
			}
			checkTruth(t, s, r)
			tags := pipelinetest.Tags(t, s)
			for candidate, letter := range map[string]string{"0.0.1-rc.2": "b", "0.0.2-rc.2": "c"} {
				checkComplete(t, s.Store, letter, tags[candidate])
			}
		})
	}
}

// TestNextBaseIsTakenToo: the number is another commit's when we write it, and so is the next,
// which the list does not show. Nothing is overwritten.
func TestNextBaseIsTakenToo(t *testing.T) {
	s := pipelinetest.NewShelf(t, "")
	b := numbered(s, 3, "c")
	b.Origin = origin(2, 3)
	s.Put(t, "b")
	s.Put(t, "x")
	b.Repo = &blind{&immutable{Store: s.Store, answer: keptError{}, keeps: func(tag string) bool { return tag == "0.0.1-rc.2" }}, "0.0.3-rc.2"}
	s.Before = func(tag string) error {
		if tag == "0.0.1-rc.2" {
			s.Put(t, "b", tag)
			s.Put(t, "x", "0.0.2-rc.2")
		}
		return nil
	}
	r := run(t, b)
	if r.Outcome != pipeline.Created || r.Candidate != "0.0.3-rc.2" {
		t.Errorf("%s %s, want created 0.0.3-rc.2", r.Outcome, r.Candidate)
	}
	if tags := pipelinetest.Tags(t, s); s.Letter(tags["0.0.1-rc.2"]) != "b" || s.Letter(tags["0.0.2-rc.2"]) != "x" {
		t.Errorf("a number was taken away: %v", tags)
	}
}

// TestTakenWhileUploading: the upload takes long, and meanwhile another commit of our height
// takes the number that we saw free. We look again before we write.
func TestTakenWhileUploading(t *testing.T) {
	s := pipelinetest.NewShelf(t, "")
	s.Put(t, "b")
	synctest.Test(t, func(t *testing.T) {
		b := numbered(s, 3, "c")
		b.Origin = origin(2, 3)
		b.Repo = &sluggish{s.Store, 5 * time.Second}
		go func() {
			time.Sleep(time.Second)
			s.Put(t, "b", "0.0.1-rc.2")
		}()
		r := run(t, b)
		if tags := pipelinetest.Tags(t, s); r.Candidate != "0.0.2-rc.2" || s.Letter(tags["0.0.1-rc.2"]) != "b" {
			t.Errorf("%s, want 0.0.2-rc.2: %v", r.Candidate, tags)
		}
	})
}

// blind is a registry whose list shows but one tag.
type blind struct {
	*immutable
	shows string
}

func (s *blind) Tags(ctx context.Context, last string, fn func([]string) error) error {
	return (&hidden{s.Store, func(tag string) bool { return tag != s.shows }}).Tags(ctx, last, fn)
}

// sluggish is a store that takes long to store.
type sluggish struct {
	*pipelinetest.Store
	takes time.Duration
}

func (s *sluggish) Push(ctx context.Context, desc ocispec.Descriptor, content io.Reader) error {
	time.Sleep(s.takes)
	return s.Store.Push(ctx, desc, content)
}

// TestABranchBesideMain: a branch at rc.120 beside main at 101. No base is burnt but where
// the line changes, nobody lifts himself over the other, and main goes its way.
func TestABranchBesideMain(t *testing.T) {
	history := parents([2]int{101, 100}, [2]int{102, 101}, [2]int{103, 102}, [2]int{120, 100}, [2]int{121, 120})
	s := pipelinetest.NewStore(t)
	for _, c := range []struct {
		n    int
		want string
	}{
		{100, "0.0.1-rc.100"}, {120, "0.0.1-rc.120"}, {101, "0.0.2-rc.101"}, {102, "0.0.2-rc.102"},
		{121, "0.0.2-rc.121"}, {103, "0.0.3-rc.103"},
	} {
		b := numbered(s, c.n, fmt.Sprint(c.n))
		b.History = history
		if r := checkForeseen(t, s, b); r.Outcome != pipeline.Created || r.Candidate != c.want || len(r.Rescued) != 0 {
			t.Errorf("commit %d: %s %s, rescued %v, want created %s", c.n, r.Outcome, r.Candidate, r.Rescued, c.want)
		}
	}
}

// TestAHotfixThatIsSquashed: a branch of five commits is promoted at height 103, and then
// merged as one commit, 101, on main.
func TestAHotfixThatIsSquashed(t *testing.T) {
	history := parents([2]int{98, 97}, [2]int{99, 98}, [2]int{203, 98}, [2]int{101, 99}, [2]int{102, 101})
	s := pipelinetest.NewStore(t)
	built := func(n, height int, want string) {
		t.Helper()
		b := numbered(s, n, fmt.Sprint(n))
		b.Origin, b.History = origin(height, n), history
		if r := run(t, b); r.Outcome != pipeline.Created || r.Candidate != want {
			t.Fatalf("commit %d: %s %s because %s, want created %s", n, r.Outcome, r.Candidate, r.Reason, want)
		}
	}
	built(98, 98, "0.0.1-rc.98")
	built(203, 103, "0.0.1-rc.103")
	s.Name(t, "0.0.1-rc.103", "0.0.1")
	built(101, 101, "0.0.2-rc.101")
	built(102, 102, "0.0.2-rc.102")
}

// TestRewrittenHistory: a history of 5,000 commits becomes one of a few. New candidates take
// the next base and are not superseded by the old ones, nor lifted, nor lifted over.
func TestRewrittenHistory(t *testing.T) {
	for _, word := range []word{"diverged", ""} {
		s := pipelinetest.NewStore(t)
		for n := 4990; n <= 5000; n++ {
			b := numbered(s, n, fmt.Sprint(n))
			b.History = pipelinetest.Line{}
			run(t, b)
		}
		s.Name(t, "0.0.1-rc.4995", "0.0.1")
		for n, want := range []string{1: "0.0.2-rc.1", 2: "0.0.2-rc.2", 3: "0.0.2-rc.3"} {
			if n == 0 {
				continue
			}
			b := numbered(s, 10_000+n, fmt.Sprint("new ", n))
			b.Origin, b.History = origin(n, 10_000+n), eras{word}
			if n == 1 {
				want = "0.0.2-rc.1"
			}
			if r := checkForeseen(t, s, b); r.Outcome != pipeline.Created || r.Candidate != want || len(r.Rescued) != 0 {
				t.Errorf("%q: commit %d: %s %s because %s, rescued %v, want created %s", word, n, r.Outcome, r.Candidate, r.Reason, r.Rescued, want)
			}
		}
	}
}

// eras is a line of commits that was rewritten at the 10,000th: between the two parts there
// is one word.
type eras struct{ between word }

func (e eras) Compare(c ctx, commit, base string) (string, error) {
	if cut := pipelinetest.Commit(10_000); (commit > cut) != (base > cut) {
		return string(e.between), nil
	}
	return pipelinetest.Line{}.Compare(c, commit, base)
}

func (eras) Messages(ctx, string, string, string) ([]string, error) { return nil, nil }
