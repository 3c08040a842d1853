package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const unknownCommit = "0123456789abcdef0123456789abcdef01234567"

// git runs git as a person does, with none of the machine's settings.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir, "-c", "user.name=Mona", "-c", "user.email=mona@example.com", "-c", "init.defaultBranch=main"}, args...)...)
	cmd.Env = append(gitEnviron(os.Environ()), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_COMMITTER_DATE=1795680000 +0100", "GIT_AUTHOR_DATE=1700000000 +0000")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

var committed = time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC) // of every commit of repository

// repository is a new one of three commits on main and one on a branch, merged, with a directory apps.
func repository(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	git(t, dir, "init", "-q")
	if err := os.Mkdir(filepath.Join(dir, "apps"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "apps", "a.yaml"), []byte("a: 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-q", "-m", "one")
	git(t, dir, "switch", "-q", "-c", "branch")
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "beside two")
	git(t, dir, "switch", "-q", "main")
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "two")
	git(t, dir, "merge", "-q", "--no-ff", "-m", "four", "branch")
	return dir
}

func TestClone(t *testing.T) {
	full := repository(t)
	head, branch, first := git(t, full, "rev-parse", "HEAD"), git(t, full, "rev-parse", "branch"), git(t, full, "rev-parse", "HEAD~2")
	shallow := filepath.Join(t.TempDir(), "shallow")
	git(t, full, "clone", "-q", "--depth", "1", "file://"+full, shallow)
	worktree := filepath.Join(t.TempDir(), "worktree")
	git(t, full, "worktree", "add", "-q", worktree, "branch")
	replaced := repository(t)
	git(t, replaced, "replace", "--graft", "HEAD") // no parents, for all that git shows
	git(t, replaced, "config", "log.showSignature", "true")
	outside := t.TempDir()
	t.Setenv("GIT_CEILING_DIRECTORIES", filepath.Dir(outside))

	tests := []struct {
		name, dir, commit string
		height            uint64
		err, noTime       string // parts of the errors
	}{
		{"the newest", full, head, 4, "", ""},
		{"in a directory of it", filepath.Join(full, "apps"), head, 4, "", ""},
		{"a branch", full, branch, 2, "", ""},
		{"the first", full, first, 1, "", ""},
		{"another work tree", worktree, head, 4, "", ""},
		{"history that was replaced here", replaced, git(t, replaced, "rev-parse", "HEAD"), 4, "", ""},
		{"shallow", shallow, head, 0, "shallow", ""},
		{"shallow, and not there", shallow, branch, 0, "shallow", "bad object"},
		{"not there", full, unknownCommit, 0, "bad object", "bad object"},
		{"no clone", outside, head, 0, "not a git repository", "not a git repository"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := clone{test.dir}
			height, err := g.height(t.Context(), test.commit)
			if height != test.height || (err == nil) != (test.err == "") || err != nil && (!strings.Contains(err.Error(), test.err) || strings.ContainsAny(err.Error(), "\n")) {
				t.Errorf("the height is %d, %v", height, err)
			}
			at, err := g.time(t.Context(), test.commit)
			if (err == nil) != (test.noTime == "") || err == nil && at != committed || err != nil && (!strings.Contains(err.Error(), test.noTime) || !at.IsZero()) {
				t.Errorf("the time is %v, %v", at, err)
			}
		})
	}
	t.Run("variables of another repository", func(t *testing.T) {
		other := repository(t)
		git(t, other, "commit", "-q", "--allow-empty", "-m", "more")
		for _, name := range elsewhere {
			t.Setenv(name, filepath.Join(other, ".git"))
		}
		t.Setenv("GIT_WORK_TREE", other)
		t.Setenv("LC_ALL", "de_DE.UTF-8")
		if height, err := (clone{full}).height(t.Context(), head); height != 4 || err != nil {
			t.Errorf("got %d, %v", height, err)
		}
		if _, err := (clone{full}).height(t.Context(), git(t, other, "rev-parse", "HEAD")); err == nil {
			t.Error("the commit of another repository is found")
		}
	})
	t.Run("without git", func(t *testing.T) {
		t.Setenv("PATH", outside)
		if height, err := (clone{full}).height(t.Context(), head); height != 0 || err == nil || err.Error() != "git is not installed" {
			t.Errorf("got %d, %v", height, err)
		}
	})
}

// What stands in for git, or an old one, is not believed either.
func TestCloneOfAnotherGit(t *testing.T) {
	for script, want := range map[string]string{
		`echo "--is-shallow-repository"`:                          "does not tell whether the clone is shallow",
		`case "$*" in *shallow*) echo false;; *) echo 0;; esac`:   "git rev-list --count",
		`case "$*" in *shallow*) echo false;; *) echo 1 2;; esac`: "git rev-list --count",
		`case "$*" in *shallow*) echo false;; esac`:               "git rev-list --count",
		`exit 3`:                        "exit status 3",
		`echo "fatal: a" >&2; exit 128`: ": a",
		`printf 'fatal: dubious ownership\n\nTo add an exception, call\n' >&2; exit 128`: ": dubious ownership",
	} {
		bin := t.TempDir()
		if err := os.WriteFile(filepath.Join(bin, "git"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", bin)
		height, err := (clone{t.TempDir()}).height(t.Context(), unknownCommit)
		if height != 0 || err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %d, %v", script, height, err)
		}
		if at, err := (clone{t.TempDir()}).time(t.Context(), unknownCommit); err == nil && !strings.Contains(script, "echo 0") && !strings.Contains(script, "echo 1") || err != nil && !at.IsZero() {
			t.Errorf("%s: the time is %v, %v", script, at, err)
		}
	}
}
