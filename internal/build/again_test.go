package build_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"

	"github.com/oci-promote/oci-promote/internal/build"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

// TestTwiceChangesNothing: the second run says so, and reports the artifact as fully as the
// first, whatever came between.
func TestTwiceChangesNothing(t *testing.T) {
	for title, between := range map[string]func(t *testing.T, s *pipelinetest.Store){
		"at once":        func(*testing.T, *pipelinetest.Store) {},
		"a newer commit": func(t *testing.T, s *pipelinetest.Store) { run(t, of(s, "c")) },
		"its promotion":  func(t *testing.T, s *pipelinetest.Store) { s.Name(t, "0.0.1-rc.2", "0.0.1") },
		"its promotion, and a newer commit": func(t *testing.T, s *pipelinetest.Store) {
			s.Name(t, "0.0.1-rc.2", "0.0.1")
			run(t, of(s, "c"))
		},
		"a newer commit's promotion": func(t *testing.T, s *pipelinetest.Store) {
			run(t, of(s, "c"))
			s.Name(t, "0.0.1-rc.3", "0.0.1")
		},
		"a rollback": func(t *testing.T, s *pipelinetest.Store) {
			s.Name(t, "0.0.1-rc.1", "0.0.1")
			s.Name(t, "0.0.1-rc.2", "0.0.2")
			s.Name(t, "0.0.1-rc.1", "0.0.3")
		},
	} {
		for how, history := range histories() {
			t.Run(title+", "+how, func(t *testing.T) {
				s := pipelinetest.NewStore(t)
				run(t, of(s, "a"))
				first := run(t, of(s, "b"))
				between(t, s)
				before := pipelinetest.Tags(t, s)
				readOnly(t, s)
				b := of(s, "b")
				b.History = history
				again := checkForeseen(t, s, b)
				if again.Outcome != pipeline.Unchanged {
					t.Errorf("%s because %s, want unchanged", again.Outcome, again.Reason)
				}
				again.Outcome, again.Reason, again.Selected = first.Outcome, first.Reason, first.Selected
				if !reflect.DeepEqual(again, first) {
					t.Errorf("the second report\n%+v, the first\n%+v", again, first)
				}
				if after := pipelinetest.Tags(t, s); !maps.Equal(before, after) {
					t.Errorf("%v became %v", before, after)
				}
			})
		}
	}
}

