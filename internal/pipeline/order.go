package pipeline

import (
	"context"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/version"
)

// placed is a candidate with what it names.
type placed struct {
	version.Candidate
	*artifact
}

// race are the candidates of named that were given since a list, highest first; since an empty one, all.
func (n *numbering) race(ctx context.Context, since, now snapshot, named map[string]digest.Digest) ([]placed, error) {
	var all []placed
	for _, c := range slices.Backward(now.ladder.Candidates) {
		tag := c.String()
		if since.has[tag] || named[tag] == "" {
			continue
		}
		a, err := n.byDigest(ctx, tag, named[tag])
		if err != nil {
			return nil, err
		}
		if a != nil {
			all = append(all, placed{c, a})
		}
	}
	return all, nil
}

// adopt makes the artifact ours that another run built from our commit at the same time
// and numbered first, such as that of a tag pushed with its branch: a commit's tags all
// name one digest, or nothing can be promoted by its commit. If it has other content, one
// of the two must not be.
func (n *numbering) adopt(ctx context.Context, now snapshot, race []placed) (version.Candidate, bool, error) {
	for _, twin := range race {
		if twin.Revision.Commit != n.mine.Revision.Commit || twin.desc.Digest == n.mine.desc.Digest || !now.ladder.Above(twin.Candidate) {
			continue
		}
		if err := n.tag(ctx, twin.artifact, n.announced); err != nil {
			return twin.Candidate, false, err
		}
		if !sameBuild(twin.artifact, n.mine) {
			return twin.Candidate, false, otherContent(n.announced, twin.artifact, n.mine)
		}
		n.log("another run built this commit at the same time: %s is its number", twin.Candidate)
		n.mine = twin.artifact
		return twin.Candidate, true, nil
	}
	return version.Candidate{}, false, nil
}

// late tells why a needs no number although it was announced: the commit of one of these candidates
// contains its commit. Otherwise the older commit could end above the newer one, and
// integration would deploy it (if a promotion stranded the newer one meanwhile, it will
// be rescued, but only while nothing is above it). Only GitHub's word counts here: by
// time alone, a build that is merely slower would be lost.
func (n *numbering) late(ctx context.Context, a *artifact, others []placed) string {
	for _, newer := range others {
		contains, known := n.contains(ctx, newer.artifact, a)
		if !known {
			return ""
		}
		if contains {
			return fmt.Sprintf("the candidate %s is of commit %.7s, which contains this one", newer.Candidate, newer.Revision.Commit)
		}
	}
	return ""
}

// onTop reports whether our number is where our commit belongs: above the numbers that
// older commits got in this race, such as one with a larger bump. Where it is the highest,
// and a newer commit in this race has a lower one, it gives that the next: the build of it
// may have ended before it could see us.
func (n *numbering) onTop(ctx context.Context, now snapshot, named map[string]digest.Digest, ours version.Candidate) (snapshot, bool, error) {
	top, _ := now.ladder.Newest()
	if n.history == nil || n.since.has[top.String()] {
		return now, true, nil
	}
	if top == ours {
		now, err := n.lift(ctx, now, named, ours)
		return now, true, err
	}
	a, err := n.read(ctx, top.String())
	if err != nil || a == nil {
		return now, true, err
	}
	older, _ := n.contains(ctx, n.mine, a)
	return now, !older, nil
}

// lift gives the next number to the newer commit that has the highest one below ours, and
// tells what there is then. It does that before integration- says that we are done: the run
// that completes us lifts too.
func (n *numbering) lift(ctx context.Context, now snapshot, named map[string]digest.Digest, ours version.Candidate) (snapshot, error) {
	below, err := n.newerBelow(ctx, now, named, ours)
	if err != nil || below == nil {
		return now, err
	}
	if !now.ladder.Above(below.Candidate) {
		if undone, err := n.undone(ctx, now, below.artifact); err != nil || undone {
			return now, err
		}
	}
	next, err := n.next(now.ladder)
	if err != nil {
		return now, err
	}
	n.log("giving commit %.7s, which is newer and has %s, %s", below.Revision.Commit, below.Candidate, next)
	_, err = n.wins(ctx, below.artifact, next.String())
	return newSnapshot(append(slices.Clip(now.tags), next.String())), err
}

// newerBelow finds the newer commit that has the highest number below ours, of those in this race; nil for none.
func (n *numbering) newerBelow(ctx context.Context, now snapshot, named map[string]digest.Digest, ours version.Candidate) (*placed, error) {
	if !slices.ContainsFunc(now.ladder.Candidates, func(c version.Candidate) bool { return c != ours && !n.since.has[c.String()] }) {
		return nil, nil //nolint:nilnil // we are alone
	}
	if named == nil { // no neighbour is under way any more
		var err error
		if named, err = n.numbers(ctx, now, 0, ours.String()); err != nil {
			return nil, err
		}
	}
	race, err := n.race(ctx, n.since, now, named)
	if err != nil {
		return nil, err
	}
	for _, below := range race {
		if below.Candidate == ours || below.Created.Before(n.mine.Created) {
			continue
		}
		contains, known := n.contains(ctx, below.artifact, n.mine)
		if !known {
			break
		}
		if contains {
			return &below, nil
		}
	}
	return nil, nil //nolint:nilnil // no newer commit is in this race
}

// undone reports whether a was live and is not any more: a rollback from it holds (promise 2).
func (n *numbering) undone(ctx context.Context, now snapshot, a *artifact) (bool, error) {
	stables := descending(now.ladder.Stables)
	stable, err := n.find(ctx, stables, a.desc.Digest)
	return stable != "" && stable != stables[0], err
}

// contains reports whether the history of newer's commit has a's, and whether GitHub
// could be asked. Where it could not, the race ends in the order that it has.
func (n *numbering) contains(ctx context.Context, newer, a *artifact) (contains, known bool) {
	if n.history == nil {
		return false, false
	}
	if newer.Revision.Commit == "" || a.Revision.Commit == "" || newer.Revision.Commit == a.Revision.Commit {
		return false, true
	}
	contains, err := n.history.Contains(ctx, newer.Revision.Commit, a.Revision.Commit)
	if err != nil && !n.unordered {
		n.unordered = true
		n.warn("asking GitHub for the order of the builds under way failed, so they keep the numbers that they have: %s", withHint(err))
	}
	return contains && err == nil, err == nil
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
