package chaos

import (
	"slices"

	"github.com/oci-promote/oci-promote/test/programtest"
)

// collided: the artifact lost a version to another one whose write was under way at the same time.
func (m *model) collided(digest string) bool {
	return slices.ContainsFunc(m.collisions, func(e programtest.TagWrite) bool { return e.Before == digest })
}

// lost: no version names what a build reported. A collision can leave that, and the build, run again, mends it.
func (m *model) lost(digest string) bool {
	return m.tags.rank(digest) == "" && m.tags.stableOf(digest) == ""
}

// passed: a candidate's or the stable's commit contains this one (promise 10); since is only those that could be read
// before the run began, or nil.
func (m *model) passed(c *loadCommit, since func(tag string) bool) string {
	all := m.tags.highest(modelCandidateForm, func(tag string) bool { return since(tag) && m.contains(m.artifacts[m.tags[tag]], c) })
	if top := m.tags.stable(); all == "" && top != "" && since(top) && m.contains(m.artifacts[m.tags.live()], c) {
		return top
	}
	return all
}

// checkBuild holds a build to promises 4, 5 and 10, when all of its round are done.
func (m *model) checkBuild(r *loadRun) {
	c, said := r.commit, r.report
	switch said.Outcome {
	case "created", "unchanged":
	case "superseded":
		if m.passed(c, func(string) bool { return true }) == "" {
			m.broken(10, "the build of %.7s says superseded, and no commit with a number contains it", c.sha)
		}
		return
	default:
		m.broken(4, "the build of %.7s says %q", c.sha, said.Outcome)
		return
	}
	if m.artifacts[said.Digest] != c || m.lost(said.Digest) {
		m.broken(4, "the build of %.7s is lost: nothing names %.15s", c.sha, said.Digest)
	}
	for _, tag := range []string{"sha-" + c.sha[:7], "integration-" + c.sha[:7]} {
		if m.tags[tag] != said.Digest {
			m.broken(5, "the build of %.7s is %.15s, and %s names %.15s", c.sha, said.Digest, tag, m.tags[tag])
		}
	}
	if !m.named[said.Digest][said.Candidate] || m.tags[said.Candidate] != said.Digest && !m.collided(said.Digest) {
		m.broken(4, "the build of %.7s reports %s on %.15s, which names %.15s", c.sha, said.Candidate, said.Digest, m.tags[said.Candidate])
	}
	before := func(tag string) bool { return m.first[tag].Add(m.lag).Before(r.started) && !m.collided(m.tags[tag]) }
	if by := m.passed(c, before); by != "" && said.Outcome == "created" {
		m.broken(10, "the build of %.7s began when %s was on a commit that contains it, and got %s", c.sha, by, said.Candidate)
	}
}

// checkSuperseded: a commit of which every build was superseded has no tag at all.
func (m *model) checkSuperseded(c *loadCommit, builds []*loadRun) {
	if slices.ContainsFunc(builds, func(r *loadRun) bool { return r.commit == c && r.report.Outcome != "superseded" }) {
		return
	}
	for tag, digest := range m.tags {
		if m.artifacts[digest] == c && !m.collided(digest) {
			m.broken(10, "every build of %.7s was superseded, and it has %s", c.sha, tag)
		}
	}
}

// checkPromotion holds a promotion to what it reported, when all of its round are done.
func (m *model) checkPromotion(r *loadRun) {
	said, rank := r.report, m.tags.rank(r.digest)
	switch said.Outcome {
	case "promoted", "unchanged":
		if said.Digest != r.digest || m.tags[said.Version] != r.digest {
			m.broken(2, "a promotion of %s says %s %s on %.15s, which names %.15s", rank, said.Outcome, said.Version, said.Digest, m.tags[said.Version])
		}
	case "superseded":
		if !m.held(r.digest) && m.newer(r.digest, m.tags.live()) {
			m.broken(2, "a promotion of %s says superseded, and the stable %s is of %s", rank, m.tags.stable(), m.tags.rank(m.tags.live()))
		}
	default:
		m.broken(2, "a promotion of %s says %q", rank, said.Outcome)
	}
}

// checkRescued: what a run says that it rescued had another number before, and has that one or a higher one now.
func (m *model) checkRescued(r *loadRun) {
	for _, s := range r.report.Rescued {
		kept := m.named[s.Digest][s.From] && m.named[s.Digest][s.Candidate] && s.From != s.Candidate
		if rank := m.tags.rank(s.Digest); !kept || !m.collided(s.Digest) && (rank == "" || modelLess(rank, s.Candidate)) {
			m.broken(9, "%s says that it gave %s to %s, whose number is %s", r.what, s.Candidate, s.From, rank)
		}
	}
}

// checkSettled holds the tags, when every failed run was run again and a catch-up came last, to promises 2 and 9: what was
// validated and may go live is live, and the newest that may go live has the highest open candidate.
func (m *model) checkSettled() {
	top, live := m.tags.top(), m.tags.live()
	if live == "" {
		return
	}
	var waiting []string
	for digest := range m.artifacts {
		switch {
		case m.lost(digest) || digest == live || m.held(digest) || !m.newer(digest, live):
		case m.tags.stableOf(digest) != "":
		case m.proven[digest]:
			m.broken(2, "the stable %s is of %s, and %s was validated and is newer", m.tags.stable(), m.tags.rank(live), m.tags.rank(digest))
		default:
			waiting = append(waiting, digest)
		}
	}
	if top == "" && len(waiting) > 0 {
		m.broken(9, "%s is left behind by the stable %s, which is of %s", m.tags.rank(waiting[0]), m.tags.stable(), m.tags.rank(live))
	}
	if top == "" || !m.github { // without GitHub's word nothing is lifted above what is open
		return
	}
	on := m.artifacts[m.tags[top]]
	for _, digest := range slices.Concat(waiting, []string{live}) {
		if m.contains(m.artifacts[digest], on) {
			m.broken(9, "integration selects %s, of %.7s, and %s is of the newer %.7s", top, on.sha, m.tags.rank(digest), m.artifacts[digest].sha)
		}
	}
}
