package promote

import (
	"context"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// write makes the version name the artifact, and reports whether it does in the end. Where it
// does not, another promotion was faster. A registry has no compare-and-swap (docs/facts.md
// 17), so (promise 1):
//
//	announce   validated- is written first
//	list       which shows that, and so is no older; of two promotions at once one at least
//	           sees the other, and waits until that has its stable
//	claim      the version, which the list showed free
//	read back  it names our digest, or we lost it; the list beside it shows who waited for
//	           nobody and may still write ours, and is waited for
//
// A promotion alone waits for nothing.
func (r *run) write(ctx context.Context, p plan, f facts, before pipeline.Snapshot) (now pipeline.Snapshot, held bool, err error) {
	d, v := f.artifact.Desc.Digest, p.version.String()
	seen, now, fresh, err := r.announce(ctx, p, f, before)
	if err != nil {
		return now, false, err
	}
	was, _ := before.Ladder.Stable()
	stands := func(now pipeline.Snapshot) bool {
		is, _ := now.Ladder.Stable()
		return is == was && !now.Has(v)
	}
	now, others, err := r.outwait(ctx, f, before, now, seen, stands)
	if err != nil || !stands(now) {
		return now, false, err
	}
	named, err := r.store.Claim(ctx, f.artifact, v, fresh && !others)
	if err != nil {
		return now, false, err
	}
	if named == d {
		if now, named, err = r.readBack(ctx, now, v); err != nil {
			return now, false, err
		}
	} else if now, _, err = r.store.ListWith(ctx, now, v); err != nil {
		return now, false, err
	}
	if named == d {
		if now, others, err = r.outwait(ctx, f, before, now, seen, nil); err == nil && others {
			named, err = r.store.ResolveWritten(ctx, v)
		}
	}
	if err == nil {
		now.Ladder.Name(v, named)
	}
	return now, named == d, err
}

// announce says that the promotion is under way, and lists. It also tells who was announced
// before that and may take the same version; and whether the list is certainly taken after
// our announcement.
func (r *run) announce(ctx context.Context, p plan, f facts, before pipeline.Snapshot) (seen []string, now pipeline.Snapshot, fresh bool, err error) {
	tag := f.artifact.Tag(pipeline.ValidatedPrefix, r.SHALength)
	g, both := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		seen, err = r.announcedBefore(both, p, f, before)
		return err
	})
	g.Go(func() error { return r.validate(both, f.artifact) })
	if err := g.Wait(); err != nil {
		return nil, before, false, err
	}
	if tag == "" {
		now, err = r.store.ListAgain(ctx, before)
		return seen, now, false, err
	}
	now, shown, err := r.store.ListWith(ctx, before, tag)
	return seen, now, shown && !before.Has(tag), err
}

// validate names the artifact with its commit's validated- tag. Where the registry keeps the
// tag on another artifact of that commit, the stable alone must do.
func (r *run) validate(ctx context.Context, a *pipeline.Artifact) error {
	tag := a.Tag(pipeline.ValidatedPrefix, r.SHALength)
	if tag == "" {
		r.report.Warn("%s has no revision in Flux's form, so that no validated- tag can name it", a.Desc.Digest)
		return nil
	}
	err := r.store.Write(ctx, a, tag)
	if pipeline.TagImmutable(err) {
		r.report.Warn("the registry keeps tag %q where it is: %s", tag, err)
		return nil
	}
	return err
}

// readBack lists, and looks at once what the version names, which this run has just written.
func (r *run) readBack(ctx context.Context, before pipeline.Snapshot, v string) (now pipeline.Snapshot, named digest.Digest, err error) {
	g, both := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		now, err = r.store.ListAgain(both, before, v)
		return err
	})
	g.Go(func() (err error) {
		named, err = r.store.ResolveWritten(both, v)
		return err
	})
	err = g.Wait()
	return now, named, err
}
