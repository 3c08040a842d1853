package pipeline

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/version"
)

// What verify checks of the repository as a whole, whatever commit was asked for.

// checkSelection compares what each cluster selects with what the pipeline means it to.
func (r *verifyRun) checkSelection() (integration, live []Finding) {
	selected := r.Clusters.selected(r.snap.tags)
	due := r.stable.tag
	if newest, ok := r.snap.ladder.Newest(); ok && r.snap.ladder.Above(newest) {
		due = newest.String()
	}
	if due != "" && selected.Integration != due && (r.digestOf(due) == "" || r.digestOf(selected.Integration) != r.digestOf(due)) {
		integration = append(integration, Finding{
			Code: NotSelectedByIntegration, Severity: Error, Stage: SelectedByIntegration, Since: r.since(due),
			Message: fmt.Sprintf("integration does not select %s: %s", due, lostTo(r.Clusters.Integration, selected.Integration, due)),
			Hint:    `the constraint on integration must admit candidates and end in -0, such as ">= 0.0.0-0", and nothing else in the repository may be a higher version; integration-semver must say what the cluster has`,
		})
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
	if r.stable.rank == "" { // made by hand: mode tag cannot tell what is newer
		f.Severity, f.Hint = Warning, fmt.Sprintf("%s was not made from a candidate, so mode tag leaves this to you: the next build gets a number above it", r.stable.tag)
	}
	return []Finding{f}
}

// checkStuck finds the candidate that waits for its promotion longest. The newest alone would
// not tell: on a busy repository that is always young.
func (r *verifyRun) checkStuck() []Finding {
	oldest := r.oldestWaiting()
	if oldest == "" {
		return nil
	}
	a := r.artifacts[oldest]
	since := r.waitsSince(oldest, a)
	if r.Now.Sub(since) <= r.MaxAge {
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
		Code: Stuck, Severity: Error, Stage: PromotedStage, Since: since,
		Message: fmt.Sprintf("nothing was promoted since %s (commit %s), which waits longer than %s; %s", oldest, short(a.Revision.Commit), span(r.MaxAge), because),
		Hint: fmt.Sprintf("verify with artifact-sha %s tells its path; on integration: `flux get kustomization %s`; max-age is the time that you give it",
			short(a.Revision.Commit), orName(r.Gate.Name)),
	}
	if isRescue(oldest) && r.heard.words[r.stableDigest()].At.IsZero() { // since when it waits is not known
		f.Severity = Warning
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

func (r *verifyRun) stableDigest() digest.Digest {
	if r.stable.artifact == nil {
		return ""
	}
	return r.stable.artifact.desc.Digest
}

// checkHead compares what is built with the newest commit that should be.
func (r *verifyRun) checkHead() []Finding {
	h := r.heard
	if h.head == "" || r.isBuilt(h.head) || h.headIn || h.head == r.subject.commit || h.head == r.newestCommit() {
		return nil
	}
	if slices.ContainsFunc(r.unfinished(), func(tag string) bool { return strings.HasPrefix(shaPrefix+h.head, tag) }) {
		return nil // it is announced: checkUnfinished tells
	}
	runs := h.runs[h.head]
	late := r.Now.Sub(h.headAt) > r.MaxAge
	switch {
	case len(runs) > 0 && runs[0].failed():
		return r.onlyForPath(*r.buildFailed(h.head, runs[0]))
	case !late || len(runs) > 0 && !runs[0].Done:
		return nil
	}
	f := Finding{
		Code: HeadNotBuilt, Severity: Error, Stage: Built, Since: h.headAt,
		Message: fmt.Sprintf("commit %s is the newest that touches %q, and has no artifact%s", short(h.head), r.Path, r.withoutRun(h.head)),
		Hint:    "run the build workflow on the default branch; does its `paths` filter include this directory, and is the workflow enabled?",
	}
	if len(runs) > 0 && runs[0].State == "success" { // as skip-unchanged does
		f.Severity, f.Hint = Warning, "if the build has skip-unchanged and the content is the same, all is well; else look at its log: does it push to this repository?"
	}
	return r.onlyForPath(f)
}

// onlyForPath is a finding about the newest commit. Where no path is set, that may be one which
// the build's own paths filter leaves out, and no error.
func (r *verifyRun) onlyForPath(f Finding) []Finding {
	if r.Path == "." {
		f.Severity = Warning
		f.Hint += "; if only some directories are built, set the input path to them"
	}
	return []Finding{f}
}

// checkHealth tells when integration is no longer content with what it let through.
func (r *verifyRun) checkHealth() []Finding {
	if w := r.word(); r.subject.stable != "" && w.bad() {
		f := *r.validationFailed(w)
		f.Severity, f.Stage = Warning, Validated
		f.Message = fmt.Sprintf("%s was promoted, and integration reports now that it is not healthy: %s", r.subject.stable, w)
		f.Hint = fmt.Sprintf("see on integration `flux get kustomization %s`; if live is ill too, roll back: mode tag with version: next and an older digest", orName(r.Gate.Name))
		return []Finding{f}
	}
	return nil
}

// checkUnfinished finds a build that was killed before its end, and that no newer one has made
// up for.
func (r *verifyRun) checkUnfinished() []Finding {
	newest := time.Time{}
	for _, tag := range append(descending(r.snap.ladder.Candidates), r.stable.tag) {
		if a := r.artifacts[tag]; a != nil && a.Created.After(newest) {
			newest = a.Created
		}
	}
	for _, tag := range r.unfinished() {
		a := r.artifacts[tag]
		if a == nil || a.Revision.Commit == "" || r.isStable(a) || r.Now.Sub(r.ready(a)) <= crashedAfter {
			continue
		}
		switch candidate := r.highestOn(a.desc.Digest); {
		case slices.Contains(r.waiting(), candidate):
			return []Finding{{
				Code: NotBuilt, Severity: Warning, Stage: Numbered, Since: r.ready(a),
				Message: fmt.Sprintf("the build of commit %s ended before its last tag: %s is there, %q is not, so that a report that names only the commit does not promote it",
					short(a.Revision.Commit), candidate, integrationOf(tag)),
				Hint: "run the build of this commit again: it completes what is missing",
			}}
		case candidate == "" && a != r.subject.artifact && a.Created.After(newest):
			return []Finding{r.killedBuild(a.Revision.Commit, r.ready(a))}
		}
	}
	return nil
}

func (r *verifyRun) killedBuild(commit string, since time.Time) Finding {
	return Finding{
		Code: NoCandidate, Severity: Error, Stage: Numbered, Since: since,
		Message: fmt.Sprintf("the build of commit %s ended before its artifact had a number: no candidate names it, and there is no tag %q", short(commit), integrationPrefix+commit[:min(r.SHALength, len(commit))]),
		Hint:    "run the build of this commit again: it completes what is missing",
	}
}

// checkContent looks at the artifacts that clusters have, or are about to get.
func (r *verifyRun) checkContent() (all []Finding) {
	seen := map[Code]bool{}
	add := func(f Finding) {
		if !seen[f.Code] {
			seen[f.Code] = true
			all = append(all, f)
		}
	}
	tags := append([]string{r.subject.candidate, r.stable.tag}, r.waiting()...)
	if a := r.subject.artifact; a != nil {
		tags = append(tags, a.readBy)
	}
	for _, tag := range tags {
		a := r.artifacts[tag]
		if a == nil {
			continue
		}
		why, broken := bundle.ReadParts(a.manifest).Foreign()
		switch {
		case why != "":
			add(foreign(tag, why, broken))
		case a.Revision.Commit == "":
			add(Finding{
				Code: RevisionMismatch, Severity: Error, Stage: Built,
				Message: fmt.Sprintf("%s (%s) has no revision <branch>@sha1:<commit>, so that Flux cannot report on its commit", tag, a.desc.Digest),
				Hint:    "build it with mode build, or give `flux push artifact` --revision in that form",
			})
		}
		if blob := r.missing[a.desc.Digest]; blob != "" {
			add(Finding{
				Code: MissingBlob, Severity: Error, Stage: Built, Since: a.Created,
				Message: fmt.Sprintf("%s names %s, of which the registry does not have the blob %s", tag, a.desc.Digest, blob),
				Hint:    "a clean-up deleted it, or a copy left it out: build the commit again with overwrite: true, and keep what tags name from the clean-up",
			})
		}
	}
	for _, tag := range slices.Sorted(keysOf(r.artifacts)) {
		if r.artifacts[tag] == nil {
			add(Finding{
				Code: MissingBlob, Severity: Error, Stage: Built,
				Message: fmt.Sprintf("%s is in the tag list of %s, and its manifest is not there", tag, r.name),
				Hint:    "run verify again in a minute; if it stays, the manifest was deleted: build the commit again",
			})
		}
	}
	return all
}

func foreign(tag, why string, broken bool) Finding {
	f := Finding{
		Code: NotAFluxArtifact, Severity: Warning, Stage: Built,
		Message: fmt.Sprintf("%s is not an artifact in Flux's format: %s", tag, why),
		Hint:    "build it with mode build or `flux push artifact`; an image or a chart needs a repository of its own",
	}
	if broken {
		f.Severity, f.Message = Error, f.Message+"; Flux cannot unpack it"
	}
	return f
}

// checkCommit compares the commit that was asked for with what its tag names.
func (r *verifyRun) checkCommit() []Finding {
	a := r.subject.artifact
	if r.Commit == "" || a == nil || a.Revision.Commit == "" || strings.HasPrefix(a.Revision.Commit, r.Commit) {
		return nil
	}
	return []Finding{{
		Code: RevisionMismatch, Severity: Error, Stage: Built, Since: a.Created,
		Message: fmt.Sprintf("%s names an artifact of commit %s, not of %s", a.readBy, a.Revision.Commit, r.Commit),
		Hint:    "two commits begin alike, or the tag was moved: build the commit again, with a greater sha-length if they do",
	}}
}
