// Package github is the GitHub API edge: what the pipeline asks of the repository's
// history and of a commit's statuses, and the releases that it leaves there.
package github

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/go-github/v60/github"
)

// Options say which GitHub and as whom.
type Options struct {
	Repository string            // owner/name
	APIURL     string            // of GitHub Enterprise Server; empty for github.com
	ServerURL  string            // whose pages links lead to; empty for https://github.com
	Token      string            // goes to the API's host only; may be empty
	Transport  http.RoundTripper // with the run's retries; nil for Go's own
	UserAgent  string
	Pause      time.Duration // that comments and deletions are apart; zero for the second that GitHub asks for
}

// Repository is one git repository on GitHub.
type Repository struct {
	*client
	owner, name string
	page        string // URL, without a slash at the end

	mu       sync.Mutex
	compared map[[2]string]string // GitHub's word on the first commit of a pair, seen from the second
	probe    sync.Mutex           // held while asking whether commits can be read
	reads    atomic.Bool          // they can
}

// Open prepares a client. Nothing is sent yet.
func Open(o Options) (*Repository, error) {
	owner, name, ok := strings.Cut(o.Repository, "/")
	if !ok || owner == "" || name == "" || strings.Contains(name, "/") {
		return nil, fmt.Errorf("GITHUB_REPOSITORY %q is not OWNER/NAME", o.Repository)
	}
	c, err := newClient(o, "repos/"+o.Repository)
	if err != nil {
		return nil, err
	}
	server := cmp.Or(o.ServerURL, "https://github.com")
	if u, err := url.Parse(server); err != nil || u.Host == "" {
		return nil, fmt.Errorf("GITHUB_SERVER_URL %q is not a URL", server)
	}
	return &Repository{
		client: c, owner: owner, name: name, page: strings.TrimSuffix(server, "/") + "/" + o.Repository,
		compared: map[[2]string]string{},
	}, nil
}

// CommitTime is when commit was committed, in UTC.
func (r *Repository) CommitTime(ctx context.Context, commit string) (time.Time, error) {
	c, _, err := r.api.Git.GetCommit(ctx, r.owner, r.name, commit)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading commit %.7s of %s/%s: %w", commit, r.owner, r.name, explain(err, readContents))
	}
	t := c.GetCommitter().GetDate()
	if t.IsZero() {
		return time.Time{}, fmt.Errorf("reading commit %.7s of %s/%s: the answer has no committer date", commit, r.owner, r.name)
	}
	return t.UTC(), nil
}

// The API gives 100 commits a page at most; more than ten pages is no release any more.
const (
	perPage  = 100
	maxPages = 10
)

// ErrManyCommits is in the error of a comparison that has more commits than are read.
var ErrManyCommits = fmt.Errorf("more than %d commits", perPage*maxPages)

// Messages are the messages of the commits after since up to and including until that
// touch dir ("." for any). History that does not lead from since to until is an error.
func (r *Repository) Messages(ctx context.Context, since, until, dir string) ([]string, error) {
	between, oldest, err := r.between(ctx, since, until)
	if err != nil {
		return nil, err
	}
	wanted := between
	if dir = path.Clean(dir); dir != "." && len(between) > 0 {
		if wanted, err = r.touching(ctx, until, dir, between, oldest); err != nil {
			return nil, err
		}
	}
	messages := make([]string, 0, len(wanted))
	for _, message := range wanted {
		messages = append(messages, message)
	}
	return messages, nil
}

// between maps the commits of since..until to their messages, and tells when the
// oldest of them was committed.
func (r *Repository) between(ctx context.Context, since, until string) (found map[string]string, oldest time.Time, err error) {
	found, oldest = map[string]string{}, time.Now()
	for page := 1; page <= maxPages; page++ {
		c, resp, err := r.api.Repositories.CompareCommits(ctx, r.owner, r.name, since, until, &github.ListOptions{Page: page, PerPage: perPage})
		if err != nil {
			return nil, oldest, fmt.Errorf("comparing %.7s with %.7s of %s/%s: %w", since, until, r.owner, r.name, explain(err, readContents))
		}
		if s := c.GetStatus(); s != "ahead" && s != "identical" {
			return nil, oldest, fmt.Errorf("comparing %.7s with %.7s of %s/%s: the history is %s", since, until, r.owner, r.name, s)
		}
		for _, commit := range c.Commits {
			found[commit.GetSHA()] = commit.GetCommit().GetMessage()
			if t := commit.GetCommit().GetCommitter().GetDate().Time; t.Before(oldest) {
				oldest = t
			}
		}
		if resp.NextPage == 0 {
			return found, oldest, nil
		}
	}
	return nil, oldest, fmt.Errorf("comparing %.7s with %.7s of %s/%s: %w", since, until, r.owner, r.name, ErrManyCommits)
}

// touching keeps the commits of between that touch dir. The list of a directory's
// commits has no lower end but the time of the oldest: a branch that was merged late
// stands in it below commits that since contains already.
func (r *Repository) touching(ctx context.Context, until, dir string, between map[string]string, oldest time.Time) (map[string]string, error) {
	found := map[string]string{}
	o := &github.CommitsListOptions{SHA: until, Path: dir, ListOptions: github.ListOptions{PerPage: perPage}}
	if oldest.Year() > 1970 { // GitHub takes no earlier time, and means after it
		o.Since = oldest.Add(-time.Second).UTC()
	}
	for range maxPages {
		commits, resp, err := r.api.Repositories.ListCommits(ctx, r.owner, r.name, o)
		if err != nil {
			return nil, fmt.Errorf("listing commits of %s/%s that touch %q: %w", r.owner, r.name, dir, explain(err, readContents))
		}
		for _, c := range commits {
			if message, ok := between[c.GetSHA()]; ok {
				found[c.GetSHA()] = message
			}
		}
		if resp.NextPage == 0 || len(found) == len(between) {
			return found, nil
		}
		o.Page = resp.NextPage
	}
	return nil, fmt.Errorf("listing commits of %s/%s that touch %q: more than %d commits", r.owner, r.name, dir, perPage*maxPages)
}
