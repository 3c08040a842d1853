package chaos

import (
	"math/rand/v2"
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
	bumps   bool          // in this round some commits ask for a minor version
	held    []*loadCommit // older than others that were built, and not built yet
	builds  []*loadRun    // of all rounds
	events  []*loadRun
	now     []*loadRun // of this round

	writes                []programtest.TagWrite // of this round
	failed, lost, settled int
}

func startLoad(t *testing.T, kind loadKind, seed uint64) *load {
	t.Helper()
	l := &load{
		kind: kind, hub: startLoadHub(t, !kind.github), dice: rand.New(rand.NewPCG(seed, 1)),
		epoch: time.Now().Add(-5 * time.Minute).Truncate(time.Second),
	}
	l.s = registrytest.Start(t, registrytest.Options{Latency: loadLatency, PageSize: 100})
	l.faults = &loadFaults{probability: kind.faults, dice: rand.New(rand.NewPCG(seed, 2))}
	delay := registrytest.RandomDelay(seed, kind.delay)
	l.journal = programtest.Keep(l.s, &programtest.Journal{
		Immutable: kind.immutable, Delay: func(programtest.TagWrite) time.Duration { return delay() },
	}, registrytest.Chain(l.faults.intercept, registrytest.Lag(kind.lag)))
	l.model = &model{
		immutable: kind.immutable, github: kind.github, lag: kind.lag, commits: l.hub.commits,
		tags: modelTags{}, first: map[string]time.Time{}, artifacts: map[string]*loadCommit{},
		named: map[string]map[string]bool{}, proven: map[string]bool{},
	}
	return l
}

// round plays one round and lets the model judge it.
func (l *load) round(t *testing.T, n int, last bool) {
	t.Helper()
	l.faults.off.Store(true)
	if n == 0 { // what the first events are about
		for range 2 {
			l.builds = append(l.builds, l.build(t, "the first build of", l.commit(false)))
			l.complete(t, l.builds[len(l.builds)-1])
		}
		l.look()
	}
	l.s.Reset()
	l.writes, l.faults.met = nil, map[string]int{}
	l.now = l.plan(t, n)
	l.model.uneasy = !l.model.tags.settled()
	for _, r := range l.now {
		if r.proof {
			l.model.proven[r.digest] = true
		}
	}
	l.faults.off.Store(false)
	loadTogether(t, l.now)
	l.faults.off.Store(true)
	l.settle(t)
	l.check(t)
	l.again(t, last)
	l.verify(t)
	if n%2 == 1 {
		l.rollBack(t)
	} else {
		l.strand(t)
	}
}

// settle runs again what failed and what a collision took the number from, and then the schedule, until it finds nothing.
func (l *load) settle(t *testing.T) {
	t.Helper()
	for _, r := range l.now {
		if r.failed() {
			l.failed++
			l.complete(t, r)
		}
	}
	l.look()
	for _, r := range l.now {
		if d := r.report.Digest; r.commit != nil && d != "" && l.model.lost(d) && l.model.collided(d) {
			l.lost++
			l.complete(t, r)
		}
	}
	for range 5 {
		r := l.catchUp(t, "the catch-up")
		l.complete(t, r)
		l.now = append(l.now, r)
		if r.report.Outcome != "promoted" {
			break
		}
	}
	l.look()
}

// complete runs until it succeeds, as a person runs a job again.
func (l *load) complete(t *testing.T, r *loadRun) {
	t.Helper()
	for range 3 {
		time.Sleep(l.kind.lag)
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
	l.model.requests = l.s.Requests()
	l.model.see(writes)
}
