package chaos

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

func (l *load) check(t *testing.T) {
	t.Helper()
	m := l.model
	for _, r := range l.now {
		m.checkRescued(r)
		switch {
		case r.commit != nil:
			m.checkBuild(r)
			l.checkRequests(t, r)
		case r.proof:
			m.checkPromotion(r)
		case r.digest != "" && r.report.Outcome != "ignored":
			m.broken(3, "%s says %s", r.what, r.report.Outcome)
		}
	}
	for _, c := range l.commits {
		m.checkSuperseded(c, l.builds)
	}
	m.checkSettled()
	l.report(t)
}

// checkRequests: a build among 16 costs what it costs alone, and waits for nobody, which it would have to ask for. Only
// where something may be due it looks for that.
func (l *load) checkRequests(t *testing.T, r *loadRun) {
	t.Helper()
	if r.attempts > 1 {
		return
	}
	most, shows := 14, 1
	rose := func(e programtest.TagWrite) bool {
		return modelStableForm.MatchString(e.Tag) && e.At.After(r.started) && e.Began.Before(r.ended)
	}
	if l.model.uneasy || slices.ContainsFunc(l.writes, rose) {
		most = 40
	}
	if l.kind.lag > 0 {
		most, shows = most+3, 4 // looks at what it wrote, and lists, until that is shown
	}
	lists := 1 + shows
	for _, e := range l.model.collisions { // each costs a look at the next base, and a list
		if l.model.artifacts[e.Digest].height == r.commit.height {
			lists += shows
		}
	}
	if l.kind.lag > 0 {
		lists += shows * len(r.report.Rescued)
		most += lists - 2
	}
	all, listed := 0, 0
	for _, asked := range l.model.requests {
		if asked.Host == r.host && asked.Start.Before(r.ended) {
			all++
			if isList(asked) {
				listed++
			}
		}
	}
	if met := l.faults.met[r.host]; all > most+3*met || listed > lists+met {
		t.Errorf("promise 4: %d requests, %d lists, %d faults: %s", all, listed, met, r)
	}
}

// isList: the request begins a list of tags.
func isList(r registrytest.Request) bool {
	return strings.Contains(r.Path, "/tags/list") && !strings.Contains(r.Path, "last=")
}

// report tells what the model found.
func (l *load) report(t *testing.T) {
	t.Helper()
	for _, p := range l.model.problems {
		t.Error(p)
	}
	l.model.problems = nil
}

// again runs what was done once more: it changes nothing, and says so (promise 6).
func (l *load) again(t *testing.T, all bool) {
	t.Helper()
	runs := slices.Concat(l.builds, l.events)
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
			if !slices.Contains([]string{"unchanged", "superseded", "pending", "ignored"}, r.report.Outcome) {
				t.Errorf("promise 6: %s", r)
			}
		}
	}
	l.settled += len(runs)
	for _, e := range l.journal.All() {
		t.Errorf("promise 6: what was done is done again: %s is written on %.15s", e.Tag, e.Digest)
	}
}

// verify finds nothing wrong, and nothing due, in what the model finds right.
func (l *load) verify(t *testing.T) {
	t.Helper()
	r := l.run(t, "verify", false, []string{"verify", "--json", "--plain-http", "--username", l.s.Username, "--fail-on", "never"})
	r.do(t)
	for _, f := range r.report.Findings {
		if f.Severity == "error" || f.Code == "stranded" {
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
	i := slices.IndexFunc(all, func(a programtest.Artifact) bool {
		return a.Digest != all[0].Digest && m.tags.rank(a.Digest) == a.Tag && m.tags.open(a.Tag) && m.newer(a.Digest, m.tags.live())
	})
	if i < 0 {
		return
	}
	l.hub.post(all[i].Commit, "kustomization/platform/"+all[i].Tag+"@"+all[i].Digest, "success")
	l.quiet(t, l.promotion(t, "the quiet status", all[i], all[i].BoundStatus(t)), all[i].Digest)
}

// quiet is a promotion when nothing else runs.
func (l *load) quiet(t *testing.T, r *loadRun, digest string) {
	t.Helper()
	m := l.model
	m.proven[digest] = true
	l.complete(t, r)
	l.look()
	l.now = append(l.now, r)
	m.checkPromotion(r)
	m.checkSettled()
	if r.report.Outcome != "promoted" || m.tags.live() != digest {
		t.Errorf("%s", r)
	}
	l.report(t)
}

// rollBack makes an artifact live again, by hand, that was live before, or one that never was and is older. The rounds
// after it must let that hold.
func (l *load) rollBack(t *testing.T) {
	t.Helper()
	m := l.model
	live := m.tags.live()
	var older []string
	for digest := range m.artifacts {
		if rank := m.tags.rank(digest); rank != "" && m.newer(live, digest) && (m.tags.rank(live) == "" || modelLess(rank, m.tags.rank(live))) {
			older = append(older, digest)
		}
	}
	if len(older) == 0 {
		return
	}
	slices.Sort(older)
	m.byHand = older[l.dice.IntN(len(older))]
	r := l.run(t, "the rollback", l.kind.github, programtest.TagArgs(l.s, "--version", "next", "--allow-unvalidated", "--digest", m.byHand))
	r.digest = m.byHand
	l.quiet(t, r, m.byHand)
	if r.do(t); r.report.Outcome != "unchanged" || len(l.journal.All()) > 0 {
		t.Errorf("promise 6: %s", r)
	}
	m.byHand = ""
}

func (l *load) summary() string {
	m := l.model
	return fmt.Sprintf("%d tags, %d faults, %d runs failed and were run again, %d versions collided, %d builds lost theirs by that, %d runs repeated",
		len(m.tags), l.faults.count, l.failed, len(m.collisions), l.lost, l.settled)
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
