package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

// Status is a commit status. Its text is as whoever posted it
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
		if err == nil {
			err = isCombined(commit, c)
		}
		if err != nil {
			return nil, fmt.Errorf("reading statuses of commit %.7s of %s/%s: %w", commit, r.owner, r.name, explain(err, readStatuses))
		}
		all = append(all, c.Statuses...)
		if resp.NextPage == 0 {
			return newest(all), nil
		}
		o.Page = resp.NextPage
	}
	return nil, fmt.Errorf("reading statuses of commit %.7s of %s/%s: more than %d contexts", commit, r.owner, r.name, perPage*maxPages)
}

// isCombined is why an answer is no combined status of commit. go-github takes an empty answer for an empty list: GitHub's
// names the commit.
func isCombined(commit string, c *github.CombinedStatus) error {
	if !strings.EqualFold(c.GetSHA(), commit) {
		return fmt.Errorf("the answer is about commit %q", c.GetSHA())
	}
	return areOf(commit, c.Statuses)
}

// newest keeps one status a context. GitHub does too, but one that is posted while pages
// are read comes a second time. To GitHub a context in other case is the same one.
func newest(all []*github.RepoStatus) []Status {
	found := map[string]*github.RepoStatus{}
	for _, s := range all {
		key := strings.ToLower(s.GetContext())
		if known, ok := found[key]; !ok || compare(s, known) > 0 {
			found[key] = s
		}
	}
	list := make([]Status, 0, len(found))
	for _, s := range found {
		list = append(list, statusOf(s))
	}
	slices.SortFunc(list, func(a, b Status) int { return strings.Compare(a.Context, b.Context) })
	return list
}

// StatusHistory are the statuses of all contexts that commit (40 hex digits) ever got, each once, the newest first. They are
// read by pages of 100, ten at most, and no further once enough reports true of what is read so far; whole reports whether
// the oldest of all is among them. An answer that is no list of statuses of this commit is an error.
func (r *Repository) StatusHistory(ctx context.Context, commit string, enough func([]Status) bool) (found []Status, whole bool, err error) {
	var all []*github.RepoStatus
	o := &github.ListOptions{PerPage: perPage}
	for range maxPages {
		page, resp, err := r.api.Repositories.ListStatuses(ctx, r.owner, r.name, commit, o)
		if err == nil {
			err = areOf(commit, page)
		}
		if err != nil {
			return nil, false, fmt.Errorf("reading all statuses of commit %.7s of %s/%s: %w", commit, r.owner, r.name, explain(err, readStatuses))
		}
		all = append(all, page...)
		found = inOrder(all)
		if resp.NextPage == 0 || enough(found) {
			return found, resp.NextPage == 0, nil
		}
		o.Page = resp.NextPage
	}
	return found, false, nil
}

// areOf is why an answer is no list of statuses of commit. go-github takes an empty answer for an empty list.
func areOf(commit string, list []*github.RepoStatus) error {
	if list == nil {
		return errors.New("the answer is not a list")
	}
	for _, s := range list {
		switch page := s.GetURL(); {
		case s.GetState() == "" || s.GetContext() == "" || s.GetUpdatedAt().IsZero():
			return errors.New("the answer has an entry without a state, a context or a time")
		case page != "" && !strings.HasSuffix(strings.ToLower(page), "/"+strings.ToLower(commit)):
			return fmt.Errorf("the answer is about another commit: %q", page)
		}
	}
	return nil
}

// inOrder has each status once, the newest first. One that is posted while pages are read shifts the next page, which then
// begins with what the last one ended with.
func inOrder(all []*github.RepoStatus) []Status {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b *github.RepoStatus) int { return compare(b, a) })
	list := make([]Status, 0, len(all))
	for i, s := range all {
		if i == 0 || s.GetID() == 0 || s.GetID() != all[i-1].GetID() {
			list = append(list, statusOf(s))
		}
	}
	return list
}

func statusOf(s *github.RepoStatus) Status {
	return Status{s.GetContext(), s.GetState(), s.GetDescription(), s.GetUpdatedAt().UTC()}
}

// compare goes by the time and, within its second, by the number, which grows.
func compare(a, b *github.RepoStatus) int {
	return cmp.Or(a.GetUpdatedAt().Compare(b.GetUpdatedAt().Time), cmp.Compare(a.GetID(), b.GetID()))
}
