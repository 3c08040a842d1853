package test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Masterminds/semver/v3"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// race is a registry with 0.0.1-rc.1 and 0.0.1-rc.2, none of them validated yet, and what is written to it.
type race struct {
	*programtest.Journal
	s            *registrytest.Server
	older, newer programtest.Artifact
	dice         *rand.Rand
	limit        time.Duration
	github       []string // the environment in which GitHub can be asked; nil where it cannot
}

// races plays many rounds at once: with delays of writes up to several limits, all runs of a round started together or
// apart. They wait more than they work.
func races(t *testing.T, immutable bool, rest func() registrytest.Interceptor, play func(t *testing.T, r *race)) {
	t.Helper()
	rounds := 3
	if testing.Short() {
		rounds = 1
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, limit := range []time.Duration{0, 200 * time.Millisecond, 2 * time.Second} {
		for round := range rounds {
			wg.Go(func() {
				t.Run(fmt.Sprintf("delay up to %s round %d", limit, round), func(t *testing.T) {
					play(t, startRace(t, immutable, rest(), limit, round))
				})
			})
		}
	}
}

func nothing() registrytest.Interceptor { return nil }

func startRace(t *testing.T, immutable bool, rest registrytest.Interceptor, limit time.Duration, round int) *race {
	t.Helper()
	s := registrytest.Start(t, registrytest.Options{Token: true})
	r := &race{s: s, dice: rand.New(rand.NewPCG(uint64(round), uint64(limit))), limit: limit * time.Duration(min(round, 1))}
	r.older, r.newer = programtest.BuildFor(t, s, commitA, 0), programtest.BuildFor(t, s, commitB, 1)
	delay := registrytest.RandomDelay(uint64(round), limit)
	r.Journal = programtest.Keep(s, &programtest.Journal{Immutable: immutable, Delay: func(programtest.TagWrite) time.Duration { return delay() }}, rest)
	s.SetLatency(20 * time.Millisecond)
	return r
}

// promote runs one promotion for each of the artifacts at once, beside others.
func (r *race) promote(t *testing.T, beside []func(), artifacts ...programtest.Artifact) []programtest.TagReport {
	t.Helper()
	reports := make([]programtest.TagReport, len(artifacts))
	var wg sync.WaitGroup
	run := func(do func()) {
		offset := time.Duration(r.dice.Int64N(int64(r.limit) + 1))
		wg.Go(func() { time.Sleep(offset); do() })
	}
	for i, a := range artifacts {
		env := a.BoundStatus(t)
		if i%2 == 1 {
			env = a.Dispatch(t) // a cluster reports in both ways, or in one of them twice
		}
		run(func() { reports[i] = programtest.TagOnce(t, r.s, slices.Concat(env, r.github)) })
	}
	for _, do := range beside {
		run(do)
	}
	wg.Wait()
	return reports
}

// check: what each run reports is true now, each digest has one stable at most, and the highest names the newer of
// the artifacts. A stable moved once at most, and never where the registry holds it.
func (r *race) check(t *testing.T, artifacts []programtest.Artifact, reports []programtest.TagReport) {
	t.Helper()
	tags := r.s.Tags(fleet)
	stables := map[string]string{} // by digest
	top := ""
	for _, tag := range slices.Sorted(maps.Keys(tags)) { // the numbers have one figure here
		if programtest.IsStable(tag) {
			if other := stables[tags[tag]]; other != "" {
				t.Errorf("%s and %s name the same artifact", other, tag)
			}
			stables[tags[tag]], top = tag, tag
		}
	}
	for i, a := range artifacts {
		got := reports[i]
		switch outcome := got.Outcome; {
		case outcome == "superseded" && a == r.older && slices.Contains(artifacts, r.newer) && stables[a.Digest] == "":
		case (outcome == "promoted" || outcome == "unchanged") && got.Version != "" && tags[got.Version] == a.Digest:
		default:
			t.Errorf("a promotion of %s, which has %q, says %s", a.Tag, stables[a.Digest], got.Log)
		}
		if got.Digest != a.Digest {
			t.Errorf("a promotion of %s says %s", a.Tag, got.Log)
		}
		for _, rescued := range got.Rescued {
			if rescued.Digest == "" || tags[rescued.Candidate] != rescued.Digest {
				t.Errorf("a promotion of %s says %s", a.Tag, got.Log)
			}
		}
		if a == r.newer && tags[top] != a.Digest {
			t.Errorf("the highest stable %s names %s, want that of %s", top, tags[top], a.Tag)
		}
	}
	writes := r.All()
	if moved := programtest.Moves(writes); len(moved) > 1 || len(moved) > 0 && r.Immutable {
		t.Errorf("stable tags moved: %q", moved)
	} else if len(moved) > 0 {
		t.Logf("two writes collided: %q", moved)
	}
	if t.Failed() {
		for _, e := range writes {
			t.Logf("wrote %s on %.15s", e.Tag, e.Digest)
		}
		for i, got := range reports {
			t.Logf("run %d, of %s, says %s", i, artifacts[i].Tag, got.Log)
		}
		t.Logf("tags: %v\n%s", tags, r.s.RequestLog())
	}
}

// Four promotions of one artifact at once end with one version of it and one rescue of the other; all say so.
func TestPromotionsOfOneArtifact(t *testing.T) {
	t.Parallel()
	races(t, false, nothing, func(t *testing.T, r *race) {
		artifacts := []programtest.Artifact{r.older, r.older, r.older, r.older}
		want := map[string]string{"validated-aaaaaaa": r.older.Digest, "0.0.1": r.older.Digest, "0.0.2-rc.2": r.newer.Digest}
		maps.Copy(want, r.s.Tags(fleet))
		reports := r.promote(t, nil, artifacts...)
		r.check(t, artifacts, reports)
		if got := r.s.Tags(fleet); !maps.Equal(got, want) {
			t.Errorf("tags %v, want %v", got, want)
		}
	})
}

// Promotions of two artifacts of one base end with the newer one highest, and true reports. Where the registry
// refuses to move a stable tag, none ever moves, and the refused run plans again.
func TestPromotionsOfTwoArtifacts(t *testing.T) {
	for _, immutable := range []bool{false, true} {
		t.Run(fmt.Sprintf("immutable %t", immutable), func(t *testing.T) {
			t.Parallel()
			races(t, immutable, nothing, func(t *testing.T, r *race) {
				artifacts := []programtest.Artifact{r.older, r.newer, r.older, r.newer}
				r.check(t, artifacts, r.promote(t, nil, artifacts...))
			})
		})
	}
}

// Builds beside the promotions get their candidates, and integration selects the newer of them in the end, whatever of the
// four runs took a base that it had chosen: GitHub tells that it is ahead of one that was rescued above it. The older may find
// the newer one there, and is superseded then.
func TestPromotionsBesideBuilds(t *testing.T) {
	t.Parallel()
	races(t, false, nothing, func(t *testing.T, r *race) {
		builds := make([]programtest.BuildReport, 2)
		var history []gitCommit
		for _, commit := range []string{commitA, commitB, strings.Repeat("0", 40), strings.Repeat("1", 40)} {
			history = append(history, gitCommit{sha: commit})
		}
		r.github = []string{"GITHUB_TOKEN=" + apiToken, "GITHUB_REPOSITORY=" + fleet, "GITHUB_API_URL=" + startGitHub(t, history...).URL}
		var beside []func()
		for i := range builds {
			dir, commit := smallTree(t), strings.Repeat(fmt.Sprint(i), 40)
			programtest.Write(t, dir+"/a.yaml", "build: "+commit)
			beside = append(beside, func() {
				builds[i] = programtest.BuildAt(t, r.s, r.s.Host, slices.Concat(r.github, []string{programtest.DayOf(i + 2)}), dir, commit, "--height", strconv.Itoa(i+3))
			})
		}
		artifacts := []programtest.Artifact{r.older, r.newer}
		r.check(t, artifacts, r.promote(t, beside, artifacts...))
		tags := r.s.Tags(fleet)
		for i, b := range builds {
			switch {
			case b.Outcome == "created" && b.Digest != "" && tags[b.Candidate] == b.Digest:
			case b.Outcome == "superseded" && i == 0 && tags["sha-0000000"]+tags["integration-0000000"] == "":
			default:
				t.Errorf("a build says %s %s on %s, tags are %v\n%s", b.Outcome, b.Candidate, b.Digest, tags, b.Log)
			}
		}
		selected := highest(everything, slices.Collect(maps.Keys(tags)))[0]
		if tags[selected] != builds[1].Digest {
			t.Errorf("integration selects %s, and not the newest build, %s: %v", selected, builds[1].Candidate, tags)
		}
	})
}

var everything, _ = semver.NewConstraint(">= 0.0.0-0")

// Two promotions that both find the version free, whichever of them writes it last, and whether or not the
// registry lets it: the loser plans again.
func TestPromotionsCollide(t *testing.T) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, immutable := range []bool{false, true} {
		for _, newerLast := range []bool{false, true} {
			for _, by := range []time.Duration{100 * time.Millisecond, 4 * time.Second} {
				wg.Go(func() { // not t.Parallel: they wait more than they work
					t.Run(fmt.Sprintf("immutable %t, newer last %t by %s", immutable, newerLast, by), func(t *testing.T) {
						collide(t, immutable, newerLast, by)
					})
				})
			}
		}
	}
}

