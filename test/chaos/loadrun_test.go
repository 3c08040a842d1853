package chaos

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

	"github.com/oci-promote/oci-promote/test/programtest"
)

// loadRun is one run of the program, a build or a promotion, with all its attempts.
type loadRun struct {
	what   string
	env    []string
	args   []string
	host   string      // the door of the registry that is its own
	commit *loadCommit // of a build
	digest string      // that the event of a promotion is about
	proof  bool        // the event proves health

	killAfter      time.Duration // of the first attempt; 0 for never
	delay          time.Duration
	started, ended time.Time
	code           int
	stderr         string
	report         loadReport
	attempts       int
}

// loadReport is what a run says of itself, as far as the model asks.
type loadReport struct {
	Outcome, Reason, Version, Candidate, Digest string

	Rescued   []struct{ From, Candidate, Digest string }
	Findings  []struct{ Code, Severity, Message string }
	Retention struct {
		Delete []struct{ Digest, State string }
	}
}

func (r *loadRun) failed() bool { return r.code != 0 }

// do runs it once.
func (r *loadRun) do(t *testing.T) {
	t.Helper()
	r.started = time.Now()
	cmd := programtest.Command(t, r.env, r.args...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return
	}
	killed := make(chan bool, 1)
	ended := make(chan struct{})
	go func() { killed <- r.kill(cmd.Process, ended) }()
	_ = cmd.Wait() // the exit status tells
	close(ended)
	wasKilled := <-killed
	r.attempts++
	r.ended = time.Now()
	r.code, r.stderr, r.report = cmd.ProcessState.ExitCode(), stderr.String(), loadReport{}
	switch err := json.Unmarshal([]byte(stdout.String()), &r.report); {
	case wasKilled:
	case r.code == 0 && err != nil:
		t.Errorf("%s: %v in %q", r.what, err, stdout.String())
	case r.code != 0 && !strings.Contains(r.stderr, "\noci-promote: ") && !strings.HasPrefix(r.stderr, "oci-promote: "):
		t.Errorf("%s: exit status %d without a word why: %q", r.what, r.code, r.stderr)
	}
	if took := r.ended.Sub(r.started); took > 5*time.Minute {
		t.Errorf("%s took %s", r.what, took)
	}
}

// kill ends the first attempt early, if that is its lot.
func (r *loadRun) kill(p *os.Process, ended <-chan struct{}) bool {
	if r.killAfter == 0 {
		return false
	}
	defer func() { r.killAfter = 0 }()
	select {
	case <-ended:
		return false
	case <-time.After(r.killAfter):
		return p.Kill() == nil
	}
}

func (r *loadRun) String() string {
	said, _ := json.Marshal(r.report) // strings only
	return fmt.Sprintf("%s, attempts %d, exit status %d, digest of the event %.15s: %s\n%s", r.what, r.attempts, r.code, r.digest, said, r.stderr)
}

// run is one run of the program, with a door of its own.
func (l *load) run(t *testing.T, what string, github bool, args []string) *loadRun {
	t.Helper()
	env := []string{"OCI_PROMOTE_PASSWORD=" + l.s.Password}
	if github {
		env = append(env, "GITHUB_TOKEN="+loadToken, "GITHUB_REPOSITORY="+programtest.Fleet, "GITHUB_API_URL="+l.hub.URL)
	}
	host := l.s.Door(t)
	args = append(args, "--repository", host+"/"+programtest.Fleet, "--retry-for", loadRetryFor.String())
	return &loadRun{what: what, env: env, args: args, host: host}
}

// build is a build of a commit. With a token GitHub tells its place in the history.
func (l *load) build(t *testing.T, what string, c *loadCommit) *loadRun {
	t.Helper()
	dir := t.TempDir()
	programtest.Write(t, filepath.Join(dir, "app.yaml"), c.content)
	r := l.run(t, fmt.Sprintf("%s %.7s", what, c.sha), l.kind.github,
		programtest.BuildArgs(l.s, dir, c.sha, "--json", "--height", strconv.Itoa(c.height), "--bump", c.bump))
	r.commit, r.env = c, append(r.env, "SOURCE_DATE_EPOCH="+strconv.FormatInt(c.created.Unix(), 10))
	return r
}

// promotion is a run that an event of a cluster on the artifact started.
func (l *load) promotion(t *testing.T, what string, a programtest.Artifact, env []string) *loadRun {
	t.Helper()
	r := l.run(t, what+" of "+a.Tag, l.kind.github, programtest.TagArgs(l.s))
	r.digest, r.proof, r.env = a.Digest, true, append(r.env, env...)
	return r
}

func (l *load) catchUp(t *testing.T, what string) *loadRun {
	t.Helper()
	return l.run(t, what, true, programtest.TagArgs(l.s))
}

// together runs all at once and comes back when the last has ended.
func loadTogether(t *testing.T, runs []*loadRun) {
	t.Helper()
	var wg sync.WaitGroup
	for _, r := range runs {
		wg.Go(func() { time.Sleep(r.delay); r.do(t) })
	}
	wg.Wait()
}
