package github

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

// Status is the newest commit status of one context. Its text is as whoever posted it
// wrote it.
type Status struct {
	Context, State, Description string
	Updated                     time.Time // UTC
}

// Statuses are the newest status of each context on commit (40 hex digits), sorted by
// context. A commit without any has an empty list; one that GitHub does not know is an
// error, and so are more than 1000 contexts.
func (r *Repository) Statuses(ctx context.Context, commit string) ([]Status, error) {
	var all []*github.RepoStatus
	o := &github.ListOptions{PerPage: perPage}
	for range maxPages {
		c, resp, err := r.api.Repositories.GetCombinedStatus(ctx, r.owner, r.name, commit, o)
		if err != nil {
			return nil, fmt.Errorf("reading statuses of commit %.7s of %s/%s: %w", commit, r.owner, r.name, explain(err, readStatuses))
		}
		// go-github takes an empty answer for an empty list: GitHub's names the commit.
		if !strings.EqualFold(c.GetSHA(), commit) {
			return nil, fmt.Errorf("reading statuses of commit %.7s of %s/%s: the answer is about commit %q", commit, r.owner, r.name, c.GetSHA())
		}
		all = append(all, c.Statuses...)
		if resp.NextPage == 0 {
			return newest(all), nil
		}
		o.Page = resp.NextPage
	}
	return nil, fmt.Errorf("reading statuses of commit %.7s of %s/%s: more than %d contexts", commit, r.owner, r.name, perPage*maxPages)
}

// newest keeps one status a context. GitHub does too, but one that is posted while pages
// are read comes a second time. To GitHub a context in other case is the same one.
func newest(all []*github.RepoStatus) []Status {
	found := map[string]*github.RepoStatus{}
	for _, s := range all {
		key := strings.ToLower(s.GetContext())
		if known, ok := found[key]; !ok || later(s, known) {
			found[key] = s
		}
	}
	list := make([]Status, 0, len(found))
	for _, s := range found {
		list = append(list, Status{s.GetContext(), s.GetState(), s.GetDescription(), s.GetUpdatedAt().UTC()})
	}
	slices.SortFunc(list, func(a, b Status) int { return strings.Compare(a.Context, b.Context) })
	return list
}

// later goes by the time and, within its second, by the number, which grows.
func later(a, b *github.RepoStatus) bool {
	return cmp.Or(a.GetUpdatedAt().Compare(b.GetUpdatedAt().Time), cmp.Compare(a.GetID(), b.GetID())) > 0
}
