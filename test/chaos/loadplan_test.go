package chaos

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/test/programtest"
)

// commit makes a commit on main, or beside it.
func (l *load) commit(beside bool) *loadCommit {
	n := len(l.commits)
	c := &loadCommit{
		sha: strings.Repeat(fmt.Sprintf("%08x", 0xabc00000+n*4099), 5), parent: l.head, height: 1, bump: "patch",
		created: l.epoch.Add(time.Duration(n) * time.Second), content: fmt.Sprintf("replicas: %d\n", n),
	}
	if l.bumps && l.dice.IntN(6) == 0 {
		c.bump = "minor"
	}
	if n > 3 && l.dice.IntN(8) == 0 { // a revert: what an older commit holds
		c.content = l.commits[l.dice.IntN(n)].content
	}
	if !beside {
		l.head = c
	} else if l.head.parent != nil {
		c.parent = l.head.parent
	}
	if c.parent != nil {
		c.height += c.parent.height
	}
	l.commits = append(l.commits, c)
	l.hub.add(c)
	return c
}

// plan are the runs of a round: 16 builds, of which some are of one commit, of an old one, of one that was built
// before, or of a branch; and 4 promotions.
func (l *load) plan(t *testing.T, n int) []*loadRun {
	t.Helper()
	spread := []time.Duration{0, 300 * time.Millisecond, 1500 * time.Millisecond}[l.dice.IntN(3)]
	l.bumps = n%2 == 0
	var runs []*loadRun
	build := func(what string, c *loadCommit) { runs = append(runs, l.build(t, what, c)) }
	if len(l.held) > 0 {
		build("the late build of", l.held[0])
		l.held = l.held[1:]
	}
	if len(l.builds) > 0 {
		build("the build again of", l.builds[l.dice.IntN(len(l.builds))].commit)
	}
	for i := 0; len(runs) < loadBuilds-2; i++ {
		c := l.commit(i%6 == 5)
		if i == 3 {
			l.held = append(l.held, c)
			continue
		}
		build("the build of", c)
	}
	for range 2 {
		build("the twin build of", runs[len(runs)-1-l.dice.IntN(6)].commit)
	}
	l.builds = append(l.builds, runs...)
	events := l.planEvents(t)
	l.events = append(l.events, events...)
	runs = append(runs, events...)
	if n%2 == 1 {
		runs[l.dice.IntN(len(runs))].killAfter = 50*time.Millisecond + time.Duration(l.dice.Int64N(int64(time.Second)))
	}
	for _, r := range runs {
		r.delay = time.Duration(l.dice.Int64N(int64(spread) + 1))
	}
	l.dice.Shuffle(len(runs), func(i, j int) { runs[i], runs[j] = runs[j], runs[i] })
	return runs
}

// planEvents are promotions: of the newest candidate, in several ways, of one below it, and of an old one.
func (l *load) planEvents(t *testing.T) []*loadRun {
	t.Helper()
	candidates := l.candidates()
	if len(candidates) == 0 {
		return nil
	}
	pick := func(among int) programtest.Artifact { return candidates[l.dice.IntN(min(among, len(candidates)))] }
	status := func(what string, a programtest.Artifact) *loadRun {
		l.hub.post(a.Commit, "kustomization/platform/"+a.Tag+"@"+a.Digest, "success")
		return l.promotion(t, what, a, a.BoundStatus(t))
	}
	newest, below, old := candidates[0], pick(4), pick(len(candidates))
	runs := []*loadRun{status("the status", newest), l.promotion(t, "the dispatch", below, below.Dispatch(t)), status("the late status", old)}
	switch last := pick(3); l.dice.IntN(4) {
	case 0:
		runs = append(runs, status("the same status", newest))
	case 1:
		runs = append(runs, l.catchUp(t, "a catch-up beside"))
	case 2:
		l.hub.post(last.Commit, "kustomization/platform/be63676c", "success")
		runs = append(runs, l.promotion(t, "the plain status", last, last.PlainStatus(t)))
	default:
		context := "kustomization/platform/" + last.Tag + "@" + last.Digest
		r := l.promotion(t, "the failure", last, programtest.StatusOf(t, last.Commit, context, "failure"))
		r.proof = false
		runs = append(runs, r)
	}
	return runs
}

// candidates are those of now, highest first, as a cluster knows them.
func (l *load) candidates() []programtest.Artifact {
	var all []programtest.Artifact
	for tag, digest := range l.model.tags {
		if modelCandidateForm.MatchString(tag) {
			all = append(all, programtest.Artifact{Tag: tag, Digest: digest, Commit: l.model.artifacts[digest].sha})
		}
	}
	slices.SortFunc(all, func(a, b programtest.Artifact) int {
		if modelLess(a.Tag, b.Tag) {
			return 1
		}
		return -1
	})
	return all
}
