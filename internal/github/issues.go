package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/go-github/v60/github"
)

// Tracking is the one issue which tells that the promotion of an artifact needs a hand.
type Tracking struct {
	Artifact    string // what it is about; a hidden marker made of it finds the issue again
	Title, Body string // Markdown; what is longer than GitHub takes is cut
	Healthy     bool   // close the issue, with Comment
	Comment     string
}

// What Track did.
const (
	Opened    = "opened"
	Updated   = "updated"
	Closed    = "closed"
	Unchanged = "unchanged"
)

// Track opens the issue, brings it up to date, or closes it, and gives its page and what it
// did; both are empty where all is well and there is none. Where several are open, as two
// runs at once may leave them, the oldest stays and the others are closed as duplicates.
// With an error, page and did are what was reached before it.
func (r *Repository) Track(ctx context.Context, t Tracking) (page, did string, err error) {
	open, err := r.tracking(ctx, t.Artifact)
	switch {
	case err != nil:
		return "", "", err
	case len(open) == 0 && t.Healthy:
		return "", "", nil
	case len(open) == 0:
		return r.openIssue(ctx, t)
	}
	page = open[0].GetHTMLURL()
	if err := r.closeDuplicates(ctx, open[0], open[1:]); err != nil {
		return page, "", err
	}
	if t.Healthy {
		did, err = Closed, r.closeIssue(ctx, open[0], t.Comment, "completed")
	} else {
		did, err = r.updateIssue(ctx, open[0], t)
	}
	if err != nil {
		return page, "", err
	}
	return page, did, nil
}

// Tracked gives the page of the open tracking issue of an artifact; empty where none is. It
// only reads.
func (r *Repository) Tracked(ctx context.Context, artifact string) (page string, err error) {
	open, err := r.tracking(ctx, artifact)
	if err != nil || len(open) == 0 {
		return "", err
	}
	return open[0].GetHTMLURL(), nil
}

// openIssue opens an issue, unless another run opened one at the same time. Each looks again
// after its own, so that of two the younger gives way. Where the list lags behind, both stay
// until the next run.
func (r *Repository) openIssue(ctx context.Context, t Tracking) (page, did string, err error) {
	title, body := oneLine(t.Title), marked(t)
	issue, _, err := r.api.Issues.Create(ctx, r.owner, r.name, &github.IssueRequest{Title: &title, Body: &body, Labels: &[]string{trackingLabel}})
	if err == nil && (issue.GetNumber() == 0 || issue.GetHTMLURL() == "") {
		err = errors.New("the answer has no number or no html_url")
	}
	if err != nil {
		return "", "", r.issueError("opening a tracking issue", nil, err)
	}
	page = issue.GetHTMLURL()
	if err := r.ensureLabel(ctx, issue); err != nil {
		return page, "", err
	}
	open, err := r.tracking(ctx, t.Artifact)
	if err != nil || len(open) == 0 || open[0].GetNumber() >= issue.GetNumber() {
		return page, Opened, err
	}
	if err := r.closeDuplicates(ctx, open[0], []*github.Issue{issue}); err != nil {
		return page, Opened, err
	}
	return open[0].GetHTMLURL(), Unchanged, nil
}

// ensureLabel sees to it that the next run finds the issue. GitHub drops the label in silence
// where the token may not set one; an issue that is never found again would be opened by
// every run, so it is closed.
func (r *Repository) ensureLabel(ctx context.Context, issue *github.Issue) error {
	if labelled(issue.Labels) {
		return nil
	}
	labels, _, err := r.api.Issues.AddLabelsToIssue(ctx, r.owner, r.name, issue.GetNumber(), []string{trackingLabel})
	switch {
	case err == nil && labelled(labels):
		return nil
	case err == nil:
		err = errors.New("GitHub did not set it")
	}
	what := "the issue is closed again, since no run would find it"
	if err := r.closeIssue(ctx, issue, "", "not_planned"); err != nil {
		what = fmt.Sprintf("close the issue by hand, since no run will find it: %s", err)
	}
	return &Error{
		text: fmt.Sprintf("labelling issue #%d of %s/%s with %s: %s; %s", issue.GetNumber(), r.owner, r.name, trackingLabel, explain(err, writeIssues), what),
		hint: "the token must be allowed to set labels: leave the input token at its default and give the job `permissions: issues: write`",
		err:  err,
	}
}

// updateIssue says what is to be said, without a comment: who watches the issue is not called
// for each run.
func (r *Repository) updateIssue(ctx context.Context, issue *github.Issue, t Tracking) (did string, err error) {
	title, body := oneLine(t.Title), marked(t)
	if oneLine(issue.GetTitle()) == title && sameText(issue.GetBody(), body) {
		return Unchanged, nil
	}
	return Updated, r.edit(ctx, "updating issue", issue, &github.IssueRequest{Title: &title, Body: &body})
}

func (r *Repository) closeDuplicates(ctx context.Context, of *github.Issue, younger []*github.Issue) error {
	for _, issue := range younger {
		err := r.closeIssue(ctx, issue, fmt.Sprintf("Duplicate of #%d", of.GetNumber()), "duplicate")
		if answered(err) == http.StatusUnprocessableEntity { // GitHub Enterprise Server knows the reason since 2025
			err = r.closeIssue(ctx, issue, "", "not_planned")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// closeIssue closes an issue for a reason, after a comment where there is one.
func (r *Repository) closeIssue(ctx context.Context, issue *github.Issue, comment, reason string) error {
	if comment != "" {
		comment = bounded(comment)
		if _, _, err := r.api.Issues.CreateComment(ctx, r.owner, r.name, issue.GetNumber(), &github.IssueComment{Body: &comment}); err != nil {
			return r.issueError("commenting on issue", issue, err)
		}
	}
	closed := "closed"
	return r.edit(ctx, "closing issue", issue, &github.IssueRequest{State: &closed, StateReason: &reason})
}

func (r *Repository) edit(ctx context.Context, doing string, issue *github.Issue, change *github.IssueRequest) error {
	got, _, err := r.api.Issues.Edit(ctx, r.owner, r.name, issue.GetNumber(), change)
	if err == nil && got.GetNumber() != issue.GetNumber() { // go-github takes any object for an issue
		err = fmt.Errorf("the answer is about issue #%d", got.GetNumber())
	}
	if err != nil {
		return r.issueError(doing, issue, err)
	}
	return nil
}

// issueError names the issue, where it is about one. Only then can 410 mean that somebody
// deleted it; else issues are disabled.
func (r *Repository) issueError(doing string, issue *github.Issue, err error) error {
	explained := explain(err, writeIssues)
	switch {
	case issue != nil:
		doing += fmt.Sprintf(" #%d", issue.GetNumber())
	case answered(err) == http.StatusGone:
		explained = &Error{"410 issues are disabled for this repository", "enable issues in the repository's settings, or leave the input issue out", err}
	}
	return fmt.Errorf("%s of %s/%s: %w", doing, r.owner, r.name, explained)
}
