package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// TestBuildsAtOnce tries to break promise 4: builds of different commits, started
// together against a slow registry, end with one candidate each, and each one reports
// the tag that it really has.
func TestBuildsAtOnce(t *testing.T) {
	const builds = 8
	rounds := 4
	if testing.Short() {
		rounds = 1
	}
	for _, limit := range []time.Duration{0, 200 * time.Millisecond, 2 * time.Second} {
		for round := range rounds {
			t.Run(fmt.Sprintf("delay up to %s round %d", limit, round), func(t *testing.T) {
				t.Parallel()
				o := registrytest.Options{Token: true, Latency: 20 * time.Millisecond}
				if limit > 0 {
					o.WriteDelay = registrytest.RandomDelay(uint64(round)+1, limit)
				}
				s := registrytest.Start(t, o)
				reports := buildAtOnce(t, s, builds)
				checkBuilds(t, s, reports)
			})
		}
	}
}

func buildAtOnce(t *testing.T, s *registrytest.Server, builds int) []programtest.BuildReport {
	t.Helper()
	reports := make([]programtest.BuildReport, builds)
	var wg sync.WaitGroup
	for i := range builds {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "app.yaml"), []byte("replicas: "+strconv.Itoa(i)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		commit := strings.Repeat(fmt.Sprintf("%08x", 0xabc00000+i*4096), 5)
		wg.Go(func() { reports[i] = programtest.BuildOnce(t, s, dir, commit) })
	}
	wg.Wait()
	return reports
}

// checkBuilds compares what the registry holds with what the builds said.
func checkBuilds(t *testing.T, s *registrytest.Server, reports []programtest.BuildReport) {
	t.Helper()
	tags := s.Tags(fleet)
	candidates, digests := 0, map[string]bool{}
	for tag, d := range tags {
		if strings.Contains(tag, "-rc.") {
			candidates++
			digests[d] = true
		}
	}
	if candidates != len(reports) || len(digests) != len(reports) {
		t.Errorf("%d candidates on %d digests, want %d on as many", candidates, len(digests), len(reports))
	}
	for _, r := range reports {
		if r.Outcome != "created" {
			t.Errorf("build of %.7s says %q, want created", r.SHA, r.Outcome)
		}
		for _, tag := range []string{r.Candidate, "sha-" + r.SHA[:7], "integration-" + r.SHA[:7]} {
			if tags[tag] != r.Digest {
				t.Errorf("build of %.7s reports %s, but %q names %q\n%s", r.SHA, r.Digest, tag, tags[tag], r.Log)
			}
		}
	}
	if t.Failed() {
		t.Logf("tags: %v\n%s", tags, s.RequestLog())
	}
}
