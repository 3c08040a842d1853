package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

// maxHeight is the greatest height that is believed: what JSON and JavaScript still count exactly.
const maxHeight = 1 << 53

// pushWaits are the pauses in which GitHub may learn of a commit that was just pushed.
var pushWaits = []time.Duration{time.Second / 2, time.Second, 2 * time.Second, 4 * time.Second}

// Height is how many commits lead to commit, itself included, and when it was committed, in UTC; zero where the answer
// does not say when. It costs one request. A height is never guessed: an answer that is not about this very commit, or
// has lost the header that counts, is an error. commit is 40 hex digits.
func (r *Repository) Height(ctx context.Context, commit string) (height uint64, at time.Time, err error) {
	commit = strings.ToLower(commit)
	what := fmt.Sprintf("counting the commits up to %.7s of %s/%s", commit, r.owner, r.name)
	if !fullCommit.MatchString(commit) {
		return 0, at, fmt.Errorf("%s: %q is not a commit of 40 hex digits", what, commit)
	}
	commits, resp, err := r.first(ctx, commit)
	if err != nil {
		return 0, at, fmt.Errorf("%s: %w", what, r.unpushed(err))
	}
	if height, err = counted(commits, resp, commit); err != nil {
		return 0, at, fmt.Errorf("%s: %w", what, explain(err, readContents))
	}
	r.reads.Store(true)
	return height, commits[0].GetCommit().GetCommitter().GetDate().UTC(), nil
}

// first asks for the list of the commits that lead to commit, one a page, newest first. It must have no filter: with
// path or author GitHub's count of pages is not reliable (docs/facts.md 24).
func (r *Repository) first(ctx context.Context, commit string) ([]*github.RepositoryCommit, *github.Response, error) {
	o := &github.CommitsListOptions{SHA: commit, ListOptions: github.ListOptions{PerPage: 1}}
	for _, wait := range pushWaits {
		commits, resp, err := r.api.Repositories.ListCommits(ctx, r.owner, r.name, o)
		if !isUnpushed(err) {
			return commits, resp, err
		}
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(wait):
		}
	}
	return r.api.Repositories.ListCommits(ctx, r.owner, r.name, o)
}

// isUnpushed reports whether GitHub says that it does not have the commit, or the token; it says the same for a moment
// after a push.
func isUnpushed(err error) bool {
	status := answered(err)
	return status == http.StatusNotFound || status == http.StatusConflict || status == http.StatusUnprocessableEntity
}

func (r *Repository) unpushed(err error) error {
	explained := explain(err, readContents)
	if isUnpushed(err) {
		explained.hint = fmt.Sprintf("push the commit to %s/%s first; where it is there, the token may not read it: the job needs `permissions: %s`", r.owner, r.name, readContents)
	}
	return explained
}

// counted reads the height from the first page: it is the number of the last one. Only a commit without parents has no
// last page, so that a proxy that drops the header does not make a first commit of every one.
func counted(commits []*github.RepositoryCommit, resp *github.Response, commit string) (uint64, error) {
	if len(commits) != 1 || !strings.EqualFold(commits[0].GetSHA(), commit) {
		return 0, errors.New("the answer is not a list of this commit alone")
	}
	paged := strings.Join(resp.Header.Values("Link"), "") != ""
	isRoot := commits[0].Parents != nil && len(commits[0].Parents) == 0
	switch {
	case !paged && isRoot:
		return 1, nil
	case !paged:
		return 0, errors.New("the answer has no Link header, which counts, and yet the commit is not the first of all")
	case isRoot:
		return 0, errors.New("the answer has further pages, and yet the commit has no parents")
	case resp.LastPage < 2 || resp.LastPage > maxHeight:
		return 0, errors.New("the Link header of the answer does not number its last page")
	}
	return uint64(resp.LastPage), nil
}
