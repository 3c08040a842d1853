package test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/test/registrytest"
)

// buildReport is what a build said of itself.
type buildReport struct {
	Outcome, Candidate, Digest, SHA string
	Tags                            []string
	log                             string
}

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

func buildAtOnce(t *testing.T, s *registrytest.Server, builds int) []buildReport {
	t.Helper()
	reports := make([]buildReport, builds)
	var wg sync.WaitGroup
	for i := range builds {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "app.yaml"), []byte("replicas: "+strconv.Itoa(i)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		commit := strings.Repeat(fmt.Sprintf("%08x", 0xabc00000+i*4096), 5)
		wg.Go(func() { reports[i] = buildOnce(t, s, dir, commit) })
	}
	wg.Wait()
	return reports
}

func buildOnce(t *testing.T, s *registrytest.Server, dir, commit string) buildReport {
	t.Helper()
	env := []string{"OCI_PROMOTE_PASSWORD=" + s.Password, "SOURCE_DATE_EPOCH=" + strconv.FormatInt(time.Now().Unix(), 10)}
	said := program(t, env, "build", "--json", "--plain-http", "--username", s.Username,
		"--repository", s.Host+"/"+fleet, "--path", dir, "--revision", "main@sha1:"+commit)
	r := buildReport{log: said.stderr}
	if said.code != 0 {
		t.Errorf("build of %.7s: exit status %d\n%s", commit, said.code, said.stderr)
	} else if err := json.Unmarshal([]byte(said.stdout), &r); err != nil {
		t.Errorf("build of %.7s: %v in %q", commit, err, said.stdout)
	}
	return r
}

// checkBuilds compares what the registry holds with what the builds said.
func checkBuilds(t *testing.T, s *registrytest.Server, reports []buildReport) {
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
				t.Errorf("build of %.7s reports %s, but %q names %q\n%s", r.SHA, r.Digest, tag, tags[tag], r.log)
			}
		}
	}
	if t.Failed() {
		t.Logf("tags: %v\n%s", tags, s.RequestLog())
	}
}
