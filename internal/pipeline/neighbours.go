package pipeline

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/version"
)

// around are the sha- tags of builds that ran at the same time: announced since
// before, or announced then but not done, unless they died long ago.
func (n *numbering) around(ctx context.Context, now snapshot) ([]string, error) {
	var tags []string
	for _, tag := range now.tags {
		if !strings.HasPrefix(tag, shaPrefix) || tag == n.announced || n.before.has[tag] && n.before.has[integrationOf(tag)] {
			continue
		}
		a, known := n.neighbours[tag]
		if !known {
			var err error
			if a, err = n.read(ctx, tag); err != nil {
				return nil, err
			}
			n.neighbours[tag] = a
		}
		dead := a == nil || n.before.has[tag] && !now.has[integrationOf(tag)] && time.Since(a.Created) > crashed
		if !dead {
			n.alive[tag] = true
			tags = append(tags, tag)
		}
	}
	return tags, nil
}

// numbers resolves the candidates that may have been given while this build ran, and
// some of those before: a neighbour that was under way then can have one of them.
func (n *numbering) numbers(ctx context.Context, now snapshot, neighbours int) (map[string]digest.Digest, error) {
	const margin = 8
	var recent []string
	for i, tag := range descending(now.ladder.Candidates) {
		if !n.before.has[tag] || i < neighbours+margin {
			recent = append(recent, tag)
		}
	}
	return n.resolveAll(ctx, recent)
}

// unnumbered are those of around that no candidate names.
func (n *numbering) unnumbered(named map[string]digest.Digest, around []string) []string {
	numbered := byDigest(named)
	return slices.DeleteFunc(slices.Clone(around), func(tag string) bool {
		return len(numbered[n.neighbours[tag].desc.Digest]) > 0
	})
}

// byDigest turns tag to digest around.
func byDigest(named map[string]digest.Digest) map[digest.Digest][]string {
	tags := map[digest.Digest][]string{}
	for tag, d := range named {
		tags[d] = append(tags[d], tag)
	}
	return tags
}

// repair gives the artifact of sha- tag the next number, if really nothing names it.
func (n *numbering) repair(ctx context.Context, now snapshot, tag string) (bool, error) {
	a := n.neighbours[tag]
	for _, versions := range [][]string{descending(now.ladder.Candidates), descending(now.ladder.Stables)} {
		if found, err := n.find(ctx, versions, a.desc.Digest); err != nil || found != "" {
			return false, err
		}
	}
	next, err := n.next(now.ladder)
	if err != nil {
		return false, err
	}
	n.log("giving %s, whose number was overwritten, %s", tag, next)
	_, err = n.claim(ctx, a, next.String())
	return true, err
}

// replan chooses the number to try after a lost one. Builds that lost together take
// their places in order, oldest commit first, so that they do not collide again.
func (n *numbering) replan(ctx context.Context, now snapshot) (version.Candidate, error) {
	around, err := n.around(ctx, now)
	if err != nil {
		return version.Candidate{}, err
	}
	named, err := n.numbers(ctx, now, len(around))
	if err != nil {
		return version.Candidate{}, err
	}
	twins := version.Read(byDigest(named)[n.mine.desc.Digest])
	if c, ok := twins.Newest(); ok && now.ladder.Above(c) { // another build of this commit, or a late writer
		return c, nil
	}
	next, err := n.next(now.ladder)
	for _, tag := range n.unnumbered(named, around) {
		a := n.neighbours[tag]
		if !now.has[integrationOf(tag)] && cmp.Or(a.Created.Compare(n.mine.Created), strings.Compare(tag, n.announced)) < 0 {
			next.N++
		}
	}
	return next, err
}

func integrationOf(shaTag string) string {
	return integrationPrefix + strings.TrimPrefix(shaTag, shaPrefix)
}

// crown sees to it that of the builds of a race the newest commit has the highest
// number, since that is what integration deploys: a number is won by the last writer,
// who may have the oldest. Whoever sees the highest number on an ancestor of another's
// commit gives that other one the next number. Only GitHub's word counts here.
func (n *numbering) crown(ctx context.Context, got version.Candidate, now snapshot) (version.Candidate, snapshot, error) {
	top, _ := now.ladder.Newest()
	if n.history == nil || n.before.has[top.String()] {
		return got, now, nil
	}
	highest, err := n.resolve(ctx, top.String())
	if err != nil {
		return got, now, err
	}
	heir := n.heir(ctx, highest)
	if heir == nil {
		return got, now, nil
	}
	next, err := n.next(now.ladder)
	if err != nil {
		return got, now, err
	}
	n.log("%s is on an older commit than %.7s, which gets %s", top, heir.Revision.Commit, next)
	if heir == n.mine {
		return n.take(ctx, next)
	}
	_, err = n.claim(ctx, heir, next.String())
	return got, now, err
}

// racers are the artifacts of all builds of the race, this one's among them, by the
// time of their commits.
func (n *numbering) racers() []*artifact {
	racers := []*artifact{n.mine}
	for tag := range n.alive {
		racers = append(racers, n.neighbours[tag])
	}
	slices.SortFunc(racers, func(a, b *artifact) int { return a.Created.Compare(b.Created) })
	return racers
}

// heir is the racer whose commit contains that of the racer with the highest number
// and of every other such one; nil when there is none.
func (n *numbering) heir(ctx context.Context, highest digest.Digest) *artifact {
	racers := n.racers()
	i := slices.IndexFunc(racers, func(a *artifact) bool { return a.desc.Digest == highest })
	if i < 0 {
		return nil // the number came after the race
	}
	newest := racers[i]
	for _, a := range racers {
		if a.Revision.Commit == "" || a.Revision.Commit == newest.Revision.Commit || newest.Revision.Commit == "" {
			continue
		}
		newer, err := n.history.Contains(ctx, a.Revision.Commit, newest.Revision.Commit)
		if err != nil {
			n.log("the order of the builds under way could not be checked: %v", err)
			return nil
		}
		if newer {
			newest = a
		}
	}
	if newest.desc.Digest == highest {
		return nil
	}
	return newest
}
