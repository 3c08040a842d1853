package pipeline

import (
	"context"
	"iter"
	"slices"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/oci-promote/oci-promote/internal/version"
)

// askAll asks about each of tags, eight at a time. Answers come in the order of tags.
func askAll[A any](ctx context.Context, tags []string, ask func(context.Context, string) (A, error)) ([]A, error) {
	answers := make([]A, len(tags))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for i, tag := range tags {
		g.Go(func() (err error) {
			answers[i], err = ask(ctx, tag)
			return err
		})
	}
	return answers, g.Wait()
}

// batches cuts tags that are looked through for one of them: the first alone, since it mostly
// is the one, then eight at a time.
func batches(tags []string) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		for window := 1; len(tags) > 0; window = 8 {
			batch := tags[:min(window, len(tags))]
			tags = tags[len(batch):]
			if !yield(batch) {
				return
			}
		}
	}
}

// resolveAll resolves many tags. A tag that is gone maps to "".
func (s store) resolveAll(ctx context.Context, tags []string) (map[string]digest.Digest, error) {
	found, err := askAll(ctx, tags, s.resolve)
	if err != nil {
		return nil, err
	}
	digests := make(map[string]digest.Digest, len(tags))
	for i, tag := range tags {
		digests[tag] = found[i]
	}
	return digests, nil
}

// rank is the highest candidate that names a, or "". Candidates follow their commits'
// times (promise 10), so that a few manifests lead there, where asking each candidate
// would cost a request a build; only where they do not, each is asked.
func (s store) rank(ctx context.Context, l version.Ladder, a *artifact) (string, error) {
	tags := descending(l.Candidates)
	if len(tags) == 0 {
		return "", nil
	}
	if newest, err := s.resolve(ctx, tags[0]); err != nil || newest == a.desc.Digest {
		return tags[0], err
	}
	low, high, found := 1, len(tags), 0 // the first candidate not younger than a is from low to high
	for low < high {
		middle := (low + high) / 2
		c, err := s.read(ctx, tags[middle])
		switch {
		case err != nil:
			return "", err
		case c != nil && c.Created.After(a.Created):
			low = middle + 1
		case c != nil && c.desc.Digest == a.desc.Digest:
			high, found = middle, middle
		default:
			high = middle
		}
	}
	if low == found {
		return tags[low], nil
	}
	return s.find(ctx, append(tags[low:len(tags):len(tags)], tags[1:low]...), a.desc.Digest)
}

// find gives the first of tags that names d, or "".
func (s store) find(ctx context.Context, tags []string, d digest.Digest) (string, error) {
	for batch := range batches(tags) {
		digests, err := s.resolveAll(ctx, batch)
		if err != nil {
			return "", err
		}
		for _, tag := range batch {
			if digests[tag] == d {
				return tag, nil
			}
		}
	}
	return "", nil
}

// descending gives the ladder's tags from the highest down.
func descending[V interface{ String() string }](versions []V) []string {
	tags := make([]string, 0, len(versions))
	for _, v := range slices.Backward(versions) {
		tags = append(tags, v.String())
	}
	return tags
}
