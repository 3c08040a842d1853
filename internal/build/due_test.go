package build_test

import (
	"reflect"
	"testing"

	"github.com/oci-promote/oci-promote/internal/build"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
	"github.com/oci-promote/oci-promote/internal/version"
)

// TestSlowOlderCommitWithALargerBump: commit a is slow, with a minor bump; b is fast, and
// promoted, or in flight. Then a's candidate appears, above b's. Integration goes on with
// b, by the candidate that a's build gives it; a's report tells that.
func TestSlowOlderCommitWithALargerBump(t *testing.T) {
	for title, c := range map[string]struct {
		shelf     string
		meanwhile func(t *testing.T, s *pipelinetest.Shelf)
		want      string // candidate of b
		from      string
	}{
		"promoted": {"", func(t *testing.T, s *pipelinetest.Shelf) {
			run(t, of(s, "b"))
			s.Put(t, "b", "0.0.1")
		}, "0.1.0-rc.2", "0.0.1-rc.2"},
		"in flight": {"0.0.1=0", func(t *testing.T, s *pipelinetest.Shelf) { run(t, of(s, "b")) }, "0.1.0-rc.2", "0.0.2-rc.2"},
		"c passed b": {"0.0.1=0", func(t *testing.T, s *pipelinetest.Shelf) {
			run(t, of(s, "b"))
			s.Put(t, "c", "0.0.3-rc.3")
			s.Put(t, "b", "0.0.2")
		}, "", ""},
	} {
		t.Run(title, func(t *testing.T) {
			s := pipelinetest.NewShelf(t, c.shelf)
			s.Put(t, "a")
			s.Put(t, "b")
			s.Put(t, "c")
			b := of(s, "a")
			b.Bump, b.Initial, b.History = version.Minor, version.Stable{Minor: 1}, pipelinetest.Line{}
			inTheMiddle(&b, s.Store, func() { c.meanwhile(t, s) })
			r := run(t, b)
			if r.Outcome != pipeline.Created || r.Candidate != "0.1.0-rc.1" {
				t.Errorf("%s %s, want created 0.1.0-rc.1", r.Outcome, r.Candidate)
			}
			want := []pipeline.Rescued{{From: c.from, Candidate: c.want, Digest: s.Digests["b"]}}
			if c.want == "" {
				want = []pipeline.Rescued{{From: "0.0.3-rc.3", Candidate: "0.1.0-rc.3", Digest: s.Digests["c"]}}
			}
			if !reflect.DeepEqual(r.Rescued, want) || r.Selected.Integration != want[0].Candidate {
				t.Errorf("rescued %v, integration selects %s, want %v", r.Rescued, r.Selected.Integration, want)
			}
			checkTruth(t, s, r)
			if tags := pipelinetest.Tags(t, s); tags[want[0].Candidate] != want[0].Digest.String() || top(tags) != want[0].Candidate {
				t.Error(tags)
			}
			readOnly(t, s.Store)
			b.Repo = s
			if again := run(t, b); again.Outcome != pipeline.Unchanged || again.Candidate != r.Candidate || len(again.Rescued) != 0 {
				t.Errorf("again: %s %s, rescued %v", again.Outcome, again.Candidate, again.Rescued)
			}
		})
	}
}

