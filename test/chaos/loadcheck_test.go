package chaos

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/test/programtest"
)

func (l *load) check(t *testing.T) {
	t.Helper()
	m := l.model
	for _, r := range l.now {
		p := modelPromotion{digest: r.digest, outcome: r.report.Outcome, version: r.report.Version, reported: r.report.Digest}
		if rescued := r.report.Rescued; rescued != nil {
			p.rescued, p.rescuedDigest = rescued.Candidate, rescued.Digest
		}
		switch {
		case r.commit != nil:
			m.checkBuild(modelBuild{
				modelArtifact{r.commit.sha, r.commit.created}, r.started, r.ended, r.report.Outcome, r.report.Candidate, r.report.Digest,
			})
		case r.digest == "":
			m.checkRescue(p)
		case !r.proof && p.outcome != "ignored":
			m.broken(3, "%s says %s", r.what, p.outcome)
		case r.proof:
			m.checkPromotion(p)
		}
	}
	for sha, superseded := range l.superseded() {
		if superseded.always {
			m.checkSuperseded(sha, l.kind.github || superseded.failed)
		}
	}
	// A build that failed may have taken a number above that of a newer commit; the next one of the newest is above both.
	whole := !slices.ContainsFunc(l.now, func(r *loadRun) bool { return r.commit != nil && r.attempts > 1 })
	if l.kind.github && whole {
		m.checkOrder()
	}
	m.checkSettled()
	m.checkRescued()
	m.checkCollisions()
	l.report(t)
}

// loadSuperseded tells of a commit whether each of its builds was superseded, and whether one failed before, which may
// have announced itself.
type loadSuperseded struct{ always, failed bool }

func (l *load) superseded() map[string]loadSuperseded {
	all := map[string]loadSuperseded{}
	for _, r := range l.builds {
		s, known := all[r.commit.sha]
		s.always = (s.always || !known) && r.report.Outcome == "superseded"
		s.failed = s.failed || r.attempts > 1
		all[r.commit.sha] = s
	}
	return all
}

// report tells what the model found. Where builds took longer than promise 4 allows, as on a machine that does too much
// else, their numbers are not judged.
func (l *load) report(t *testing.T) {
	t.Helper()
	const limit = 30 * time.Second
	slow := slices.ContainsFunc(l.now, func(r *loadRun) bool { return r.commit != nil && r.ended.Sub(r.started) > limit })
	for _, p := range l.model.problems {
		if slow && (strings.HasPrefix(p, "promise 4:") || strings.HasPrefix(p, "promise 10:")) {
			t.Logf("not judged, since a build took more than %s: %s", limit, p)
			continue
		}
		t.Error(p)
	}
	l.model.problems = nil
}

// again runs what was done once more: it changes nothing, and says so (promise 6). A build that was superseded did
// nothing: by the times of commits alone, which is what counts without GitHub, it may get a number when builds at once
// have left an older commit on top (promise 10).
func (l *load) again(t *testing.T, all bool) {
	t.Helper()
	runs := slices.Concat(l.builds, l.events)
	if !l.kind.github {
		runs = slices.DeleteFunc(runs, func(r *loadRun) bool { return r.commit != nil && r.report.Outcome == "superseded" })
	}
	l.dice.Shuffle(len(runs), func(i, j int) { runs[i], runs[j] = runs[j], runs[i] })
	if !all {
		runs = runs[:min(3, len(runs))]
	} else if !*programtest.Long {
		runs = runs[:min(16, len(runs))]
	}
	for some := range slices.Chunk(runs, loadBuilds) {
		again := make([]*loadRun, len(some))
		for i, r := range some {
			again[i] = &loadRun{what: "again: " + r.what, env: r.env, args: r.args}
		}
		loadTogether(t, again)
		for _, r := range again {
			waits := r.report.Outcome == "pending" && r.report.Digest == "" // a catch-up
			if !waits && !slices.Contains([]string{"unchanged", "superseded", "ignored"}, r.report.Outcome) {
				t.Errorf("promise 6: %s", r)
			}
		}
	}
	l.settled += len(runs)
	for _, e := range l.journal.All() {
		t.Errorf("promise 6: what was done is done again: %s is written on %.15s", e.Tag, e.Digest)
	}
}

// verify finds nothing wrong in what the model finds right.
func (l *load) verify(t *testing.T) {
	t.Helper()
	r := &loadRun{what: "verify", env: l.env(false), args: []string{
		"verify", "--json", "--plain-http", "--repository", l.s.Host + "/" + programtest.Fleet, "--username", l.s.Username,
		"--retry-for", "0s", "--fail-on", "never",
	}}
	r.do(t)
	for _, f := range r.report.Findings {
		if f.Severity == "error" {
			t.Errorf("verify says %s: %s", f.Code, f.Message)
		}
	}
}

// strand promotes, when all is quiet, what is just below the newest candidate: that one is left behind by it, unless the
// promotion rescues it.
func (l *load) strand(t *testing.T) {
	t.Helper()
	m := l.model
	all := l.candidates()
	i := slices.IndexFunc(all, func(a programtest.Artifact) bool { return m.tags.rank(a.Digest) == a.Tag && a.Digest != all[0].Digest })
	if i < 0 || !m.tags.above(all[i].Tag) {
		return
	}
	l.hub.post(all[i].Commit, "kustomization/platform/"+all[i].Tag+"@"+all[i].Digest, "success")
	r := l.promotion(t, "the quiet status", all[i], all[i].BoundStatus(t))
	m.proven[r.digest] = true
	l.complete(t, r)
	l.look()
	l.now = append(l.now, r)
	m.checkPromotion(modelPromotion{digest: r.digest, outcome: r.report.Outcome, version: r.report.Version, reported: r.report.Digest})
	m.checkSettled()
	l.report(t)
}

// rollBack makes an artifact that was live before live again, by hand. The rounds after it must let it hold.
func (l *load) rollBack(t *testing.T) {
	t.Helper()
	m := l.model
	digest := m.tags[m.tags.highest(modelStableForm, func(tag string) bool { return m.tags[tag] != m.tags[m.tags.stable()] })]
	if digest == "" {
		return
	}
	m.byHand[digest] = true
	r := &loadRun{what: "the rollback", env: l.env(false), digest: digest, args: programtest.TagArgs(l.s, "--version", "next", "--digest", digest)}
	l.complete(t, r)
	l.look()
	delete(m.byHand, digest)
	l.now = append(l.now, r)
	if r.report.Outcome != "promoted" || m.tags[m.tags.stable()] != digest || !m.tags.rollback() {
		t.Errorf("%s", r)
	}
	l.report(t)
}

func (l *load) summary() string {
	m := l.model
	return fmt.Sprintf("%d tags, %d faults, %d runs failed and were run again, %d stables collided, %d candidates were overwritten, %d runs repeated",
		len(m.tags), l.faults.count, l.failed, len(m.collisions), m.overwrites, l.settled)
}

// tell prints the round that failed.
func (l *load) tell(t *testing.T) {
	t.Helper()
	var b strings.Builder
	for _, e := range l.writes {
		fmt.Fprintf(&b, "%s %s on %.15s, before %.15s\n", e.At.Format("05.000"), e.Tag, e.Digest, e.Before)
	}
	for _, r := range l.now {
		fmt.Fprintf(&b, "%s to %s: %s", r.started.Format("05.000"), r.ended.Format("05.000"), r)
	}
	t.Logf("%s\n%s", b.String(), l.s.Timeline())
}
