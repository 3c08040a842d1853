package prune

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// attachment is what hangs on an artifact, and goes before it: signatures, attestations, bills of materials, and what hangs
// on those. What hangs deepest is first, and a list of others after them, so that a run that is killed leaves nothing that
// cannot be found again.
type attachment struct {
	all   []attached
	stays string // why it cannot go, and the artifact with it; empty where it can
}

type attached struct {
	digest digest.Digest
	size   int64
	tags   []string // that hang it; none where only the referrers API tells of it
}

// lookForAttached looks for what hangs on some artifacts, and reports whether one of them must stay for it.
func (r *run) lookForAttached(ctx context.Context, f *facts, goes []*item) (blocked bool, err error) {
	unlooked := slices.DeleteFunc(slices.Clone(goes), func(it *item) bool { return r.looked[it.Digest] != nil })
	found, err := pipeline.AskAll(ctx, unlooked, func(ctx context.Context, it *item) (*attachment, error) { return r.attachedTo(ctx, f, it.Digest) })
	if err != nil {
		return false, err
	}
	for i, it := range unlooked {
		r.looked[it.Digest] = found[i]
		blocked = blocked || found[i].stays != ""
	}
	return blocked, nil
}

// blocked are the artifacts that cannot go for what hangs on them.
func (r *run) blocked() map[digest.Digest]string {
	all := map[digest.Digest]string{}
	for d, a := range r.looked {
		if a.stays != "" {
			all[d] = a.stays
		}
	}
	return all
}

func (r *run) attachedTo(ctx context.Context, f *facts, d digest.Digest) (*attachment, error) {
	w := &walk{run: r, facts: f, seen: map[digest.Digest]bool{d: true}}
	err := w.below(ctx, d)
	return &w.attachment, err
}

// walk goes through what hangs on one artifact.
type walk struct {
	*run
	*facts
	attachment
	seen map[digest.Digest]bool
}

// below visits what hangs on d: by the registry's API, and by the tags that have d in their name.
func (w *walk) below(ctx context.Context, d digest.Digest) error {
	told, ok, err := w.Repo.Referrers(ctx, d)
	if err != nil {
		return fmt.Errorf("asking what refers to %s of %s: %w", d, w.Name, err)
	}
	if ok {
		for _, desc := range told {
			if err := w.visit(ctx, desc); err != nil {
				return err
			}
		}
	}
	for _, tag := range w.attached[d] {
		if err := w.byTag(ctx, tag, d); err != nil {
			return err
		}
	}
	return nil
}

// byTag visits what a tag hangs on d, and before that what it lists, where it is the list of d's referrers.
func (w *walk) byTag(ctx context.Context, tag string, d digest.Digest) error {
	it, err := w.fetch(ctx, tag)
	if err != nil {
		return err
	}
	if it == nil || !slices.Contains(w.hangs[it.Digest], tag) {
		w.stays = fmt.Sprintf("what tag %q names has changed", tag)
		return nil
	}
	if tag == listTag(d) {
		for _, desc := range it.lists {
			if err := w.listed(ctx, desc, d); err != nil {
				return err
			}
		}
	}
	return w.visit(ctx, ocispec.Descriptor{Digest: it.Digest, Size: it.size})
}

// listed visits what a list of d's referrers has, if it does refer to d: anybody may write such a list.
func (w *walk) listed(ctx context.Context, desc ocispec.Descriptor, d digest.Digest) error {
	it, err := w.fetch(ctx, desc.Digest.String())
	if err != nil || it == nil || it.subject != d {
		return err
	}
	return w.visit(ctx, desc)
}

// visit takes what hangs on desc, and then desc. What stays for a reason of its own blocks the artifact. What hangs on
// something else too, as one bill of materials may on two artifacts, is left.
func (w *walk) visit(ctx context.Context, desc ocispec.Descriptor) error {
	if w.seen[desc.Digest] || w.shared(desc.Digest) {
		return nil
	}
	w.seen[desc.Digest] = true
	if it := w.items[desc.Digest]; it != nil {
		w.stays = fmt.Sprintf("%s, which is attached to it, has tags of its own, such as %q", desc.Digest, it.tags[0])
		return nil
	}
	if who := w.Running[desc.Digest]; who != "" {
		w.stays = fmt.Sprintf("%s, which is attached to it, is what %s runs", desc.Digest, who)
		return nil
	}
	if index := w.indexed[desc.Digest]; index != "" {
		w.stays = fmt.Sprintf("%s, which is attached to it, is listed by the index %s", desc.Digest, index)
		return nil
	}
	if err := w.below(ctx, desc.Digest); err != nil {
		return err
	}
	w.all = append(w.all, attached{desc.Digest, desc.Size, w.hangs[desc.Digest]})
	return nil
}

// shared reports whether a tag hangs a digest on what this walk did not come by.
func (w *walk) shared(d digest.Digest) bool {
	return slices.ContainsFunc(w.hangs[d], func(tag string) bool {
		subject, _ := subjectOf(tag)
		return !w.seen[subject]
	})
}

// same reports whether two looks found the same.
func (a *attachment) same(b *attachment) bool {
	return a.stays == b.stays && maps.Equal(a.digests(), b.digests())
}

func (a *attachment) digests() map[digest.Digest]bool {
	all := map[digest.Digest]bool{}
	for _, x := range a.all {
		all[x.digest] = true
	}
	return all
}
