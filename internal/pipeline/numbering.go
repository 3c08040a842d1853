package pipeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/version"
)

// numbering gives one announced artifact its candidate tag, beside other builds that
// do the same (promise 4). A registry has no compare-and-swap (facts 17), so:
//
//	announce   sha- is written before the first look below
//	claim      the next number, if it is still free
//	list       taken after the claim: whoever could claim the same number announced
//	           before that, so either this list shows them or their look showed our claim
//	read back  at once with the list: the number names our digest, or we lost it and take
//	           the next
//	wait       while an announced neighbour has no number yet, it may still write ours
//	confirm    after integration- says "done": whoever overwrites the number later sees
//	           that we were done, and gives us the next one
//
// The wait and the confirmation are for neighbours in flight only; a build alone pays one
// list and no sleep.
type numbering struct {
	store
	mine      *artifact
	announced string   // our sha- tag
	before    snapshot // taken before the announcement
	resumed   bool     // an earlier run announced us: nobody knows when its race began, so all candidates are in it
	beside    bool     // the newest candidate's build, of an older commit, has not ended: what it has to lift may be from before
	history   History  // may be nil
	next      func(version.Ladder) (version.Candidate, error)
	log       func(format string, args ...any)
	warn      func(format string, args ...any)

	done       bool                     // integration- is written: nobody waits for us any more
	stale      bool                     // the list lagged behind our own write for too long
	unordered  bool                     // GitHub could not be asked which commit is newer: we have said so
	neighbours map[string]*artifact     // by sha- tag, as first read; nil for a tag that was gone
	foreign    map[string]digest.Digest // what candidates from before name that are no neighbour's: they are asked once
	spared     map[string]bool          // sha- tags of neighbours that are done and need no number from us
	claimed    []string                 // numbers that are there, ours or not, since we tried to claim them
	waited     time.Duration
}

// numbered is how a numbering ended.
type numbered struct {
	candidate version.Candidate
	late      string   // why there is none: a newer candidate contains the commit
	now       snapshot // a list that shows it
}

const (
	// patience is the longest that one build pauses for its neighbours; its looks come on top.
	patience = 5 * time.Second
	// poll is the pause between two looks; the longer the wait, the longer the pause, since each look of each of many
	// builds asks for many numbers.
	poll     = 100 * time.Millisecond
	pollMost = 500 * time.Millisecond
	// crashedAfter is the age at which an announced artifact without a number is no
	// neighbour but the trace of a build that died.
	crashedAfter = 10 * time.Minute
	// rounds bounds the numbers that one build tries, and how often it looks at one that it holds. A number that is
	// lost was mostly won by another build; a look mostly ends with a pause.
	rounds = 50
)

// take tries numbers, the given one first, until one is held or none is needed.
func (n *numbering) take(ctx context.Context, try version.Candidate) (numbered, error) {
	for range rounds {
		now, held, err := n.attempt(ctx, try)
		if err != nil || held {
			return numbered{candidate: try, now: now}, err
		}
		n.log("%s will not do: another build has it, a promotion took its base, or its place is higher up", try)
		next, late, err := n.replan(ctx, now, try)
		if err != nil || late != "" {
			return numbered{late: late, now: n.shown(now)}, err
		}
		try = next
	}
	return numbered{}, fmt.Errorf("numbering %s in %s: other builds took %d numbers before this one; run again when fewer are under way", n.mine.desc.Digest, n.name, rounds)
}

// confirm looks once more when the build is done, if it had neighbours.
func (n *numbering) confirm(ctx context.Context, got numbered) (numbered, error) {
	n.done = true
	if got.late != "" || !n.hadNeighbours() {
		return got, nil
	}
	return n.take(ctx, got.candidate)
}

