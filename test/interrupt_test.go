package test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// A stage is where a run is interrupted: at the request that is met, or some time after it.
type stage struct {
	name   string
	before []string // the runs before, by their commit: of mode build, and of mode tag where it begins with "tag "
	args   []string
	event  string   // the commit that integration has reported healthy, for a run that is started by that; may be empty
	then   []string // the runs between the interrupted one and the next
	method string
	path   string
	skip   int  // requests that fit and are let through before
	goesOn bool // the request is answered, and the run goes on to what it does then
	sparse bool // what is packed takes seconds
	while  string
	left   string
}

var stages = []stage{
	{name: "packing", args: buildOf("1"), method: "GET", path: "/tags/list", goesOn: true, sparse: true, while: `packing "\.`, left: "no tag was written or deleted"},
	{name: "listing", args: buildOf("1"), method: "GET", path: "/tags/list", while: `reading tags of `, left: "no tag was written or deleted"},
	{name: "uploading", args: buildOf("1"), method: "P(ATCH|UT|OST)", path: "/blobs/uploads/", while: `(uploading sha256:|reading tag )`, left: "no tag was written or deleted"},
	{name: "numbering", args: buildOf("1"), method: "PUT", path: "/manifests/0", while: `writing tag "0\.0\.1-rc\.1" of `, left: "no tag was written or deleted"},
	{name: "between tags", args: buildOf("1"), method: "PUT", path: "/manifests/sha-", while: `(writing tag "|reading tags )`, left: "in place by then: 0.0.1-rc.1"},
	{name: "waiting", args: []string{"tag", "--kustomization", "platform"}, event: commitB, before: []string{commitA}, then: []string{commitB}, method: "GET", path: "/tags/list", goesOn: true, left: "no tag was written or deleted"},
	{name: "announcing", args: []string{"tag", "--artifact-sha", commitA}, before: []string{commitA}, method: "PUT", path: "/manifests/validated-", while: `writing tag "validated-`, left: "no tag was written or deleted"},
	{name: "promoting", args: []string{"tag", "--artifact-sha", commitA}, before: []string{commitA}, method: "PUT", path: "/manifests/0.0.1$", while: `writing tag "0\.0\.1" of `, left: "in place by then: validated-aaaaaaa"},
	{name: "following", args: []string{"verify", "--fail-on", "never"}, before: []string{commitA}, method: "GET", path: "/manifests/", while: `reading "`, left: "no tag was written or deleted"},
	{
		name: "deleting", args: []string{"prune", "--keep-stables", "1", "--keep-for", "0s", "--apply"}, before: []string{commitA, "tag " + commitA, commitB, "tag " + commitB, commitC, "tag " + commitC},
		method: "DELETE", path: "/manifests/", skip: 1, while: `deleting 0\.0\.2 \(sha256:`, left: "1 artifact deleted before that",
	},
}

func buildOf(height string) []string {
	return []string{"build", "--path", ".", "--revision", "main@sha1:" + commitA, "--height", height}
}

// TestInterrupted sends the real program both signals at each stage of each mode. It ends at once with the signal's exit
// status, says what was left, and the next run leaves what an undisturbed one does. As JSON the error is one line of stdout.
func TestInterrupted(t *testing.T) {
	for i, s := range stages {
		for j, sent := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
			t.Run(s.name+" "+sent.String(), func(t *testing.T) {
				t.Parallel()
				interruptAt(t, s, sent, (i+j)%2 == 0)
			})
		}
	}
}

func interruptAt(t *testing.T, s stage, sent syscall.Signal, asJSON bool) {
	reg := registrytest.Start(t, registrytest.Options{})
	dir := t.TempDir()
	programtest.Write(t, filepath.Join(dir, "a.yaml"), "a: 1\n")
	play(t, reg, dir, s.before)
	huge := filepath.Join(dir, "huge.yaml")
	if s.sparse {
		programtest.Write(t, huge, "")
		if err := os.Truncate(huge, 4<<30); err != nil {
			t.Fatal(err)
		}
	}
	args := s.args
	if asJSON {
		args = append(args[:len(args):len(args)], "--json")
	}
	stdout, stderr, code := signalAt(t, reg, s, sent, s.command(t, reg, dir, args...))
	name := map[syscall.Signal]string{syscall.SIGINT: "SIGINT", syscall.SIGTERM: "SIGTERM"}[sent]
	if want := regexp.MustCompile(`(?m)^oci-promote: interrupted \(` + name + `\) while ` + s.while); code != 128+int(sent) || s.while != "" && !want.MatchString(stderr) {
		t.Errorf("exit status %d, want %d and %s:\n%s", code, 128+int(sent), want, stderr)
	}
	if strings.Count(stderr, "interrupted (") != 1 || !strings.Contains(stderr, s.left) || !strings.Contains(stderr, "the next run ") || strings.Contains(stderr, "context canceled") {
		t.Errorf("it says %q, want once that it is interrupted, %q, and how it goes on", stderr, s.left)
	}
	toldInJSON(t, asJSON, stdout, name)
	reg.Intercept(nil)
	if s.sparse {
		if err := os.Remove(huge); err != nil {
			t.Fatal(err)
		}
	}
	completes(t, reg, dir, s)
}