// TestFoundAgain: what a commit has already is known by its candidate, whatever became of
// its tags, and else by its tags or its stable.
func TestFoundAgain(t *testing.T) {
	sha, integration := pipelinetest.Tag(pipeline.SHAPrefix, "b"), pipelinetest.Tag(pipeline.IntegrationPrefix, "b")
	long := pipelinetest.CommitOf("b")[:12]
	for title, c := range map[string]struct {
		shelf  string
		length int
		want   string // version, or candidate
		wrote  string
	}{
		"all is there":                     {"0.0.1-rc.2=b @b", 7, "0.0.1-rc.2", ""},
		"sha-length changed":               {"0.0.1-rc.2=b @b", 12, "0.0.1-rc.2", "integration-" + long + "=b sha-" + long + "=b"},
		"both tags deleted":                {"0.0.1-rc.2=b", 7, "0.0.1-rc.2", integration + "=b " + sha + "=b"},
		"sha- deleted":                     {"0.0.1-rc.2=b " + integration + "=b", 7, "0.0.1-rc.2", sha + "=b"},
		"killed before the end":            {"0.0.1-rc.2=b " + sha + "=b", 7, "0.0.1-rc.2", integration + "=b"},
		"of two candidates the highest":    {"0.0.1-rc.2=b 0.0.1=a 0.0.2-rc.2=b @b", 7, "0.0.2-rc.2", ""},
		"a candidate that a stable passed": {"0.0.1-rc.2=b 0.0.1-rc.3=c 0.0.1=c @b", 7, "0.0.1-rc.2", ""},
		"beside the other of its height":   {"0.0.1-rc.2=x 0.0.2-rc.2=b @b", 7, "0.0.2-rc.2", ""},

		"an artifact without a height":                    {"0.0.1-rc.7=b* @b*", 7, "0.0.1-rc.7", ""},
		"of two candidates of such a one":                 {"0.0.1-rc.7=b* 0.0.2-rc.1=b* 0.0.1=a* @b*", 7, "0.0.2-rc.1", ""},
		"such a one that is live":                         {"0.0.1-rc.7=b* 0.0.1=b* @b*", 7, "0.0.1-rc.7", ""},
		"such a one, by integration-":                     {"0.0.1-rc.7=b* " + integration + "=b*", 7, "0.0.1-rc.7", sha + "=b*"},
		"such a one that happens to have our height":      {"0.0.1-rc.2=b* @b*", 7, "0.0.1-rc.2", ""},
		"live, and the candidate was cleaned up":          {"0.0.1=b @b", 7, "0.0.1", ""},
		"live once, and the candidate was cleaned up":     {"0.0.1=b 0.0.2-rc.3=c 0.0.2=c @b", 7, "0.0.1", ""},
		"such a one, live, and the candidate cleaned up":  {"0.0.1=b* @b*", 7, "0.0.1", ""},
		"live, cleaned up, and built before integration-": {"0.0.1=b " + sha + "=b", 7, "0.0.1", integration + "=b"},
		"live, and all else was cleaned up":               {"0.0.1=b", 7, "0.0.1", integration + "=b " + sha + "=b"},
		"such a one, live, and all else was cleaned up":   {"0.0.1=b*", 7, "0.0.1", integration + "=b* " + sha + "=b*"},
	} {
		t.Run(title, func(t *testing.T) {
			s := pipelinetest.NewShelf(t, c.shelf)
			before := pipelinetest.Tags(t, s)
			b := of(s, "b")
			b.SHALength, b.History = c.length, pipelinetest.Line{}
			r := checkForeseen(t, s.Store, b)
			if r.Outcome != pipeline.Unchanged || r.Version != c.want || (r.Candidate == c.want) != pipeline.IsCandidate(c.want) || len(r.Tags) != 3 {
				t.Errorf("%s %s (candidate %s) with tags %q because %s, want unchanged %s", r.Outcome, r.Version, r.Candidate, r.Tags, r.Reason, c.want)
			}
			if wrote := s.Added(t, before); wrote != c.wrote {
				t.Errorf("wrote %q, want %q", wrote, c.wrote)
			}
		})
	}
}

// TestBuiltWithoutANumber: the commit's artifact is there, and no version of it: a clean-up
// took that, or an older tool was killed. It gets one, and nothing is packed anew.
func TestBuiltWithoutANumber(t *testing.T) {
	for shelf, want := range map[string]string{
		"@b":                      "0.0.1-rc.2=b",
		"@b*":                     "0.0.1-rc.2=b*",
		"0.0.1-rc.1=a @b*":        "0.0.1-rc.2=b*",
		"0.0.1-rc.5=a* @b*":       "0.0.2-rc.2=b*",
		"0.0.1=a 0.0.1-rc.1=a @b": "0.0.2-rc.2=b",
	} {
		s := pipelinetest.NewShelf(t, shelf)
		before := pipelinetest.Tags(t, s)
		b := of(s, "b")
		b.History = pipelinetest.Line{}
		r := checkForeseen(t, s.Store, b)
		if wrote := s.Added(t, before); wrote != want || r.Outcome != pipeline.Unchanged || !strings.HasPrefix(want, r.Candidate+"=") {
			t.Errorf("%s: %s %s, wrote %q, want %q", shelf, r.Outcome, r.Candidate, wrote, want)
		}
		readOnly(t, s.Store)
		if again := run(t, b); again.Outcome != pipeline.Unchanged || again.Candidate != r.Candidate {
			t.Errorf("%s, again: %s %s", shelf, again.Outcome, again.Candidate)
		}
	}
}

