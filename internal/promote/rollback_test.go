package promote

import (
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

// TestRollbackReport: a person who rolls back reads from what to what, what it holds back, and
// how it goes on; a dry run tells the same before anything is written.
func TestRollbackReport(t *testing.T) {
	for _, row := range []struct {
		name, tags, subject, version string
		previous, to                 string // "" for no rollback
		held                         string
	}{
		{"to what was live", twice, "by hand a", "next", "0.0.2=b", "0.0.1", ""},
		{"past one in flight", twice + " 0.1.0-rc.3=c", "by hand a", "next", "0.0.2=b", "0.0.1", "0.1.0-rc.3"},
		{"past two in flight", twice + " 0.0.3-rc.3=c 0.1.0-rc.4=d", "by hand a", "next", "0.0.2=b", "0.0.1", "0.1.0-rc.4 0.0.3-rc.3"},
		{"as a version", twice + " 0.0.3-rc.3=c", "by hand a", "0.0.7", "0.0.2=b", "0.0.1", "0.0.3-rc.3"},
		{"to what was never live", "0.0.1-rc.1=a +a 0.0.1-rc.2=b 0.0.1=b +b", "by hand a", "next", "0.0.1=b", "0.0.1-rc.1", ""},
		{"to what lost its candidate", "@a +a 0.0.1-rc.2=b 0.0.1=b +b", "by hand a", "next", "0.0.1=b", "@a", ""},
		{"to the highest of its stables", twice + " 0.0.3=a 0.0.4=b", "by hand a", "next", "0.0.4=b", "0.0.3", ""},
		{"to its own higher number", "0.0.1-rc.1=a 0.0.1=a +a", "by hand a", "1.0.0", "0.0.1=a", "0.0.1", ""},
		{"forward is none", "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.2=b +b 0.0.3-rc.3=c", "by hand b", "next", "", "", ""},
		{"by a version of one that is open still, none", "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.2=b +b", "by hand b", "1.0.0", "", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := pipelinetest.NewShelf(t, row.tags)
				run := promotion(s, subject(s, row.subject), manual(row.version))
				dry := run
				dry.DryRun = true
				foreseen := mustRun(t, dry, pipeline.Planned, "")
				r := mustRun(t, run, pipeline.Promoted, "")
				if !reflect.DeepEqual(r.Rollback, foreseen.Rollback) || !reflect.DeepEqual(r.Previous, foreseen.Previous) || !strings.Contains(foreseen.Reason, r.Reason) {
					t.Errorf("the dry run foresaw %+v (%s), the run did %+v (%s)", foreseen.Rollback, foreseen.Reason, r.Rollback, r.Reason)
				}
				if row.previous == "" {
					if r.Rollback != nil || r.Previous != nil || !strings.Contains(r.Reason, "by hand") {
						t.Errorf("a rollback %+v from %+v: %s", r.Rollback, r.Previous, r.Reason)
					}
					return
				}
				previous, letter, _ := strings.Cut(row.previous, "=")
				want := pipeline.Stable{Version: previous, Digest: s.Digests[letter], SHA: pipelinetest.CommitOf(letter)}
				to := row.to
				if after, byDigest := strings.CutPrefix(to, "@"); byDigest {
					to = s.Digests[after].String()
				}
				if r.Previous == nil || *r.Previous != want || r.Rollback == nil || r.Rollback.To != to || strings.Join(r.Rollback.Held, " ") != row.held {
					t.Errorf("got %+v from %+v\nwant %s, held %s, from %+v", r.Rollback, r.Previous, to, row.held, want)
				}
				if !strings.Contains(r.Next, "flux reconcile source oci") || !strings.Contains(r.Reason, previous) || !strings.Contains(r.Reason, to) {
					t.Errorf("reason %q, next %q", r.Reason, r.Next)
				}
			})
		})
	}
}

// step is a run of a story that has an end: a promotion, or a build, of which the tags tell.
type step struct {
	subject string // see subject; "" for a build
	manual  string // see manual; of a build its words, see pipelinetest.NewShelf
	outcome pipeline.Outcome
	version string
}

