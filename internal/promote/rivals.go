package promote

import (
	"context"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

const (
	// patience is the longest that a promotion waits for those beside it.
	patience = 5 * time.Second
	// glance is the pause between two looks at them.
	glance = 250 * time.Millisecond
)

// outwait waits until the promotions beside this one are decided: those announced since
// before, and of those announced then the ones in seen. Before the claim, where the plan may
// cease to stand, two that see each other would wait for ever: the first by tag waits half as
// long. After it (stands is nil) one waits for the write of another, which may be slow. It
// also tells whether there are others.
func (r *run) outwait(ctx context.Context, f facts, before, now pipeline.Snapshot, seen []string, stands func(pipeline.Snapshot) bool) (_ pipeline.Snapshot, others bool, err error) {
	ours := f.artifact.Tag(pipeline.ValidatedPrefix, r.SHALength)
	rivals := slices.Clone(seen)
	for _, tag := range now.Tags {
		if pipeline.IsCommitTag(pipeline.ValidatedPrefix, tag) && tag != ours && !before.Has(tag) {
			rivals = append(rivals, tag)
		}
	}
	if len(rivals) == 0 {
		return now, false, nil
	}
	limit := patience
	if stands != nil && ours < slices.Min(rivals) {
		limit /= 2
	}
	for spent := time.Duration(0); spent < limit && (stands == nil || stands(now)); spent += glance {
		if rivals, err = r.undecided(ctx, before, now, rivals); err != nil || len(rivals) == 0 {
			return now, true, err
		}
		if spent == 0 {
			r.log("waiting for %d other promotions", len(rivals))
		}
		if err := pipeline.Sleep(ctx, glance); err != nil {
			return now, true, err
		}
		if now, err = r.store.ListAgain(ctx, now); err != nil {
			return now, true, err
		}
	}
	return now, true, nil
}

// announcedBefore are the validated- tags of other artifacts that may take our version, since
// it is their base, or the next one for what a stable has stranded, and that were announced
// before this run looked first. They are looked for only where more artifacts were announced
// than there are stables, so that somebody has none yet.
func (r *run) announcedBefore(ctx context.Context, p plan, f facts, before pipeline.Snapshot) (seen []string, err error) {
	const enough = 8
	ours, announced := f.artifact.Tag(pipeline.ValidatedPrefix, r.SHALength), 0
	for _, tag := range before.Tags {
		if tag != ours && pipeline.IsCommitTag(pipeline.ValidatedPrefix, tag) {
			announced++
		}
	}
	if announced <= len(before.Ladder.Stables) {
		return nil, nil
	}
	var waiting []version.Candidate
	err = r.store.Ask(ctx, before, func(l *version.Ladder) (need version.Need) {
		waiting, need = l.Waiting()
		return need
	})
	if err != nil {
		return nil, err
	}
	next, _ := before.Ladder.NextStable()
	var tags []string
	for _, c := range waiting {
		if len(tags) < enough && c != f.rank && (c.Base == p.version || p.version == next && !before.Ladder.Open(c)) {
			tags = append(tags, c.String())
		}
	}
	rivals, err := pipeline.AskAll(ctx, tags, r.store.Read)
	for _, a := range rivals {
		if a == nil || a.Desc.Digest == f.artifact.Desc.Digest {
			continue
		}
		if tag := a.Tag(pipeline.ValidatedPrefix, r.SHALength); before.Has(tag) && tag != ours && !slices.Contains(seen, tag) {
			seen = append(seen, tag)
		}
	}
	return seen, err
}

// undecided are the rivals whose artifact has no stable yet, from the one up that was the
// highest before.
func (r *run) undecided(ctx context.Context, before, now pipeline.Snapshot, rivals []string) ([]string, error) {
	from, _ := before.Ladder.Stable()
	tags := slices.Clone(rivals)
	for _, s := range now.Ladder.Stables {
		if s.Compare(from) >= 0 {
			tags = append(tags, s.String())
		}
	}
	named, err := pipeline.AskAll(ctx, tags, r.store.Resolve)
	if err != nil {
		return nil, err
	}
	decided := map[digest.Digest]bool{"": true} // a tag that is gone
	for _, d := range named[len(rivals):] {
		decided[d] = true
	}
	var left []string
	for i, tag := range rivals {
		if !decided[named[i]] {
			left = append(left, tag)
		}
	}
	return left, nil
}
