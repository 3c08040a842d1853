package github

import (
	"cmp"
	"context"
	"fmt"
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
		found, next, err := listPage[*github.Issue](ctx, r.client, "issues", q)
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

// isTracking reports whether an issue is the artifact's: by the label and by the first line,
// which is the marker and nothing else.
func isTracking(issue *github.Issue, artifact string) bool {
	if issue == nil || issue.IsPullRequest() || !labelled(issue.Labels) {
		return false
	}
	return isMarked(issue.GetBody(), marker(artifact))
}

// labelled looks for our label. To GitHub one in other case is the same one.
func labelled(labels []*github.Label) bool {
	return slices.ContainsFunc(labels, func(l *github.Label) bool { return strings.EqualFold(l.GetName(), trackingLabel) })
}
