package pipeline

import (
	"context"
	"fmt"
)

// write writes what the plan says, in the order of promise 5, and reports whether the version
// is held in the end, with a list that shows it. Where it is not, another promotion was
// faster.
//
// A registry has no compare-and-swap (facts 17), so, as in numbering:
//
//	announce   validated- is written first
//	list       which shows that, and so is no older; of two promotions at once one at least
//	           sees the other, and waits until that has its stable
//	claim      the version, which the list showed free
//	read back  it names our digest, or we lost it
//	settle     a list taken beside that shows who waited for nobody and may still write ours
//
// A promotion alone waits for nothing.
func (r *tagRun) write(ctx context.Context, p tagPlan, f tagFacts, before snapshot) (after snapshot, held bool, err error) {
	d, v := f.artifact.desc.Digest, p.version.String()
	now, free, err := r.announce(ctx, p, f, before)
	if err != nil || !free {
		return now, false, err
	}
	named, err := r.claim(ctx, f.artifact, v, now.fresh)
	if err != nil && !tagImmutable(err) {
		return now, false, err
	}
	if err != nil || named != d {
		after, err = r.listWith(ctx, v)
		return after, false, err
	}
	after, named, err = r.readBack(ctx, v)
	switch {
	case err != nil:
		return after, false, err
	case named == "":
		return after, false, &refusal{fmt.Sprintf("%s took tag %q and does not show it", r.name, v),
			"its readings lag too far behind its writes; run again in a minute, nothing has to be undone"}
	case named != d:
		return after, false, nil
	}
	return r.settle(ctx, p, f, before, after)
}

// announce says that the promotion is under way, and reports whether the plan still stands
// when nobody else is: the version is free, and the stable is the one of the plan.
func (r *tagRun) announce(ctx context.Context, p tagPlan, f tagFacts, before snapshot) (now snapshot, free bool, err error) {
	tag := r.validatedTag(f.artifact)
	if p.validate {
		if err := r.validate(ctx, f.artifact); err != nil {
			return before, false, err
		}
	}
	if p.validate && tag != "" {
		now, err = r.listWith(ctx, tag)
		now.fresh = now.fresh && !before.has[tag] // else it does not tell this write from an older one
	} else {
		now, err = r.list(ctx)
	}
	if err == nil {
		now, err = r.waitForRivals(ctx, p, f, before, now)
	}
	was, _ := before.ladder.Stable()
	is, _ := now.ladder.Stable()
	return now, err == nil && was == is && !now.has[p.version.String()], err
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