// attempt claims try and reports whether it is ours when the dust has settled.
func (n *numbering) attempt(ctx context.Context, try version.Candidate) (snapshot, bool, error) {
	won, err := n.tryClaim(ctx, n.mine, try.String())
	if err != nil {
		return snapshot{}, false, err
	}
	if !won {
		now, err := n.list(ctx)
		return n.shown(now), false, err
	}
	for range rounds {
		now, named, err := n.readBack(ctx, try.String())
		if err != nil {
			return now, false, err
		}
		now = n.shown(now)
		if !now.fresh && !n.stale {
			n.stale = true
			n.warn("the registry's tag list does not show %q, which this build wrote seconds ago; while it lags like that, two builds at once may take the same number: run one at a time", try)
		}
		if !now.ladder.Above(try) {
			return n.passed(ctx, now, named, try)
		}
		if named != n.mine.desc.Digest {
			return now, false, nil
		}
		candidates, settled, err := n.settle(ctx, now, try.String())
		if err != nil {
			return now, false, err
		}
		if !settled {
			continue
		}
		lifted, err := n.lift(ctx, now, candidates, try)
		if err != nil {
			return now, false, err
		}
		if !lifted {
			held, err := n.onTop(ctx, now, candidates, try)
			return now, held, err
		}
	}
	return snapshot{}, false, fmt.Errorf("numbering %s in %s: %d looks did not show whether %s stays this build's; run again when fewer are under way", n.mine.desc.Digest, n.name, rounds, try)
}

// tryClaim claims a tag for a, and reports whether it named a when it was last looked at; a
// registry that refuses to move the tag says that another came first.
func (n *numbering) tryClaim(ctx context.Context, a *artifact, tag string) (bool, error) {
	named, err := n.claim(ctx, a, tag, false)
	if err != nil && !tagImmutable(err) {
		return false, err
	}
	if !slices.Contains(n.claimed, tag) {
		n.claimed = append(n.claimed, tag)
	}
	return err == nil && named == a.desc.Digest, nil
}

// shown is a list with the numbers that it should show: one that lags would lead to the same number again.
func (n *numbering) shown(now snapshot) snapshot {
	tags := now.tags
	for _, tag := range n.claimed {
		if !now.has[tag] {
			tags = append(slices.Clip(tags), tag)
		}
	}
	if len(tags) == len(now.tags) {
		return now
	}
	all := newSnapshot(tags)
	all.fresh = now.fresh
	return all
}

// passed reports whether our number, whose base a stable took, will do: when we have said that we are done, as the
// promotion's rescue is for that, and when it is our artifact that was promoted. That one may not have lifted yet what is
// newer, and no rescue is for what is below it.
func (n *numbering) passed(ctx context.Context, now snapshot, named digest.Digest, ours version.Candidate) (snapshot, bool, error) {
	if n.done && named == n.mine.desc.Digest {
		return now, true, nil
	}
	taken := slices.DeleteFunc(descending(now.ladder.Stables), func(tag string) bool { return n.before.has[tag] })
	stable, err := n.find(ctx, taken, n.mine.desc.Digest)
	if err != nil || stable == "" || named != n.mine.desc.Digest {
		return now, false, err
	}
	_, err = n.lift(ctx, now, nil, ours)
	return n.shown(now), err == nil, err
}

// settle deals with the neighbours that a list shows, while we hold the number held, and
// tells what candidates name, if there are neighbours. Not settled means: list again.
func (n *numbering) settle(ctx context.Context, now snapshot, held string) (named map[string]digest.Digest, settled bool, err error) {
	around, err := n.around(ctx, now)
	if err != nil || len(around) == 0 {
		return nil, err == nil, err
	}
	named, err = n.numbers(ctx, now, len(around), held)
	if err != nil {
		return nil, false, err
	}
	if named[held] != n.mine.desc.Digest {
		return named, false, nil // lost since we read it back; its new owner counts as numbered by it
	}
	unnumbered := n.unnumbered(now, named, around)
	waiting := 0
	for _, tag := range unnumbered {
		done := now.has[integrationOf(tag)]
		switch {
		case !done && n.crashed(tag), done && n.spared[tag]:
		case !done, !n.repairs(now, around, unnumbered) && n.waited < patience:
			waiting++
		default: // it says that it is done, and has no number: it came late, or a late writer took it
			if n.spared[tag], err = n.repair(ctx, now, named, tag); err != nil || !n.spared[tag] {
				return named, false, err
			}
		}
	}
	if waiting == 0 || n.waited >= patience {
		return named, true, nil
	}
	if n.waited == 0 {
		n.log("waiting for other builds (%d) to take their numbers", waiting)
	}
	pause := min(poll+n.waited/4, pollMost)
	n.waited += pause
	return named, false, sleep(ctx, pause)
}
