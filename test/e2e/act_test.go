//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// run is what one workflow run said and how it ended.
type run struct {
	code    int               // act's exit status
	jobs    map[string]string // name of each job that ran → "success" or "failure"
	outputs map[string]string // of our step
	summary string            // of our step
	said    string            // the log of our step, as the runner would show it
	all     string            // everything, for a test that fails
}

// event is what starts a workflow.
type event struct {
	name    string
	payload any
	vars    []string // repository variables, NAME=value
	secrets []string
}

// act runs one workflow file of the fleet, in a runner whose image has nothing of ours.
func (f *fleet) act(t *testing.T, workflow string, e event) *run {
	t.Helper()
	payload, err := json.Marshal(e.payload)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(file, payload, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{
		e.name, "--json", "--pull=false", "--network", "host", "--eventpath", file, "--actor", "octocat",
		"--workflows", filepath.Join(".github", "workflows", workflow), "--platform", "ubuntu-latest=" + runnerImage(t),
		"--env", "GITHUB_API_URL=" + f.github.URL, "--secret", "GITHUB_TOKEN=" + apiToken,
	}
	for _, v := range e.vars {
		args = append(args, "--var", v)
	}
	for _, s := range append([]string{"REGISTRY_PASSWORD=" + f.registry.Password}, e.secrets...) {
		args = append(args, "--secret", s)
	}
	cmd := exec.CommandContext(t.Context(), os.Getenv("ACT"), args...)
	cmd.Dir = f.dir
	cmd.Env = append(os.Environ(), "HOME="+f.home, "XDG_CONFIG_HOME="+f.home, "XDG_CACHE_HOME="+f.home)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	r := read(t, out.String())
	r.code = cmd.ProcessState.ExitCode()
	if said := r.said + r.summary + fmt.Sprint(r.outputs); strings.Contains(said, "***") { // act's mask
		t.Errorf("a secret is in the log, the summary or an output:\n%s", said)
	}
	t.Logf("%s → %s: jobs %v\n%s", e.name, workflow, r.jobs, r.said)
	return r
}

// line is one of act's log, in the fields that we read.
type line struct {
	Command, Name, Arg, Content, Msg, JobID, JobResult string
	Raw                                                bool `json:"raw_output"`
}

// read makes a run of act's log. What our step says is what the container wrote, and the commands that act took from it.
func read(t *testing.T, log string) *run {
	t.Helper()
	r := &run{jobs: map[string]string{}, outputs: map[string]string{}, all: log}
	var said strings.Builder
	scan := bufio.NewScanner(strings.NewReader(log))
	scan.Buffer(nil, 8<<20)
	for scan.Scan() {
		var l line
		if err := json.Unmarshal(scan.Bytes(), &l); err != nil {
			continue // act's own words before it knows its form
		}
		switch {
		case l.JobResult != "":
			r.jobs[l.JobID] = l.JobResult
		case l.Command == "set-output":
			r.outputs[l.Name] = l.Arg
		case l.Command == "summary":
			r.summary += l.Content
		case l.Raw:
			said.WriteString(l.Msg)
		case slices.Contains([]string{"error", "warning", "notice"}, l.Command):
			fmt.Fprintf(&said, "%s: %s\n", l.Command, l.Msg)
		}
	}
	if err := scan.Err(); err != nil {
		t.Fatal(err)
	}
	r.said = said.String()
	return r
}

// wants fails the test unless the job ended so and each output is as given.
func (r *run) wants(t *testing.T, job, result string, outputs ...string) {
	t.Helper()
	if r.jobs[job] != result || (result == "success") != (r.code == 0) {
		t.Errorf("job %s: %q, exit status %d; want %q", job, r.jobs[job], r.code, result)
	}
	for _, o := range outputs {
		name, want, _ := strings.Cut(o, "=")
		if r.outputs[name] != want {
			t.Errorf("output %s is %q, want %q", name, r.outputs[name], want)
		}
	}
	if t.Failed() {
		t.Fatalf("the whole log:\n%s", r.all)
	}
}

// shows fails the test unless the summary has all parts.
func (r *run) shows(t *testing.T, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(r.summary, part) {
			t.Errorf("the summary has no %q:\n%s", part, r.summary)
		}
	}
}

// skipped fails the test unless the job's `if` ended the run before anything was started.
func (r *run) skipped(t *testing.T) {
	t.Helper()
	if r.code != 0 || len(r.jobs) > 0 || len(r.outputs) > 0 || r.said != "" {
		t.Fatalf("want no job at all, got %v, exit status %d\n%s", r.jobs, r.code, r.all)
	}
}
