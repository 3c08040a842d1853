package verify

import (
	"fmt"
	"strings"
	"time"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// crashedAfter is the age of a commit at which a build that has not come to its end never will.
const crashedAfter = 10 * time.Minute

// checkUnfinished finds what has no number although it is built, and a build that was cut short
// behind its first tag, the candidate.
func (r *reading) checkUnfinished() []pipeline.Finding {
	built := []*pipeline.Artifact{r.head}
	for _, tag := range r.unfinished() {
		built = append(built, r.artifacts[tag])
	}
	for _, a := range built {
		if a != nil && !r.isSubject(a) && r.lacksNumber(a) && r.isOver(a) {
			return []pipeline.Finding{r.noNumber(a)}
		}
	}
	for _, tag := range r.waiting() {
		a := r.artifacts[tag]
		if lacks := r.lacking(a); lacks != nil && r.isOver(a) {
			return []pipeline.Finding{{
				Code: pipeline.NotBuilt, Severity: pipeline.Warning, Stage: pipeline.Numbered, Since: r.ready(a),
				Message: fmt.Sprintf("the build of commit %s was cut short: %s is there, and %s not, so that a report that names only the commit does not promote it",
					short(a.Revision.Commit), tag, strings.Join(lacks, " and ")),
				Hint: "run the build of this commit again: it completes what is missing",
			}}
		}
	}
	return nil
}

// isOver reports whether the build of an artifact must have come to its end.
func (r *reading) isOver(a *pipeline.Artifact) bool { return r.Now.Sub(r.ready(a)) > crashedAfter }

// lacksNumber reports whether an artifact is without a candidate, and nothing that is newer goes
// on in its place.
func (r *reading) lacksNumber(a *pipeline.Artifact) bool {
	return a.Revision.Commit != "" && r.highestOn(a.Desc.Digest) == "" && !r.isStable(a) && r.passed[a.Desc.Digest] == (passing{})
}

// lacking are the commit tags, quoted, that the build of a candidate's artifact writes behind it
// and that are not there. One of another tool, which has no height, need have none.
func (r *reading) lacking(a *pipeline.Artifact) (tags []string) {
	if a.Revision.Commit == "" || a.Height == 0 {
		return nil
	}
	for _, prefix := range []string{pipeline.SHAPrefix, pipeline.IntegrationPrefix} {
		if tag := r.commitTag(prefix, a.Revision.Commit); !r.snap.Has(tag) {
			tags = append(tags, fmt.Sprintf("%q", tag))
		}
	}
	return tags
}

// noNumber is the finding of an artifact that is built, and that no candidate names.
func (r *reading) noNumber(a *pipeline.Artifact) pipeline.Finding {
	return pipeline.Finding{
		Code: pipeline.NoCandidate, Severity: pipeline.Error, Stage: pipeline.Numbered, Since: r.ready(a),
		Message: fmt.Sprintf("commit %s is built (%s) and no candidate names its artifact, so that integration will never have it: a clean-up deleted the tag, or its build was cut short",
			short(a.Revision.Commit), a.ReadBy),
		Hint: "build the commit again: it gets its number back; keep candidates that are not live yet from the clean-up",
	}
}
