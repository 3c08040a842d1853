package build_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/internal/build"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

// checkLate wants a build to be superseded, and to leave everything as it is.
func checkLate(t *testing.T, s *pipelinetest.Store, b build.Build, says string) {
	t.Helper()
	before := pipelinetest.Tags(t, s)
	r := checkForeseen(t, s, b)
	if r.Outcome != pipeline.Superseded || !strings.Contains(r.Reason, says) || r.SHA != b.Meta.Revision.Commit {
		t.Errorf("%s %s of %s because %q, want superseded because %q", r.Outcome, r.Candidate, r.SHA, r.Reason, says)
	}
	if r.Digest != "" || r.Version+r.Candidate+r.Reference != "" || len(r.Tags)+len(r.Rescued) != 0 {
		t.Errorf("the report shows what was not tagged: %+v", r)
	}
	if after := pipelinetest.Tags(t, s); !maps.Equal(before, after) {
		t.Errorf("%v became %v", before, after)
	}
}

// TestLate is promise 10: a commit that a candidate's contains, or the stable's, gets no tag.
func TestLate(t *testing.T) {
	for title, c := range map[string]struct{ shelf, says string }{
		"a candidate":                           {"0.0.1-rc.3=c @c", "the candidate 0.0.1-rc.3 is of commit a000300, which contains"},
		"the newest of more":                    {"0.0.1-rc.3=c 0.0.1-rc.4=d 0.0.1-rc.5=e", "0.0.1-rc.5 is of commit a000500"},
		"one that a stable passed":              {"0.0.1-rc.3=c 0.0.1=a", "0.0.1-rc.3"},
		"one that was promoted":                 {"0.0.1-rc.3=c 0.0.1=c", "0.0.1-rc.3"},
		"one that a rollback holds back":        {"0.0.1-rc.1=a 0.0.1=a 0.0.2-rc.3=c 0.0.2=c 0.0.3=a", "0.0.2-rc.3"},
		"the stable's, all cleaned up":          {"0.0.1=c", "the stable 0.0.1 is of commit a000300"},
		"the stable's, and older ones are left": {"0.0.1-rc.1=a 0.0.1=a 0.0.2=c", "the stable 0.0.2 is of commit a000300"},
		"tagged, and its number cleaned up":     {"@b 0.0.1-rc.3=c", "0.0.1-rc.3"},
		"tagged, without a height":              {"@b* 0.0.1-rc.3=c", "0.0.1-rc.3"},
	} {
		for how, history := range histories() {
			t.Run(title+", "+how, func(t *testing.T) {
				s := pipelinetest.NewShelf(t, c.shelf)
				b := of(s, "b")
				b.History = history
				checkLate(t, s.Store, b, c.says)
				b.AutoBump = true
				checkLate(t, s.Store, b, c.says)
			})
		}
	}
}

// TestLateBehindAGap: a clean-up took the stable's own candidate and left an older one of its base. The list leaves no doubt
// then, so that a dry run, which must not cost more than listing, does not foresee it; the run reads what is live.
func TestLateBehindAGap(t *testing.T) {
	for how, history := range histories() {
		t.Run(how, func(t *testing.T) {
			s := pipelinetest.NewShelf(t, "0.0.1-rc.1=a 0.0.1=c")
			before := pipelinetest.Tags(t, s)
			b := of(s, "b")
			b.History = history
			r := run(t, b)
			if r.Outcome != pipeline.Superseded || !strings.Contains(r.Reason, "the stable 0.0.1 is of commit a000300") || s.Added(t, before) != "" {
				t.Errorf("%s (%s), wrote %q", r.Outcome, r.Reason, s.Added(t, before))
			}
		})
	}
}

// TestLateByGitHub needs GitHub's word: heights alone do not tell.
func TestLateByGitHub(t *testing.T) {
	for title, shelf := range map[string]string{
		"a stable without a height":    "0.0.1=c*",
		"a candidate without a height": "0.0.1-rc.9=c*",
		"under somebody's":             "0.0.1-rc.3=c 0.0.1-rc.9=0",
		"under a lifted one":           "0.0.1-rc.3=c 0.1.0-rc.1=a",
		"tagged by hand":               "0.0.1-rc.7=a 0.0.1-rc.3=c",
	} {
		t.Run(title, func(t *testing.T) {
			s := pipelinetest.NewShelf(t, shelf)
			b := of(s, "b")
			b.History = pipelinetest.Line{}
			checkLate(t, s.Store, b, "contains this one")
		})
	}
}