// TestRollbackHolds tells what comes after a rollback. The last words are the highest stable and
// what it names.
func TestRollbackHolds(t *testing.T) {
	for _, row := range []struct {
		name, tags string
		steps      []step
		live       string
	}{
		{"what it passed is validated late", twice + " 0.1.0-rc.3=c", []step{
			{"by hand a", "next", pipeline.Promoted, "0.1.1"},
			{"c", "", pipeline.Superseded, ""},
			{"b", "", pipeline.Unchanged, "0.0.2"},
			{"", "0.1.2-rc.4=d", "", ""},
			{"c", "", pipeline.Superseded, ""},
			{"d", "", pipeline.Promoted, "0.1.2"},
			{"c", "", pipeline.Superseded, ""},
		}, "0.1.2=d"},
		{"another version by hand above it, for what was live", twice + " 0.1.0-rc.3=c", []step{
			{"by hand a", "next", pipeline.Promoted, "0.1.1"},
			{"by hand b", "next", pipeline.Promoted, "0.1.2"},
			{"c", "", pipeline.Superseded, ""},
		}, "0.1.2=b"},
		{"another version by hand above it, for what is newer", twice + " 0.0.3-rc.3=c 0.0.3-rc.4=d +d", []step{
			{"by hand a", "next", pipeline.Promoted, "0.0.4"},
			{"by hand d", "next", pipeline.Promoted, "0.0.5"},
			{"c", "", pipeline.Superseded, ""},
		}, "0.0.5=d"},
		{"another version by hand above it, for the older of two", twice + " 0.0.3-rc.3=c +c 0.0.3-rc.4=d", []step{
			{"by hand a", "next", pipeline.Promoted, "0.0.4"},
			{"by hand c", "next", pipeline.Promoted, "0.0.5"},
			{"d", "", pipeline.Superseded, ""}, // the rollback passed it, and only its own promotion ends that
		}, "0.0.5=c"},
		{"to what was never live", "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.2=b +b 0.0.2-rc.3=c", []step{
			{"c", "", pipeline.Promoted, "0.0.2"},
			{"", "0.0.3-rc.4=d", "", ""},
			{"by hand b", "next", pipeline.Promoted, "0.0.4"},
			{"d", "", pipeline.Superseded, ""},
			{"c", "", pipeline.Unchanged, "0.0.2"},
			{"b", "", pipeline.Unchanged, "0.0.4"},
		}, "0.0.4=b"},
		{"twice", twice, []step{
			{"by hand a", "next", pipeline.Promoted, "0.0.3"},
			{"by hand a", "next", pipeline.Unchanged, "0.0.3"},
			{"by hand b", "next", pipeline.Promoted, "0.0.4"},
			{"by hand a", "next", pipeline.Promoted, "0.0.5"},
		}, "0.0.5=a"},
		{"until what it passed is promoted by hand", twice + " 0.0.3-rc.3=c 0.0.3-rc.4=d", []step{
			{"by hand a", "next", pipeline.Promoted, "0.0.4"},
			{"by hand c", "!next", pipeline.Promoted, "0.0.5"},
			{"c", "", pipeline.Unchanged, "0.0.5"},
		}, "0.0.5=c"},
		{"a rebuilt commit that it passed is superseded still", twice + " 0.0.3-rc.3=c", []step{
			{"by hand a", "next", pipeline.Promoted, "0.0.4"},
			{"", "0.0.5-rc.4=d", "", ""},
			{"d", "", pipeline.Promoted, "0.0.5"},
			{"", "0.0.6-rc.3=c", "", ""},
			{"c", "", pipeline.Superseded, ""},
		}, "0.0.5=d"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := pipelinetest.NewShelf(t, row.tags)
				for i, step := range row.steps {
					if step.subject == "" {
						tag, letter, _ := strings.Cut(step.manual, "=")
						s.Put(t, letter, tag)
						continue
					}
					r := mustRun(t, promotion(s, subject(s, step.subject), manual(step.manual)), step.outcome, step.version)
					if t.Failed() {
						t.Fatalf("step %d, %s: %s", i+1, step.subject, r.Reason)
					}
				}
				list := pipelinetest.Must((&pipeline.Store{Repo: s}).List(t.Context()))
				top, _ := list.Ladder.Stable()
				if live := top.String() + "=" + s.Letter(pipelinetest.Tags(t, s)[top.String()]); live != row.live {
					t.Errorf("live is %s, want %s", live, row.live)
				}
			})
		})
	}
}

// TestPrevious is read for release notes only, and a failure to read it does not undo the promotion.
func TestPrevious(t *testing.T) {
	s := pipelinetest.NewShelf(t, "0.0.1-rc.1=a 0.0.1=a +a 0.0.2-rc.2=b")
	run := promotion(s, subject(s, "b"), nil)
	run.Notes = true
	r := mustRun(t, run, pipeline.Promoted, "0.0.2")
	if want := (pipeline.Stable{Version: "0.0.1", Digest: s.Digests["a"], SHA: pipelinetest.CommitOf("a")}); r.Previous == nil || *r.Previous != want {
		t.Errorf("previous %+v, want %+v", r.Previous, want)
	}
}
