package pipeline

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/version"
)

// maxTraces bounds the manifests that one build reads of unfinished builds from before
// it, and of numbers below its own: in a sane repository there is none, but sha- tags may be somebody else's.
const maxTraces = 32

// around are the sha- tags of builds that may run at the same time: announced since
// before, or announced then and not done.
func (n *numbering) around(ctx context.Context, now snapshot) ([]string, error) {
	var tags []string
	traces := 0
	for _, tag := range now.tags {
		if !isSHATag(tag) || tag == n.announced || n.before.has[tag] && n.before.has[integrationOf(tag)] {
			continue
		}
		if n.before.has[tag] {
			traces++
		}
		if n.neighbours[tag] == nil && traces <= maxTraces {
			a, err := n.read(ctx, tag)
			if err != nil {
				return nil, err
			}
			n.neighbours[tag] = a
		}
		if n.neighbours[tag] != nil {
			tags = append(tags, tag)
		}
	}
	return tags, nil
}

var shaTagForm = regexp.MustCompile(`^` + shaPrefix + `[0-9a-f]{7,40}$`)

func isSHATag(tag string) bool { return shaTagForm.MatchString(tag) }

// crashed reports whether an unfinished build is taken for dead: it was announced
// before this one looked first, and its artifact is old.
func (n *numbering) crashed(shaTag string) bool {
	return n.before.has[shaTag] && time.Since(n.neighbours[shaTag].Created) > crashedAfter
}

// hadNeighbours reports whether any build was under way beside this one.
func (n *numbering) hadNeighbours() bool {
	for tag, a := range n.neighbours {
		if a != nil && !n.crashed(tag) {
			return true
		}
	}
	return false
}

// numbers resolves the candidates that may have been given while this build ran, the one that it holds or tried,
// and some of those before: a neighbour that was under way then can have one of them.
func (n *numbering) numbers(ctx context.Context, now snapshot, neighbours int, ours string) (map[string]digest.Digest, error) {
	const margin = 8
	named := map[string]digest.Digest{}
	var ask []string
	for i, tag := range descending(now.ladder.Candidates) {
		switch d, foreign := n.foreign[tag]; {
		case foreign && tag != ours:
			named[tag] = d
		case tag == ours || !n.before.has[tag] || i < neighbours+margin:
			ask = append(ask, tag)
		}
	}
	asked, err := n.resolveAll(ctx, ask)
	for tag, d := range asked {
		named[tag] = d
		if n.before.has[tag] && d != "" && d != n.mine.desc.Digest && !n.isNeighbour(d) {
			n.foreign[tag] = d
		}
	}
	return named, err
}

func (n *numbering) isNeighbour(d digest.Digest) bool {
	for _, a := range n.neighbours {
		if a != nil && a.desc.Digest == d {
			return true
		}
	}
	return false
}

// unnumbered are those of around that no candidate above the stable names. One that
// lost its base to a promotion will take another number yet; that promotion's rescue may
// have given it rc.0 meanwhile, which keeps no build from writing the number that it chose before.
func (n *numbering) unnumbered(now snapshot, named map[string]digest.Digest, around []string) []string {
	numbered, rescued := map[digest.Digest]bool{}, map[digest.Digest]bool{}
	for tag, d := range named {
		switch c, err := version.ParseCandidate(tag); {
		case err != nil || !now.ladder.Above(c):
		case c.N == 0:
			rescued[d] = true
		default:
			numbered[d] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(around), func(tag string) bool {
		d := n.neighbours[tag].desc.Digest
		return numbered[d] || rescued[d] && now.has[integrationOf(tag)]
	})
}

// repairs reports whether it is for us to repair. The late writer is one of the builds
// that have a number and are not done; of those the first by tag does it, so that two do
// not write at once, and the others wait.
func (n *numbering) repairs(now snapshot, around, unnumbered []string) bool {
	return !slices.ContainsFunc(around, func(tag string) bool {
		return tag < n.announced && !now.has[integrationOf(tag)] && !slices.Contains(unnumbered, tag) && !n.crashed(tag)
	})
}

// repair gives the artifact of a finished build the next number. It spares one that needs none: something names it, or it
// came late.
func (n *numbering) repair(ctx context.Context, now snapshot, named map[string]digest.Digest, tag string) (spared bool, err error) {
	a := n.neighbours[tag]
	for _, versions := range [][]string{descending(now.ladder.Candidates), descending(now.ladder.Stables)} {
		if found, err := n.find(ctx, versions, a.desc.Digest); err != nil || found != "" {
			return found != "", err
		}
	}
	// Its race may have been before this one's: a build that came late there has said that it is done, and has no number.
	others, err := n.artifacts(ctx, now, named, func(string) bool { return true })
	if err != nil {
		return false, err
	}
	if n.late(ctx, a, others) != "" {
		return true, nil
	}
	next, err := n.next(now.ladder)
	if err != nil {
		return false, err
	}
	n.log("giving %s, whose number was overwritten, %s", tag, next)
	_, err = n.tryClaim(ctx, a, next.String())
	return false, err
}

// replan chooses the number to try when tried would not do. Builds that lost together take their places in order, oldest
// commit first, so that they do not collide again. Or late tells why none is needed.
func (n *numbering) replan(ctx context.Context, now snapshot, tried version.Candidate) (next version.Candidate, late string, err error) {
	around, err := n.around(ctx, now)
	if err != nil {
		return next, "", err
	}
	named, err := n.numbers(ctx, now, len(around), tried.String())
	if err != nil {
		return next, "", err
	}
	ours := n.highest(named)
	if ours != (version.Candidate{}) && ours != tried && now.ladder.Above(ours) {
		return ours, "", nil // another build of this commit, or a late writer, gave it to us
	}
	race, err := n.artifacts(ctx, now, named, n.inRace)
	if err != nil {
		return next, "", err
	}
	if c, ok, err := n.adopt(ctx, now, race); err != nil || ok {
		return c, "", err
	}
	if late := n.late(ctx, n.mine, race); late != "" {
		_, err := n.lift(ctx, now, named, tried) // the newer one may be below an older one, whose build has not ended
		return next, late, err
	}
	next, err = n.next(now.ladder)
	if n.history != nil {
		return next, "", err // older builds get no number after us, so that no place is kept for them
	}
	for _, tag := range n.unnumbered(now, named, around) {
		a := n.neighbours[tag]
		if !now.has[integrationOf(tag)] && !n.crashed(tag) && cmp.Or(a.Created.Compare(n.mine.Created), strings.Compare(tag, n.announced)) < 0 {
			next.N++
		}
	}
	return next, "", err
}

// highest is the highest candidate that names our artifact; zero for none.
func (n *numbering) highest(named map[string]digest.Digest) version.Candidate {
	var ours []string
	for tag, d := range named {
		if d == n.mine.desc.Digest {
			ours = append(ours, tag)
		}
	}
	c, _ := version.Read(ours).Newest()
	return c
}
