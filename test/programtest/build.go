package programtest

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

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

// Height is that of one of the three commits: A is the first of the history, C the third.
func Height(commit string) string {
	return strconv.Itoa(1 + slices.Index([]string{CommitA, CommitB, CommitC}, commit))
}

// BuildArgs is mode build of a directory and a commit into the repository Fleet of s. Unless it is one of the three, flags
// must have its height.
func BuildArgs(s *registrytest.Server, dir, commit string, flags ...string) []string {
	if !slices.Contains(flags, "--height") {
		flags = append([]string{"--height", Height(commit)}, flags...)
	}
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

// BuildAt is one build of a commit through a door of s, which must succeed; it may run beside others.
func BuildAt(t *testing.T, s *registrytest.Server, door string, env []string, dir, commit string, flags ...string) BuildReport {
	t.Helper()
	args := BuildArgs(s, dir, commit, append(flags, "--json", "--repository", door+"/"+Fleet)...)
	said := Run(t, append([]string{"OCI_PROMOTE_PASSWORD=" + s.Password}, env...), args...)
	r := BuildReport{SHA: commit, Log: said.Stderr}
	if said.Code != 0 {
		t.Errorf("build of %.7s: exit status %d\n%s", commit, said.Code, said.Stderr)
	} else if err := json.Unmarshal([]byte(said.Stdout), &r); err != nil {
		t.Errorf("build of %.7s: %v in %q", commit, err, said.Stdout)
	}
	return r
}

// BuildFor builds a commit that n others lead to, of the day n, with content of its own.
func BuildFor(t *testing.T, s *registrytest.Server, commit string, n int, flags ...string) Artifact {
	t.Helper()
	dir := t.TempDir()
	Write(t, filepath.Join(dir, "app.yaml"), "commit: "+commit+"\n")
	said := BuildOn(t, s, []string{DayOf(n)}, dir, commit, append([]string{"--height", strconv.Itoa(n + 1), "--json"}, flags...)...)
	var r BuildReport
	if err := json.Unmarshal([]byte(said.Stdout), &r); err != nil {
		t.Fatalf("%v in %q", err, said.Stdout)
	}
	return Artifact{r.Candidate, r.Digest, commit}
}
