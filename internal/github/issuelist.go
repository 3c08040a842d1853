package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-github/v60/github"
)

// trackingLabel is on every tracking issue. Who may not triage cannot set a label, so that a
// stranger's issue with a copied marker is not taken for one.
const trackingLabel = "oci-promote"

// tracking are the open tracking issues of an artifact, the oldest first. A list that cannot
// be read to its end is an error, never "none".
func (r *Repository) tracking(ctx context.Context, artifact string) (open []*github.Issue, err error) {
	q := url.Values{"state": {"open"}, "labels": {trackingLabel}, "sort": {"created"}, "direction": {"asc"}, "per_page": {strconv.Itoa(perPage)}}
	for range maxPages {
		found, next, err := r.issues(ctx, q)
		if err != nil {
			return nil, r.issueError("listing tracking issues", nil, err)
		}
		for _, issue := range found {
			if isTracking(issue, artifact) {
				open = append(open, issue)
			}
		}
		if next == nil {
			slices.SortFunc(open, func(a, b *github.Issue) int { return cmp.Compare(a.GetNumber(), b.GetNumber()) })
			return open, nil
		}
		q = next
	}
	return nil, fmt.Errorf("listing tracking issues of %s/%s: more than %d open issues have the label %s", r.owner, r.name, perPage*maxPages, trackingLabel)
}

// issues gives the page of issues that q asks for, and what asks for the next one. GitHub
// numbers pages or gives a cursor, or both (google/go-github#3565); the ListByRepo of our
// go-github cannot send a cursor.
func (r *Repository) issues(ctx context.Context, q url.Values) (found []*github.Issue, next url.Values, err error) {
	resp, err := r.get(ctx, "issues", q, &found)
	switch {
	case err != nil:
		return nil, nil, err
	case found == nil: // go-github takes an empty answer for an empty list
		return nil, nil, errors.New("the answer is no list")
	case resp.NextPage == 0 && resp.After == "":
		return found, nil, nil
	}
	next = maps.Clone(q)
	next.Del("page")
	next.Del("after")
	if resp.NextPage != 0 {
		next.Set("page", strconv.Itoa(resp.NextPage))
	}
	if resp.After != "" {
		next.Set("after", resp.After)
	}
	return found, next, nil
}

// isTracking reports whether an issue is the artifact's: by the label and by the first line,
// which is the marker and nothing else.
func isTracking(issue *github.Issue, artifact string) bool {
	if issue == nil || issue.IsPullRequest() || !labelled(issue.Labels) {
		return false
	}
	first, _, _ := strings.Cut(issue.GetBody(), "\n")
	return strings.TrimSuffix(first, "\r") == marker(artifact)
}

// labelled looks for our label. To GitHub one in other case is the same one.
func labelled(labels []*github.Label) bool {
	return slices.ContainsFunc(labels, func(l *github.Label) bool { return strings.EqualFold(l.GetName(), trackingLabel) })
}
