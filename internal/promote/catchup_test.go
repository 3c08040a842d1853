package promote

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

// words are what GitHub has of integration, by letter: "ok", "commit" (ok, of the commit
// alone), "error" (no answer), or why it is no proof. Asked collects whose it was asked for.
func words(s *pipelinetest.Shelf, says map[string]string, asked *string) Health {
	return func(_ context.Context, commit string, d digest.Digest) (*Subject, string, error) {
		letter := s.Letter(d.String())
		*asked += letter
		if commit != pipelinetest.CommitOf(letter) {
			return nil, "", errors.New("asked of commit " + commit)
		}
		switch says[letter] {
		case "":
			return nil, "no status yet", nil
		case "ok":
			return &Subject{Commit: commit, Digest: d, Proven: true, Because: "status is success"}, "", nil
		case "commit":
			return &Subject{Commit: commit, Digest: d, ByCommit: true, Proven: true, Because: "status is success"}, "", nil
		case "error":
			return nil, "", errors.New("reading statuses: 403")
		}
		return nil, says[letter], nil
	}
}

// TestCatchUp has a row for what a scheduled run may meet. Each runs dry first, and twice.
func TestCatchUp(t *testing.T) {
	for _, row := range []struct {
		name    string
		tags    string
		says    map[string]string
		asked   string // for whose health, once
		outcome pipeline.Outcome
		version string
		writes  string
		reason  string // part of it, or of an error
		notice  string // part of one
	}{
		{"an empty repository", "", nil, "", pipeline.Unchanged, "", "", "is the name right?", ""},
		{"all is done", "0.0.1-rc.1=a 0.0.1=a +a", nil, "", pipeline.Unchanged, "", "", "nothing to catch up with", ""},
		{"what is older is not asked about", two + " 0.0.1=b +b", nil, "", pipeline.Unchanged, "", "", "nothing to catch up with", ""},
		{"one is proven", "0.0.1-rc.1=a", map[string]string{"a": "ok"}, "a", pipeline.Promoted, "0.0.1", "0.0.1=a " + v("a"), "validated", ""},
		{"one is proven by its commit", "@a 0.0.1-rc.1=a", map[string]string{"a": "commit"}, "a", pipeline.Promoted, "0.0.1", "0.0.1=a " + v("a"), "validated", ""},
		{"one is proven by its commit, whose build is not complete", "0.0.1-rc.1=a", map[string]string{"a": "commit"}, "a", pipeline.Pending, "", "", "pending", ""},
		{"one is proven by its commit, whose tags name another commit's", sha("a") + "=b " + pipelinetest.Tag(pipeline.IntegrationPrefix, "a") + "=b 0.0.1-rc.1=a", map[string]string{"a": "commit"}, "a", pipeline.Pending, "", "", "ignored, ", ""},
		{"one is proven by its commit, whose tags name its other artifact", "@a' 0.0.1-rc.1=a", map[string]string{"a": "commit"}, "a", pipeline.Pending, "", "", "ignored, the artifact of commit", ""},
		{"what has a nonsense revision", "0.0.1-rc.1=a?", nil, "", pipeline.Pending, "", "", "does not tell its commit", ""},
		{"the newest proven", two + " 0.0.1-rc.3=c", map[string]string{"a": "ok", "b": "ok"}, "cb", pipeline.Promoted, "0.0.1", "0.0.1=b 0.0.2-rc.3=c " + v("b"), "0.0.1-rc.2", ""},
		{"the newest of all", two, map[string]string{"a": "ok", "b": "ok"}, "b", pipeline.Promoted, "0.0.1", "0.0.1=b " + v("b"), "", ""},
		{"nobody reported", two, nil, "ba", pipeline.Pending, "", "", "0.0.1-rc.2: no status yet", "0.0.1-rc.1: no status yet"},
		{"the newest failed", two, map[string]string{"b": "status is failure: health check failed"}, "ba", pipeline.Pending, "", "", "0.0.1-rc.2: status is failure", "0.0.1-rc.1: no status yet"},
		{"no answer is an error", two, map[string]string{"b": "error", "a": "ok"}, "b", "", "", "", "403", ""},
		{"the trace of a promotion that was killed", "0.0.1-rc.1=a +a", nil, "", pipeline.Promoted, "0.0.1", "0.0.1=a", "", ""},
		{"the trace of another artifact of the commit", "0.0.1-rc.1=a " + pipelinetest.Tag(pipeline.ValidatedPrefix, "a") + "=a'", nil, "a", pipeline.Pending, "", "", "no status yet", ""},
		{"the newer failed, the older has the trace", two + " +a", map[string]string{"b": "failed"}, "b", pipeline.Promoted, "0.0.1", "0.0.1=a 0.0.2-rc.2=b", "", ""},
		{"stranded, and proven before that", promoted, map[string]string{"b": "ok"}, "b", pipeline.Promoted, "0.0.2", "0.0.2-rc.2=b 0.0.2=b " + v("b"), "", ""},
		{"the newest proven is below an older commit", "0.0.1-rc.2=b 0.1.0-rc.1=a", map[string]string{"a": "ok", "b": "ok"}, "b", pipeline.Promoted, "0.1.0", "0.1.0-rc.2=b 0.1.0=b " + v("b"), "", ""},
		{"stranded, and not proven: it gets its number", promoted, nil, "b", pipeline.Pending, "", "0.0.2-rc.2=b", "", ""},
		{"an artifact is asked about once", promoted + " 0.0.2-rc.2=b", nil, "b", pipeline.Pending, "", "", "0.0.2-rc.2: no status yet", ""},
		{"an older commit with a larger bump", "0.0.1-rc.2=b 0.0.1=b +b 0.1.0-rc.1=a", map[string]string{"a": "ok", "b": "ok"}, "", pipeline.Unchanged, "", "0.1.0-rc.2=b", "nothing to catch up with", ""},
		{"the stable's own lifted candidate", "0.0.1-rc.2=b 0.0.1=b +b 0.1.0-rc.1=a 0.1.0-rc.2=b", map[string]string{"a": "ok", "b": "ok"}, "", pipeline.Unchanged, "", "", "nothing to catch up with", ""},
		{"under a rollback nothing is asked about", rollback, map[string]string{"b": "ok", "c": "ok"}, "", pipeline.Unchanged, "", "", "nothing to catch up with", ""},
		{"under a rollback what was built then is", rollback + " 0.0.5-rc.4=d", map[string]string{"b": "ok", "c": "ok"}, "d", pipeline.Pending, "", "", "0.0.5-rc.4: no status yet", ""},
		{"and goes live", rollback + " 0.0.5-rc.4=d", map[string]string{"c": "ok", "d": "ok"}, "d", pipeline.Promoted, "0.0.5", "0.0.5=d " + v("d"), "", ""},
		{"the trace of what a rollback passed", rollback + " +c", nil, "", pipeline.Unchanged, "", "", "nothing to catch up with", ""},
		{"without heights", "0.0.1-rc.7=a* 0.0.1-rc.8=b*", map[string]string{"a*": "ok"}, "b*a*", pipeline.Promoted, "0.0.1", "0.0.1=a* 0.0.2-rc.8=b* " + v("a*"), "", ""},
		{"what tells no commit", "0.0.1-rc.1=0", nil, "", pipeline.Pending, "", "", "does not tell its commit", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := pipelinetest.NewShelf(t, row.tags)
				before := pipelinetest.Tags(t, s)
				asked := ""
				run := promotion(s, nil, nil)
				run.Health = words(s, row.says, &asked)
				dry := run
				dry.DryRun = true
				foreseen, _ := dry.Run(t.Context())
				if changed := s.Added(t, before); changed != "" {
					t.Errorf("the dry run wrote %q", changed)
				}
				asked = ""
				r, err := run.Run(t.Context())
				if row.outcome == "" {
					if err == nil || !strings.Contains(err.Error(), row.reason) {
						t.Errorf("error %v, want one that says %q", err, row.reason)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				writes := s.Added(t, before)
				if r.Outcome != row.outcome || r.Version != row.version || writes != row.writes || !strings.Contains(r.Reason, row.reason) || asked != row.asked {
					t.Errorf("got %s %q (%s), wrote %q, asked for %q\nwant %s %q (… %s …), %q, %q",
						r.Outcome, r.Version, r.Reason, writes, asked, row.outcome, row.version, row.reason, row.writes, row.asked)
				}
				if !strings.Contains(strings.Join(r.Notices, "\n"), row.notice) {
					t.Errorf("notices %q", r.Notices)
				}
				checkForeseen(t, foreseen.Plan, writes)
				checkTold(t, s, r)
				checkCatchUpAgain(t, s, run, r)
			})
		})
	}
}