func collide(t *testing.T, immutable, newerLast bool, by time.Duration) {
	t.Helper()
	r := startRace(t, immutable, together("0.0.1", 2), 0, 0)
	r.Delay = func(e programtest.TagWrite) time.Duration {
		if e.Tag == "0.0.1" && (e.Digest == r.newer.Digest) == newerLast {
			return by
		}
		return 0
	}
	artifacts := []programtest.Artifact{r.older, r.newer}
	reports := r.promote(t, nil, artifacts...)
	r.check(t, artifacts, reports)
	older, newer := "superseded", "0.0.1"
	if newerLast == immutable { // the older one's write stands
		older, newer = "promoted", "0.0.2"
	}
	if reports[0].Outcome != older || reports[1].Version != newer || immutable && r.Refused() != 1 {
		t.Errorf("%d refusals, want %s and %s\n%s%s", r.Refused(), older, newer, reports[0].Log, reports[1].Log)
	}
}

// together holds the first writes of the tag until n clients send one: each has found it free by then.
func together(tag string, n int) registrytest.Interceptor {
	var sent atomic.Int64
	all := make(chan struct{})
	return registrytest.On(http.MethodPut, "/manifests/"+tag+"$", func(w http.ResponseWriter, r *http.Request, _ int, next http.Handler) {
		if sent.Add(1) == int64(n) {
			close(all)
		}
		select {
		case <-all:
		case <-time.After(20 * time.Second):
			http.Error(w, "only some came", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
