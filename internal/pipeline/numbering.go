package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/oci-promote/oci-promote/internal/version"
)

// numbering gives one announced artifact its candidate tag, beside other builds that
// do the same (promise 4). A registry has no compare-and-swap (facts 17), so:
//
//	announce   sha- is written before the first look below
//	claim      the next number, if it is still free
//	list       taken after the claim: whoever could claim the same number announced
//	           before that, so either this list shows them or their look showed our claim
//	read back  the number names our digest, or we lost it and take the next
//	wait       while an announced neighbour has no number yet, it may still write ours
//
// The wait is for neighbours in flight only; a build alone pays one list and no sleep.
type numbering struct {
	store
	mine      *artifact
	announced string   // our sha- tag
	before    snapshot // taken before the announcement
	history   History  // may be nil
	next      func(version.Ladder) (version.Candidate, error)
	log       func(format string, args ...any)
	warn      func(format string, args ...any)

	stale      bool                 // the list lagged behind our own write for too long
	neighbours map[string]*artifact // by sha- tag, as first read
	alive      map[string]bool      // the neighbours that ran at the same time
	waited     time.Duration
}

const (
	// patience is the longest that one build waits for its neighbours.
	patience = 5 * time.Second
	poll     = 100 * time.Millisecond
	// crashed is the age at which an announced artifact without a number is no
	// neighbour but the trace of a build that died.
	crashed = 10 * time.Minute
	// rounds bounds the numbers that one build tries. Each round that is lost was won
	// by another build.
	rounds = 50
)

// run returns the highest candidate that names mine, and a list that shows it.
func (n *numbering) run(ctx context.Context, try version.Candidate) (version.Candidate, snapshot, error) {
	n.neighbours, n.alive = map[string]*artifact{}, map[string]bool{}
	got, now, err := n.take(ctx, try)
	if err != nil || len(n.alive) == 0 {
		return got, now, err
	}
	return n.crown(ctx, got, now)
}

// take tries numbers until one is held.
func (n *numbering) take(ctx context.Context, try version.Candidate) (version.Candidate, snapshot, error) {
	for range rounds {
		now, held, err := n.attempt(ctx, try)
		if err != nil {
			return try, now, err
		}
		if held {
			return try, now, nil
		}
		n.log("%s went to another build", try)
		if try, err = n.replan(ctx, now); err != nil {
			return try, now, err
		}
	}
	return try, snapshot{}, fmt.Errorf("numbering %s in %s: other builds took %d numbers before this one; run again when fewer are under way", n.mine.desc.Digest, n.name, rounds)
}

// attempt claims try and reports whether it is ours when the dust has settled.
func (n *numbering) attempt(ctx context.Context, try version.Candidate) (snapshot, bool, error) {
	claimed, err := n.claim(ctx, n.mine, try.String())
	if err != nil {
		return snapshot{}, false, err
	}
	if !claimed {
		now, err := n.list(ctx)
		return now, false, err
	}
	for {
		now, fresh, err := n.listWith(ctx, try.String())
		if err != nil {
			return now, false, err
		}
		if !fresh && !n.stale {
			n.stale = true
			n.warn("the registry's tag list does not show %q, which this build wrote seconds ago; while it lags like that, two builds at once may take the same number: run one at a time", try)
		}
		if !now.ladder.Above(try) {
			n.log("the base of %s was taken meanwhile", try)
			return now, false, nil
		}
		named, err := n.resolveWritten(ctx, try.String())
		if err != nil || named != n.mine.desc.Digest {
			return now, false, err
		}
		settled, err := n.settle(ctx, now, try.String())
		if err != nil || settled {
			return now, settled, err
		}
	}
}

// claim names a with tag if that is free. True means that the tag named a when it was
// last looked at; a registry that refuses to move the tag says that another came first.
func (n *numbering) claim(ctx context.Context, a *artifact, tag string) (bool, error) {
	named, err := n.resolve(ctx, tag)
	if err != nil || named != "" {
		return named == a.desc.Digest, err
	}
	err = n.tag(ctx, a, tag)
	if tagImmutable(err) {
		return false, nil
	}
	return err == nil, err
}

// settle deals with the neighbours that a list shows, while we hold the number held.
// False means: list again.
func (n *numbering) settle(ctx context.Context, now snapshot, held string) (bool, error) {
	around, err := n.around(ctx, now)
	if err != nil || len(around) == 0 {
		return err == nil, err
	}
	named, err := n.numbers(ctx, now, len(around))
	if err != nil {
		return false, err
	}
	if named[held] != n.mine.desc.Digest {
		return false, nil // lost since we read it back; its new owner counts as numbered by it
	}
	unnumbered := n.unnumbered(named, around)
	waiting := 0
	for _, tag := range unnumbered {
		if !now.has[integrationOf(tag)] {
			waiting++
			continue
		}
		// It says that it is done, but its number is gone: we were late and took it.
		if repaired, err := n.repair(ctx, now, tag); err != nil || repaired {
			return false, err
		}
	}
	if waiting == 0 || n.waited >= patience {
		return true, nil
	}
	if n.waited == 0 {
		n.log("waiting for %d other builds to take their numbers", waiting)
	}
	n.waited += poll
	return false, sleep(ctx, poll)
}
