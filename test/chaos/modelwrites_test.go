package chaos

import (
	"strings"

	"github.com/oci-promote/oci-promote/test/programtest"
)

// see judges writes, in the order in which they took effect.
func (m *model) see(writes []programtest.TagWrite) {
	for _, e := range writes {
		a := m.learn(e)
		if now := m.tags[e.Tag]; now != e.Before {
			m.broken(0, "the journal misses a write of %s, from %.15s to %.15s", e.Tag, now, e.Before)
		}
		switch {
		case modelStableForm.MatchString(e.Tag):
			m.seeStable(e, a)
		case modelCandidateForm.MatchString(e.Tag):
			m.seeCandidate(e, a)
		default:
			m.seeCommitTag(e, a)
		}
		if m.named[e.Digest] == nil {
			m.named[e.Digest] = map[string]bool{}
		}
		m.named[e.Digest][e.Tag] = true
		m.tags[e.Tag] = e.Digest
	}
}

func (m *model) seeStable(e programtest.TagWrite, a modelArtifact) {
	top := m.tags.stable()
	was := m.tags[top]
	if e.Before == "" {
		m.first[e.Tag] = e.At
	} else if e.Before != e.Digest {
		m.collisions = append(m.collisions, e)
		if after := e.At.Sub(m.first[e.Tag]); m.immutable || after > m.window {
			m.broken(1, "%s moved from %.15s to %.15s, %s after it was written", e.Tag, e.Before, e.Digest, after)
		}
	}
	hand := m.byHand[e.Digest]
	if !m.proven[e.Digest] && !hand {
		m.broken(3, "%s was written on %.15s, which nobody validated", e.Tag, e.Digest)
	}
	if !m.named[e.Digest]["validated-"+a.commit[:7]] {
		m.broken(5, "%s was written on %.15s before its validated-%.7s", e.Tag, e.Digest, a.commit)
	}
	if m.tags.rollback() && !hand && modelLess(top, e.Tag) && e.Before == "" && !m.tags.above(m.tags.rank(e.Digest)) {
		m.broken(2, "the rollback %s was undone by %s, of %s", top, e.Tag, m.tags.rank(e.Digest))
	}
	// A move is judged by where the stables end: the loser takes the next patch.
	if top != "" && modelLess(top, e.Tag) && !hand && e.Before == "" && was != e.Digest && !m.tags.outranks(e.Digest, was) {
		m.broken(2, "live jumps from %s (%s) to %s (%s), which is older", top, m.tags.rank(was), e.Tag, m.tags.rank(e.Digest))
	}
}

func (m *model) seeCandidate(e programtest.TagWrite, a modelArtifact) {
	if e.Before != "" && e.Before != e.Digest {
		m.overwrites++
	}
	if !m.named[e.Digest]["sha-"+a.commit[:7]] {
		m.broken(5, "%s was written on %.15s before its sha-%.7s", e.Tag, e.Digest, a.commit)
	}
	m.numbers = append(m.numbers, modelNumber{e.Tag, e.Digest, e.At})
}

func (m *model) seeCommitTag(e programtest.TagWrite, a modelArtifact) {
	kind, commit, _ := strings.Cut(e.Tag, "-")
	if commit != a.commit[:7] {
		m.broken(3, "%s was written on the artifact of %.7s", e.Tag, a.commit)
	}
	switch kind {
	case "sha":
	case "integration":
		if !m.hadNumber(e.Digest) && !m.late(a) {
			m.broken(5, "%s was written before the artifact had a number", e.Tag)
		}
	case "validated":
		if !m.proven[e.Digest] {
			m.broken(3, "%s was written on %.15s, which no cluster proved healthy", e.Tag, e.Digest)
		}
	default:
		m.broken(0, "somebody wrote %s", e.Tag)
	}
}

func (m *model) hadNumber(digest string) bool {
	for tag := range m.named[digest] {
		if modelCandidateForm.MatchString(tag) {
			return true
		}
	}
	return false
}

// late: a newer commit has a number.
func (m *model) late(a modelArtifact) bool {
	for _, n := range m.numbers {
		if m.older(a, m.artifacts[n.digest]) {
			return true
		}
	}
	return false
}
