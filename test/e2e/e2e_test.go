//go:build e2e

package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain says what is missing: without an engine and act nothing here means anything.
func TestMain(m *testing.M) {
	if os.Getenv("ACT") == "" {
		fmt.Fprintln(os.Stderr, "e2e: ACT does not name act's binary: run `make e2e`, which installs it and starts a Docker engine")
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// runnerImage is what jobs run in. It needs a `tail`; our action brings its own image.
func runnerImage(t *testing.T) string {
	t.Helper()
	image := os.Getenv("E2E_RUNNER_IMAGE")
	if image == "" {
		t.Fatal("E2E_RUNNER_IMAGE names no image for the jobs")
	}
	return image
}

// TestExampleWorkflows carries three commits through the example workflows, by each event that starts them.
func TestExampleWorkflows(t *testing.T) {
	f := newFleet(t)
	one := f.commit(t, 1)
	dispatch := func(inputs object) event {
		return event{name: "workflow_dispatch", payload: object{"inputs": inputs, "repository": object{"full_name": repository, "default_branch": "main"}}}
	}
	schedule := event{name: "schedule", payload: object{"schedule": "17 * * * *"}}

	// A wrong password: the job fails with a clear error, before anything is written.
	wrong := f.push(one)
	wrong.secrets = []string{"REGISTRY_PASSWORD=wrong"}
	r := f.act(t, build, wrong)
	r.wants(t, "build", "failure")
	if !strings.Contains(r.said, "401") || !strings.Contains(r.said, "incorrect username or password") || f.tags() != "" {
		t.Fatalf("want the registry's own word and no tag, got tags %q and\n%s", f.tags(), r.said)
	}
	r.shows(t, "401")

	// push → build.
	r = f.act(t, build, f.push(one))
	first := f.registry.Tags(repository)["0.0.1-rc.1"]
	r.wants(t, "build", "success", "outcome=created", "version=0.0.1-rc.1", "candidate=0.0.1-rc.1", "sha="+one, "digest="+first,
		"reference="+f.registry.Host+"/"+repository+"@"+first,
		fmt.Sprintf(`tags=["0.0.1-rc.1","sha-%.7s","integration-%.7s"]`, one, one))
	r.shows(t, "### build: created 0.0.1-rc.1", first, fmt.Sprintf("(https://github.com/%s/commit/%s)", repository, one))
	f.wantTags(t, "0.0.1-rc.1", "integration-"+one[:7], "sha-"+one[:7])

	// The same push once more changes nothing.
	f.act(t, build, f.push(one)).wants(t, "build", "success", "outcome=unchanged", "version=0.0.1-rc.1", "digest="+first)
	f.wantTags(t, "0.0.1-rc.1", "integration-"+one[:7], "sha-"+one[:7])

	// Not validated yet, and verify says so without alarm.
	r = f.act(t, verify, schedule)
	r.wants(t, "verify", "success", "outcome=healthy", "sha="+one)

	// Statuses of others, and of a failure: the job's own `if` ends it, and the registry is asked nothing.
	f.registry.Reset()
	for _, other := range []struct{ state, context string }{
		{"success", "ci/build"},
		{"success", "kustomization/platform-dev/0.0.1-rc.1@" + first},
		{"failure", "kustomization/platform/0.0.1-rc.1@" + first},
		{"pending", "kustomization/platform/0.0.1-rc.1@" + first},
	} {
		f.act(t, tag, f.report(one, other.state, other.context)).skipped(t)
	}
	// PROMOTION_HOLD holds what nobody started by hand.
	held := f.report(one, "success", f.context("0.0.1-rc.1"))
	held.vars = []string{"PROMOTION_HOLD=true"}
	f.act(t, tag, held).skipped(t)
	heldSchedule := schedule
	heldSchedule.vars = held.vars
	f.act(t, tag, heldSchedule).skipped(t)
	if log := f.registry.RequestLog(); log != "" {
		t.Fatalf("the registry was asked:\n%s", log)
	}

	// status → tag: exactly the digest in the context.
	validated := f.report(one, "success", f.context("0.0.1-rc.1"))
	r = f.act(t, tag, validated)
	r.wants(t, "promote", "success", "outcome=promoted", "version=0.0.1", "candidate=0.0.1-rc.1", "digest="+first, "sha="+one)
	r.shows(t, "### tag: promoted 0.0.1", first)
	f.wantTags(t, "0.0.1", "0.0.1-rc.1", "integration-"+one[:7], "sha-"+one[:7], "validated-"+one[:7])
	if at := f.registry.Tags(repository)["0.0.1"]; at != first {
		t.Fatalf("0.0.1 names %s, validated was %s", at, first)
	}
	// Flux reports the promotion too.
	r = f.act(t, tag, f.report(one, "success", f.context("0.0.1")))
	r.wants(t, "promote", "success", "outcome=unchanged", "version=0.0.1")

	// A second merge, promoted by hand: on the word of the one who started it, also while promotions are held.
	two := f.commit(t, 2)
	f.act(t, build, f.push(two)).wants(t, "build", "success", "outcome=created", "version=0.0.2-rc.2")
	dry := dispatch(object{"artifact-sha": two[:7], "dry-run": "true"})
	f.act(t, tag, dry).wants(t, "promote", "success", "outcome=planned", "sha="+two)
	byHand := dispatch(object{"artifact-sha": two[:7]})
	byHand.vars = []string{"PROMOTION_HOLD=true"}
	r = f.act(t, tag, byHand)
	r.wants(t, "promote", "success", "outcome=promoted", "version=0.0.2", "sha="+two)
	r.shows(t, "### tag: promoted 0.0.2, never validated", "octocat", "integration said nothing of it")

	// A third whose status event was missed: the schedule catches up.
	three := f.commit(t, 3)
	f.act(t, build, f.push(three)).wants(t, "build", "success", "outcome=created", "version=0.0.3-rc.3")
	f.act(t, tag, schedule).wants(t, "promote", "success", "outcome=pending")
	f.report(three, "success", f.context("0.0.3-rc.3"))
	f.act(t, tag, schedule).wants(t, "promote", "success", "outcome=promoted", "version=0.0.3", "sha="+three)

	// schedule → verify: six stages, live has not reported yet, and no issue.
	r = f.act(t, verify, schedule)
	r.wants(t, "verify", "success", "outcome=healthy", "version=0.0.3", "sha="+three)
	r.shows(t, "### verify: healthy, live selects 0.0.3", "… running on live")
	if open := f.github.titles(); len(open) > 0 {
		t.Fatalf("issues %q are open while all is well", open)
	}

	f.hearLive(t, three)
	f.rollBack(t, dispatch(object{"digest": first, "version": "next"}))
	f.breakAndMend(t, schedule)
	f.pruneOne(t, schedule)
}

// hearLive is live's report of 0.0.3: it starts verify and no promotion, and integration's starts no verify.
func (f *fleet) hearLive(t *testing.T, commit string) {
	t.Helper()
	for _, state := range []string{"success", "failure", "pending"} {
		f.act(t, verify, f.report(commit, state, f.context("0.0.3"))).skipped(t)
	}
	f.act(t, verify, f.report(commit, "pending", f.liveContext("0.0.3"))).skipped(t)
	failed := f.report(commit, "failure", f.liveContext("0.0.3"))
	f.act(t, tag, failed).skipped(t)
	r := f.act(t, verify, failed)
	r.wants(t, "verify", "failure", "outcome=unhealthy", "sha="+commit)
	r.shows(t, "live-failed", "✗ running on live")
	if open := f.github.titles(); len(open) != 1 {
		t.Fatalf("issues %q are open, want one", open)
	}
	f.report(commit, "success", f.context("0.0.3"))
	healthy := f.report(commit, "success", f.liveContext("0.0.3"))
	f.act(t, tag, healthy).skipped(t)
	r = f.act(t, verify, healthy)
	r.wants(t, "verify", "success", "outcome=healthy", "version=0.0.3", "sha="+commit)
	r.shows(t, "✓ running on live", "Lead time")
	if open := f.github.titles(); len(open) > 0 {
		t.Fatalf("issues %q are still open", open)
	}
}

// rollBack is the rollback of the guide, started in the browser.
func (f *fleet) rollBack(t *testing.T, byHand event) {
	t.Helper()
	r := f.act(t, tag, byHand)
	r.wants(t, "promote", "success", "outcome=promoted", "version=0.0.4")
	r.shows(t, "rollback", "octocat")
	if tags := f.registry.Tags(repository); tags["0.0.4"] != tags["0.0.1"] {
		t.Fatalf("0.0.4 names %s, 0.0.1 %s", tags["0.0.4"], tags["0.0.1"])
	}
}

// breakAndMend merges a commit whose build never ran: verify fails the job and opens an issue, and closes it once it is live.
func (f *fleet) breakAndMend(t *testing.T, schedule event) {
	t.Helper()
	four := f.commit(t, 4)
	f.github.backdate(four, 3*time.Hour)
	r := f.act(t, verify, schedule)
	r.wants(t, "verify", "failure", "outcome=unhealthy")
	r.shows(t, "head-not-built", four[:7])
	if open := f.github.titles(); len(open) != 1 {
		t.Fatalf("issues %q are open, want one", open)
	}
	f.act(t, build, f.push(four)).wants(t, "build", "success", "outcome=created", "version=0.0.5-rc.4")
	f.act(t, tag, f.report(four, "success", f.context("0.0.5-rc.4"))).wants(t, "promote", "success", "outcome=promoted", "version=0.0.5")
	f.act(t, verify, schedule).wants(t, "verify", "success", "outcome=healthy", "version=0.0.5", "sha="+four)
	if open := f.github.titles(); len(open) > 0 {
		t.Fatalf("issues %q are still open", open)
	}
}

// pruneOne is a candidate of long ago that a newer commit superseded: the schedule plans, and deletes it once it may.
func (f *fleet) pruneOne(t *testing.T, schedule event) {
	t.Helper()
	five := f.commit(t, 5)
	f.github.backdate(five, 1000*time.Hour)
	f.act(t, build, f.push(five)).wants(t, "build", "success", "outcome=created", "version=0.0.6-rc.5")
	six := f.commit(t, 6)
	f.act(t, build, f.push(six)).wants(t, "build", "success", "outcome=created", "version=0.0.6-rc.6")
	f.act(t, tag, f.report(six, "success", f.context("0.0.6-rc.6"))).wants(t, "promote", "success", "outcome=promoted", "version=0.0.6")
	before := f.tags()
	r := f.act(t, prune, schedule)
	r.wants(t, "prune", "success", "outcome=planned", "deleted=0", "kept=5")
	r.shows(t, "### prune: planned", "0.0.6-rc.5", "would go")
	if f.tags() != before {
		t.Fatalf("a plan left the tags %s, of %s", f.tags(), before)
	}
	allowed := schedule
	allowed.vars = []string{"OCI_PROMOTE_PRUNE=true"}
	f.act(t, prune, allowed).wants(t, "prune", "success", "outcome=pruned", "deleted=1", "kept=5")
	if strings.Contains(f.tags(), five[:7]) || strings.Contains(f.tags(), "0.0.6-rc.5") {
		t.Fatalf("the tags are %s", f.tags())
	}
	f.act(t, prune, allowed).wants(t, "prune", "success", "outcome=unchanged", "deleted=0", "kept=5")
	f.act(t, verify, schedule).wants(t, "verify", "success", "outcome=healthy", "version=0.0.6", "sha="+six)
}

func (f *fleet) wantTags(t *testing.T, tags ...string) {
	t.Helper()
	slices.Sort(tags)
	if got, want := f.tags(), strings.Join(tags, " "); got != want {
		t.Fatalf("the registry has the tags %s\nwant %s", got, want)
	}
}

const (
	image     = "oci-promote-e2e:action"
	megabytes = 8
)

// TestImage builds the image from the Dockerfile and looks at what is in it. Times are told and not judged.
func TestImage(t *testing.T) {
	docker(t, "build", "-q", "--network=host", "--build-arg", "VERSION=v1.2.3", "-t", image, root)
	t.Cleanup(func() { docker(t, "image", "rm", "-f", image) })
	if user := docker(t, "image", "inspect", "-f", "{{.Config.User}}", image); user != "" && user != "0" && user != "root" {
		t.Errorf("the image runs as %q; the runner's files belong to root", user)
	}
	if out := docker(t, "run", "--rm", "--network=host", image, "--version"); !strings.Contains(out, "v1.2.3") {
		t.Errorf("--version says %q, want v1.2.3", out)
	}
	size := compressed(t, image)
	t.Logf("the image is %.2f MB compressed", float64(size)/1e6)
	if size >= megabytes*1000*1000 {
		t.Errorf("the image is %d bytes compressed, want less than %d MB", size, megabytes)
	}

	f := newFleet(t)
	var ours, all []time.Duration
	for range 7 {
		o, a := f.firstRequest(t)
		ours, all = append(ours, o), append(all, a)
	}
	slices.Sort(ours)
	slices.Sort(all)
	t.Logf("from the container's start to its first request: median %s; with what the engine needs to start it: median %s",
		ours[3].Round(time.Millisecond), all[3].Round(time.Millisecond))
}

// firstRequest runs the action in a container and gives the time until the registry is asked: since the engine says
// that the container runs, which it learns a few milliseconds late, and since the engine was told to start it.
func (f *fleet) firstRequest(t *testing.T) (ours, all time.Duration) {
	t.Helper()
	f.registry.Reset()
	id := docker(t, "create", "--network=host", "-e", "GITHUB_ACTIONS=true", "-e", "INPUT_MODE=verify", "-e", "INPUT_PLAIN-HTTP=true",
		"-e", "INPUT_REPOSITORY="+f.registry.Host+"/"+repository, "-e", "INPUT_USERNAME="+f.registry.Username,
		"-e", "INPUT_PASSWORD="+f.registry.Password, image)
	told := time.Now()
	docker(t, "start", id)
	docker(t, "wait", id)
	started, err := time.Parse(time.RFC3339Nano, docker(t, "inspect", "-f", "{{.State.StartedAt}}", id))
	if err != nil {
		t.Fatal(err)
	}
	requests := f.registry.Requests()
	if len(requests) == 0 {
		t.Fatalf("no request arrived:\n%s", docker(t, "logs", id))
	}
	docker(t, "rm", "-f", id)
	return requests[0].Start.Sub(started), requests[0].Start.Sub(told)
}

// compressed is the size of all layers after gzip, which is what a registry stores and a runner pulls.
func compressed(t *testing.T, image string) int64 {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "docker", "save", image)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var size counter
	zip := gzip.NewWriter(&size)
	if _, err := io.Copy(zip, out); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return int64(size)
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// docker runs a command and gives its output without the last line's end.
func docker(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("docker", args...) // also in Cleanup, when the test's context has ended
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("docker %s: %v\n%s%s", strings.Join(args, " "), err, stdout.String(), stderr.String())
	}
	return strings.TrimSpace(stdout.String())
}
