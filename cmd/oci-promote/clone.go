package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// clone is the git repository that holds a directory, asked through git.
type clone struct{ dir string }

// height is how many commits lead to commit, itself included. A shallow clone is refused: git counts what it has there,
// and many a project has numbered everything 1 (docs/facts.md 24).
func (g clone) height(ctx context.Context, commit string) (uint64, error) {
	shallow, err := g.git(ctx, "rev-parse", "--is-shallow-repository")
	switch {
	case err != nil:
		return 0, err
	case shallow == "true":
		return 0, fmt.Errorf("the clone that holds %q is shallow, so that git cannot count its commits", g.dir)
	case shallow != "false": // a git before 2.15
		return 0, errors.New("git does not tell whether the clone is shallow")
	}
	count, err := g.git(ctx, "rev-list", "--count", commit)
	if err != nil {
		return 0, err
	}
	n, err := parseHeight(count)
	if err != nil {
		return 0, fmt.Errorf("git rev-list --count: %w", err)
	}
	return n, nil
}

// time is when commit was committed, in UTC. A shallow clone knows it too.
func (g clone) time(ctx context.Context, commit string) (time.Time, error) {
	line, err := g.git(ctx, "rev-list", "--max-count=1", "--timestamp", commit) // as git show --format=%ct, whatever log.* is set to
	if err != nil {
		return time.Time{}, err
	}
	seconds, _, _ := strings.Cut(line, " ")
	t, err := unixTime(seconds)
	if err != nil {
		return time.Time{}, fmt.Errorf("git rev-list --timestamp: %w", err)
	}
	return t, nil
}

// git is the answer of git on one line. Its arguments are ours, and a commit of 40 hex digits.
func (g clone) git(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", g.dir}, args...)...) //nolint:gosec // there is no shell
	cmd.Env = gitEnviron(os.Environ())
	out, err := cmd.Output()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return strings.TrimSpace(string(out)), nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return "", errors.New("git is not installed")
	case errors.As(err, &exit) && len(exit.Stderr) > 0:
		why, _, _ := strings.Cut(strings.TrimSpace(string(exit.Stderr)), "\n")
		return "", fmt.Errorf("git %s in %q: %s", args[0], g.dir, clip(strings.TrimPrefix(why, "fatal: ")))
	}
	return "", fmt.Errorf("git %s in %q: %w", args[0], g.dir, err)
}

// elsewhere are the variables by which git would look at another repository, or at other history, than the one that holds
// the directory; a hook has some of them.
var elsewhere = []string{
	"GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
	"GIT_GRAFT_FILE", "GIT_SHALLOW_FILE", "GIT_REPLACE_REF_BASE", "GIT_NAMESPACE", "GIT_PREFIX",
}

// gitEnviron is the environment for git: its words in English, the history as it was committed, nothing fetched, nobody asked.
func gitEnviron(environ []string) []string {
	kept := slices.DeleteFunc(slices.Clone(environ), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains(elsewhere, name)
	})
	return append(kept, "LC_ALL=C", "GIT_NO_REPLACE_OBJECTS=1", "GIT_NO_LAZY_FETCH=1", "GIT_TERMINAL_PROMPT=0")
}
