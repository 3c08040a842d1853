package test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// crowdBudget is what one of many builds at once may cost, in requests of any kind: what it costs alone, and a second look
// at its candidate where the first was a while ago, as on a busy machine.
const crowdBudget = 14

// TestBuildsAtOnce tries to break promise 4: builds of many commits of one line, started together against a slow registry.
// Each costs what it costs alone, and waits for nobody; no candidate ever names two digests; each has the number of its own
// height, and the newest ends highest. Where all of them have listed before the first candidate is there, all are created.
// Where not, one that finds a newer one there is superseded, and has no tag.
func TestBuildsAtOnce(t *testing.T) {
	rounds := 2
	if testing.Short() {
		rounds = 1
	}
	for _, builds := range []int{8, 16} {
		for _, limit := range []time.Duration{0, 200 * time.Millisecond, 3 * time.Second} {
			for round := range rounds {
				for _, held := range []bool{true, false} {
					t.Run(fmt.Sprintf("%d builds, delay up to %s, held %t, round %d", builds, limit, held, round), func(t *testing.T) {
						t.Parallel()
						s := registrytest.Start(t, registrytest.Options{Token: true, Latency: 20 * time.Millisecond})
						var rest registrytest.Interceptor
						if held {
							rest = afterLists(builds)
						}
						delay := registrytest.RandomDelay(uint64(round)+1, limit)
						programtest.BuildFor(t, s, commitA, 0) // so that the config blob is there
						s.Reset()
						j := programtest.Keep(s, &programtest.Journal{Delay: func(programtest.TagWrite) time.Duration { return delay() }}, rest)
						reports := buildAtOnce(t, s, builds)
						checkBuilds(t, s, j.All(), reports, held)
					})
				}
			}
		}
	}
}

// afterLists holds the writes of candidates until n tag lists were answered.
func afterLists(n int) registrytest.Interceptor {
	var listed atomic.Int64
	all := make(chan struct{})
	return func(w http.ResponseWriter, r *http.Request, _ int, next http.Handler) {
		switch {
		case r.Method == http.MethodPut && strings.Contains(r.URL.Path, "-rc."):
			select {
			case <-all:
			case <-time.After(time.Minute):
				http.Error(w, "only some came", http.StatusForbidden)
				return
			}
		case strings.HasSuffix(r.URL.Path, "/tags/list") && r.Header.Get("Authorization") != "":
			next.ServeHTTP(w, r)
			if listed.Add(1) == int64(n) {
				close(all)
			}
			return
		}
		next.ServeHTTP(w, r)
	}
}

// crowdReport is what a build said, and through which door of the registry it came.
type crowdReport struct {
	programtest.BuildReport
	door string
}

// buildAtOnce builds the commits of heights 2 to n+1, each a day younger than the one before.
func buildAtOnce(t *testing.T, s *registrytest.Server, n int) []crowdReport {
	t.Helper()
	reports := make([]crowdReport, n)
	var wg sync.WaitGroup
	for i := range n {
		dir := t.TempDir()
		programtest.Write(t, filepath.Join(dir, "app.yaml"), "replicas: "+strconv.Itoa(i)+"\n")
		commit := strings.Repeat(fmt.Sprintf("%08x", 0xabc00000+i*4096), 5)
		door := s.Door(t)
		wg.Go(func() {
			r := programtest.BuildAt(t, s, door, []string{programtest.DayOf(i + 1)}, dir, commit, "--height", strconv.Itoa(i+2))
			reports[i] = crowdReport{r, door}
		})
	}
	wg.Wait()
	return reports
}

// checkBuilds compares what the registry holds and was told with what the builds said.
func checkBuilds(t *testing.T, s *registrytest.Server, writes []programtest.TagWrite, reports []crowdReport, held bool) {
	t.Helper()
	tags, created := s.Tags(fleet), 0
	for i, r := range reports {
		candidate := fmt.Sprintf("0.0.1-rc.%d", i+2)
		own := []string{candidate, "sha-" + r.SHA[:7], "integration-" + r.SHA[:7]}
		switch {
		case r.Outcome == "created" && r.Candidate == candidate:
			created++
			for _, tag := range own {
				if tags[tag] != r.Digest {
					t.Errorf("build %d reports %s, but %q names %q\n%s", i, r.Digest, tag, tags[tag], r.Log)
				}
			}
		case r.Outcome == "superseded" && !held && i < len(reports)-1:
			for _, tag := range own {
				if tags[tag] != "" {
					t.Errorf("build %d is superseded, and %q names %q\n%s", i, tag, tags[tag], r.Log)
				}
			}
		default:
			t.Errorf("build %d says %s %s\n%s", i, r.Outcome, r.Candidate, r.Log)
		}
		if strings.Contains(r.Log, "wait") {
			t.Errorf("build %d waits: %s", i, r.Log)
		}
		var asked []string
		for _, request := range s.Requests() {
			if request.Host == r.door {
				asked = append(asked, request.String())
			}
		}
		if len(asked) > crowdBudget || len(asked) == 0 {
			t.Errorf("build %d: %d requests, at most %d are allowed\n%s", i, len(asked), crowdBudget, strings.Join(asked, "\n"))
		}
	}
	if len(tags) != 3*created+3 {
		t.Errorf("%d tags of %d builds and the one before", len(tags), created)
	}
	for _, e := range writes {
		if strings.Contains(e.Tag, "-rc.") && e.Before != "" {
			t.Errorf("%s named %s, and then %s", e.Tag, e.Before, e.Digest)
		}
	}
	if t.Failed() {
		t.Logf("tags: %v\n%s", tags, s.RequestLog())
	}
	t.Logf("%d of %d created", created, len(reports))
}
