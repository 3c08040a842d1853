package pipeline

import (
	"fmt"
	"time"

	"github.com/oci-promote/oci-promote/internal/cluster"
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
func (r *verifyRun) walk() (path []Step, stop *Finding) {
	stages := map[Stage]func() (Step, *Finding){
		Built: r.built, Numbered: r.numbered, SelectedByIntegration: r.onIntegration,
		Validated: r.validated, PromotedStage: r.promoted, SelectedByLive: r.onLive,
	}
	state := Reached
	for _, stage := range Stages {
		step := Step{State: Ahead}
		if state == Reached {
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

func at(state State, t time.Time, e Evidence) Step { return Step{State: state, At: t, Evidence: e} }

// built: the commit has an artifact.
func (r *verifyRun) built() (Step, *Finding) {
	s := r.subject
	if s.artifact == nil {
		return r.notBuilt()
	}
	e := Evidence{Digest: s.artifact.desc.Digest, Run: r.heard.runs[s.artifact.Revision.Commit].built().URL, Tag: s.candidate}
	for _, tag := range r.commitTags(s.artifact) {
		if r.snap.has[tag] {
			e.Tag = tag
			break
		}
	}
	return at(Reached, r.ready(s.artifact), e), nil
}

// numbered: the artifact has a candidate.
func (r *verifyRun) numbered() (Step, *Finding) {
	s := r.subject
	if s.candidate != "" || s.stable != "" {
		return at(Reached, r.ready(s.artifact), Evidence{Tag: s.candidate}), nil
	}
	done := r.commitTag(integrationPrefix, s.commit)
	since := r.ready(s.artifact)
	switch {
	case r.validatedTag() != "": // it was promoted, further down than this run looks
		return at(Reached, since, Evidence{}), nil
	case r.snap.has[done]:
		return at(Followed, since, Evidence{Tag: done}), &Finding{
			Code: SupersededBy, Severity: Info, Since: since,
			Message: fmt.Sprintf("commit %s is built and has no candidate among those that were looked at: a newer commit got the number", short(s.commit)),
			Hint:    "nothing to do: the newest candidate carries its content on",
		}
	case r.Now.Sub(since) < crashedAfter:
		return at(Waiting, since, Evidence{}), nil
	case r.carriedOn():
		return at(Followed, since, Evidence{}), &Finding{
			Code: SupersededBy, Severity: Info, Since: since,
			Message: fmt.Sprintf("the build of commit %s ended before its artifact had a number; commit %s, which is newer, has one", short(s.commit), short(r.newestCommit())),
			Hint:    fmt.Sprintf("follow that one: artifact-sha %s", short(r.newestCommit())),
		}
	}
	f := r.killedBuild(s.commit, since)
	return at(Stopped, since, Evidence{}), &f
}

// carriedOn reports whether a build of the subject's commit, which has no number, would be
// superseded by the newest candidate (promise 10).
func (r *verifyRun) carriedOn() bool {
	newest := r.newest()
	return r.heard.subjectIn || r.Host == nil && newest != nil && newest.Created.After(r.subject.artifact.Created)
}

// onIntegration: the integration cluster selects the artifact, or did when it was its turn.
func (r *verifyRun) onIntegration() (Step, *Finding) {
	s, d := r.subject, r.subject.artifact.desc.Digest
	selected := r.selected.Integration
	if step, ok := r.fetched(cluster.Integration, d); ok {
		return step, nil
	}
	switch {
	case s.stable != "", r.validatedTag() != "", r.word().State != "":
		return at(Reached, time.Time{}, Evidence{Tag: s.candidate}), nil
	case r.digestOf(selected) == d:
		if r.knows(cluster.Integration) { // it has not taken it yet, and its findings tell why
			return at(Waiting, r.ready(s.artifact), Evidence{Tag: selected}), nil
		}
		return at(Reached, r.ready(s.artifact), Evidence{Tag: selected, Digest: d}), nil
	}
	c, err := version.ParseCandidate(s.candidate)
	if err == nil && !r.snap.ladder.Above(c) {
		return r.below(s.candidate, s.artifact)
	}
	if next, err := version.ParseCandidate(selected); err == nil && c.Compare(next) < 0 {
		return at(Followed, time.Time{}, Evidence{Tag: selected}), &Finding{
			Code: SupersededBy, Severity: Info, Since: r.ready(s.artifact),
			Message: fmt.Sprintf("%s is followed by %s, which integration selects in its place", s.candidate, selected),
			Hint:    fmt.Sprintf("nothing to do: what %s is validated with carries this commit on", selected),
		}
	}
	return at(Stopped, r.ready(s.artifact), Evidence{Tag: selected}), nil // the finding is the repository's
}

// validated: integration reported that the artifact is healthy, or a promotion says so.
func (r *verifyRun) validated() (Step, *Finding) {
	s, w := r.subject, r.word()
	e := Evidence{Tag: r.validatedTag(), Status: w.String()}
	since, late := r.waitsSince(s.candidate, s.artifact)
	_, asked := r.heard.words[s.artifact.desc.Digest]
	switch {
	case s.stable != "" && e == (Evidence{}):
		e.Status = "none that is known: by hand, or before this pipeline"
		return at(Reached, w.At, e), nil
	case s.stable != "", e.Tag != "", w.State == "success":
		return at(Reached, w.At, e), nil
	case r.outranked(s.candidate, s.artifact):
		return at(Followed, w.At, e), r.supersededByStable()
	case w.bad():
		return at(Stopped, w.At, e), r.validationFailed(w)
	case !asked:
		return at(Unknown, time.Time{}, e), nil
	case late == "":
		return at(Waiting, since, e), nil
	}
	stop := r.noReport(w, since)
	stop.Severity = late
	return at(Stopped, since, e), stop
}

// promoted: a stable names the artifact.
func (r *verifyRun) promoted() (Step, *Finding) {
	s, w := r.subject, r.word()
	d := s.artifact.desc.Digest
	tag := r.validatedTag()
	switch {
	case s.stable != "":
		return at(Reached, w.At, Evidence{Tag: s.stable, Digest: d}), nil
	case r.outranked(s.candidate, s.artifact):
		return at(Followed, time.Time{}, Evidence{Tag: r.stable.tag}), r.supersededByStable()
	case tag != "":
		f := r.halfway(s.candidate, s.artifact)
		f.Since = w.At
		return at(Stopped, w.At, Evidence{Tag: tag}), &f
	}
	return r.notPromoted(s.candidate, s.artifact, w)
}

// onLive: the live cluster selects the artifact, or did when it was its turn.
func (r *verifyRun) onLive() (Step, *Finding) {
	s, d := r.subject, r.subject.artifact.desc.Digest
	selected := r.selected.Live
	if step, ok := r.fetched(cluster.Live, d); ok {
		return step, nil
	}
	own, err := version.ParseStable(s.stable)
	highest, ok := r.snap.ladder.Stable()
	switch {
	case err == nil && ok && own.Compare(highest) < 0 && r.digestOf(selected) != d:
		return at(Followed, time.Time{}, Evidence{Tag: r.stable.tag}), r.followedOnLive()
	case r.digestOf(selected) == d && r.knows(cluster.Live):
		return at(Waiting, r.word().At, Evidence{Tag: selected}), nil
	case r.digestOf(selected) == d:
		return at(Reached, r.word().At, Evidence{Tag: selected, Digest: d}), nil
	}
	return at(Stopped, time.Time{}, Evidence{Tag: selected}), nil // the finding is the repository's
}
