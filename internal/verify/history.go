package verify

import (
	"context"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// maxHistory is of how many stables the median lead time is: each costs a manifest and a commit's
// statuses, those beside that are read anyway. They are read only where live reports.
const maxHistory = 20

// readHistory reads the last promotions, from the lowest version up, and when live reported them.
// It changes nothing of what else was read. What cannot be told is left out: the median says of
// how many it is.
func (r *reading) readHistory(ctx context.Context) error {
	if !r.askedLive() {
		return nil
	}
	tags := pipeline.Descending(r.snap.Ladder.Stables)
	tags = tags[:min(maxHistory, len(tags))]
	slices.Reverse(tags)
	found, err := pipeline.AskAll(ctx, tags, func(ctx context.Context, tag string) (*pipeline.Artifact, error) {
		if a, known := r.artifacts[tag]; known {
			return a, nil
		}
		return r.inspect(ctx, tag)
	})
	if err != nil {
		return err
	}
	found = slices.DeleteFunc(found, func(a *pipeline.Artifact) bool { return a == nil || a.Revision.Commit == "" })
	words, err := pipeline.AskAll(ctx, found, r.liveWordsOn)
	for i, a := range found {
		twin := func(b *pipeline.Artifact) bool {
			return b.Revision.Commit == a.Revision.Commit && b.Desc.Digest != a.Desc.Digest
		}
		r.history = append(r.history, arrival{a, firstHealthy(words[i], a.Desc.Digest, !slices.ContainsFunc(found, twin))})
	}
	return err
}

// liveWordsOn is what live said on the commit of an artifact; nil where that cannot be told.
func (r *reading) liveWordsOn(ctx context.Context, a *pipeline.Artifact) ([]Word, error) {
	if known, asked := r.heard.live[a.Revision.Commit]; asked {
		return known, nil
	}
	w, err := r.Host.Words(ctx, a.Revision.Commit, a.Desc.Digest)
	if err != nil {
		return nil, ctx.Err()
	}
	return w.Live, nil
}

// firstHealthy is when live first said, of its words on an artifact's commit, that the artifact is
// healthy; zero for never. A word that names no artifact is on it where it is the commit's only one.
func firstHealthy(words []Word, d digest.Digest, only bool) (first time.Time) {
	for _, w := range words {
		if w.Healthy && (w.Digest == d || w.Digest == "" && only) && (first.IsZero() || w.At.Before(first)) {
			first = w.At
		}
	}
	return first
}

// lead is how long the subject took, as far as it came.
func (r *reading) lead() *pipeline.Lead {
	a := r.subject.artifact
	if a == nil || a.Created.After(r.Now) {
		return nil
	}
	proven := r.heard.words[a.Desc.Digest].Proven
	if r.wordOn(a).State == "" {
		proven = time.Time{}
	}
	return leadOf(a.Created, []mark{
		{pipeline.LeadBuild, r.heard.runs[a.Revision.Commit].built().Ended},
		{pipeline.LeadIntegration, proven},
		{pipeline.LeadPromotion, r.promotedBy(proven)},
		{pipeline.LeadLive, r.liveSince(a)},
	})
}

// promotedBy is when the run ended that a report of then started and that promoted the subject: the
// first that succeeded. Zero where it is not known, as after a soak, when the schedule promotes.
func (r *reading) promotedBy(proven time.Time) time.Time {
	if r.subject.stable == "" || proven.IsZero() || r.Soak > 0 || r.heard.cut {
		return time.Time{}
	}
	for _, run := range slices.Backward(r.heard.promotions) { // the oldest first
		if run.Done && run.State == "success" && !run.Started.Before(proven.Add(-time.Minute)) {
			return run.Ended
		}
	}
	return time.Time{}
}

// liveSince is when live first reported an artifact healthy, by its statuses or else by itself.
func (r *reading) liveSince(a *pipeline.Artifact) time.Time {
	if first := firstHealthy(r.heard.live[a.Revision.Commit], a.Desc.Digest, r.onlyOf(a.Revision.Commit) != nil); !first.IsZero() {
		return first
	}
	if applied, _ := r.applied(); applied.Digest == a.Desc.Digest {
		return applied.At
	}
	return time.Time{}
}
