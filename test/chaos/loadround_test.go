package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// load is one repository over all rounds.
type load struct {
	kind    loadKind
	s       *registrytest.Server
	hub     *loadHub
	journal *programtest.Journal
	faults  *loadFaults
	dice    *rand.Rand
	model   *model
	epoch   time.Time

	commits []*loadCommit // oldest first
	head    *loadCommit
	held    []*loadCommit // older than others that were built, and not built yet
	builds  []*loadRun    // of all rounds
	events  []*loadRun
	now     []*loadRun // of this round

	writes  []programtest.TagWrite // of this round
	failed  int
	settled int
}

func startLoad(t *testing.T, kind loadKind, seed uint64) *load {
	t.Helper()
	l := &load{
		kind: kind, hub: startLoadHub(t), dice: rand.New(rand.NewPCG(seed, 1)), model: newModel(),
		epoch: time.Now().Add(-5 * time.Minute).Truncate(time.Second),
	}
	l.s = registrytest.Start(t, registrytest.Options{Latency: loadLatency, PageSize: 100})
	l.faults = &loadFaults{probability: kind.faults, dice: rand.New(rand.NewPCG(seed, 2))}
	delay := registrytest.RandomDelay(seed, kind.delay)
	l.journal = programtest.Keep(l.s, &programtest.Journal{
		Immutable: kind.immutable, Delay: func(programtest.TagWrite) time.Duration { return delay() },
	}, registrytest.Chain(l.faults.intercept, registrytest.Lag(kind.lag)))
	l.model.immutable, l.model.lag = kind.immutable, kind.lag
	l.model.window = kind.delay + kind.lag + loadRetryFor
	l.model.older = func(a, b modelArtifact) bool {
		if !kind.github {
			return a.created.Before(b.created)
		}
		return a.commit != b.commit && l.hub.commits[b.commit].contains(l.hub.commits[a.commit])
	}
	return l
}

// commit makes a commit on main, or beside it.
func (l *load) commit(beside bool) *loadCommit {
	n := len(l.commits)
	c := &loadCommit{
		sha: strings.Repeat(fmt.Sprintf("%08x", 0xabc00000+n*4099), 5), parent: l.head,
		created: l.epoch.Add(time.Duration(n) * time.Second), content: fmt.Sprintf("replicas: %d\n", n),
	}
	if n > 3 && l.dice.IntN(8) == 0 { // a revert: what an older commit holds
		c.content = l.commits[l.dice.IntN(n)].content
	}
	if !beside {
		l.head = c
	} else if l.head != nil && l.head.parent != nil {
		c.parent = l.head.parent
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
	if n%2 == 1 {
		runs[l.dice.IntN(len(runs))].killAfter = 50*time.Millisecond + time.Duration(l.dice.Int64N(int64(time.Second)))
	}
	l.builds = append(l.builds, runs...)
	events := l.planEvents(t)
	l.events = append(l.events, events...)
	runs = append(runs, events...)
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
		runs = append(runs, l.catchUp("a catch-up beside"))
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
			all = append(all, programtest.Artifact{Tag: tag, Digest: digest, Commit: l.model.artifacts[digest].commit})
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

// round plays one round and lets the model judge it.
func (l *load) round(t *testing.T, n int, last bool) {
	t.Helper()
	if n == 0 { // what the first events are about
		l.faults.off.Store(true)
		for range 2 {
			l.builds = append(l.builds, l.build(t, "the first build of", l.commit(false)))
			l.complete(t, l.builds[len(l.builds)-1])
		}
		l.look()
	}
	l.s.Reset()
	l.writes = nil
	l.now = l.plan(t, n)
	for _, r := range l.now {
		if r.proof {
			l.model.proven[r.digest] = true
		}
	}
	l.faults.off.Store(false)
	loadTogether(t, l.now)
	l.faults.off.Store(true)
	for _, r := range l.now {
		if r.failed() {
			l.failed++
			l.complete(t, r)
		}
	}
	time.Sleep(l.kind.lag)
	after := l.catchUp("the catch-up")
	l.complete(t, after)
	l.now = append(l.now, after)
	l.look()
	l.check(t)
	l.again(t, last)
	l.verify(t)
	if n%2 == 1 {
		l.rollBack(t)
	}
}

// complete runs until it succeeds, as a person runs a job again.
func (l *load) complete(t *testing.T, r *loadRun) {
	t.Helper()
	for range 3 {
		if r.do(t); !r.failed() {
			return
		}
	}
	t.Errorf("without faults it still fails: %s", r)
}

// look shows the model what was written.
func (l *load) look() {
	writes := l.journal.All()
	l.writes = append(l.writes, writes...)
	l.model.see(writes)
}

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
	for sha, built := range l.outcomes() {
		if !built {
			m.checkSuperseded(sha, l.kind.github)
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

// outcomes tells of each commit whether one of its builds was not superseded.
func (l *load) outcomes() map[string]bool {
	built := map[string]bool{}
	for _, r := range l.builds {
		built[r.commit.sha] = built[r.commit.sha] || r.report.Outcome != "superseded"
	}
	return built
}

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
		runs = runs[:3]
	} else if !*programtest.Long {
		runs = runs[:16]
	}
	for some := range slices.Chunk(runs, loadBuilds) {
		again := make([]*loadRun, len(some))
		for i, r := range some {
			again[i] = &loadRun{what: "again: " + r.what, env: r.env, args: r.args}
		}
		loadTogether(t, again)
		for _, r := range again {
			if !slices.Contains([]string{"unchanged", "superseded", "ignored"}, r.report.Outcome) {
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
	t.Logf("%s\n%s", b.String(), l.s.RequestLog())
}