// checkCatchUpAgain runs once more: nothing changes, and what was promoted is not any more.
func checkCatchUpAgain(t *testing.T, s *pipelinetest.Shelf, run Promotion, first pipeline.Report) {
	t.Helper()
	before := pipelinetest.Tags(t, s)
	again, err := run.Run(t.Context())
	if changed := s.Added(t, before); err != nil || changed != "" || again.Outcome == pipeline.Promoted {
		t.Errorf("the second run: %s (%s), %v, wrote %q after %s", again.Outcome, again.Reason, err, changed, first.Outcome)
	}
	if left := due(t, s, run.History); left != "" {
		t.Errorf("due is %s", left)
	}
}

// TestCatchUpLosesARace has another run promote the newest while this one asks for its health.
func TestCatchUpLosesARace(t *testing.T) {
	s := pipelinetest.NewShelf(t, two)
	run := promotion(s, nil, nil)
	run.Health = func(ctx context.Context, commit string, d digest.Digest) (*Subject, string, error) {
		s.Put(t, "b", "0.0.1", pipelinetest.Tag(pipeline.ValidatedPrefix, "b"))
		return &Subject{Commit: commit, Digest: d, Proven: true, Because: "because"}, "", nil
	}
	r := mustRun(t, run, pipeline.Unchanged, "")
	if tags := pipelinetest.Tags(t, s); tags["0.0.1"] != s.Digests["b"].String() || tags["0.0.2"] != "" {
		t.Errorf("%s: %v", r.Reason, tags)
	}
}

func TestCatchUpAsksNobody(t *testing.T) {
	s := pipelinetest.NewShelf(t, two)
	if _, err := promotion(s, nil, nil).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "nobody can be asked") {
		t.Errorf("error %v", err)
	}
}
