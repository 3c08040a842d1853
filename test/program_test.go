package test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/test/programtest"
)

const (
	platform = "../testdata/platform" // a small real tree
	fleet    = programtest.Fleet

	commitA = programtest.CommitA
	commitB = programtest.CommitB
	commitC = programtest.CommitC

	timeA = "SOURCE_DATE_EPOCH=1767225600" // 2026-01-01T00:00:00Z
	timeB = "SOURCE_DATE_EPOCH=1767312000" // a day later
)

// git runs git in a directory and gives what it printed, without the last line's end.
func git(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir, cmd.Env = dir, env
	r := programtest.RunCommand(t, cmd)
	if r.Code != 0 {
		t.Fatalf("git %s: exit status %d\n%s", strings.Join(args, " "), r.Code, r.Stderr)
	}
	return strings.TrimRight(r.Stdout, "\n")
}
