package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/bundle"
)

// checkContent looks at the artifacts that clusters have, or are about to get. Of them the
// subject and the oldest that waits are told apart: what is wrong with those explains why they
// come no further.
func (r *verifyRun) checkContent() (own, others []Finding) {
	tags := append([]string{r.subject.candidate, r.stable.tag}, r.waiting()...)
	if a := r.subject.artifact; a != nil {
		tags = append(tags, a.readBy)
	}
	oldest := r.oldestWaiting()
	seen := map[digest.Digest]bool{}
	for _, tag := range tags {
		a := r.artifacts[tag]
		if a == nil || seen[a.desc.Digest] {
			continue
		}
		seen[a.desc.Digest] = true
		if found := r.contentOf(tag, a); r.isSubject(a) || tag == oldest {
			own = append(own, found...)
		} else {
			others = append(others, found...)
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(r.artifacts)) {
		if r.artifacts[tag] == nil {
			others = append(others, Finding{
				Code: MissingBlob, Severity: Error, Stage: Built,
				Message: fmt.Sprintf("%s is in the tag list of %s, and its manifest is not there", tag, r.name),
				Hint:    "run verify again in a minute; if it stays, the manifest was deleted: build the commit again",
			})
		}
	}
	return own, others
}

func (r *verifyRun) contentOf(tag string, a *artifact) (all []Finding) {
	why, broken := bundle.ReadParts(a.manifest).Foreign()
	switch {
	case why != "":
		all = append(all, foreign(tag, why, broken))
	case a.Revision.Commit == "":
		all = append(all, Finding{
			Code: RevisionMismatch, Severity: Error, Stage: Built,
			Message: fmt.Sprintf("%s (%s) has no revision <branch>@sha1:<commit>, so that Flux cannot report on its commit", tag, a.desc.Digest),
			Hint:    "build it with mode build, or give `flux push artifact` --revision in that form",
		})
	}
	if blob := r.missing[a.desc.Digest]; blob != "" {
		all = append(all, Finding{
			Code: MissingBlob, Severity: Error, Stage: Built, Since: a.Created,
			Message: fmt.Sprintf("%s names %s, of which the registry does not have the blob %s", tag, a.desc.Digest, blob),
			Hint:    "a clean-up deleted it, or a copy left it out: build the commit again with overwrite: true, and keep what tags name from the clean-up",
		})
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
