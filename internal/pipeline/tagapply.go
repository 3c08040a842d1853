package pipeline

import (
	"context"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/oci-promote/oci-promote/internal/version"
)

// write writes what the plan says, in the order of promise 5, and reports whether the version
// is held in the end, with a list that shows it. Where it is not, another promotion was
// faster.
//
// A registry has no compare-and-swap (facts 17), so, as in numbering:
//
//	announce   validated- is written before the version is looked at
//	claim      the version, if it is still free
//	read back  it names our digest, or we lost it
//	list       taken after that: whoever could claim the same version announced before, so
//	           that either this list shows them or their look showed our claim
//	wait       while an announced promotion of another digest has no stable yet, it may
//	           still write ours
func (r *tagRun) write(ctx context.Context, p tagPlan, f tagFacts, before snapshot) (after snapshot, held bool, err error) {
	d, v := f.artifact.desc.Digest, p.version.String()
	if p.validate {
		if err := r.validate(ctx, f.artifact); err != nil {
			return before, false, err
		}
	}
	named, err := r.claim(ctx, f.artifact, v)
	if err != nil && !tagImmutable(err) {
		return before, false, err
	}
	if err == nil && named == d {
		if named, err = r.resolveWritten(ctx, v); err != nil {
			return before, false, err
		}
		if named == "" {
			return before, false, &refusal{fmt.Sprintf("%s took tag %q and does not show it", r.name, v),
				"its readings lag too far behind its writes; run again in a minute, nothing has to be undone"}
		}
	}
	after, _, listErr := r.listWith(ctx, v)
	if listErr != nil || err != nil || named != d {
		return after, false, listErr
	}
	return r.settle(ctx, p, f, before, after)
}

// validate names the artifact with its commit's validated- tag. Where the registry keeps the
// tag on another artifact of that commit, the stable alone must do.
func (r *tagRun) validate(ctx context.Context, a *artifact) error {
	tag := r.validatedTag(a)
	if tag == "" {
		r.warn("%s has no revision in Flux's form, so that no validated- tag can name it", a.desc.Digest)
		return nil
	}
	err := r.tag(ctx, a, tag)
	if tagImmutable(err) {
		r.warn("the registry keeps tag %q where it is: %s", tag, err)
		return nil
	}
	return err
}

// settle waits for the promotions of other digests that may still write our version, and
// reports whether it is ours when the dust has settled. A promotion alone waits for nothing.
func (r *tagRun) settle(ctx context.Context, p tagPlan, f tagFacts, before, now snapshot) (_ snapshot, held bool, err error) {
	rivals, err := r.rivals(ctx, p.version, f, before, now)
	if err != nil || len(rivals) == 0 {
		return now, err == nil, err
	}
	r.log("waiting for %d other promotions", len(rivals))
	for waited := poll; len(rivals) > 0 && waited <= patience; waited += poll {
		if err := sleep(ctx, poll); err != nil {
			return now, false, err
		}
		named, err := r.resolveWritten(ctx, p.version.String())
		if err != nil {
			return now, false, err
		}
		if now, _, err = r.listWith(ctx, p.version.String()); err != nil || named != f.artifact.desc.Digest {
			return now, false, err
		}
		if rivals, err = r.undecided(ctx, p.version, now, rivals); err != nil {
			return now, false, err
		}
	}
	return now, true, nil
}

// rivals are the validated- tags of promotions that may be under way beside this one: those
// announced since before, and of those announced then the ones whose candidate has the base
// that we took.
func (r *tagRun) rivals(ctx context.Context, v version.Stable, f tagFacts, before, now snapshot) ([]string, error) {
	ours := r.validatedTag(f.artifact)
	var all []string
	older := false
	for _, tag := range now.tags {
		switch {
		case !isValidatedTag(tag) || tag == ours:
		case before.has[tag]:
			older = true
		default:
			all = append(all, tag)
		}
	}
	if older {
		tags, err := r.contenders(ctx, v, f, now)
		if err != nil {
			return nil, err
		}
		all = append(all, tags...)
	}
	slices.Sort(all)
	return r.undecided(ctx, v, now, slices.Compact(all))
}

// contenders are the validated- tags of the newest candidates with base v: integration
// deploys no others.
func (r *tagRun) contenders(ctx context.Context, v version.Stable, f tagFacts, now snapshot) ([]string, error) {
	const newest = 8
	var tags []string
	for _, c := range slices.Backward(now.ladder.Candidates) {
		if c.Base == v && c.String() != f.candidate && len(tags) < newest {
			tags = append(tags, c.String())
		}
	}
	if err := r.readAll(ctx, tags); err != nil {
		return nil, err
	}
	var found []string
	for _, tag := range tags {
		if a := r.candidates[tag]; a != nil && now.has[r.validatedTag(a)] && r.validatedTag(a) != r.validatedTag(f.artifact) {
			found = append(found, r.validatedTag(a))
		}
	}
	return found, nil
}

// readAll reads candidates at once, and keeps them for the rescue, which may ask for one.
func (r *tagRun) readAll(ctx context.Context, tags []string) error {
	read := make([]*artifact, len(tags))
	g, ctx := errgroup.WithContext(ctx)
	for i, tag := range tags {
		g.Go(func() (err error) {
			read[i], err = r.read(ctx, tag)
			return err
		})
	}
	err := g.Wait()
	for i, tag := range tags {
		r.candidates[tag] = read[i]
	}
	return err
}

// undecided are the rivals whose artifact has no stable from v up yet.
func (r *tagRun) undecided(ctx context.Context, v version.Stable, now snapshot, rivals []string) ([]string, error) {
	if len(rivals) == 0 {
		return nil, nil
	}
	var stables []string
	for _, s := range now.ladder.Stables {
		if s.Compare(v) >= 0 {
			stables = append(stables, s.String())
		}
	}
	digests, err := r.resolveAll(ctx, append(stables, rivals...))
	if err != nil {
		return nil, err
	}
	decided := map[digest.Digest]bool{}
	for _, s := range stables {
		decided[digests[s]] = true
	}
	return slices.DeleteFunc(rivals, func(tag string) bool { return decided[digests[tag]] }), nil
}