// TestRefused: nothing is written, and the text names what is there and what would mend it.
func TestRefused(t *testing.T) {
	sha := pipelinetest.Tag(pipeline.SHAPrefix, "b")
	for title, c := range map[string]struct {
		shelf  string
		length int
		says   []string
		always bool // whatever overwrite says
	}{
		"other content":                                {"0.0.1-rc.2=b' @b'", 7, []string{`tag "0.0.1-rc.2" names other content`, "overwrite: true"}, false},
		"other content, by its tag":                    {"@b'", 7, []string{`tag "` + sha + `" names other content`, "overwrite: true"}, false},
		"other content, without a tag":                 {"0.0.1-rc.2=b' @b'", 12, []string{`tag "0.0.1-rc.2" names other content`}, false},
		"other content, live":                          {"0.0.1=b' @b'", 7, []string{`names other content`}, false},
		"other content, live, and all else cleaned up": {"0.0.1=b'", 7, []string{`tag "0.0.1" names other content`}, false},
		"the highest has other content":                {"0.0.1-rc.2=b 0.0.2-rc.2=b' @b'", 7, []string{`tag "0.0.2-rc.2" names other content`}, false},
		"nobody knows which content":                   {sha + "=b~", 7, []string{`tag "` + sha + `" names other content`, "with content unknown"}, false},
		"the tag was moved":                            {sha + "=a", 7, []string{`"` + sha + `" names the artifact of another commit, ` + pipelinetest.CommitOf("a"), "somebody moved it"}, true},
	} {
		t.Run(title, func(t *testing.T) {
			s := pipelinetest.NewShelf(t, c.shelf)
			readOnly(t, s.Store)
			b := of(s, "b")
			b.SHALength, b.History = c.length, pipelinetest.Line{}
			text := refused(t, b)
			for _, says := range c.says {
				if !strings.Contains(text, says) {
					t.Errorf("%s\nlacks %q", text, says)
				}
			}
			if !c.always {
				theirs := s.Digests["b'"]
				if theirs == "" {
					theirs = s.Digests["b~"]
				}
				for _, d := range []digest.Digest{theirs, dry(t, of(pipelinetest.NewStore(t), "b")).Digest} {
					if !strings.Contains(text, d.String()) {
						t.Errorf("%s\nlacks %s", text, d)
					}
				}
			}
			b.DryRun, b.Overwrite = true, c.always
			refused(t, b)
		})
	}
}

// TestCommitsThatBeginAlike are no reason to take a tag from one another.
func TestCommitsThatBeginAlike(t *testing.T) {
	s := pipelinetest.NewStore(t)
	run(t, of(s, "b"))
	readOnly(t, s)
	b := of(s, "c")
	b.Meta.Revision.Commit = pipelinetest.CommitOf("b")[:20] + pipelinetest.CommitOf("c")[20:]
	b.Overwrite = true
	if text := refused(t, b); !strings.Contains(text, "belongs to another commit, "+pipelinetest.CommitOf("b")) || !strings.Contains(text, "sha-length to more than 7") {
		t.Error(text)
	}
}

// overwritten is a shelf whose commit b has content already, and what an overwrite gets.
var overwritten = map[string]string{
	"0.0.1-rc.2=b' @b'":                      "0.0.2-rc.2",
	"0.0.1-rc.1=a 0.0.1=a 0.0.2-rc.2=b' @b'": "0.0.3-rc.2",
	"0.0.1-rc.2=b' 0.0.1=b' @b'":             "0.0.2-rc.2",
	"0.0.1-rc.7=b* @b'":                      "0.0.2-rc.2", // one without a height, and its tags moved
	"0.0.1=b' @b'":                           "0.0.2-rc.2",
	"0.0.1=b'":                               "0.0.2-rc.2",
	"@b'":                                    "0.0.1-rc.2",
	pipelinetest.Tag(pipeline.SHAPrefix, "b") + "=b~": "0.0.1-rc.2",
}

func TestOverwrite(t *testing.T) {
	for shelf, want := range overwritten {
		for how, history := range histories() {
			t.Run(shelf+", "+how, func(t *testing.T) {
				s := pipelinetest.NewShelf(t, shelf)
				b := of(s, "b")
				b.Overwrite, b.History = true, history
				r := checkForeseen(t, s.Store, b)
				if r.Outcome != pipeline.Created || r.Candidate != want {
					t.Errorf("%s %s because %s, want created %s", r.Outcome, r.Candidate, r.Reason, want)
				}
				checkComplete(t, s.Store, "b", r.Digest.String())
				readOnly(t, s.Store)
				for _, overwrite := range []bool{true, false} {
					b.Overwrite = overwrite
					if again := run(t, b); again.Outcome != pipeline.Unchanged || again.Digest != r.Digest || again.Candidate != want {
						t.Errorf("again, overwrite %t: %s %s, want unchanged %s", overwrite, again.Outcome, again.Candidate, want)
					}
				}
				b.Source = pipelinetest.Tree("b'")
				if text := refused(t, b); !strings.Contains(text, "names other content") {
					t.Error(text)
				}
			})
		}
	}
}