// TestNotLate: what is not contained gets its number.
func TestNotLate(t *testing.T) {
	branch := parents([2]int{2, 1}, [2]int{3, 1})
	down := pipelinetest.Line{Err: errors.New("503")}
	for title, c := range map[string]struct {
		shelf   string
		history build.History
		minute  int // of the commit's time
		want    string
	}{
		"the first":                              {"", pipelinetest.Line{}, 2, "0.0.1-rc.2"},
		"after an older one":                     {"0.0.1-rc.1=a", pipelinetest.Line{}, 2, "0.0.1-rc.2"},
		"a stable of an older one":               {"0.0.1=a", pipelinetest.Line{}, 2, "0.0.2-rc.2"},
		"a branch above":                         {"0.0.1-rc.3=c", branch, 2, "0.0.2-rc.2"},
		"a branch is live":                       {"0.0.1-rc.3=c 0.0.1=c", branch, 2, "0.0.2-rc.2"},
		"a branch is live, all else cleaned up":  {"0.0.1=c", branch, 2, "0.0.2-rc.2"},
		"GitHub does not know one of them":       {"0.0.1-rc.3=c", word(""), 2, "0.0.2-rc.2"},
		"history was rewritten":                  {"0.0.1-rc.3=c", word("diverged"), 2, "0.0.2-rc.2"},
		"a greater height of an older time":      {"0.0.1-rc.3=c", nil, 5, "0.0.2-rc.2"},
		"the same, and GitHub is down":           {"0.0.1-rc.3=c", down, 5, "0.0.2-rc.2"},
		"the same, live":                         {"0.0.1=c", nil, 5, "0.0.2-rc.2"},
		"a stable without a height, not asked":   {"0.0.1=c*", nil, 2, "0.0.2-rc.2"},
		"somebody's artifact, of a greater N":    {"0.0.1-rc.3=0", pipelinetest.Line{}, 2, "0.0.2-rc.2"},
		"somebody's artifact is live":            {"0.0.1=0", pipelinetest.Line{}, 2, "0.0.2-rc.2"},
		"other content of our own":               {"0.0.1-rc.2=b' @b'", pipelinetest.Line{}, 2, "0.0.2-rc.2"},
		"other content of our own, live":         {"0.0.1-rc.2=b' 0.0.1=b' @b'", pipelinetest.Line{}, 2, "0.0.2-rc.2"},
		"other content of our own, on a later N": {"0.0.1-rc.9=b'", pipelinetest.Line{}, 2, "0.0.2-rc.2"},
	} {
		t.Run(title, func(t *testing.T) {
			s := pipelinetest.NewShelf(t, c.shelf)
			b := of(s, "b")
			b.Origin, b.History, b.Overwrite = origin(2, c.minute), c.history, true
			r := checkForeseen(t, s.Store, b)
			if r.Outcome != pipeline.Created || r.Candidate != c.want {
				t.Errorf("%s %s because %s, want created %s", r.Outcome, r.Candidate, r.Reason, c.want)
			}
			if line, ok := c.history.(pipelinetest.Line); (ok && line.Err != nil) != (len(r.Warnings) == 1 && strings.Contains(r.Warnings[0], "their heights decide: 503")) {
				t.Errorf("warnings %q", r.Warnings)
			}
		})
	}
}

// TestLateBelowBranches: an older commit of main is late, whatever branches were built since;
// a newer one is not. Eight are looked at.
func TestLateBelowBranches(t *testing.T) {
	const branches = 7
	history := parents([2]int{2, 1}, [2]int{3, 2}, [2]int{4, 3})
	s := pipelinetest.NewStore(t)
	build := func(n int) build.Build {
		b := numbered(s, n, fmt.Sprint(n))
		b.History = history
		return b
	}
	run(t, build(3))
	for n := range branches {
		history[pipelinetest.Commit(100+n)] = pipelinetest.Commit(1)
		run(t, build(100+n))
	}
	checkLate(t, s, build(2), "the candidate 0.0.1-rc.3 is of commit a000300")
	if r := run(t, build(4)); r.Outcome != pipeline.Created || r.Candidate != "0.0.2-rc.4" {
		t.Errorf("%s %s because %s, want created 0.0.2-rc.4", r.Outcome, r.Candidate, r.Reason)
	}
}

// TestLateOrUnchanged: what a late commit has already, it has.
func TestLateOrUnchanged(t *testing.T) {
	for _, shelf := range []string{"0.0.1-rc.2=b @b 0.0.1-rc.3=c", "0.0.1=b @b 0.0.2-rc.3=c", "0.0.1=b @b 0.0.2=c", "0.0.1-rc.7=b* @b* 0.0.1-rc.8=c"} {
		s := pipelinetest.NewShelf(t, shelf)
		readOnly(t, s.Store)
		b := of(s, "b")
		b.History = pipelinetest.Line{}
		if r := checkForeseen(t, s.Store, b); r.Outcome != pipeline.Unchanged || r.Digest == "" {
			t.Errorf("%s: %s because %s, want unchanged", shelf, r.Outcome, r.Reason)
		}
	}
}
