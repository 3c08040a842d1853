package verify

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// checkContent looks at the artifacts that clusters have, or are about to get. Of them the
// subject and the oldest that waits are told apart: what is wrong with those explains why they
// come no further.
func (r *reading) checkContent() (own, others []pipeline.Finding) {
	tags := append([]string{r.subject.candidate, r.stable.tag}, r.waiting()...)
	if a := r.subject.artifact; a != nil {
		tags = append(tags, a.ReadBy)
	}
	oldest := r.oldestWaiting()
	seen := map[digest.Digest]bool{}
	for _, tag := range tags {
		a := r.artifacts[tag]
		if a == nil || seen[a.Desc.Digest] {
			continue
		}
		seen[a.Desc.Digest] = true
		if found := r.contentOf(tag, a); r.isSubject(a) || tag == oldest {
			own = append(own, found...)
		} else {
			others = append(others, found...)
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(r.artifacts)) {
		if r.artifacts[tag] == nil {
			others = append(others, pipeline.Finding{
				Code: pipeline.MissingBlob, Severity: pipeline.Error, Stage: pipeline.Built,
				Message: fmt.Sprintf("%s is in the tag list of %s, and its manifest is not there", tag, r.Name),
				Hint:    "run verify again in a minute; if it stays, the manifest was deleted: build the commit again",
			})
		}
	}
	return own, others
}

func (r *reading) contentOf(tag string, a *pipeline.Artifact) (all []pipeline.Finding) {
	why, broken := bundle.ReadParts(a.Manifest).Foreign()
	switch {
	case why != "":
		all = append(all, r.foreign(tag, a, why, broken))
	case a.Revision.Commit == "":
		all = append(all, pipeline.Finding{
			Code: pipeline.RevisionMismatch, Severity: pipeline.Error, Stage: pipeline.Built,
			Message: fmt.Sprintf("%s (%s) has no revision <branch>@sha1:<commit>, so that Flux cannot report on its commit", tag, a.Desc.Digest),
			Hint:    "build it with mode build, or give `flux push artifact` --revision in that form",
		})
	}
	if blob := r.missing[a.Desc.Digest]; blob != "" {
		f := pipeline.Finding{
			Code: pipeline.MissingBlob, Severity: pipeline.Error, Stage: pipeline.Built, Since: a.Created,
			Message: fmt.Sprintf("%s names %s, of which the registry does not have the blob %s", tag, a.Desc.Digest, blob),
			Hint:    "a clean-up deleted it, or a copy left it out: build the commit again with overwrite: true, and keep what tags name from the clean-up",
		}
		if why != "" { // no build brings it back
			f.Hint = "a clean-up deleted it, or a copy left it out, and it is no artifact that a build of this pipeline made: whoever pushed it can push it again"
		}
		all = append(all, f)
	}
	return all
}

// foreign tells of an artifact that is not in Flux's format: an error where Flux cannot unpack it, as source-controller
// then says by OCIArtifactLayerOperationFailed (docs/facts.md 33).
func (r *reading) foreign(tag string, a *pipeline.Artifact, why string, broken bool) pipeline.Finding {
	f := pipeline.Finding{
		Code: pipeline.NotAFluxArtifact, Severity: pipeline.Warning, Stage: pipeline.Built,
		Message: fmt.Sprintf("%s is not an artifact in Flux's format: %s", tag, why),
		Hint:    "build it with mode build or `flux push artifact`; an image or a chart needs a repository of its own",
	}
	switch gzip, seen := r.gzip[a.Desc.Digest]; {
	case broken:
		f.Severity, f.Message = pipeline.Error, f.Message+"; Flux cannot unpack it"
	case seen && !gzip:
		f.Severity, f.Message = pipeline.Error, f.Message+", and no gzip; Flux cannot unpack it (OCIArtifactLayerOperationFailed)"
		f.Hint = fmt.Sprintf("delete %s in the registry, and build its commit with mode build: no reconciling helps; an image or a chart needs a repository of its own", tag)
	case seen:
		f.Message += "; it is gzip, which Flux unpacks all the same unless spec.layerSelector is set"
	}
	return f
}

// checkCommit compares the commit that was asked for with what its tag names.
func (r *reading) checkCommit() []pipeline.Finding {
	a := r.subject.artifact
	if r.Commit == "" || a == nil || a.Revision.Commit == "" || strings.HasPrefix(a.Revision.Commit, r.Commit) {
		return nil
	}
	return []pipeline.Finding{{
		Code: pipeline.RevisionMismatch, Severity: pipeline.Error, Stage: pipeline.Built, Since: a.Created,
		Message: fmt.Sprintf("%s names an artifact of commit %s, not of %s", a.ReadBy, a.Revision.Commit, r.Commit),
		Hint:    "two commits begin alike, or the tag was moved: build the commit again, with a greater sha-length if they do",
	}}
}
