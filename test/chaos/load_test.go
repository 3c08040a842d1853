// Package chaos holds the program against a registry that misbehaves, for as long as one likes.
package chaos

import (
	"flag"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/test/programtest"
)

var (
	loadSeed   = flag.Uint64("load-seed", 1, "the first seed of TestLoad")
	loadRounds = flag.Int("load-rounds", 0, "rounds of each life in TestLoad; 0 for as many as the form has")
)

// loadKind is what a repository and its registry are like.
type loadKind struct {
	immutable, github bool
	lag, delay        time.Duration // of readings; the most that a write takes
	faults            float64       // of requests
}

const (
	loadBuilds     = 16
	loadPromotions = 4
	loadLatency    = 20 * time.Millisecond
	// loadRetryFor is short, so that some runs fail.
	loadRetryFor = 4 * time.Second
)

// TestLoad plays the life of repositories: in each round 16 builds and 4 promotions run at once, against a registry
// with latency, lagging readings and random faults, and then the model judges every write and every report. What a
// failed run left is completed by running it again.
//
// The long form tells ten lives of 20 rounds, one of each seed. A seed fixes what runs and how, not when: a failure may
// need several runs of its seed (-load-seed) to show again.
func TestLoad(t *testing.T) {
	kinds := []loadKind{
		{immutable: true, delay: 300 * time.Millisecond, faults: 0.02},
		{github: true, delay: 300 * time.Millisecond, faults: 0.02},
		{immutable: true, github: true, lag: 300 * time.Millisecond, delay: 200 * time.Millisecond, faults: 0.02},
		{lag: 200 * time.Millisecond, delay: 300 * time.Millisecond, faults: 0.02},
	}
	rounds, seeds := 5, uint64(1)
	if *programtest.Long {
		rounds, seeds = 20, 10
		kinds[1].delay = 2 * time.Second
	}
	if testing.Short() {
		rounds = 1
	}
	if *loadRounds > 0 {
		rounds = *loadRounds
	}
	atOnce := make(chan struct{}, len(kinds))
	var wg sync.WaitGroup
	defer wg.Wait()
	for seed := *loadSeed; seed < *loadSeed+seeds; seed++ {
		for i, kind := range kinds {
			if *programtest.Long && uint64(i) != seed%uint64(len(kinds)) {
				continue
			}
			wg.Go(func() {
				atOnce <- struct{}{}
				defer func() { <-atOnce }()
				t.Run(fmt.Sprintf("seed %d %+v", seed, kind), func(t *testing.T) { loadLife(t, kind, seed, rounds) })
			})
		}
	}
}

func loadLife(t *testing.T, kind loadKind, seed uint64, rounds int) {
	t.Helper()
	l := startLoad(t, kind, seed)
	for n := range rounds {
		began := time.Now()
		l.round(t, n, n == rounds-1)
		if t.Failed() {
			l.tell(t)
			t.Fatalf("seed %d, round %d", seed, n)
		}
		t.Logf("round %d took %s: %s", n, time.Since(began).Round(time.Millisecond), l.summary())
	}
}
