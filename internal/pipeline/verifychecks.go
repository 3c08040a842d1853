package pipeline

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/oci-promote/oci-promote/internal/version"
)

// What verify checks of the repository as a whole, whatever commit was asked for.

// checkSelection compares what each cluster selects with what the pipeline means it to.
func (r *verifyRun) checkSelection() (integration, live []Finding) {
	selected := r.selected
	due := cmp.Or(r.snap.newestAbove(), r.stable.tag)
	if due != "" && selected.Integration != due && (r.digestOf(due) == "" || r.digestOf(selected.Integration) != r.digestOf(due)) {
		integration = append(integration, Finding{
			Code: NotSelectedByIntegration, Severity: Error, Stage: SelectedByIntegration, Since: r.since(due),
			Message: fmt.Sprintf("integration does not select %s: %s", due, lostTo(r.Clusters.Integration, selected.Integration, due)),
			Hint:    `the constraint on integration must admit candidates and end in -0, such as ">= 0.0.0-0", and nothing else in the repository may be a higher version; integration-semver must say what the cluster has`,
		})
	}
	if next := r.nextCandidate(); len(integration) == 0 && next != "" && r.Clusters.Integration.Select([]string{next}) == "" {
		integration = append(integration, Finding{
			Code: NotSelectedByIntegration, Severity: Error, Stage: SelectedByIntegration,
			Message: fmt.Sprintf("integration cannot select the next candidate, such as %s: its constraint %q excludes it", next, r.Clusters.Integration),
			Hint:    `the constraint on integration must end in -0, such as ">= 0.0.0-0"; integration-semver must say what the cluster has`,
		})
	}
	if next := r.nextCandidate(); next != "" && r.Clusters.Live.Select([]string{next}) != "" {
		return integration, []Finding{{
			Code: NotSelectedByLive, Severity: Error, Stage: SelectedByLive,
			Message: fmt.Sprintf("live takes what nobody validated: its constraint %q admits candidates such as %s, and selects %q now", r.Clusters.Live, next, selected.Live),
			Hint:    `the constraint on live must have no -0: ">= 0.0.0"; live-semver must say what the cluster has`,
		}}
	}
	if r.stable.tag != "" && selected.Live != r.stable.tag || r.stable.tag == "" && selected.Live != "" {
		f := Finding{
			Code: NotSelectedByLive, Severity: Error, Stage: SelectedByLive,
			Message: fmt.Sprintf("live does not select %s: %s", r.stable.tag, lostTo(r.Clusters.Live, selected.Live, r.stable.tag)),
			Hint:    `the constraint on live must admit stables and no candidates, such as ">= 0.0.0", and nothing else in the repository may be a higher version: delete it, or narrow the constraint on the cluster and in live-semver`,
		}
		if r.stable.tag == "" {
			f.Message = fmt.Sprintf("nothing was promoted, and live selects %q by its constraint %q", selected.Live, r.Clusters.Live)
		}
		live = append(live, f)
	}
	return integration, live
}

// lostTo tells why a constraint does not select the tag that it should.
func lostTo(c version.Constraint, selected, due string) string {
	switch {
	case c.Select([]string{due}) == "" && selected == "":
		return fmt.Sprintf("its constraint %q excludes it, and selects nothing", c)
	case c.Select([]string{due}) == "":
		return fmt.Sprintf("its constraint %q excludes it, and selects %q", c, selected)
	}
	if l := version.Read([]string{selected}); len(l.Candidates)+len(l.Stables) == 0 {
		return fmt.Sprintf("%q, which is not of this pipeline, is the higher version", selected)
	}
	return fmt.Sprintf("%q is the higher version for its constraint %q", selected, c)
}

// checkStranded finds the artifact that a promotion should have rescued (promise 9).
func (r *verifyRun) checkStranded() []Finding {
	newest, ok := r.snap.ladder.Newest()
	a := r.artifacts[newest.String()]
	if !ok || a == nil || r.stable.artifact == nil || r.snap.ladder.Above(newest) || r.isStable(a) || r.outranked(newest.String(), a) {
		return nil
	}
	f := Finding{
		Code: Stranded, Severity: Error, Stage: SelectedByIntegration, Since: r.ready(a),
		Message: fmt.Sprintf("%s (commit %s) is stranded: %s took its version, so that no cluster will select it", newest, short(a.Revision.Commit), r.stable.tag),
		Hint:    "run mode tag again, by its schedule or by hand: it gives the artifact a number above the stable; the next build does away with it too",
	}
	if !r.certainlyNoRollback() {
		f.Severity, f.Message = Warning, f.Message+fmt.Sprintf(", unless %s is a rollback to what was live long before", r.stable.tag)
	}
	if r.stable.rank == "" { // made by hand: mode tag cannot tell what is newer
		f.Severity, f.Hint = Warning, fmt.Sprintf("%s was not made from a candidate, so mode tag leaves this to you: the next build gets a number above it", r.stable.tag)
	}
	return []Finding{f}
}

// certainlyNoRollback reports whether the stable is its candidate's own, or all lower stables
// were looked at.
func (r *verifyRun) certainlyNoRollback() bool {
	rank, err := version.ParseCandidate(r.stable.rank)
	return err == nil && rank.Base.String() == r.stable.tag || len(r.snap.ladder.Stables) <= maxStables
}

// checkStuck finds the candidate that waits for its promotion longest. The newest alone would
// not tell: on a busy repository that is always young.
func (r *verifyRun) checkStuck() []Finding {
	oldest := r.oldestWaiting()
	if oldest == "" {
		return nil
	}
	a := r.artifacts[oldest]
	since, late := r.waitsSince(oldest, a)
	if late == "" {
		return nil
	}
	because := "what integration says of it is not known"
	if w, asked := r.heard.words[a.desc.Digest]; asked {
		because = "integration reported nothing of it"
		if w.State != "" {
			because = fmt.Sprintf("integration's word on it is %q", w)
		}
	}
	f := Finding{
		Code: Stuck, Severity: late, Stage: PromotedStage, Since: since,
		Message: fmt.Sprintf("nothing was promoted since %s (commit %s), which waits longer than %s; %s", oldest, short(a.Revision.Commit), span(r.MaxAge), because),
		Hint:    fmt.Sprintf("on integration: `flux get kustomizations %s`; max-age is the time that you give it", r.kustomization()),
	}
	if oldest != r.subject.candidate {
		f.Hint = fmt.Sprintf("verify with artifact-sha %s tells its path; ", short(a.Revision.Commit)) + f.Hint
	}
	return []Finding{f}
}

// span is a duration without its zeros: 2h, not 2h0m0s.
func span(d time.Duration) string {
	s := d.String()
	for _, zeros := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zeros) {
			s = s[:len(s)-2]
		}
	}
	return s
}
