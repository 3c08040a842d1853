package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/go-github/v60/github"
)

// reversed are GitHub's words on two commits, and the same seen from the other one.
var reversed = map[string]string{"ahead": "behind", "behind": "ahead", "identical": "identical", "diverged": "diverged"}

// Compare is how commit stands to base, in GitHub's words: "ahead" (it contains base, and more), "behind" (base contains
// it), "identical" or "diverged". It is empty where GitHub does not know one of them, such as a commit of history that was
// rewritten, or no commit that both come from. Two commits are compared once, whichever way is asked.
func (r *Repository) Compare(ctx context.Context, commit, base string) (string, error) {
	r.mu.Lock()
	status, known := r.compared[[2]string{commit, base}]
	r.mu.Unlock()
	if known {
		return status, nil
	}
	status, err := r.compare(ctx, commit, base)
	if err != nil {
		return "", fmt.Errorf("comparing %.7s with %.7s of %s/%s: %w", base, commit, r.owner, r.name, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.compared[[2]string{commit, base}], r.compared[[2]string{base, commit}] = status, reversed[status]
	return status, nil
}

func (r *Repository) compare(ctx context.Context, commit, base string) (string, error) {
	c, _, err := r.api.Repositories.CompareCommits(ctx, r.owner, r.name, base, commit, &github.ListOptions{PerPage: 1})
	if isUnknown(err) {
		var e *Error
		switch denied := r.readable(ctx); {
		case denied == nil:
			return "", nil
		case !errors.As(denied, &e) || !e.Refused(): // not known whether it may
			return "", denied
		}
	}
	if err != nil {
		return "", explain(err, readContents)
	}
	if reversed[c.GetStatus()] == "" {
		return "", fmt.Errorf("unknown status %q", c.GetStatus())
	}
	r.reads.Store(true)
	return c.GetStatus(), nil
}

// isUnknown reports whether GitHub, and no proxy, says that there is no such commit, or that two have nothing in common.
func isUnknown(err error) bool {
	var resp *github.ErrorResponse
	status := answered(err)
	return errors.As(err, &resp) && resp.Message != "" && (status == http.StatusNotFound || status == http.StatusUnprocessableEntity)
}

// readable is nil where this token may read commits. GitHub answers 404 to a token that may not, too, and only where it
// may does a 404 speak of what was asked for. Asked once.
func (r *Repository) readable(ctx context.Context) error {
	r.probe.Lock()
	defer r.probe.Unlock()
	if r.reads.Load() {
		return nil
	}
	_, _, err := r.Head(ctx, ".")
	if err == nil {
		r.reads.Store(true)
	}
	return err
}
