package pipeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/oci-promote/oci-promote/internal/version"
)

// notPromoted is the end of a path of what integration found healthy and no stable names:
// the promotion is under way, or it failed, or nothing started it.
func (r *verifyRun) notPromoted(w Word) (Step, *Finding) {
	runs := slices.DeleteFunc(slices.Clone(r.heard.promotions), func(run Run) bool { return run.Started.Before(w.At.Add(-time.Minute)) })
	because, run := promotionEnded(runs, r.heard.promotions != nil)
	e := Evidence{Run: run.URL}
	if run.URL != "" && !run.Done || !run.failed() && r.Now.Sub(w.At) < promotionTakes {
		return at(Waiting, w.At, e), nil
	}
	return at(Stopped, w.At, e), &Finding{
		Code: ValidatedNotPromoted, Severity: Error, Since: w.At,
		Message: fmt.Sprintf("%s (commit %s) is validated and has no stable tag, so that live does not see it: %s", r.subject.candidate, short(r.subject.commit), because),
		Hint: fmt.Sprintf("promote it: run the workflow with mode tag by hand, or `oci-promote tag --repository %s --artifact-sha %s`; a schedule on that workflow catches up by itself",
			r.name, short(r.subject.commit)),
	}
}

// promotionEnded picks the run that tells most, and says what became of it.
func promotionEnded(runs []Run, asked bool) (string, Run) {
	first := func(is func(Run) bool) (Run, bool) {
		i := slices.IndexFunc(runs, is)
		if i < 0 {
			return Run{}, false
		}
		return runs[i], true
	}
	state := func(s string) func(Run) bool { return func(r Run) bool { return r.State == s } }
	if !asked {
		return "whether a promotion ran cannot be told", Run{}
	}
	if run, ok := first(func(r Run) bool { return !r.Done }); ok {
		return fmt.Sprintf("the workflow %q is %s", run.Name, run.State), run
	}
	if run, ok := first(state("cancelled")); ok && !slices.ContainsFunc(runs, state("failure")) {
		return fmt.Sprintf("the run of %q was cancelled (%s), as a newer one of its concurrency group does", run.Name, run.URL), run
	}
	if run, ok := first(Run.failed); ok {
		return fmt.Sprintf("the workflow %q ended with %s (%s)", run.Name, run.State, run.URL), run
	}
	if run, ok := first(state("success")); ok {
		return fmt.Sprintf("the workflow %q succeeded and did not promote it (%s): do its kustomization, status-context and repository fit?", run.Name, run.URL), run
	}
	if run, ok := first(func(Run) bool { return true }); ok {
		return fmt.Sprintf("the run of %q was %s (%s): does the `if` of its job let this status through?", run.Name, run.State, run.URL), run
	}
	return "no workflow run was started by its report: `on: status` works only in a workflow on the default branch", Run{}
}

// promotedMeanwhile looks again, after a moment, at what seemed to be half a promotion: its
// stable would be the candidate's base, or one patch above the stable.
func (r *verifyRun) promotedMeanwhile(ctx context.Context) (bool, error) {
	if err := sleep(ctx, promotionMoment); err != nil {
		return false, err
	}
	var likely []string
	if c, err := version.ParseCandidate(r.subject.candidate); err == nil {
		likely = append(likely, c.Base.String())
	}
	if next, err := r.snap.ladder.NextStable(); err == nil {
		likely = append(likely, next.String())
	}
	found, err := r.find(ctx, likely, r.subject.artifact.desc.Digest)
	if err != nil || found == "" {
		return false, err
	}
	r.subject.stable, r.stables[found] = found, r.subject.artifact.desc.Digest
	return true, nil
}

// promotionMoment is how long the two writes of a promotion are apart; longer where readings
// lag (facts 16).
var promotionMoment = 5 * time.Second

// checkRepeats tells that a promotion which starts again and again is as it should be.
func (r *verifyRun) checkRepeats() []Finding {
	if r.subject.stable == "" {
		return nil
	}
	count := map[string]int{}
	for _, run := range r.heard.promotions {
		if run.Done && run.State == "success" && r.Now.Sub(run.Started) < repeatsWithin {
			count[run.Name]++
		}
	}
	for _, run := range r.heard.promotions {
		if n := count[run.Name]; n > 2 {
			return []Finding{{
				Code: PromotionRepeats, Severity: Info, Stage: PromotedStage,
				Message: fmt.Sprintf("the workflow %q ran %d times within an hour: that is normal, integration reports each reconciliation and each repetition ends as unchanged", run.Name, n),
				Hint:    "to save minutes, let the job's `if` pass only success and the contexts of this Kustomization",
			}}
		}
	}
	return nil
}
