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

// fill asks about those of tags that are not known, and keeps the answers.
func fill[A any](ctx context.Context, answers map[string]A, tags []string, known func(tag string) bool, ask func(context.Context, string) (A, error)) error {
	tags = slices.DeleteFunc(slices.Clone(tags), known)
	found, err := askAll(ctx, tags, ask)
	if err != nil {
		return err
	}
	for i, tag := range tags {
		answers[tag] = found[i]
	}
	return nil
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
	digests := make(map[string]digest.Digest, len(tags))
	if err := fill(ctx, digests, tags, func(string) bool { return false }, s.resolve); err != nil {
		return nil, err
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
	tags = tags[1:]
	at, named, err := bisect(ctx, tags, a, len(tags), s.read)
	switch {
	case err != nil:
		return "", err
	case named:
		return tags[at], nil
	}
	return s.find(ctx, append(tags[at:len(tags):len(tags)], tags[:at]...), a.desc.Digest)
}

// bisect finds where a is among candidates, highest first: the first that is not younger than
// a, and whether it names a. It reads about log2 of them, and no more than most, after which
// the place is as good as they told.
func bisect(ctx context.Context, tags []string, a *artifact, most int, read func(context.Context, string) (*artifact, error)) (at int, named bool, err error) {
	low, high, found := 0, len(tags), -1
	for ; low < high && most > 0; most-- {
		middle := (low + high) / 2
		c, err := read(ctx, tags[middle])
		switch {
		case err != nil:
			return 0, false, err
		case c != nil && c.Created.After(a.Created):
			low = middle + 1
		case c != nil && c.desc.Digest == a.desc.Digest:
			high, found = middle, middle
		default:
			high = middle
		}
	}
	return low, low == found, nil
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

// wasLive reports whether a stable below the highest names d. If the highest names it too, that is a rollback.
func (s store) wasLive(ctx context.Context, now snapshot, d digest.Digest) (bool, error) {
	lower, err := s.find(ctx, descending(now.ladder.Stables)[1:], d)
	return lower != "", err
}

// stables reads the highest stable of a list that has one, and tells what each of them names; "" for a lower one that is gone.
func (s store) stables(ctx context.Context, now snapshot) (highest *artifact, named map[string]digest.Digest, err error) {
	if highest, err = s.readStable(ctx, now); err != nil {
		return nil, nil, err
	}
	all := descending(now.ladder.Stables)
	if named, err = s.resolveAll(ctx, all[1:]); err != nil {
		return nil, nil, err
	}
	named[all[0]] = highest.desc.Digest
	return highest, named, nil
}

// holdsBack reports whether a rollback has passed the candidate c, which names d (promise 2): a stable that names what
// a lower one names, and not d. It holds whatever else is promoted later, until d itself is.
func holdsBack(l version.Ladder, named map[string]digest.Digest, c version.Candidate, d digest.Digest) bool {
	held, lower := false, map[digest.Digest]bool{}
	for _, stable := range l.Stables {
		live := named[stable.String()]
		switch {
		case live == d:
			held = false
		case lower[live] && stable.Compare(c.Base) >= 0:
			held = true
		}
		lower[live] = live != ""
	}
	return held
}

// descending gives the ladder's tags from the highest down.
func descending[V interface{ String() string }](versions []V) []string {
	tags := make([]string, 0, len(versions))
	for _, v := range slices.Backward(versions) {
		tags = append(tags, v.String())
	}
	return tags
}
