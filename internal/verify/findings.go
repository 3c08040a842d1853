package verify

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// findings are all that was found, without what another finding explains. Stop is where the
// subject's path ends.
func (r *reading) findings(path []pipeline.Step, stop *pipeline.Finding) []pipeline.Finding {
	own, others := r.checkContent()
	own = append(own, r.checkCommit()...)
	onIntegration, onLive := r.checkClusters()
	integration, live := r.checkSelection()
	if hasError(onIntegration) {
		integration = nil
	}
	if live = append(live, r.checkLive()...); hasError(onLive) {
		live = nil
	}
	head := append(r.checkHead(), r.checkUnfinished()...)
	var end []pipeline.Finding
	if stop != nil && !r.explained(stop.Code, own, onIntegration, head) {
		end = append(end, *stop)
	}
	causes := slices.Concat(own, onIntegration, integration, r.checkStranded(), r.checkHalf(), r.checkOldest())
	all := slices.Concat(end, causes, others, r.checkTags(), head, onLive, live, r.checkHealth(), r.checkRepeats())
	late := len(end) > 0 && end[0].Stage != pipeline.Built && (end[0].Severity == pipeline.Error || end[0].Severity == pipeline.Warning && r.subject.candidate == r.oldestWaiting())
	promoting := path[slices.Index(pipeline.Stages, pipeline.PromotedStage)].State == pipeline.Waiting
	if !hasError(causes) && !late && !promoting {
		all = append(all, r.checkStuck()...)
	}
	return bounded(inOrder(append(all, r.checkReading()...)))
}

// explained reports whether the end of the subject's path is no more than the effect of
// something else that was found.
func (r *reading) explained(code pipeline.Code, own, onIntegration, head []pipeline.Finding) bool {
	switch code {
	case pipeline.NotBuilt, pipeline.NoCandidate:
		return r.subject.commit == "" && hasError(head)
	case pipeline.NoReport, pipeline.ValidationFailed:
		return hasError(own) || hasError(onIntegration)
	}
	return false
}

// checkReading tells what could not be looked at, so that silence is never taken for health.
func (r *reading) checkReading() (all []pipeline.Finding) {
	if r.Host == nil {
		return []pipeline.Finding{{
			Code: pipeline.TokenCannotRead, Severity: pipeline.Info, Stage: pipeline.Validated,
			Message: "commit statuses, workflow runs and the newest commit were not looked at: there is no " + r.NoHost,
			Hint:    "in a workflow leave the input token at its default; by hand set GITHUB_TOKEN and GITHUB_REPOSITORY=OWNER/NAME",
		}}
	}
	var denied, lost, hints []string
	for _, err := range r.heard.unread {
		var answer interface{ Refused() bool }
		if errors.As(err, &answer) && answer.Refused() {
			denied, hints = append(denied, err.Error()), append(hints, pipeline.HintOf(err))
		} else {
			lost = append(lost, pipeline.WithHint(err))
		}
	}
	if denied != nil {
		hint := "the token may not read that: give the job `permissions: contents: read, actions: read, statuses: read`"
		if hints = slices.Compact(hints); len(hints) == 1 && hints[0] != "" { // such as of a token that is not valid at all
			hint = hints[0]
		}
		all = append(all, pipeline.Finding{Code: pipeline.TokenCannotRead, Severity: pipeline.Warning, Stage: pipeline.Validated, Message: "not looked at: " + some(denied), Hint: hint})
	}
	if lost != nil {
		all = append(all, pipeline.Finding{Code: pipeline.GitHubNotRead, Severity: pipeline.Warning, Stage: pipeline.Validated, Message: "not looked at: " + some(lost), Hint: "run verify again"})
	}
	return all
}

// some are texts on one line, of many alike the first.
func some(texts []string) string {
	if more := len(texts) - maxAlike; more > 0 {
		texts = append(slices.Clone(texts[:maxAlike]), fmt.Sprintf("and %d more like this", more))
	}
	return strings.Join(texts, "; ")
}

// reason is the whole answer in one line.
func (r *reading) reason(d pipeline.Diagnosis) string {
	errs := 0
	for _, f := range d.Findings {
		if f.Severity == pipeline.Error || r.Strict && f.Severity == pipeline.Warning {
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
		case step.State == pipeline.Followed && s.stable == "":
			return fmt.Sprintf("%s is superseded, and nothing is late", what)
		case step.State == pipeline.Followed && r.stable.rollback:
			return fmt.Sprintf("%s was promoted as %s; %s rolled back to commit %s", what, s.stable, r.stable.tag, short(r.stable.artifact.Revision.Commit))
		case step.State == pipeline.Followed:
			return fmt.Sprintf("%s was promoted as %s, and %s followed", what, s.stable, r.stable.tag)
		case step.Stage == pipeline.RunningOnLive && step.State == pipeline.Unknown:
			return fmt.Sprintf("live selects %s as %s; whether it runs there nobody reports", what, s.stable)
		case step.State == pipeline.Stopped && i > 0: // a warning tells why
			return fmt.Sprintf("%s is %s, and is not %s", what, d.Path[i-1].Stage, step.Stage)
		case step.State == pipeline.Unknown && r.deaf():
			return fmt.Sprintf("%s is %s; whether it is %s is not known, since GitHub could not be asked", what, d.Path[max(0, i-1)].Stage, step.Stage)
		case step.State == pipeline.Waiting, step.State == pipeline.Unknown, step.State == pipeline.Stopped:
			return fmt.Sprintf("%s is %s, and waits to be %s; nothing is late", what, d.Path[max(0, i-1)].Stage, step.Stage)
		}
	}
	return fmt.Sprintf("%s is live as %s", what, s.stable)
}

// inOrder sorts findings: errors before warnings before infos, and along the path.
func inOrder(all []pipeline.Finding) []pipeline.Finding {
	severities := []pipeline.Severity{pipeline.Error, pipeline.Warning, pipeline.Info}
	slices.SortStableFunc(all, func(a, b pipeline.Finding) int {
		return cmp.Or(
			cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity)),
			cmp.Compare(slices.Index(pipeline.Stages, a.Stage), slices.Index(pipeline.Stages, b.Stage)),
		)
	})
	return all
}

// maxAlike is how many findings of one code are told; a cluster can have thousands.
const maxAlike = 5

// bounded leaves out findings of which there are many alike, and says how many.
func bounded(all []pipeline.Finding) []pipeline.Finding {
	count := map[pipeline.Code]int{}
	told := all[:0:0]
	for _, f := range all {
		if count[f.Code]++; count[f.Code] <= maxAlike {
			told = append(told, f)
		}
	}
	for i, f := range slices.Backward(told) {
		if more := count[f.Code] - maxAlike; more > 0 {
			told[i].Message += fmt.Sprintf("; and %d more like this", more)
			count[f.Code] = 0
		}
	}
	return told
}

// hasError reports whether there is an error among findings.
func hasError(all []pipeline.Finding) bool {
	return slices.ContainsFunc(all, func(f pipeline.Finding) bool { return f.Severity == pipeline.Error })
}
