package test

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/test/internet"
	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// What ghcr.io and GitHub answer to a token that may not, or that is none (docs/facts.md 13 and 14).
const (
	ghcrDenied   = `{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}`
	ghcrUnlinked = `{"errors":[{"code":"DENIED","message":"permission_denied: write_package"}]}`
	githubDenied = `{"message":"Resource not accessible by integration","documentation_url":"https://docs.github.com/rest"}`
	githubBad    = `{"message":"Bad credentials","documentation_url":"https://docs.github.com/rest"}`
)

// TestDocsPermissions holds the messages in docs/permissions.md, which are its indented lines, to what the program says
// where ghcr.io or GitHub refuses: each is there, word for word, and no other. A registry on loopback stands in for both.
func TestDocsPermissions(t *testing.T) {
	guide := readPage(t, "docs/permissions.md").text
	s := registrytest.Start(t, registrytest.Options{})
	work := t.TempDir()
	if err := os.CopyFS(work+"/platform", os.DirFS(platform)); err != nil {
		t.Fatal(err)
	}
	t.Chdir(work)
	world := internet.New(t)
	world.Play("ghcr.io", s.Secure())
	world.Play("api.github.com", s.Secure())
	common := []string{"--repository", "ghcr.io/acme/fleet", "--retry-for", "0s"}
	env := append(world.Env(), "GITHUB_TOKEN=ghs_x", "GITHUB_REPOSITORY=acme/fleet", "GITHUB_API_URL=https://api.github.com")
	const api = "/repos/acme/fleet/"
	job := append(slices.Clone(env), "GITHUB_ACTIONS=true", "GITHUB_WORKSPACE="+work, "GITHUB_SHA="+commitA, "GITHUB_REF_NAME=main",
		"INPUT_MODE=build", "INPUT_REPOSITORY=ghcr.io/acme/fleet", "INPUT_PATH=platform", "INPUT_TOKEN=ghs_x", "INPUT_RETRY-FOR=0s")
	build := func(commit string, height int, more ...string) []string {
		return append([]string{"build", "--path", "platform", "--revision", "main@sha1:" + commit, "--height", strconv.Itoa(height)}, more...)
	}
	var said []string
	for _, c := range []struct {
		refuse       string // path of the requests that are refused
		status       int
		body         string
		args         []string // nil for the job
		time         string
		code, expect int // exit status, and how many lines are told
	}{
		{"/tags/list", 403, ghcrDenied, build(commitA, 2), timeA, 1, 2},
		{"/blobs/uploads/", 403, ghcrUnlinked, build(commitA, 2), timeA, 1, 2},
		{api, 403, githubDenied, nil, timeA, 1, 2},
		{api, 403, githubDenied, build(commitA, 2), "", 0, 1}, // dated now, so that the next is older
		{api, 403, githubDenied, build(commitB, 1), timeA, 0, 1},
		{api, 403, githubDenied, []string{"tag", "--kustomization", "platform"}, "", 1, 2},
		{api, 403, githubDenied, []string{"tag", "--kustomization", "platform", "--soak", "1h"}, "", 1, 2},
		{api, 403, githubDenied, []string{"tag", "--kustomization", "platform", "--artifact-sha", commitA, "--release"}, "", 0, 2},
		{api, 403, githubDenied, build(commitC, 3, "--bump", "auto", "--dry-run"), timeA, 0, 1},
		{api, 403, githubDenied, []string{"verify", "--path", "platform", "--issue"}, "", 0, 3},
		{api, 401, githubBad, []string{"verify", "--path", "platform"}, "", 0, 2},
	} {
		s.Intercept(registrytest.On("", c.refuse, registrytest.Status(c.status, nil, c.body)))
		args, env := slices.Concat(c.args, common), env
		if c.args == nil {
			args, env = nil, job
		}
		r := programtest.Run(t, slices.Concat(env, strings.Fields(c.time)), args...)
		lines := complaints(r)
		if r.Code != c.code || len(lines) != c.expect {
			t.Errorf("%q refused: exit status %d, %d complaints; want %d and %d\n%s%s", c.refuse, r.Code, len(lines), c.code, c.expect, r.Stdout, r.Stderr)
		}
		said = append(said, lines...)
	}
	var told []string
	for line := range strings.Lines(guide) {
		if text, ok := strings.CutPrefix(line, "    "); ok {
			told = append(told, anyDigest(strings.TrimRight(text, "\n")))
		}
	}
	for _, line := range said {
		if !slices.Contains(told, anyDigest(line)) {
			t.Errorf("docs/permissions.md does not have what a run says:\n%s", line)
		}
	}
	for _, line := range told {
		if !slices.ContainsFunc(said, func(s string) bool { return anyDigest(s) == line }) {
			t.Errorf("docs/permissions.md has what no run says:\n%s", line)
		}
	}
}

// anyDigest leaves open which of the blobs was refused: they are sent at once.
func anyDigest(line string) string { return digestInText.ReplaceAllString(line, "sha256:…") }

// complaints are the errors, hints and warnings of a run, in a job as its log shows them, and the finding of verify that a
// token may not read.
func complaints(r programtest.Result) (all []string) {
	all = strings.Split(strings.TrimRight(r.Stderr, "\n"), "\n")
	if r.Stderr == "" {
		all = nil
	}
	lines := strings.Split(r.Stdout, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "  warning token-cannot-read:") {
			all = append(all, lines[i:i+2]...)
		}
		if text, ok := strings.CutPrefix(line, "::error::"); ok {
			all = append(all, strings.Split("Error: "+text, "%0A")...)
		}
	}
	return all
}