// signalAt sends the signal when the request of the stage is met, which is not answered after that.
func signalAt(t *testing.T, reg *registrytest.Server, s stage, sent syscall.Signal, cmd *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	met := make(chan struct{})
	var once sync.Once
	var mu sync.Mutex
	left := s.skip
	path := regexp.MustCompile(s.path)
	method := regexp.MustCompile("^" + s.method + "$")
	reg.Intercept(func(w http.ResponseWriter, r *http.Request, n int, next http.Handler) {
		mu.Lock()
		hit := method.MatchString(r.Method) && path.MatchString(r.URL.Path)
		if hit {
			left--
		}
		hit = hit && left < 0
		mu.Unlock()
		if !hit {
			next.ServeHTTP(w, r)
			return
		}
		once.Do(func() { close(met) })
		if s.goesOn {
			next.ServeHTTP(w, r)
			return
		}
		registrytest.Stall(time.Minute)(w, r, n, next)
	})
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-met
	if s.goesOn {
		time.Sleep(300 * time.Millisecond)
	}
	at := time.Now()
	if err := cmd.Process.Signal(sent); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the exit status is looked at
	if took := time.Since(at); took > 20*time.Second {
		t.Errorf("it ends %s after the signal", took)
	}
	return out.String(), said.String(), cmd.ProcessState.ExitCode()
}

func toldInJSON(t *testing.T, asked bool, stdout, signal string) {
	t.Helper()
	if !asked {
		if stdout != "" {
			t.Errorf("stdout has %q", stdout)
		}
		return
	}
	var told struct {
		Error struct{ Message, Hint string }
	}
	if err := json.Unmarshal([]byte(stdout), &told); err != nil || strings.Count(stdout, "\n") != 1 {
		t.Fatalf("%q is not one line of JSON: %v", stdout, err)
	}
	if !strings.HasPrefix(told.Error.Message, "interrupted ("+signal+")") || !strings.Contains(told.Error.Hint, "the next run") {
		t.Errorf("the JSON is %s", stdout)
	}
}

// completes runs the command of a stage again, and compares the tags with those of a repository where nothing was disturbed.
func completes(t *testing.T, reg *registrytest.Server, dir string, s stage) {
	t.Helper()
	undisturbed := registrytest.Start(t, registrytest.Options{})
	play(t, undisturbed, dir, s.before)
	for _, at := range []*registrytest.Server{reg, undisturbed} {
		play(t, at, dir, s.then)
		if r := programtest.RunCommand(t, s.command(t, at, dir, s.args...)); r.Code != 0 {
			t.Fatalf("the next run: exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
		}
	}
	if got, want := reg.Tags(fleet), undisturbed.Tags(fleet); !maps.Equal(got, want) {
		t.Errorf("the next run leaves %v, want %v", got, want)
	}
}

// command is the program, with the event that starts it.
func (s stage) command(t *testing.T, reg *registrytest.Server, dir string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := program(t, reg, dir, args...)
	if s.event != "" {
		cmd.Env = append(cmd.Env, programtest.StatusOf(t, s.event, "kustomization/platform/be63676c", "success")...)
	}
	return cmd
}

// program is the program in a directory, with the repository of all tests in a registry.
func program(t *testing.T, reg *registrytest.Server, dir string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := programtest.Command(t, []string{timeA}, append(args, "--repository", reg.Host+"/"+fleet, "--plain-http")...)
	cmd.Dir = dir
	return cmd
}

// play does the runs before a stage.
func play(t *testing.T, reg *registrytest.Server, dir string, runs []string) {
	t.Helper()
	for _, run := range runs {
		args := []string{"tag", "--artifact-sha", strings.TrimPrefix(run, "tag ")}
		if !strings.HasPrefix(run, "tag ") {
			args = []string{"build", "--path", ".", "--revision", "main@sha1:" + run, "--height", programtest.Height(run), "--annotations", "commit=" + run}
		}
		if r := programtest.RunCommand(t, program(t, reg, dir, args...)); r.Code != 0 {
			t.Fatalf("%s: exit status %d\n%s%s", args, r.Code, r.Stdout, r.Stderr)
		}
	}
}

// TestInterruptedJob: a job that is cancelled says the same in its log and its summary.
func TestInterruptedJob(t *testing.T) {
	reg := registrytest.Start(t, registrytest.Options{})
	dir := t.TempDir()
	programtest.Write(t, filepath.Join(dir, "a.yaml"), "a: 1\n")
	summary := filepath.Join(t.TempDir(), "summary")
	programtest.Write(t, summary, "")
	s := stage{method: "PUT", path: "/manifests/sha-"}
	cmd := programtest.Command(t, []string{
		timeA, "GITHUB_ACTIONS=true", "GITHUB_WORKSPACE=" + dir, "GITHUB_STEP_SUMMARY=" + summary, "INPUT_MODE=build", "INPUT_PATH=.", "INPUT_HEIGHT=1",
		"INPUT_REVISION=main@sha1:" + commitA, "INPUT_PLAIN-HTTP=true", "INPUT_REPOSITORY=" + reg.Host + "/" + fleet,
	})
	stdout, stderr, code := signalAt(t, reg, s, syscall.SIGINT, cmd)
	blob, err := os.ReadFile(summary)
	if err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`(?m)^::error::interrupted \(SIGINT\) while (writing tag "|reading tags )[^%]+%0Ain place by then: 0\.0\.1-rc\.1.*the next run completes it$`)
	if code != 130 || stderr != "" || !want.MatchString(stdout) || !strings.Contains(string(blob), "the next run completes it") {
		t.Errorf("exit status %d\n%s%s\n%s", code, stdout, stderr, blob)
	}
}
