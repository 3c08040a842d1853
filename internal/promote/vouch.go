package promote

import (
	"context"
	"slices"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// vouch says of what is promoted on a person's word, or may have begun on one, whether integration ever
// reported exactly this artifact healthy. It is asked when the promotion stands already, and stops none.
func (r *run) vouch(ctx context.Context, f facts) {
	proven := f.subject.Proven && !f.subject.begun
	if proven || f.soak != nil || f.stable != "" { // which was proven now, or was live
		return
	}
	u := r.doubtOf(ctx, f)
	if u == nil {
		return
	}
	r.report.Unproven = u
	if u.Never {
		r.report.Warn("never validated: %s", u.Reason)
	} else {
		r.report.Warn("whether integration ever reported it healthy is not known: %s", u.Reason)
	}
}

// doubtOf is why nothing vouches for the artifact; nil where something does. A validated- tag does
// only where integration has no word on it, or nobody can be asked: an approval writes the same tag.
func (r *run) doubtOf(ctx context.Context, f facts) *pipeline.Unproven {
	if r.Words == nil {
		if r.validated {
			return nil
		}
		return &pipeline.Unproven{Reason: r.NoWords}
	}
	h, proved, err := r.everProved(ctx, f)
	newest := h.newest()
	says := "integration's last word on it: " + newest.Text
	if newest.Healthy {
		says += "; that is of the commit alone, whose tags and candidates do not all name this artifact"
	}
	switch {
	case proved:
		return nil
	case err != nil:
		return &pipeline.Unproven{Reason: pipeline.WithHint(err)}
	case newest.Text == "" && r.validated:
		return nil
	case newest.Text == "":
		return &pipeline.Unproven{Never: true, Reason: "integration said nothing of it"}
	}
	return &pipeline.Unproven{Never: true, Reason: says}
}

// everProved reports whether some word, however old, proves the artifact's health. One on its
// commit alone does while the commit's tags and candidates name one digest (promise 3).
func (r *run) everProved(ctx context.Context, f facts) (h heard, proved bool, err error) {
	a := f.artifact
	if a.Revision.Commit == "" {
		return h, false, pipeline.Refuse("", "the artifact does not tell its commit")
	}
	healthy := func(w pipeline.Word) bool { return w.Healthy }
	proves := func(w pipeline.Word) bool { return w.Healthy && w.Named }
	named := func(words []pipeline.Word) bool { return slices.ContainsFunc(words, proves) }
	if h, err = r.hear(ctx, a, named); err != nil || named(h.words) {
		return h, err == nil, err
	}
	if slices.ContainsFunc(h.words, healthy) {
		proved, err = r.isAlone(ctx, f)
	}
	if !proved && err == nil && !h.whole {
		err = tooMany(a)
	}
	return h, proved, err
}

// isAlone reports whether the artifact is the only one of its commit, whose tags all name it.
func (r *run) isAlone(ctx context.Context, f facts) (bool, error) {
	if f.subject.ByCommit { // or it would be in doubt
		return true, nil
	}
	d := f.artifact.Desc.Digest
	sha, integration := f.artifact.Tag(pipeline.SHAPrefix, r.SHALength), f.artifact.Tag(pipeline.IntegrationPrefix, r.SHALength)
	named, err := pipeline.AskAll(ctx, []string{sha, integration}, r.store.Resolve)
	if err != nil || named[0] != d {
		return false, err
	}
	err = r.lookForDoubt(ctx, f.now, &f, integration, named[1])
	return err == nil && f.missing+f.doubt == "", err
}

// isValidated reports whether the artifact's validated- tag names it, which a promotion of it will
// see to, so that it is asked before. A version by hand has asked.
func (r *run) isValidated(ctx context.Context, f facts) (bool, error) {
	tag := f.artifact.Tag(pipeline.ValidatedPrefix, r.SHALength)
	if f.manual != nil || !f.now.Has(tag) {
		return f.hand.validated, nil
	}
	d, err := r.store.Resolve(ctx, tag)
	return d == f.artifact.Desc.Digest, err
}
