package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oci-promote/oci-promote/internal/bundle"
)

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
