package chaos

import (
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
)

// modelBuild is a build that ended, by what it reported.
type modelBuild struct {
	modelArtifact
	started, ended             time.Time
	outcome, candidate, digest string
}

// modelPromotion is a promotion that ended, by what it reported; digest is that of its event.
type modelPromotion struct {
	digest, outcome, version, reported string
	rescued, rescuedDigest             string
}

// mustHaveSeen is a newest candidate that is of a newer commit than the build's, where each that the build can have seen
// is: all that were the newest for a moment between its start, or as long before as readings trail, and its own number.
// Else "".
func (m *model) mustHaveSeen(b modelBuild) string {
	from, seen, newest := b.started.Add(-m.lag), modelTags{}, ""
	fits := func() bool {
		newest = seen.newest()
		return newest != "" && m.older(b.modelArtifact, m.artifacts[seen[newest]])
	}
	began := false
	for _, n := range m.numbers {
		if !began && n.at.After(from) {
			if began = true; !fits() {
				return ""
			}
		}
		if n.digest == b.digest {
			break
		}
		if seen[n.tag] = n.digest; began && !fits() {
			return ""
		}
	}
	return newest
}

// checkBuild holds a build to promises 4 and 10, when all of its round are done.
func (m *model) checkBuild(b modelBuild) {
	switch b.outcome {
	case "created", "unchanged":
	case "superseded":
		if !m.late(b.modelArtifact) {
			m.broken(10, "the build of %.7s says superseded, and no newer commit has a number", b.commit)
		}
		m.checkReported(b)
		if had := m.had(b); had != "" && !m.belowNewer(had) {
			m.broken(10, "the build of %.7s says superseded, and had %s when it began", b.commit, had)
		}
		return
	default:
		m.broken(4, "the build of %.7s says %q", b.commit, b.outcome)
		return
	}
	m.checkReported(b)
	if m.tags.rank(b.digest) == "" && m.tags.stableOf(b.digest) == "" {
		m.broken(4, "the build of %.7s is lost: nothing names %.15s", b.commit, b.digest)
	}
	for _, tag := range []string{"sha-" + b.commit[:7], "integration-" + b.commit[:7]} {
		if m.tags[tag] != b.digest {
			m.broken(4, "the build of %.7s is %.15s, and %s names %.15s", b.commit, b.digest, tag, m.tags[tag])
		}
	}
	if b.outcome == "created" {
		if newest := m.mustHaveSeen(b); newest != "" {
			m.broken(10, "the build of %.7s began when %s was on a newer commit, and got %s", b.commit, newest, b.candidate)
		}
	}
}

// checkReported: the number that a build reports is its artifact's. One that a promotion has passed need not stay so: no
// cluster selects it, and a build that chose it before may write it yet.
func (m *model) checkReported(b modelBuild) {
	if b.candidate == "" || m.tags[b.candidate] == b.digest {
		return
	}
	named := ""
	for _, n := range m.numbers {
		if n.tag == b.candidate && n.at.Before(b.ended) {
			named = n.digest
		}
	}
	if named != b.digest || m.tags.above(b.candidate) {
		m.broken(4, "the build of %.7s reports %s on %.15s, which names %.15s", b.commit, b.candidate, b.digest, m.tags[b.candidate])
	}
}

// had is the highest number that the build's commit had when it began, or as long before as readings trail, and has still.
// What another run of it takes meanwhile is that one's: it may have chosen it before the newer commit had a number.
func (m *model) had(b modelBuild) string {
	return m.tags.highest(modelCandidateForm, func(tag string) bool {
		return m.artifacts[m.tags[tag]].commit == b.commit && slices.ContainsFunc(m.numbers, func(n modelNumber) bool {
			return n.tag == tag && n.digest == m.tags[tag] && n.at.Before(b.started.Add(-m.lag))
		})
	})
}

// belowNewer: a candidate above this one is of a newer commit.
func (m *model) belowNewer(candidate string) bool {
	for tag, digest := range m.tags {
		if modelCandidateForm.MatchString(tag) && modelLess(candidate, tag) && m.older(m.artifacts[m.tags[candidate]], m.artifacts[digest]) {
			return true
		}
	}
	return false
}

