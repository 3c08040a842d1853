package verify

import (
	"time"

	"github.com/oci-promote/oci-promote/internal/cluster"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

// Patience of a path: what takes longer is no longer under way.
const (
	promotionTakes = 10 * time.Minute // from integration's report to the stable
	catchUpTakes   = 45 * time.Minute // where a schedule promotes
	repeatsWithin  = time.Hour        // reports of one artifact that are counted
)

// walk follows the subject along the path to the first stage that is not reached. Stop says
// why it ends there; nil where nothing is wrong, or not yet.
func (r *reading) walk() (path []pipeline.Step, stop *pipeline.Finding) {
	stages := map[pipeline.Stage]func() (pipeline.Step, *pipeline.Finding){
		pipeline.Built: r.built, pipeline.Numbered: r.numbered, pipeline.SelectedByIntegration: r.onIntegration,
		pipeline.Validated: r.validated, pipeline.PromotedStage: r.promoted, pipeline.SelectedByLive: r.onLive, pipeline.RunningOnLive: r.running,
	}
	state := pipeline.Reached
	for _, stage := range pipeline.Stages {
		step := pipeline.Step{State: pipeline.Ahead}
		if state == pipeline.Reached {
			step, stop = stages[stage]()
			state = step.State
			if stop != nil {
				stop.Stage = stage
			}
		}
		step.Stage = stage
		path = append(path, step)
	}
	return path, stop
}

func at(state pipeline.State, t time.Time, e pipeline.Evidence) pipeline.Step {
	return pipeline.Step{State: state, At: t, Evidence: e}
}

// built: the commit has an artifact.
func (r *reading) built() (pipeline.Step, *pipeline.Finding) {
	s := r.subject
	if s.artifact == nil {
		return r.notBuilt()
	}
	e := pipeline.Evidence{Digest: s.artifact.Desc.Digest, Run: r.heard.runs[s.artifact.Revision.Commit].built().URL, Tag: s.candidate}
	for _, tag := range r.commitTags(s.artifact) {
		if r.snap.Has(tag) {
			e.Tag = tag
			break
		}
	}
	return at(pipeline.Reached, r.ready(s.artifact), e), nil
}

// numbered: the artifact has a candidate.
func (r *reading) numbered() (pipeline.Step, *pipeline.Finding) {
	s := r.subject
	if s.candidate != "" || s.stable != "" {
		return at(pipeline.Reached, r.ready(s.artifact), pipeline.Evidence{Tag: s.candidate}), nil
	}
	since := r.ready(s.artifact)
	switch {
	case r.validatedTag() != "" && r.isPassed(s.artifact): // it was promoted, further down than this run looks
		return at(pipeline.Reached, since, pipeline.Evidence{}), nil
	case r.isPassed(s.artifact):
		return at(pipeline.Followed, since, pipeline.Evidence{Tag: r.passed[s.artifact.Desc.Digest].by}), r.supersededUnnumbered()
	case r.passed[s.artifact.Desc.Digest].unknown:
		return at(pipeline.Unknown, since, pipeline.Evidence{}), nil
	case !r.isOver(s.artifact):
		return at(pipeline.Waiting, since, pipeline.Evidence{}), nil
	}
	f := r.noNumber(s.artifact)
	return at(pipeline.Stopped, since, pipeline.Evidence{}), &f
}

// onIntegration: the integration cluster selects the artifact, or did when it was its turn.
func (r *reading) onIntegration() (pipeline.Step, *pipeline.Finding) {
	s, d := r.subject, r.subject.artifact.Desc.Digest
	selected := r.selected.Integration
	if step, ok := r.fetched(cluster.Integration, d); ok {
		return step, nil
	}
	switch {
	case s.stable != "", r.validatedTag() != "", r.word().State != "":
		return at(pipeline.Reached, time.Time{}, pipeline.Evidence{Tag: s.candidate}), nil
	case r.digestOf(selected) == d:
		if r.knows(cluster.Integration) { // it has not taken it yet, and its findings tell why
			return at(pipeline.Waiting, r.ready(s.artifact), pipeline.Evidence{Tag: selected}), nil
		}
		return at(pipeline.Reached, r.ready(s.artifact), pipeline.Evidence{Tag: selected, Digest: d}), nil
	}
	c, err := version.ParseCandidate(s.candidate)
	switch {
	case r.isDue(s.artifact):
		return at(pipeline.Stopped, r.ready(s.artifact), pipeline.Evidence{Tag: s.candidate}), nil // the finding is the repository's
	case err == nil && !r.snap.Ladder.Open(c):
		return r.below()
	}
	if r.isFollowed() {
		return at(pipeline.Followed, time.Time{}, pipeline.Evidence{Tag: selected}), r.supersededByCandidate()
	}
	return at(pipeline.Stopped, r.ready(s.artifact), pipeline.Evidence{Tag: selected}), nil // the finding is the repository's
}

// validated: integration reported that the artifact is healthy, or a promotion says so.
func (r *reading) validated() (pipeline.Step, *pipeline.Finding) {
	s, w := r.subject, r.word()
	e := pipeline.Evidence{Tag: r.validatedTag(), Status: w.String()}
	since, late := r.waitsSince(s.candidate, s.artifact)
	_, asked := r.heard.words[s.artifact.Desc.Digest]
	switch {
	case s.stable != "" && e == (pipeline.Evidence{}):
		e.Status = "none that is known: by hand, or before this pipeline"
		return at(pipeline.Reached, w.At, e), nil
	case s.stable != "", e.Tag != "", w.Healthy:
		return at(pipeline.Reached, w.At, e), nil
	case r.isPassed(s.artifact):
		return at(pipeline.Followed, w.At, e), r.supersededByStable()
	case w.bad():
		return at(pipeline.Stopped, w.At, e), r.validationFailed(w)
	case !asked:
		return at(pipeline.Unknown, time.Time{}, e), nil
	case r.isFollowed(): // its check was cancelled, or it waited for a dependency: integration says no more of it (docs/facts.md 26)
		return at(pipeline.Followed, w.At, e), r.supersededByCandidate()
	case late == "":
		return at(pipeline.Waiting, since, e), nil
	}
	stop := r.noReport(w, since)
	stop.Severity = late
	return at(pipeline.Stopped, since, e), stop
}

// promoted: a stable names the artifact.
func (r *reading) promoted() (pipeline.Step, *pipeline.Finding) {
	s, w := r.subject, r.word()
	d := s.artifact.Desc.Digest
	tag := r.validatedTag()
	switch {
	case s.stable != "":
		return at(pipeline.Reached, r.promotableSince(w, s.stable), pipeline.Evidence{Tag: s.stable, Digest: d}), nil
	case r.isPassed(s.artifact):
		return at(pipeline.Followed, time.Time{}, pipeline.Evidence{Tag: r.stable.tag}), r.supersededByStable()
	case tag != "":
		f := r.halfway(s.candidate, s.artifact)
		f.Since = w.At
		return at(pipeline.Stopped, w.At, pipeline.Evidence{Tag: tag}), &f
	}
	return r.notPromoted(s.candidate, s.artifact, w)
}

// onLive: the live cluster selects the artifact, or did when it was its turn.
func (r *reading) onLive() (pipeline.Step, *pipeline.Finding) {
	s, d := r.subject, r.subject.artifact.Desc.Digest
	selected := r.selected.Live
	if step, ok := r.fetched(cluster.Live, d); ok {
		return step, nil
	}
	own, err := version.ParseStable(s.stable)
	highest, ok := r.snap.Ladder.Stable()
	switch {
	case err == nil && ok && own.Compare(highest) < 0 && r.digestOf(selected) != d:
		return at(pipeline.Followed, time.Time{}, pipeline.Evidence{Tag: r.stable.tag}), r.followedOnLive()
	case r.digestOf(selected) == d && r.knows(cluster.Live):
		return at(pipeline.Waiting, r.promotableSince(r.word(), s.stable), pipeline.Evidence{Tag: selected}), nil
	case r.digestOf(selected) == d:
		return at(pipeline.Reached, r.promotableSince(r.word(), s.stable), pipeline.Evidence{Tag: selected, Digest: d}), nil
	}
	return at(pipeline.Stopped, time.Time{}, pipeline.Evidence{Tag: selected}), nil // the finding is the repository's
}
