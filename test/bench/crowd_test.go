package bench

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Masterminds/semver/v3"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

const (
	crowdSize  = 16
	crowdFirst = 3               // the first commit's height
	writeDelay = 3 * time.Second // at most, of each PUT
)

// A crowd is what builds cost and wrote that ran at once.
type crowd struct {
	whole    time.Duration
	walls    []time.Duration // of each, in rising order
	requests []int           // of each, in rising order
	wrong    map[string]int  // by unit
	log      string
}

// crowd builds 16 commits of one line, from commit 3 on, each with content of its own, all started at one moment. The registry
// delays each write by a time of its own, the same times in the same order in every run.
func (b *bench) crowd(t testing.TB, tool string) crowd {
	t.Helper()
	repo := b.fresh()
	delayed := registrytest.On(http.MethodPut, "", registrytest.Delayed(registrytest.RandomDelay(crowdSize, writeDelay)))
	journal := programtest.Keep(b.server, &programtest.Journal{}, delayed)
	defer b.server.Intercept(nil)
	var doors []string
	var jobs []job
	for n := crowdFirst; n < crowdFirst+crowdSize; n++ {
		door := b.server.Door(t)
		doors = append(doors, door)
		env := append(home(t, b.server, door), "REPO="+door+"/"+repo, content(t, n))
		jobs = append(jobs, b.job("testdata/Builds16/"+tool+".sh", repo, n, env...))
	}
	b.server.Reset()
	c := crowd{wrong: map[string]int{}}
	said := c.run(t, jobs)
	c.log = b.server.Timeline()
	for _, door := range doors {
		c.requests = append(c.requests, count(b.server.Requests(), func(r registrytest.Request) bool { return r.Host == door }))
	}
	slices.Sort(c.requests)
	c.judge(said, b.server.Tags(repo), journal.All())
	if tool == Ours && len(c.wrong) > 0 {
		t.Errorf("%d builds at once: %v\n%v\n%v\n%s", crowdSize, c.wrong, said, b.server.Tags(repo), c.log)
	}
	return c
}

// run runs the jobs at once and gives what each said of itself: nothing, if it failed.
func (c *crowd) run(t testing.TB, jobs []job) []programtest.BuildReport {
	t.Helper()
	said := make([]programtest.BuildReport, len(jobs))
	c.walls = make([]time.Duration, len(jobs))
	start, all := make(chan struct{}), sync.WaitGroup{}
	for i, j := range jobs {
		all.Go(func() {
			<-start
			cost, err := j.try(t.Context())
			c.walls[i] = cost.wall
			if err == nil {
				err = json.Unmarshal([]byte(cost.stdout), &said[i])
			}
			if err != nil {
				t.Logf("build %d of %d at once: %v", i+1, len(jobs), err)
			}
		})
	}
	begin := time.Now()
	close(start)
	all.Wait()
	c.whole = time.Since(begin)
	slices.Sort(c.walls)
	return said
}

// judge counts what must not be. The last of the builds is that of the newest commit.
func (c *crowd) judge(said []programtest.BuildReport, tags map[string]string, writes []programtest.TagWrite) {
	for _, r := range said {
		switch {
		case r.Digest == "":
			c.wrong[Failed]++
		case r.Candidate == "":
			c.wrong[Unnumbered]++
		case tags[r.Candidate] != r.Digest:
			c.wrong[Foreign]++
		}
	}
	moved := map[string]bool{}
	for _, w := range writes {
		if strings.Contains(w.Tag, "-rc.") && w.Before != "" && w.Before != w.Digest {
			moved[w.Tag] = true
		}
	}
	if len(moved) > 0 {
		c.wrong[Moved] = len(moved)
	}
	if newest := said[len(said)-1].Digest; tags[highest(tags)] != newest {
		c.wrong[Disorder] = 1
	}
}

// highest is the highest of the candidates.
func highest(tags map[string]string) (tag string) {
	var top *semver.Version
	for name := range tags {
		if v, err := semver.StrictNewVersion(name); err == nil && v.Prerelease() != "" && (top == nil || v.GreaterThan(top)) {
			tag, top = name, v
		}
	}
	return tag
}

func count[T any](all []T, is func(T) bool) (n int) {
	for _, x := range all {
		if is(x) {
			n++
		}
	}
	return n
}

// reportCrowds reports the mean of what each run cost, and of what went wrong the worst.
func reportCrowds(b *testing.B, all []crowd) {
	b.Helper()
	var whole, slowest, requests, most float64
	worst := map[string]int{}
	for _, c := range all {
		whole += float64(c.whole.Nanoseconds())
		slowest += float64(c.walls[len(c.walls)-1].Nanoseconds())
		requests += float64(c.requests[(len(c.requests)-1)/2]+c.requests[len(c.requests)/2]) / 2
		most = max(most, float64(c.requests[len(c.requests)-1]))
		for unit, n := range c.wrong {
			worst[unit] = max(worst[unit], n)
		}
	}
	n := float64(len(all))
	b.ReportMetric(whole/n, "ns/op")
	b.ReportMetric(slowest/n, "slowest-ns")
	b.ReportMetric(requests/n, "requests/build")
	b.ReportMetric(most, "most-requests")
	for unit, n := range worst {
		b.ReportMetric(float64(n), unit)
	}
}