// TestDue: what promise 9 says is due is written at the end of a run that is created or
// unchanged, never by one that is superseded; and a dry run foresees it.
func TestDue(t *testing.T) {
	for title, c := range map[string]struct {
		shelf, letter string
		outcome       pipeline.Outcome
		candidate     string // of the report
		due           string // TAG=LETTER, or nothing
	}{
		"a stable passed c, seen by the next":       {"0.0.1-rc.2=b 0.0.1-rc.3=c @b @c 0.0.1=b", "b", pipeline.Unchanged, "0.0.1-rc.2", "0.0.2-rc.3=c"},
		"seen by its own":                           {"0.0.1-rc.2=b 0.0.1-rc.3=c @b @c 0.0.1=b", "c", pipeline.Unchanged, "0.0.2-rc.3", "0.0.2-rc.3=c"},
		"seen by an older one":                      {"0.0.1-rc.1=a @a 0.0.1-rc.2=b 0.0.1-rc.3=c 0.0.1=b", "a", pipeline.Unchanged, "0.0.1-rc.1", "0.0.2-rc.3=c"},
		"a newer one needs no rescue of it":         {"0.0.1-rc.2=b 0.0.1-rc.3=c 0.0.1=b", "d", pipeline.Created, "0.0.2-rc.4", ""},
		"superseded":                                {"0.0.1-rc.2=b 0.0.1-rc.3=c 0.0.1=b", "a", pipeline.Superseded, "", ""},
		"an artifact without a height keeps its N":  {"0.0.1-rc.2=b* 0.0.1-rc.3=c* @b* 0.0.1=b*", "b", pipeline.Unchanged, "0.0.1-rc.2", "0.0.2-rc.3=c*"},
		"its own, without a height":                 {"0.0.1-rc.6=b* 0.0.1-rc.7=c* @c* 0.0.1=b*", "c", pipeline.Unchanged, "0.0.2-rc.7", "0.0.2-rc.7=c*"},
		"under a larger bump of an older one":       {"0.0.1=0 0.0.2-rc.3=c 0.1.0-rc.2=b @b", "b", pipeline.Unchanged, "0.1.0-rc.2", "0.1.0-rc.3=c"},
		"under that, its own":                       {"0.0.1=0 0.0.2-rc.3=c @c 0.1.0-rc.2=b", "c", pipeline.Unchanged, "0.1.0-rc.3", "0.1.0-rc.3=c"},
		"under that, the stable's own":              {"0.0.1-rc.3=c @c 0.0.1=c 0.1.0-rc.2=b", "c", pipeline.Unchanged, "0.1.0-rc.3", "0.1.0-rc.3=c"},
		"a rollback holds":                          {"0.0.1-rc.1=a @a 0.0.1=a 0.0.2-rc.2=b 0.0.2=b 0.0.3-rc.3=c 0.0.3=a", "a", pipeline.Unchanged, "0.0.1-rc.1", ""},
		"a rollback holds, for its own":             {"0.0.1-rc.1=a 0.0.1=a 0.0.2-rc.2=b 0.0.2=b 0.0.3-rc.3=c @c 0.0.3=a", "c", pipeline.Unchanged, "0.0.3-rc.3", ""},
		"nothing is due under what is newer":        {"0.0.1-rc.2=b @b 0.0.1=a 0.0.2-rc.3=c", "b", pipeline.Unchanged, "0.0.1-rc.2", ""},
		"live already":                              {"0.0.1-rc.2=b @b 0.0.1=b 0.0.1-rc.1=a", "b", pipeline.Unchanged, "0.0.1-rc.2", ""},
		"nobody's number, of somebody's artifact":   {"0.0.1-rc.2=b @b 0.0.1=b 0.0.1-rc.3=0", "b", pipeline.Unchanged, "0.0.1-rc.2", ""},
		"tagged by hand under an N that is not its": {"0.0.1-rc.1=a @a 0.0.1-rc.7=c 0.0.1=a", "a", pipeline.Unchanged, "0.0.1-rc.1", "0.0.2-rc.3=c"},
	} {
		t.Run(title, func(t *testing.T) {
			s := pipelinetest.NewShelf(t, c.shelf)
			before := pipelinetest.Tags(t, s)
			b := of(s, c.letter)
			b.History = pipelinetest.Line{}
			r := checkForeseen(t, s.Store, b)
			added := s.Added(t, before)
			if c.outcome == pipeline.Created {
				added = ""
			}
			if r.Outcome != c.outcome || r.Candidate != c.candidate || added != c.due || (len(r.Rescued) == 1) != (c.due != "") {
				t.Errorf("%s %s because %s, rescued %v, wrote %q; want %s %s and %q", r.Outcome, r.Candidate, r.Reason, r.Rescued, added, c.outcome, c.candidate, c.due)
			}
			if c.due != "" && (r.Rescued[0].Candidate+"="+s.Letter(r.Rescued[0].Digest.String()) != c.due || r.Selected.Integration != r.Rescued[0].Candidate) {
				t.Errorf("rescued %v, integration selects %s", r.Rescued, r.Selected.Integration)
			}
		})
	}
}

// TestDueAskedWithoutGitHub: nothing is lifted above an open candidate then.
func TestDueAskedWithoutGitHub(t *testing.T) {
	for how, history := range histories() {
		s := pipelinetest.NewShelf(t, "0.0.1=0 0.0.2-rc.3=c 0.1.0-rc.2=b @b")
		b := of(s, "b")
		b.History = history
		r := run(t, b)
		if lifted := how == "with GitHub"; lifted != (len(r.Rescued) == 1) {
			t.Errorf("%s: rescued %v", how, r.Rescued)
		}
	}
}

// TestPromotedMeanwhile: a promotion takes the base of a build right after its candidate. The
// build sees that, goes one up, and reports it. Seen before, it numbers itself above it.
func TestPromotedMeanwhile(t *testing.T) {
	for _, stable := range []string{"0.0.1", "0.0.2", "3.0.0"} {
		s := pipelinetest.NewShelf(t, "0.0.1-rc.1=a @a")
		b := of(s, "b")
		b.Repo = &pipelinetest.Store{Store: s.Store.Store, After: func(tag string) {
			if tag == "0.0.1-rc.2" {
				s.Put(t, "a", stable)
			}
		}}
		v, err := version.ParseStable(stable)
		if err != nil {
			t.Fatal(err)
		}
		want := version.Candidate{Base: v.Bump(version.Patch), N: 2}.String()
		r := run(t, b)
		if r.Outcome != pipeline.Created || r.Candidate != want || r.Version != want || r.Selected.Integration != want || len(r.Rescued) != 1 || r.Rescued[0].From != "0.0.1-rc.2" {
			t.Errorf("%s %s, rescued %v, integration selects %s; want created %s", r.Outcome, r.Candidate, r.Rescued, r.Selected.Integration, want)
		}
		checkTruth(t, s, r)
	}
}

// TestItselfPromotedMeanwhile: a build whose own candidate goes live before it has ended
// keeps what it has.
func TestItselfPromotedMeanwhile(t *testing.T) {
	s := pipelinetest.NewShelf(t, "0.0.1-rc.1=a @a")
	b := of(s, "b")
	b.Repo = &pipelinetest.Store{Store: s.Store.Store, After: func(tag string) {
		if tag == "0.0.1-rc.2" {
			s.Name(t, tag, "0.0.1")
		}
	}}
	if r := run(t, b); r.Outcome != pipeline.Created || r.Candidate != "0.0.1-rc.2" || len(r.Rescued) != 0 || r.Selected.Live != "0.0.1" {
		t.Errorf("%+v", r)
	}
}

// TestDueIsGone: the artifact that is due was deleted, and its tag with it. The build is not
// in vain.
func TestDueIsGone(t *testing.T) {
	s := pipelinetest.NewShelf(t, "0.0.1-rc.2=b @b 0.0.1-rc.3=c 0.0.1=b")
	b := of(&ghost{s.Store, "0.0.1-rc.3"}, "b")
	if r := run(t, b); r.Outcome != pipeline.Unchanged || len(r.Rescued) != 0 {
		t.Errorf("%s, rescued %v", r.Outcome, r.Rescued)
	}
}

var _ build.History = family{}