// TestOverwriteKilled: after each prefix of its writes the run again, without the input, ends
// alike; before the first it is refused as ever.
func TestOverwriteKilled(t *testing.T) {
	for shelf, want := range overwritten {
		for after := range 3 {
			for _, effect := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, killed after %d writes, %t", shelf, after, effect), func(t *testing.T) {
					s := pipelinetest.NewShelf(t, shelf)
					b := of(s, "b")
					b.Overwrite, b.History = true, pipelinetest.Line{}
					killAt(t, s.Store, b, after, effect)
					b.Overwrite = false
					if after == 0 && !effect {
						refused(t, b)
						return
					}
					r := run(t, b)
					if r.Outcome != pipeline.Unchanged || r.Candidate != want {
						t.Errorf("%s %s because %s, want unchanged %s", r.Outcome, r.Candidate, r.Reason, want)
					}
					checkTruth(t, s, r)
					checkComplete(t, s.Store, "b", r.Digest.String())
					readOnly(t, s.Store)
					if again := run(t, b); again.Digest != r.Digest || again.Candidate != want {
						t.Errorf("once more: %s %s", again.Outcome, again.Candidate)
					}
				})
			}
		}
	}
}

// TestOverwriteUploadsWhatWasLost: the manifest is there, and a part of it is not. No tag
// tells that, so that overwrite must.
func TestOverwriteUploadsWhatWasLost(t *testing.T) {
	for title, numbered := range map[string]bool{"with its candidate": true, "without a number": false} {
		for _, again := range []bool{false, true} {
			t.Run(fmt.Sprint(title, ", a job that is run again: ", again), func(t *testing.T) {
				s := pipelinetest.NewStore(t)
				b := of(s, "a")
				first := run(t, b)
				run(t, of(s, "b")) // whose config is the same, and no proof that it is there
				if !numbered {
					remove(t, s, first.Candidate, "0.0.1-rc.2")
				}
				for _, part := range partsOf(t, s, first.Digest) {
					s.Lose(t, part.Digest)
					s = pipelinetest.OpenStore(t, s.Dir)
					before := pipelinetest.Tags(t, s)
					b.Repo, b.Overwrite, b.Again = s, true, again
					r := run(t, b)
					after := pipelinetest.Tags(t, s)
					delete(after, first.Candidate)
					delete(before, first.Candidate)
					if r.Outcome != pipeline.Unchanged || r.Digest != first.Digest || r.Candidate != first.Candidate || !maps.Equal(before, after) {
						t.Errorf("%s %s, want unchanged %s and the same tags", r.Outcome, r.Candidate, first.Candidate)
					}
					if ok, err := s.Exists(t.Context(), part); err != nil || !ok {
						t.Errorf("%s is not there again: %v", part.MediaType, err)
					}
					if !numbered {
						remove(t, s, first.Candidate)
					}
				}
			})
		}
	}
}

// partsOf are the config and the layer of an artifact.
func partsOf(t *testing.T, s *pipelinetest.Store, d digest.Digest) []ocispec.Descriptor {
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

// TestHeightsThatDiffer: a run by hand gave another height. The commit is known by its tags,
// and keeps what it has.
func TestHeightsThatDiffer(t *testing.T) {
	s := pipelinetest.NewStore(t)
	first := run(t, of(s, "b"))
	readOnly(t, s)
	b := of(s, "b")
	b.Origin = origin(7, 2)
	if r := run(t, b); r.Outcome != pipeline.Unchanged || r.Digest != first.Digest || r.Candidate != first.Candidate || !slices.Equal(r.Tags, first.Tags) {
		t.Errorf("%s %s of %q, want unchanged %s", r.Outcome, r.Candidate, r.Tags, first.Candidate)
	}
}

var _ build.History = word("")
