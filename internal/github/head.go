package github

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

// Head is the newest commit of the default branch that touches dir ("." for any), and when
// it was committed. A directory that no commit touches, and a git repository without any
// commit (which GitHub answers with 409), have none.
func (r *Repository) Head(ctx context.Context, dir string) (commit string, at time.Time, err error) {
	o := &github.CommitsListOptions{ListOptions: github.ListOptions{PerPage: 1}}
	if dir = path.Clean(dir); dir != "." {
		o.Path = dir
	}
	commits, _, err := r.api.Repositories.ListCommits(ctx, r.owner, r.name, o)
	if answered(err) == http.StatusConflict {
		return "", time.Time{}, nil
	}
	what := fmt.Sprintf("reading the newest commit of %s/%s that touches %q", r.owner, r.name, dir)
	switch {
	case err != nil:
		return "", time.Time{}, fmt.Errorf("%s: %w", what, explain(err, readContents))
	case commits == nil: // go-github takes an empty answer for an empty list
		return "", time.Time{}, fmt.Errorf("%s: the answer is no list", what)
	case len(commits) == 0:
		return "", time.Time{}, nil
	}
	commit, at = commits[0].GetSHA(), commits[0].GetCommit().GetCommitter().GetDate().UTC()
	if !fullCommit.MatchString(commit) || at.IsZero() {
		return "", time.Time{}, fmt.Errorf("%s: the answer has no sha or no committer date", what)
	}
	return commit, at, nil
}

// FullCommit is the commit of which short are the first digits; empty where GitHub knows none,
// or more than one.
func (r *Repository) FullCommit(ctx context.Context, short string) (string, error) {
	commit, _, err := r.api.Repositories.GetCommitSHA1(ctx, r.owner, r.name, short, "")
	switch {
	case answered(err) == http.StatusUnprocessableEntity: // GitHub's "No commit found for SHA"
		return "", nil
	case err != nil:
		return "", fmt.Errorf("reading commit %s of %s/%s: %w", short, r.owner, r.name, explain(err, readContents))
	case !strings.HasPrefix(commit, short) || !fullCommit.MatchString(commit):
		return "", fmt.Errorf("reading commit %s of %s/%s: the answer is no commit", short, r.owner, r.name)
	}
	return commit, nil
}

var fullCommit = regexp.MustCompile(`^[0-9a-f]{40}$`)
