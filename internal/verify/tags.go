package verify

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// checkTags finds tags of one artifact that disagree, and a stable that was moved.
func (r *reading) checkTags() (all []pipeline.Finding) {
	for _, a := range []*pipeline.Artifact{r.stable.artifact, r.subject.artifact} {
		if len(all) == 0 { // they may be of one commit
			all = append(all, r.checkCommitTags(a)...)
		}
	}
	return append(all, r.checkStableTag()...)
}

// announced are the validated- tags of candidates that wait, of which a few are looked at.
func (r *reading) announced() (tags []string) {
	for _, tag := range r.waiting() {
		a := r.artifacts[tag]
		if own := r.validatedTagOf(a); r.snap.Has(own) && !r.isSubject(a) {
			tags = append(tags, own)
		}
	}
	return tags[:min(maxHalf, len(tags))]
}

// checkCommitTags compares the commit tags of an artifact with it.
func (r *reading) checkCommitTags(a *pipeline.Artifact) []pipeline.Finding {
	var moved []string
	other := digest.Digest("")
	for _, tag := range r.commitTags(a) {
		if d, known := r.commits[tag]; known && d != a.Desc.Digest {
			moved = append(moved, fmt.Sprintf("%q names %s", tag, cmp.Or(d.String(), "nothing")))
			if !strings.HasPrefix(tag, pipeline.ValidatedPrefix) || other == "" {
				other = d
			}
		}
	}
	if len(moved) == 0 {
		return nil
	}
	f := pipeline.Finding{
		Code: pipeline.TagMoved, Severity: pipeline.Error, Stage: pipeline.Numbered, Since: a.Created,
		Message: fmt.Sprintf("the tags of commit %s disagree: %s names %s, %s", short(a.Revision.Commit), a.ReadBy, a.Desc.Digest, strings.Join(moved, ", ")),
		Hint:    "a build with overwrite: true was cut short, or a tag was moved by hand: run the build of this commit again, and if it refuses, do as it says; a promotion that knows only the commit refuses until they agree",
	}
	if twin := r.artifacts[r.highestOn(other)]; twin != nil && twin.Revision.Commit == a.Revision.Commit { // built twice, and both are whole
		f.Severity, f.Hint = pipeline.Warning, "the commit was built twice with different content; nothing to do if overwrite: true was meant"
	}
	return []pipeline.Finding{f}
}

// checkStableTag finds a stable that was moved: none of its own candidates names its artifact,
// or another of them was validated and has no stable.
func (r *reading) checkStableTag() []pipeline.Finding {
	s := r.stable
	if s.artifact == nil || s.rollback {
		return nil
	}
	validated := r.isValidated(s.artifact)
	var own []string
	for _, c := range r.snap.Ladder.Candidates {
		a, read := r.artifacts[c.String()]
		switch {
		case c.Base.String() != s.tag:
		case !read:
			return nil // there are too many to tell
		case a != nil && a.Revision.Commit == s.artifact.Revision.Commit: // built twice: they share the tag
			own = append(own, c.String())
		case a != nil && r.snap.Has(r.validatedTagOf(a)) && !r.isStable(a):
			return []pipeline.Finding{r.movedStable(fmt.Sprintf("%s (commit %s) was validated and has no stable, and %s names the artifact of commit %s",
				c, short(a.Revision.Commit), s.tag, short(s.artifact.Revision.Commit)), validated)}
		default:
			own = append(own, c.String())
		}
	}
	if s.ranked || len(own) == 0 || validated {
		return nil
	}
	return []pipeline.Finding{r.movedStable(fmt.Sprintf("%s names %s, and none of its candidates does (%s)", s.tag, s.artifact.Desc.Digest, strings.Join(own, ", ")), false)}
}

func (r *reading) movedStable(what string, maybe bool) pipeline.Finding {
	f := pipeline.Finding{
		Code: pipeline.TagMoved, Severity: pipeline.Error, Stage: pipeline.PromotedStage,
		Message: what + ": the stable was moved",
		Hint:    "a stable must never move: find who tagged it (another script, `flux tag`), and promote what should be live with version: next and its digest; where the registry can make tags immutable, let it",
	}
	if maybe {
		f.Severity, f.Message = pipeline.Warning, what+": the stable was moved, or the first promotion ended halfway"
	}
	return f
}
