package verify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

// notPromoted is the end of a path of what integration found healthy and no stable names: its soak
// or the promotion is under way, or it failed, or nothing started it.
func (r *reading) notPromoted(candidate string, a *pipeline.Artifact, w Word) (pipeline.Step, *pipeline.Finding) {
	due := w.At.Add(r.Soak)
	if r.Now.Before(due) {
		return at(pipeline.Waiting, w.At, pipeline.Evidence{Status: fmt.Sprintf("healthy for %s of %s", pipeline.Span(r.Now.Sub(w.At).Truncate(time.Minute)), pipeline.Span(r.Soak))}), nil
	}
	since := slices.DeleteFunc(slices.Clone(r.heard.promotions), func(run Run) bool { return run.Started.Before(due.Add(-time.Minute)) })
	because, run := promotionEnded(since, r.heard.promotions != nil)
	if len(since) == 0 && r.Soak > 0 && r.heard.promotions != nil { // no report comes when it is over
		because = fmt.Sprintf("its soak of %s ended at %s, and the schedule of mode tag has not promoted it since", pipeline.Span(r.Soak), due.UTC().Format(time.RFC3339))
	}
	e, age := pipeline.Evidence{Run: run.URL}, r.Now.Sub(due)
	alone := len(since) == 1 && run.failed() // else it may be another artifact's
	if _, underWay := r.underWay(runs{run}); run != (Run{}) && underWay || age < promotionTakes && !alone {
		return at(pipeline.Waiting, due, e), nil
	}
	f := &pipeline.Finding{
		Code: pipeline.ValidatedNotPromoted, Severity: pipeline.Error, Stage: pipeline.PromotedStage, Since: due,
		Message: fmt.Sprintf("%s (commit %s) is validated and has no stable tag, so that live does not see it: %s", candidate, short(a.Revision.Commit), because),
		Hint: fmt.Sprintf("promote it: run the workflow with mode tag by hand, or `oci-promote tag --repository %s --artifact-sha %s`; a schedule on that workflow catches up by itself",
			r.Name, short(a.Revision.Commit)),
	}
	if len(since) == 0 && age < min(catchUpTakes, r.MaxAge) {
		f.Severity = pipeline.Warning
	}
	return at(pipeline.Stopped, due, e), f
}

// soaks reports whether integration found an artifact healthy so lately that its promotion is not
// due yet.
func (r *reading) soaks(a *pipeline.Artifact) bool {
	w := r.wordOn(a)
	return w.Healthy && r.Now.Before(w.At.Add(r.Soak+promotionTakes))
}

// checkOldest finds that the oldest candidate is validated and was not promoted, where a newer
// one is the subject.
func (r *reading) checkOldest() []pipeline.Finding {
	oldest := r.oldestWaiting()
	a := r.artifacts[oldest]
	if a == nil || r.isSubject(a) || r.promotedHalf(a) {
		return nil
	}
	if w := r.wordOn(a); w.Healthy {
		if _, f := r.notPromoted(oldest, a, w); f != nil {
			return []pipeline.Finding{*f}
		}
	}
	return nil
}

// promotedHalf reports whether an artifact has its validated- tag and no stable.
func (r *reading) promotedHalf(a *pipeline.Artifact) bool {
	return r.isValidated(a) && !r.isStable(a)
}

// checkHalf finds promotions that ended halfway, of others than the subject.
func (r *reading) checkHalf() []pipeline.Finding {
	if _, underWay := r.underWay(r.heard.promotions); underWay {
		return nil
	}
	for _, tag := range r.waiting() {
		if a := r.artifacts[tag]; !r.isSubject(a) && r.promotedHalf(a) {
			return []pipeline.Finding{r.halfway(tag, a)}
		}
	}
	return nil
}

func (r *reading) halfway(candidate string, a *pipeline.Artifact) pipeline.Finding {
	return pipeline.Finding{
		Code: pipeline.HalfPromoted, Severity: pipeline.Error, Stage: pipeline.PromotedStage,
		Message: fmt.Sprintf("the promotion of %s (commit %s) ended halfway: %q is there, and no stable names %s", candidate, short(a.Revision.Commit), r.validatedTagOf(a), a.Desc.Digest),
		Hint:    fmt.Sprintf("run mode tag again, by its schedule or by hand with artifact-sha %s: it completes the promotion", short(a.Revision.Commit)),
	}
}

// promotionEnded picks the run that tells most, and says what became of it.
func promotionEnded(all runs, asked bool) (string, Run) {
	first := func(is func(Run) bool) (Run, bool) {
		i := slices.IndexFunc(all, is)
		if i < 0 {
			return Run{}, false
		}
		return all[i], true
	}
	state := func(s string) func(Run) bool { return func(r Run) bool { return r.State == s } }
	if !asked {
		return "whether a promotion ran cannot be told", Run{}
	}
	if run, ok := first(func(r Run) bool { return !r.Done }); ok {
		return fmt.Sprintf("the workflow %q is %s since %s, and does not end (%s)", run.Name, run.State, run.Started.UTC().Format(time.RFC3339), run.URL), run
	}
	if run, ok := first(state("cancelled")); ok && !slices.ContainsFunc(all, state("failure")) {
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

// lookAgain looks, after a moment, at what seems left undone by a promotion or a build and may
// be under way: the stable of an open candidate is its base, and what is due may be written.
func (r *reading) lookAgain(ctx context.Context) error {
	var tags []string
	for _, tag := range r.waiting() {
		if c, err := version.ParseCandidate(tag); err == nil && r.promotedHalf(r.artifacts[tag]) && len(tags) <= maxHalf {
			tags = append(tags, c.Base.String())
		}
	}
	if r.due.ok {
		tags = append(tags, r.due.to.String())
	}
	if tags == nil {
		return nil
	}
	if err := pipeline.Sleep(ctx, moment); err != nil {
		return err
	}
	if err := r.resolveAll(ctx, tags); err != nil {
		return err
	}
	if a := r.subject.artifact; a != nil {
		r.setSubject(a, r.subject.commit)
	}
	r.due.ok = r.due.ok && r.digestOf(r.due.to.String()) != r.due.artifact.Digest
	return nil
}

// moment is how long the writes of a promotion are apart; longer where readings lag (docs/facts.md 16).
var moment = 5 * time.Second

// checkRepeats tells that a promotion which starts again and again is as it should be.
func (r *reading) checkRepeats() []pipeline.Finding {
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
			return []pipeline.Finding{{
				Code: pipeline.PromotionRepeats, Severity: pipeline.Info, Stage: pipeline.PromotedStage,
				Message: fmt.Sprintf("the workflow %q ran %d times within an hour: that is normal, integration reports each reconciliation and each repetition ends as unchanged", run.Name, n),
				Hint:    "to save minutes, let the job's `if` pass only success and the contexts of this Kustomization",
			}}
		}
	}
	return nil
}
