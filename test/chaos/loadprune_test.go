package chaos

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// crowded is a repository with much to delete, in which all is done at once.
type crowded struct {
	*registrytest.Server
	dice    *rand.Rand
	commits int
	waiting []programtest.Artifact // that were built, and not promoted
}

const (
	crowdedOld    = 90 // artifacts of long ago
	crowdedBuilds = 5
)

// TestPruneBeside has two prunes run at once, beside builds, promotions and a rollback to a stable that is kept: none of them
// fails, what a plan keeps is never gone, nor what a run reported; and then a prune alone completes it, and verify is content.
func TestPruneBeside(t *testing.T) {
	rounds, seeds := 2, uint64(1)
	if *programtest.Long {
		rounds, seeds = 5, 10
	}
	for seed := *loadSeed; seed < *loadSeed+seeds; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			c := startCrowded(t, seed)
			for range rounds {
				c.round(t)
				if t.Failed() {
					t.Fatal(c.Timeline())
				}
			}
			c.quiet(t)
		})
	}
}

func startCrowded(t *testing.T, seed uint64) *crowded {
	t.Helper()
	c := &crowded{Server: registrytest.Start(t, registrytest.Options{Latency: 3 * time.Millisecond, PageSize: 100}), dice: rand.New(rand.NewPCG(seed, 3))}
	model := programtest.BuildFor(t, c.Server, programtest.CommitA, 0)
	stable := 1
	for i, d := range programtest.Descendants(t, model, c.Manifest(programtest.Fleet, digest.Digest(model.Digest)), crowdedOld-1) {
		n := i + 2
		tags := []string{fmt.Sprintf("0.0.%d-rc.%d", stable, n), "sha-" + d.Commit[:7], "integration-" + d.Commit[:7]}
		if n%4 == 0 {
			tags = append(tags, fmt.Sprintf("0.0.%d", stable), "validated-"+d.Commit[:7])
			stable++
		}
		c.SeedManifest(programtest.Fleet, d.Manifest, tags...)
	}
	c.commits = crowdedOld
	return c
}

func (c *crowded) tags() modelTags { return c.Tags(programtest.Fleet) }

// round lets all run at once, and judges what they left.
func (c *crowded) round(t *testing.T) {
	t.Helper()
	before, kept := c.tags(), map[string]bool{}
	for _, digest := range before {
		kept[digest] = true
	}
	plan := c.prune(t, "the plan")
	plan.do(t)
	for _, gone := range plan.report.Retention.Delete {
		delete(kept, gone.Digest)
	}
	if plan.failed() || len(plan.report.Retention.Delete) == 0 {
		t.Fatalf("nothing would go: %s", plan)
	}
	prunes := []*loadRun{c.prune(t, "a prune", "--apply", "--max-deletes", "12"), c.prune(t, "the other prune", "--apply", "--max-deletes", "12")}
	var others []*loadRun
	for range crowdedBuilds {
		others = append(others, c.build(t))
	}
	for _, a := range c.waiting {
		others = append(others, c.run(t, "the status of "+a.Tag, a.BoundStatus(t), programtest.TagArgs(c.Server)...))
	}
	if below := c.below(before); below != "" {
		others = append(others, c.run(t, "the rollback", nil, programtest.TagArgs(c.Server, "--version", "next", "--digest", below)...))
	}
	c.Reset()
	for _, r := range slices.Concat(prunes, others) {
		r.delay = time.Duration(c.dice.Int64N(int64(1500 * time.Millisecond)))
	}
	loadTogether(t, slices.Concat(prunes, others))
	c.check(t, before, kept, prunes, others)
	c.waiting = nil
	for _, r := range others {
		if r.commit != nil && r.report.Candidate != "" {
			c.waiting = append(c.waiting, programtest.Artifact{Tag: r.report.Candidate, Digest: r.report.Digest, Commit: r.commit.sha})
		}
	}
	c.waiting = c.waiting[max(0, len(c.waiting)-2):]
}

// below is what the stable before the last one names: it is kept.
func (c *crowded) below(tags modelTags) string {
	last := tags.stable()
	return tags[tags.highest(modelStableForm, func(tag string) bool { return tag != last && tags[tag] != tags[last] })]
}

func (c *crowded) check(t *testing.T, before modelTags, kept map[string]bool, prunes, others []*loadRun) {
	t.Helper()
	after := c.tags()
	for tag, digest := range before {
		if kept[digest] && after[tag] != digest {
			t.Errorf("%s was kept, and names %q", tag, after[tag])
		}
	}
	deleted := 0
	for _, r := range prunes {
		if r.failed() || !slices.Contains([]string{"pruned", "pending", "unchanged"}, r.report.Outcome) {
			t.Errorf("%s", r)
		}
		for _, d := range r.report.Retention.Delete {
			if d.State == "deleted" {
				deleted++
			}
		}
	}
	for _, r := range others {
		named := r.report.Candidate
		if r.commit == nil {
			named = r.report.Version
		}
		if r.failed() || r.report.Digest != "" && named != "" && after[named] != r.report.Digest {
			t.Errorf("%q names %q: %s", named, after[named], r)
		}
	}
	t.Logf("%d deleted, %d of %d tags left, %d of them new", deleted, len(after), len(before), len(maps.Collect(func(yield func(string, bool) bool) {
		for tag := range after {
			if before[tag] == "" && !yield(tag, true) {
				return
			}
		}
	})))
}

// quiet prunes alone until nothing is left to delete. Then verify finds nothing wrong.
func (c *crowded) quiet(t *testing.T) {
	t.Helper()
	for range 3 {
		r := c.prune(t, "the last prune", "--apply")
		if r.do(t); r.failed() {
			t.Fatal(r)
		}
		if r.report.Outcome == "unchanged" {
			v := c.run(t, "verify", nil, "verify", "--json", "--plain-http", "--username", c.Username)
			v.do(t)
			for _, f := range v.report.Findings {
				if f.Severity == "error" {
					t.Errorf("verify says %s: %s", f.Code, f.Message)
				}
			}
			return
		}
	}
	t.Error("there is always something to delete")
}

func (c *crowded) prune(t *testing.T, what string, flags ...string) *loadRun {
	t.Helper()
	return c.run(t, what, nil, append([]string{"prune", "--json", "--plain-http", "--username", c.Username, "--keep-stables", "3", "--keep-for", "24h"}, flags...)...)
}

// build is a build of a new commit of now.
func (c *crowded) build(t *testing.T) *loadRun {
	t.Helper()
	c.commits++
	dir, sha := t.TempDir(), commitOf(c.commits)
	programtest.Write(t, filepath.Join(dir, "app.yaml"), "commit: "+sha+"\n")
	now := "SOURCE_DATE_EPOCH=" + strconv.FormatInt(time.Now().Unix(), 10)
	r := c.run(t, fmt.Sprintf("the build of %.7s", sha), []string{now}, programtest.BuildArgs(c.Server, dir, sha, "--json", "--height", strconv.Itoa(c.commits))...)
	r.commit = &loadCommit{sha: sha}
	return r
}

// run has a door of its own.
func (c *crowded) run(t *testing.T, what string, env []string, args ...string) *loadRun {
	t.Helper()
	host := c.Door(t)
	args = append(args, "--repository", host+"/"+programtest.Fleet)
	return &loadRun{what: what, env: append([]string{"OCI_PROMOTE_PASSWORD=" + c.Password}, env...), args: args, host: host}
}
