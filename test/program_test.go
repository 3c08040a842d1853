package test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/test/registrytest"
)

const (
	platform = "../testdata/platform" // a small real tree
	fleet    = "acme/fleet"           // the repository of all tests

	commitA = "aaaaaaa1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	commitB = "bbbbbbb2bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	commitC = "ccccccc3cccccccccccccccccccccccccccccccc"

	timeA = "SOURCE_DATE_EPOCH=1767225600" // 2026-01-01T00:00:00Z
	timeB = "SOURCE_DATE_EPOCH=1767312000" // a day later
)

// result is what one run of the program said and how it ended.
type result struct {
	stdout, stderr string
	code           int
}

// program runs the real binary with nothing of the caller's environment but what coverage and the race detector
// need, and no Docker configuration.
func program(t *testing.T, env []string, args ...string) result {
	t.Helper()
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "oci-promote", args...)
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "DOCKER_CONFIG=" + filepath.Join(home, ".docker"), "TMPDIR=" + t.TempDir(),
		"GOCOVERDIR=" + os.Getenv("GOCOVERDIR"), "GORACE=" + os.Getenv("GORACE"),
	}, env...)
	return runCommand(t, cmd)
}

// runCommand runs a command to its end, whatever its exit status.
func runCommand(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// buildOn builds a directory into the repository fleet of s and fails the test unless that succeeds.
func buildOn(t *testing.T, s *registrytest.Server, env []string, dir, commit string, flags ...string) result {
	t.Helper()
	env = append([]string{"OCI_PROMOTE_PASSWORD=" + s.Password}, env...)
	args := []string{
		"build", "--repository", s.Host + "/" + fleet, "--plain-http", "--username", s.Username,
		"--path", dir, "--revision", "main@sha1:" + commit,
	}
	r := program(t, env, append(args, flags...)...)
	if r.code != 0 {
		t.Fatalf("exit status %d\n%s%s\n%s", r.code, r.stdout, r.stderr, s.RequestLog())
	}
	return r
}

// git runs git in a directory and gives what it printed, without the last line's end.
func git(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir, cmd.Env = dir, env
	r := runCommand(t, cmd)
	if r.code != 0 {
		t.Fatalf("git %s: exit status %d\n%s", strings.Join(args, " "), r.code, r.stderr)
	}
	return strings.TrimRight(r.stdout, "\n")
}
