package pipeline

import (
	"context"

	"github.com/opencontainers/go-digest"
)

// readAll reads candidates and keeps them while a plan lasts: each is asked for once. One that
// is gone is nil, and asked for again.
func (r *tagRun) readAll(ctx context.Context, tags []string) error {
	return fill(ctx, r.candidates, tags, func(tag string) bool { return r.candidates[tag] != nil }, r.read)
}

// scan reads candidates in their order until one names d. It gives that one, or "", and what
// those before it name.
func (r *tagRun) scan(ctx context.Context, tags []string, d digest.Digest) (found string, before []digest.Digest, err error) {
	for batch := range batches(tags) {
		if err := r.readAll(ctx, batch); err != nil {
			return "", nil, err
		}
		for _, tag := range batch {
			switch a := r.candidates[tag]; {
			case a == nil:
			case a.desc.Digest == d:
				return tag, before, nil
			default:
				before = append(before, a.desc.Digest)
			}
		}
	}
	return "", before, nil
}
