package build

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// rounds bounds the numbers that one build tries, and how often it follows another run of its
// commit. Only builds of one height, on two branches, or of one commit can meet at all.
const rounds = 20

// seenLately is how old a look at a free candidate may be when it is written.
const seenLately = time.Second

// apply does what the plan says, and reports it.
func (r *run) apply(ctx context.Context, p plan, f facts) (err error) {
	if p.push {
		err = r.uploadAll(ctx, f.config)
	}
	switch {
	case err != nil:
	case p.number || len(p.tags) > 0 && pipeline.IsCandidate(p.known):
		err = r.publish(ctx, &p, time.Since(f.nextFree) < seenLately)
	case len(p.tags) > 0: // it was promoted, and has no candidate left
		err = r.follow(ctx, &p, p.artifact, "")
	}
	if err != nil {
		return err
	}
	if p.outcome != pipeline.Superseded {
		r.report.Rescued, r.now, err = r.store.WriteDue(ctx, r.now, false)
	}
	r.describe(p)
	r.selection()
	return err
}

// publish writes the candidate, which was read as absent just before (free), then the commit's
// tags with a list beside them, and reads the candidate back: the commit's digest is what
// its candidate names. Where that is another commit's, of the same height, the next base is
// ours; so it is where another run has other content, and ours was asked to overwrite that.
func (r *run) publish(ctx context.Context, p *plan, free bool) (err error) {
	names := p.artifact.Desc.Digest
	for range rounds {
		if p.number {
			if names, err = r.claim(ctx, *p, free); err != nil {
				return err
			}
		}
		if won, err := r.settle(ctx, p, names); err != nil || won {
			return err
		}
		r.log("%s is another artifact's: taking the next base", p.known)
		next, err := r.base(ctx, p.artifact)
		if err != nil {
			return err
		}
		p.known, p.number, free = next.String(), true, false
	}
	return fmt.Errorf("numbering %s in %s: other builds of its height took %d numbers before this one; run again when fewer are under way", p.artifact.Desc.Digest, r.Name, rounds)
}

// uploadAll has both blobs there; the config needs no look where it is proven to be.
func (r *run) uploadAll(ctx context.Context, proven digest.Digest) error {
	if r.layer == nil {
		r.layer = r.begin(ctx)
	}
	g, both := errgroup.WithContext(ctx)
	g.Go(r.layer.wait)
	g.Go(func() error { return r.config(both, proven) })
	return g.Wait()
}

// claim writes the candidate if it is free, and gives what it names then. Where the registry
// misses a blob that its own manifests name, all are sent once more.
func (r *run) claim(ctx context.Context, p plan, free bool) (digest.Digest, error) {
	named, err := r.store.Claim(ctx, p.artifact, p.known, free)
	var missing interface{ BlobUnknown() bool }
	if p.push && errors.As(err, &missing) && missing.BlobUnknown() {
		r.log("uploading again what the registry has lost")
		r.layer = nil
		if err := r.uploadAll(ctx, ""); err != nil {
			return "", err
		}
		return r.store.Claim(ctx, p.artifact, p.known, false)
	}
	return named, err
}

// settle makes the commit's tags name what its candidate does, until they are alike, and
// reports whether that is an artifact of this commit. Names is what the candidate named last.
func (r *run) settle(ctx context.Context, p *plan, names digest.Digest) (won bool, err error) {
	list := p.known
	for range rounds {
		a, err := r.store.ReadDigest(ctx, names)
		if err == nil && a == nil {
			err = fmt.Errorf("reading %s of %s: it names %s, which is gone", p.known, r.Name, names)
		}
		if err != nil {
			return false, err
		}
		r.now = r.now.With(p.known)
		r.now.Ladder.Learn(p.known, a.Known())
		same := sameBuild(a, r.mine)
		if a.Revision.Commit != r.mine.Revision.Commit || !same && r.Overwrite {
			return false, nil
		}
		if err := r.follow(ctx, p, a, list); err != nil {
			return false, err
		}
		list = ""
		if names, err = r.store.ResolveWritten(ctx, p.known); err != nil {
			return false, err
		}
		if names == a.Desc.Digest {
			if !same {
				err = otherContent(p.known, a, r.mine)
			}
			return err == nil, err
		}
	}
	return false, fmt.Errorf("reading back %s of %s: it was moved %d times; run one build of a commit at a time", p.known, r.Name, rounds)
}

// follow writes the commit's tags on a, which its candidate names, and takes a list beside
// them: one that shows the written candidate, if one is given. Without that the build ends here:
// what would come next is decided by the list.
func (r *run) follow(ctx context.Context, p *plan, a *pipeline.Artifact, written string) error {
	if a.Desc.Digest != p.artifact.Desc.Digest {
		p.artifact, p.outcome, p.reason = a, pipeline.Unchanged, "another run built this commit at the same time, with the same content"
		p.tags = p.tagged
	}
	g, all := errgroup.WithContext(ctx)
	kept := make([]error, len(p.tags))
	for i, tag := range p.tags {
		g.Go(func() error {
			err := r.store.Write(all, a, tag)
			if pipeline.TagImmutable(err) {
				kept[i], err = err, nil
			}
			return err
		})
	}
	now := r.now
	if written != "" {
		g.Go(func() (err error) {
			now, err = r.store.ListWritten(all, r.now, written)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	r.now = now
	for i, err := range kept {
		if err != nil {
			r.report.Warn("the registry keeps a tag where it is: %s", err)
			p.tagged = slices.DeleteFunc(slices.Clone(p.tagged), func(tag string) bool { return tag == p.tags[i] })
		}
	}
	return nil
}
