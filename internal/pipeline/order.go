package pipeline

import (
	"context"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/version"
)

// adopt makes the artifact ours that another run built from our commit at the same time
// and numbered first, such as that of a tag pushed with its branch: a commit's tags all
// name one digest, or nothing can be promoted by its commit. If it has other content, one
// of the two must not be.
func (n *numbering) adopt(ctx context.Context, now snapshot, named map[string]digest.Digest) (version.Candidate, bool, error) {
	for _, c := range slices.Backward(now.ladder.Candidates) {
		tag := c.String()
		if n.before.has[tag] || named[tag] == "" || !now.ladder.Above(c) {
			continue
		}
		twin, err := n.byDigest(ctx, tag, named[tag])
		if err != nil {
			return c, false, err
		}
		if twin == nil || twin.Revision.Commit != n.mine.Revision.Commit || twin.desc.Digest == n.mine.desc.Digest {
			continue
		}
		if err := n.tag(ctx, twin, n.announced); err != nil {
			return c, false, err
		}
		if !sameBuild(twin, n.mine) {
			return c, false, otherContent(n.announced, twin, n.mine)
		}
		n.log("another run built this commit at the same time: %s is its number", tag)
		n.mine = twin
		return c, true, nil
	}
	return version.Candidate{}, false, nil
}

// late tells why a needs no number although it was announced: a candidate of this race
// contains its commit. Otherwise the older commit could end above the newer one, and
// integration would deploy it (if a promotion stranded the newer one meanwhile, it will
// be rescued, but only while nothing is above it). Only GitHub's word counts here: by time alone, a build
// that is merely slower would be lost.
func (n *numbering) late(ctx context.Context, a *artifact, now snapshot, named map[string]digest.Digest) (string, error) {
	if n.history == nil {
		return "", nil
	}
	for _, c := range slices.Backward(now.ladder.Candidates) {
		tag := c.String()
		if n.before.has[tag] || named[tag] == "" {
			continue
		}
		newer, err := n.byDigest(ctx, tag, named[tag])
		if err != nil {
			return "", err
		}
		if newer == nil || newer.Revision.Commit == "" || newer.Revision.Commit == a.Revision.Commit {
			continue
		}
		contains, err := n.history.Contains(ctx, newer.Revision.Commit, a.Revision.Commit)
		if err != nil {
			n.log("the order of the builds under way could not be checked: %s", withHint(err))
			return "", nil
		}
		if contains {
			return fmt.Sprintf("%s, built at the same time, is of commit %.7s, which contains this one", tag, newer.Revision.Commit), nil
		}
	}
	return "", nil
}

// onTop reports whether our number is where our commit belongs: above the numbers that
// older commits got in this race, such as one with a larger bump.
func (n *numbering) onTop(ctx context.Context, now snapshot, ours version.Candidate) (bool, error) {
	top, _ := now.ladder.Newest()
	if top == ours || n.history == nil || n.before.has[top.String()] {
		return true, nil
	}
	a, err := n.read(ctx, top.String())
	if err != nil || a == nil || a.Revision.Commit == "" || a.Revision.Commit == n.mine.Revision.Commit {
		return true, err
	}
	older, err := n.history.Contains(ctx, n.mine.Revision.Commit, a.Revision.Commit)
	if err != nil {
		n.log("the order of the builds under way could not be checked: %s", withHint(err))
		return true, nil
	}
	return !older, nil
}

// byDigest is the neighbour with that digest, or what the candidate names.
func (n *numbering) byDigest(ctx context.Context, candidate string, d digest.Digest) (*artifact, error) {
	for _, a := range n.neighbours {
		if a != nil && a.desc.Digest == d {
			return a, nil
		}
	}
	return n.read(ctx, candidate)
}
