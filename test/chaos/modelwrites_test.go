package chaos

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/oci-promote/oci-promote/test/programtest"
)

// see judges writes, in the order in which they took effect.
func (m *model) see(writes []programtest.TagWrite) {
	for _, e := range writes {
		c := m.learn(e)
		if now := m.tags[e.Tag]; now != e.Before {
			m.broken(0, "the journal misses a write of %s, from %.15s to %.15s", e.Tag, now, e.Before)
		}
		switch {
		case modelStableForm.MatchString(e.Tag):
			m.seeMove(1, e)
			m.seeStable(e, c)
		case modelCandidateForm.MatchString(e.Tag):
			m.seeMove(4, e)
			m.seeCandidate(e, c)
		default:
			m.seeCommitTag(e, c)
		}
		if m.named[e.Digest] == nil {
			m.named[e.Digest] = map[string]bool{}
		}
		m.named[e.Digest][e.Tag] = true
		m.tags[e.Tag] = e.Digest
		m.uneasy = m.uneasy || e.Before != "" && e.Before != e.Digest || !m.tags.settled()
		if e.Before == "" {
			m.first[e.Tag] = e.At
		}
	}
}

// seeMove: a version names another digest only where two wrote it within one round trip.
func (m *model) seeMove(promise int, e programtest.TagWrite) {
	if e.Before == "" || e.Before == e.Digest {
		return
	}
	m.collisions = append(m.collisions, e)
	if promise == 1 && m.immutable || !m.blind(e, e.Tag) {
		m.broken(promise, "%s moved from %.15s to %.15s, %s after it was written", e.Tag, e.Before, e.Digest, e.At.Sub(m.first[e.Tag]))
	}
}

func (m *model) seeStable(e programtest.TagWrite, c *loadCommit) {
	top, live := m.tags.stable(), m.tags.live()
	if !m.named[e.Digest]["validated-"+c.sha[:7]] {
		m.broken(5, "%s was written on %.15s before its validated-%.7s", e.Tag, e.Digest, c.sha)
	}
	rises := e.Before == "" && (top == "" || modelLess(top, e.Tag))
	switch {
	case e.Digest == m.byHand:
		m.rollbacks = append(m.rollbacks, e.Tag)
		if !rises {
			m.broken(2, "the rollback %s is below %s", e.Tag, top)
		}
	case !m.proven[e.Digest]:
		m.broken(3, "%s was written on %.15s, which nobody validated", e.Tag, e.Digest)
	case !rises: // a move, or below what is live
	case m.held(e.Digest):
		m.broken(2, "the rollback %q was undone by %s, of %s", m.rollbacks, e.Tag, m.tags.rank(e.Digest))
	case live != "" && !m.newer(e.Digest, live):
		m.broken(2, "live jumps from %s (%s) to %s (%s), which is not newer", top, m.tags.rank(live), e.Tag, m.tags.rank(e.Digest))
	}
}

// seeCandidate: N is the height of the commit, and the number is above all that its writer can have known to be open. One
// that had a number gets another by promise 9 only: not where it is held back, nor above what its commit does not contain.
func (m *model) seeCandidate(e programtest.TagWrite, c *loadCommit) {
	if !strings.HasSuffix(e.Tag, fmt.Sprintf("-rc.%d", c.height)) {
		m.broken(4, "%s was written on the artifact of %.7s, whose height is %d", e.Tag, c.sha, c.height)
	}
	above := m.tags.highest(modelCandidateForm, func(tag string) bool {
		return m.tags.open(tag) && modelLess(e.Tag, tag) && !m.blind(e, tag)
	})
	if above != "" && m.tags[e.Tag] != e.Digest {
		m.broken(9, "%s was written below %s, which is open", e.Tag, above)
	}
	had, top := m.tags.rank(e.Digest), m.tags.top()
	switch {
	case had == "" || had == e.Tag || m.blind(e, had) || m.collided(e.Digest):
	case m.held(e.Digest):
		m.broken(2, "the rollback %q holds back %s, which got %s", m.rollbacks, had, e.Tag)
	case top == "" || modelLess(e.Tag, top) || m.blind(e, top):
	case !m.github || !m.contains(c, m.artifacts[m.tags[top]]):
		m.broken(9, "%s was lifted above %s as %s, and does not contain it", had, top, e.Tag)
	}
}

// seeCommitTag: a candidate tells whose digest the commit has, before all else (promise 5).
func (m *model) seeCommitTag(e programtest.TagWrite, c *loadCommit) {
	kind, commit, _ := strings.Cut(e.Tag, "-")
	if commit != c.sha[:7] {
		m.broken(3, "%s was written on the artifact of %.7s", e.Tag, c.sha)
	}
	switch kind {
	case "sha", "integration":
		if !slices.ContainsFunc(slices.Collect(maps.Keys(m.named[e.Digest])), modelCandidateForm.MatchString) {
			m.broken(5, "%s was written before the artifact had a number", e.Tag)
		}
	case "validated":
		if !m.proven[e.Digest] && e.Digest != m.byHand {
			m.broken(3, "%s was written on %.15s, which no cluster proved healthy", e.Tag, e.Digest)
		}
	default:
		m.broken(0, "somebody wrote %s", e.Tag)
	}
}
