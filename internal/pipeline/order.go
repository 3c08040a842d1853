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

// inRace reports whether a candidate may have been given while this build was numbered.
func (n *numbering) inRace(candidate string) bool { return n.resumed || !n.before.has[candidate] }

// artifacts are what those of named that count name, the highest candidate first.
func (n *numbering) artifacts(ctx context.Context, now snapshot, named map[string]digest.Digest, counts func(candidate string) bool) ([]placed, error) {
	var all []placed
	for _, c := range slices.Backward(now.ladder.Candidates) {
		tag := c.String()
		if named[tag] == "" || !counts(tag) {
			continue
		}
		a, err := n.byDigest(ctx, tag, named[tag], n.read)
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
// of the two must not be. What was there before is no twin: overwrite may replace it.
func (n *numbering) adopt(ctx context.Context, now snapshot, race []placed) (version.Candidate, bool, error) {
	for _, twin := range race {
		if twin.Revision.Commit != n.mine.Revision.Commit || twin.desc.Digest == n.mine.desc.Digest || n.before.has[twin.String()] || !now.ladder.Above(twin.Candidate) {
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
// older commits got in this race, such as one with a larger bump.
func (n *numbering) onTop(ctx context.Context, now snapshot, named map[string]digest.Digest, ours version.Candidate) (bool, error) {
	top, _ := now.ladder.Newest()
	if n.history == nil || top == ours || !n.inRace(top.String()) {
		return true, nil
	}
	older, err := n.topIsOlder(ctx, now, named, n.mine)
	return !older, err
}

// topIsOlder reports whether the commit of a contains that of the highest candidate, another one.
func (n *numbering) topIsOlder(ctx context.Context, now snapshot, named map[string]digest.Digest, a *artifact) (bool, error) {
	top, _ := now.ladder.Newest()
	highest, err := n.byDigest(ctx, top.String(), named[top.String()], n.readListed)
	if err != nil || highest == nil {
		return false, err
	}
	older, _ := n.contains(ctx, a, highest)
	return older, nil
}

// lift gives the next number to a newer commit of this race that has a lower one than ours, if it is newer than the highest
// one too: the build of it may have ended before it could see us. True means that there is a higher number now. It comes
// before integration-, so that the run that completes a killed build does it as well.
func (n *numbering) lift(ctx context.Context, now snapshot, named map[string]digest.Digest, ours version.Candidate) (bool, error) {
	if n.history == nil {
		return false, nil
	}
	newer, err := n.newerBelow(ctx, now, named, ours)
	if err != nil || newer == nil {
		return false, err
	}
	if older, err := n.topIsOlder(ctx, now, named, newer.artifact); err != nil || !older {
		return false, err
	}
	next, err := now.ladder.Next(version.Patch, version.Stable{}) // whatever our own commits would make of the stable
	if err != nil {
		return false, err
	}
	n.log("giving commit %.7s, which is newer and has %s, %s", newer.Revision.Commit, newer.Candidate, next)
	_, err = n.tryClaim(ctx, newer.artifact, next.String())
	return true, err
}

// newerBelow is the highest candidate of this race below ours whose commit contains ours, and which no rollback holds
// back; nil for none.
func (n *numbering) newerBelow(ctx context.Context, now snapshot, named map[string]digest.Digest, ours version.Candidate) (*placed, error) {
	var stables map[string]digest.Digest // what they name, when a candidate was met that a stable has passed
	all, looks := n.resumed || n.beside, 0
	for _, c := range slices.Backward(now.ladder.Candidates) {
		if c.Compare(ours) >= 0 || !all && n.before.has[c.String()] {
			continue
		}
		if looks++; looks > maxTraces {
			break
		}
		a, err := n.byDigest(ctx, c.String(), named[c.String()], n.read)
		if err != nil {
			return nil, err
		}
		if a == nil {
			continue
		}
		contains, known := n.contains(ctx, a, n.mine)
		if !known {
			break
		}
		if !contains {
			if !all {
				continue
			}
			if older, _ := n.contains(ctx, n.mine, a); older && now.finished(a) {
				break // it has lifted what is newer
			}
			continue
		}
		if !now.ladder.Above(c) && stables == nil {
			if _, stables, err = n.stables(ctx, now); err != nil {
				return nil, err
			}
		}
		if !holdsBack(now.ladder, stables, c, a.desc.Digest) {
			return &placed{c, a}, nil
		}
	}
	return nil, nil //nolint:nilnil // there is none
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
		n.warn("asking GitHub for the order of the builds under way failed, so that an older commit may end above a newer one: %s", withHint(err))
	}
	return contains && err == nil, err == nil
}

// byDigest is ours or the neighbour with that digest, or what read reads by the candidate; nil for nothing.
func (n *numbering) byDigest(ctx context.Context, candidate string, d digest.Digest, read func(context.Context, string) (*artifact, error)) (*artifact, error) {
	if d == n.mine.desc.Digest {
		return n.mine, nil
	}
	for _, a := range n.neighbours {
		if a != nil && a.desc.Digest == d {
			return a, nil
		}
	}
	return read(ctx, candidate)
}
