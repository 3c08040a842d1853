package promote

import (
	"context"
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

// catchUp promotes the newest candidate that may go live and is proven healthy: a run that
// Flux's report started may have been lost (docs/facts.md 4). A validated- tag that names the
// candidate's digest is the trace of a promotion that was killed, which had its proof or its approval. What is
// due comes first: then the highest candidate is the newest.
func (r *run) catchUp(ctx context.Context, now pipeline.Snapshot) error {
	due, now, err := r.store.WriteDue(ctx, now, r.DryRun)
	if err != nil {
		return err
	}
	if r.report.Rescued = due; r.DryRun {
		r.report.Plan, r.report.Rescued = candidatesOf(due), nil
	}
	var candidates []version.Candidate
	err = r.store.Ask(ctx, now, func(l *version.Ladder) (need version.Need) {
		candidates, need = l.Waiting()
		return need
	})
	if err != nil {
		return err
	}
	var waiting []string // why each was not promoted
	seen := map[digest.Digest]bool{}
	for _, c := range candidates {
		a, err := r.readVersion(ctx, now, c.String())
		if err != nil {
			return err
		}
		if a == nil || seen[a.Desc.Digest] {
			continue
		}
		seen[a.Desc.Digest] = true
		if done, why, err := r.catchUpWith(ctx, now, a); done || err != nil {
			return err
		} else if why != "" {
			waiting = append(waiting, c.String()+": "+why)
		}
	}
	p := plan{outcome: pipeline.Unchanged, reason: "nothing to catch up with: no candidate is newer than what is live", due: true}
	if len(now.Tags) == 0 {
		p.reason = pipeline.NoTags(r.Name)
	}
	if len(waiting) > 0 {
		p.outcome, p.reason = pipeline.Pending, fmt.Sprintf("no candidate above the stable is proven healthy%s; %s", r.forSoak(), waiting[0])
		p.next = "the report of integration starts a run, and so does the next catch-up"
		for _, w := range waiting[1:] {
			r.report.Notice("%s", w)
		}
	}
	f := facts{now: now}
	if r.DryRun {
		return r.planned(ctx, p, f, now)
	}
	return r.finish(ctx, p, f, now)
}

// readVersion reads what a version names; that of a dry run's is only known.
func (r *run) readVersion(ctx context.Context, now pipeline.Snapshot, tag string) (*pipeline.Artifact, error) {
	if d := now.Ladder.Named(tag); d != "" {
		return r.store.ReadDigest(ctx, d)
	}
	return r.store.Read(ctx, tag)
}

// catchUpWith promotes one artifact if it may go live and is proven, or tells why it is not
// proven yet. Nobody is asked about one that a proof would not promote.
func (r *run) catchUpWith(ctx context.Context, now pipeline.Snapshot, a *pipeline.Artifact) (done bool, why string, err error) {
	if a.Revision.Commit == "" {
		return false, "its artifact does not tell its commit", nil
	}
	r.guessed = a
	f, err := r.look(ctx, Subject{Digest: a.Desc.Digest, Tag: a.ReadBy, Proven: true}, now)
	if err != nil {
		return false, "", err
	}
	if p, err := decide(f); err != nil || p.outcome != pipeline.Promoted {
		return false, "", err
	}
	s, why, err := r.proofOf(ctx, now, a)
	if err != nil || s == nil {
		return false, why, err
	}
	r.guessed = a
	f, p, now, err := r.plan(ctx, *s, now)
	if err == nil && !f.soak.over() {
		return false, p.reason, nil
	}
	if err != nil || p.outcome != pipeline.Promoted {
		return false, fmt.Sprintf("%s, %s", p.outcome, p.reason), err
	}
	return true, "", r.apply(ctx, f, p, now)
}

// forSoak is for how long a candidate must be proven healthy.
func (r *run) forSoak() string {
	if r.Soak == 0 {
		return ""
	}
	return " for " + pipeline.Span(r.Soak)
}

// proofOf finds the proof of a candidate's health.
func (r *run) proofOf(ctx context.Context, now pipeline.Snapshot, a *pipeline.Artifact) (s *Subject, why string, err error) {
	if tag := a.Tag(pipeline.ValidatedPrefix, r.SHALength); now.Has(tag) {
		named, err := r.store.Resolve(ctx, tag)
		if err != nil {
			return nil, "", err
		}
		if named == a.Desc.Digest {
			r.validated = true
			return &Subject{
				Digest: named, Tag: a.ReadBy, Proven: true, begun: true,
				Because: fmt.Sprintf("tag %q names it: an earlier promotion had its proof or its approval, and did not finish", tag),
			}, "", nil
		}
	}
	if r.Soak > 0 {
		return r.newestProof(ctx, a)
	}
	if r.Health == nil {
		return nil, "", errors.New("catching up: nobody can be asked for commit statuses")
	}
	s, why, err = r.Health(ctx, a.Revision.Commit, a.Desc.Digest)
	if s != nil {
		s.Tag = a.ReadBy
	}
	return s, why, err
}

// newestProof is the proof where the time counts too: the newest of all words on a candidate.
func (r *run) newestProof(ctx context.Context, a *pipeline.Artifact) (s *Subject, why string, err error) {
	h, err := r.hearForSoak(ctx, a, func(newest pipeline.Word) bool { return !newest.Named })
	newest := h.newest()
	switch {
	case err != nil:
		return nil, "", err
	case newest.Text == "":
		return nil, fmt.Sprintf("commit %.7s has no commit status of integration's", a.Revision.Commit), nil
	case !newest.Healthy:
		return nil, newest.Text, nil
	}
	r.own = &h
	return &Subject{
		Commit: a.Revision.Commit, Digest: a.Desc.Digest, Tag: a.ReadBy, ByCommit: !newest.Named,
		Proven: true, Kept: true, Because: newest.Text,
	}, "", nil
}