// checkSuperseded: a commit of which every build was superseded has no tag at all. With GitHub's word a build may learn
// it when it has announced itself and even tried a number: that is below one of a newer commit. So may one that failed.
func (m *model) checkSuperseded(commit string, announced bool) {
	for tag, digest := range m.tags {
		if m.artifacts[digest].commit == commit && (!announced || modelCandidateForm.MatchString(tag) && !m.belowNewer(tag)) {
			m.broken(10, "every build of %.7s was superseded, and it has %s", commit, tag)
		}
	}
}

// checkOrder: where GitHub tells the order, the highest number is on no ancestor of a commit that has one.
func (m *model) checkOrder() {
	top := m.tags.newest()
	for tag, digest := range m.tags {
		if modelCandidateForm.MatchString(tag) && m.older(m.artifacts[m.tags[top]], m.artifacts[digest]) {
			m.broken(10, "integration selects %s, of commit %.7s, and %s is of the newer %.7s",
				top, m.artifacts[m.tags[top]].commit, tag, m.artifacts[digest].commit)
		}
	}
}

// checkPromotion holds a promotion to what it reported, when all of its round are done.
func (m *model) checkPromotion(p modelPromotion) {
	top := m.tags.stable()
	switch p.outcome {
	case "promoted", "unchanged":
		if p.reported != p.digest || m.tags[p.version] != p.digest {
			m.broken(2, "a promotion of %.15s says %s %s on %.15s, which names %.15s", p.digest, p.outcome, p.version, p.reported, m.tags[p.version])
		}
	case "superseded":
		if m.tags[top] == p.digest || !m.tags.rollback() && !m.tags.outranks(m.tags[top], p.digest) {
			m.broken(2, "a promotion of %s says superseded, and the stable %s is of %s", m.tags.rank(p.digest), top, m.tags.rank(m.tags[top]))
		}
	default:
		m.broken(2, "a promotion of %s says %q", m.tags.rank(p.digest), p.outcome)
	}
	m.checkRescue(p)
}

// checkRescue: what was rescued has that number or a higher one. Of two rescues at once, of what builds under way had
// numbered for a moment, the later one keeps rc.0, and those builds take numbers of their own, or are superseded.
func (m *model) checkRescue(p modelPromotion) {
	if p.rescued == "" {
		return
	}
	rank := m.tags.rank(p.rescuedDigest)
	if kept := rank != "" && !modelLess(rank, p.rescued); !m.named[p.rescuedDigest][p.rescued] || !kept && !m.late(m.artifacts[p.rescuedDigest]) {
		m.broken(9, "a promotion says that it gave %s to %.15s, whose number is %s", p.rescued, p.rescuedDigest, rank)
	}
}

// checkSettled holds the tags, when every failed run was run again and a catch-up came last, to promises 2 and 9.
func (m *model) checkSettled() {
	top := m.tags.stable()
	if top == "" {
		return
	}
	live := m.tags[top]
	for digest := range m.proven {
		rank := m.tags.rank(digest)
		if m.tags.outranks(digest, live) && (!m.tags.rollback() || m.tags.above(rank)) {
			m.broken(2, "the stable %s is of %s, and %s was validated and is newer", top, m.tags.rank(live), rank)
		}
	}
	newest := m.tags.newest()
	if newest == "" || m.tags.above(newest) || m.tags.rollback() || m.tags.rank(live) == "" {
		return
	}
	stranded := m.tags.highest(modelCandidateForm, func(tag string) bool { return m.tags.stableOf(m.tags[tag]) == "" })
	if stranded != "" && m.tags.outranks(m.tags[stranded], live) {
		m.broken(9, "%s is left behind by the stable %s, which is of %s", stranded, top, m.tags.rank(live))
	}
}

// checkRescued: rc.0 is the number of a rescue; it is on what had a number before.
func (m *model) checkRescued() {
	had := map[string]bool{}
	for _, n := range m.numbers {
		if strings.HasSuffix(n.tag, "-rc.0") && !had[n.digest] {
			m.broken(9, "%s was given to %.15s, which had no number", n.tag, n.digest)
		}
		had[n.digest] = true
	}
}

// losers of collisions have the next patch, or something newer has it.
func (m *model) checkCollisions() (unrepaired int) {
	for _, e := range m.collisions {
		other := m.tags.stableOf(e.Before)
		if other == "" && !m.tags.outranks(m.tags[m.tags.stable()], e.Before) {
			m.broken(1, "%s moved from %.15s, which has no other stable now", e.Tag, e.Before)
		}
		if other == "" || semver.MustParse(other).LessThan(semver.MustParse(e.Tag)) {
			unrepaired++
		}
	}
	return unrepaired
}
