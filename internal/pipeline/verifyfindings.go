package pipeline

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// findings are all that was found, without what another finding explains. Stop is where the
// subject's path ends.
func (r *verifyRun) findings(path []Step, stop *Finding) []Finding {
	own, others := r.checkContent()
	own = append(own, r.checkCommit()...)
	onIntegration, onLive := r.checkClusters()
	integration, live := r.checkSelection()
	if hasError(onIntegration) {
		integration = nil
	}
	if hasError(onLive) {
		live = nil
	}
	head := append(r.checkHead(), r.checkUnfinished()...)
	var end []Finding
	if stop != nil && !r.explained(stop.Code, own, onIntegration, head) {
		end = append(end, *stop)
	}
	causes := slices.Concat(own, onIntegration, integration, r.checkStranded(), r.checkHalf(), r.checkOldest())
	all := slices.Concat(end, causes, others, r.checkTags(), head, onLive, live, r.checkHealth(), r.checkRepeats())
	late := len(end) > 0 && end[0].Stage != Built && (end[0].Severity == Error || r.subject.candidate == r.oldestWaiting())
	promoting := path[slices.Index(Stages, PromotedStage)].State == Waiting
	if !hasError(causes) && !late && !promoting {
		all = append(all, r.checkStuck()...)
	}
	return bounded(inOrder(append(all, r.checkReading()...)))
}

// explained reports whether the end of the subject's path is no more than the effect of
// something else that was found.
func (r *verifyRun) explained(code Code, own, onIntegration, head []Finding) bool {
	switch code {
	case NotBuilt, NoCandidate:
		return r.subject.commit == "" && hasError(head)
	case NoReport, ValidationFailed:
		return hasError(own) || hasError(onIntegration)
	}
	return false
}

// checkReading tells what could not be looked at, so that silence is never taken for health.
func (r *verifyRun) checkReading() (all []Finding) {
	if r.Host == nil {
		return []Finding{{
			Code: TokenCannotRead, Severity: Info, Stage: Validated,
			Message: "commit statuses, workflow runs and the newest commit were not looked at: there is no " + r.NoHost,
			Hint:    "in a workflow leave the input token at its default; by hand set GITHUB_TOKEN and GITHUB_REPOSITORY=OWNER/NAME",
		}}
	}
	var denied, lost, hints []string
	for _, err := range r.heard.unread {
		var answer interface{ Refused() bool }
		if errors.As(err, &answer) && answer.Refused() {
			denied, hints = append(denied, err.Error()), append(hints, hintOf(err))
		} else {
			lost = append(lost, withHint(err))
		}
	}
	if denied != nil {
		hint := "the token may not read that: give the job `permissions: contents: read, actions: read, statuses: read`"
		if hints = slices.Compact(hints); len(hints) == 1 && hints[0] != "" { // such as of a token that is not valid at all
			hint = hints[0]
		}
		all = append(all, Finding{Code: TokenCannotRead, Severity: Warning, Stage: Validated, Message: "not looked at: " + strings.Join(denied, "; "), Hint: hint})
	}
	if lost != nil {
		all = append(all, Finding{Code: GitHubNotRead, Severity: Warning, Stage: Validated, Message: "not looked at: " + strings.Join(lost, "; "), Hint: "run verify again"})
	}
	return all
}

// reason is the whole answer in one line.
func (r *verifyRun) reason(d Diagnosis) string {
	errs := 0
	for _, f := range d.Findings {
		if f.Severity == Error || r.Strict && f.Severity == Warning {
			errs++
		}
	}
	s := r.subject
	switch {
	case errs == 1:
		return d.Findings[0].Message
	case errs > 1:
		return fmt.Sprintf("%d problems, first: %s", errs, d.Findings[0].Message)
	}
	what := fmt.Sprintf("commit %s", short(s.commit))
	for i, step := range d.Path {
		switch {
		case step.State == Followed && s.stable == "":
			return fmt.Sprintf("%s is superseded, and nothing is late", what)
		case step.State == Followed && r.stable.lower != "":
			return fmt.Sprintf("%s was live as %s; %s rolled back to the artifact of %s", what, s.stable, r.stable.tag, r.stable.lower)
		case step.State == Followed:
			return fmt.Sprintf("%s was live as %s, and %s followed", what, s.stable, r.stable.tag)
		case step.State == Waiting, step.State == Unknown, step.State == Stopped:
			return fmt.Sprintf("%s is %s, and waits to be %s; nothing is late", what, d.Path[max(0, i-1)].Stage, step.Stage)
		}
	}
	return fmt.Sprintf("%s is live as %s", what, s.stable)
}
