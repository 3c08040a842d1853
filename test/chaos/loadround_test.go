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

// round plays one round and lets the model judge it.
func (l *load) round(t *testing.T, n int, last bool) {
	t.Helper()
	if n == 0 { // what the first events are about
		l.faults.off.Store(true)
		for range 2 {
			l.builds = append(l.builds, l.build(t, "the first build of", l.commit(false)))
			l.complete(t, l.builds[len(l.builds)-1])
		}
		time.Sleep(l.kind.lag)
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
	} else {
		l.strand(t)
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
