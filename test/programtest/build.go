package programtest

import (
	"encoding/json"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/test/registrytest"
)

// Fleet is the repository of all tests.
const Fleet = "acme/fleet"

// Three commits.
const (
	CommitA = "aaaaaaa1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	CommitB = "bbbbbbb2bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	CommitC = "ccccccc3cccccccccccccccccccccccccccccccc"
)

// DayOf is the environment that makes a commit's time the day n after 2026-01-01.
func DayOf(n int) string { return "SOURCE_DATE_EPOCH=" + strconv.Itoa(1767225600+86400*n) }

// BuildReport is what a build said of itself.
type BuildReport struct {
	Outcome, Candidate, Digest, SHA string
	Tags                            []string
	Log                             string `json:"-"`
}

// BuildArgs is mode build of a directory and a commit into the repository Fleet of s.
func BuildArgs(s *registrytest.Server, dir, commit string, flags ...string) []string {
	return append([]string{
		"build", "--plain-http", "--repository", s.Host + "/" + Fleet, "--username", s.Username,
		"--path", dir, "--revision", "main@sha1:" + commit,
	}, flags...)
}

// BuildOn builds a directory into the repository Fleet of s and fails the test unless that succeeds.
func BuildOn(t *testing.T, s *registrytest.Server, env []string, dir, commit string, flags ...string) Result {
	t.Helper()
	r := Run(t, append([]string{"OCI_PROMOTE_PASSWORD=" + s.Password}, env...), BuildArgs(s, dir, commit, flags...)...)
	if r.Code != 0 {
		t.Fatalf("exit status %d\n%s%s\n%s", r.Code, r.Stdout, r.Stderr, s.RequestLog())
	}
	return r
}

// BuildOnce is one build of a commit of now, which must succeed; it may run beside others.
func BuildOnce(t *testing.T, s *registrytest.Server, dir, commit string) BuildReport {
	t.Helper()
	env := []string{"OCI_PROMOTE_PASSWORD=" + s.Password, "SOURCE_DATE_EPOCH=" + strconv.FormatInt(time.Now().Unix(), 10)}
	said := Run(t, env, BuildArgs(s, dir, commit, "--json")...)
	r := BuildReport{Log: said.Stderr}
	if said.Code != 0 {
		t.Errorf("build of %.7s: exit status %d\n%s", commit, said.Code, said.Stderr)
	} else if err := json.Unmarshal([]byte(said.Stdout), &r); err != nil {
		t.Errorf("build of %.7s: %v in %q", commit, err, said.Stdout)
	}
	return r
}

// BuildFor builds a commit of the day n, with content of its own.
func BuildFor(t *testing.T, s *registrytest.Server, commit string, n int, flags ...string) Artifact {
	t.Helper()
	dir := t.TempDir()
	Write(t, filepath.Join(dir, "app.yaml"), "commit: "+commit+"\n")
	said := BuildOn(t, s, []string{DayOf(n)}, dir, commit, append(flags, "--json")...)
	var r BuildReport
	if err := json.Unmarshal([]byte(said.Stdout), &r); err != nil {
		t.Fatalf("%v in %q", err, said.Stdout)
	}
	return Artifact{r.Candidate, r.Digest, commit}
}
