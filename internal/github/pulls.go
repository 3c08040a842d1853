package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

// Pull is a pull request that was merged.
type Pull struct {
	Number int
	Merged time.Time // UTC
}

// Merged are the pull requests that were merged by one of the commits after since up to and including until, the one that
// was merged last first, whatever branch they went to (one may be stacked on another). History that does not lead from
// since to until is an error, and so are more than 1,000 commits (ErrManyCommits).
//
// Of the closed ones it reads the 1,000 that were updated last, and no further than to the oldest commit of the range: what
// was merged by one of these was updated after it. More reports that it did not get that far, so that some may be missing.
func (r *Repository) Merged(ctx context.Context, since, until string) (merged []Pull, more bool, err error) {
	commits, oldest, err := r.between(ctx, since, until)
	if err != nil || len(commits) == 0 {
		return nil, false, err
	}
	byNumber := map[int]Pull{} // one that is updated while pages are read comes a second time
	q := url.Values{"state": {"closed"}, "sort": {"updated"}, "direction": {"desc"}, "per_page": {strconv.Itoa(perPage)}}
	for n := 0; q != nil && n < maxPages; n++ {
		closed, next, err := listPage[*github.PullRequest](ctx, r.client, "pulls", q)
		if err != nil {
			return nil, false, fmt.Errorf("listing pull requests of %s/%s: %w", r.owner, r.name, explain(err, writePulls))
		}
		for _, p := range closed {
			if _, ok := commits[p.GetMergeCommitSHA()]; ok && isMerged(p) {
				byNumber[p.GetNumber()] = Pull{p.GetNumber(), p.GetMergedAt().UTC()}
			}
		}
		if q = next; updatedBefore(closed, oldest) {
			q = nil
		}
	}
	merged = slices.SortedFunc(maps.Values(byNumber), func(a, b Pull) int {
		return cmp.Or(b.Merged.Compare(a.Merged), cmp.Compare(b.Number, a.Number))
	})
	return merged, q != nil, nil
}

// isMerged reports whether a pull request was merged. Then merge_commit_sha is the commit that came of it on the branch: the
// merge's, the squashed one, the last of those that were rebased; before, it is that of a test
// (https://docs.github.com/rest/pulls/pulls#get-a-pull-request).
func isMerged(p *github.PullRequest) bool {
	return p.GetNumber() > 0 && !p.GetMergedAt().IsZero()
}

// updatedBefore reports whether a page of pull requests, the one that was updated last first, ends with one that was not
// updated since t.
func updatedBefore(page []*github.PullRequest, t time.Time) bool {
	if len(page) == 0 {
		return false
	}
	last := page[len(page)-1].GetUpdatedAt()
	return !last.IsZero() && last.Before(t)
}

// maxFiles is how many files of a pull request GitHub lists (https://docs.github.com/rest/pulls/pulls#list-pull-requests-files).
const maxFiles = 3000

var errManyFiles = fmt.Errorf("GitHub lists no more than %d files of a pull request", maxFiles)

// touches reports whether a pull request changes, adds, or takes away a file in dir ("." for any), by whole segments of the
// path. Where none of those that GitHub lists does, and there may be more, that is errManyFiles.
func (r *Repository) touches(ctx context.Context, number int, dir string) (bool, error) {
	if dir = path.Clean(dir); dir == "." {
		return true, nil
	}
	seen, q := 0, url.Values{"per_page": {strconv.Itoa(perPage)}}
	for q != nil && seen < maxFiles {
		files, next, err := listPage[*github.CommitFile](ctx, r.client, fmt.Sprintf("pulls/%d/files", number), q)
		if err != nil {
			return false, r.pullError("listing files", number, err)
		}
		for _, f := range files {
			if isIn(f.GetFilename(), dir) || isIn(f.GetPreviousFilename(), dir) {
				return true, nil
			}
		}
		if len(files) == 0 && next != nil {
			return false, r.pullError("listing files", number, errors.New("a page of them is empty"))
		}
		seen, q = seen+len(files), next
	}
	if seen >= maxFiles {
		return false, fmt.Errorf("listing files of pull request #%d of %s/%s: %w", number, r.owner, r.name, errManyFiles)
	}
	return false, nil
}

func isIn(file, dir string) bool { return file == dir || strings.HasPrefix(file, dir+"/") }

// pullError says what was being done with a pull request.
func (r *Repository) pullError(doing string, number int, err error) error {
	return fmt.Errorf("%s of pull request #%d of %s/%s: %w", doing, number, r.owner, r.name, explain(err, writePulls))
}
