package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/github"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// tagForm is what a registry takes for a tag (facts 15).
var tagForm = regexp.MustCompile(`^\w[\w.-]{0,127}$`)

// runPage is the page of a workflow run, as GitHub gives it.
var runPage = regexp.MustCompile(`^https://[\w.:-]+/[\w./-]+$`)

func runLink(url string) string {
	if !runPage.MatchString(url) {
		return action.Markdown(url)
	}
	return fmt.Sprintf("[run](%s)", url)
}

// track keeps the tracking issue: open while unhealthy, closed after. A failure is a warning:
// the finding itself is told anyway.
func (c *command) track(ctx context.Context, api *github.Repository, r *pipeline.Report, dryRun bool) {
	warn := func(err error) {
		text := fmt.Sprintf("the tracking issue could not be kept: %s", err)
		if hint := hintOf(err); hint != "" {
			text += "; " + hint
		}
		r.Warnings = append(r.Warnings, text)
	}
	if api == nil {
		r.Warnings = append(r.Warnings, "issue: true needs a token and GITHUB_REPOSITORY, and one of them is missing")
		return
	}
	t := tracking(*r, c.pages(*r))
	if dryRun {
		page, err := api.Tracked(ctx, t.Artifact)
		switch {
		case err != nil:
			warn(err)
		case t.Healthy && page != "":
			r.Issue = page
			r.Notices = append(r.Notices, "would close the tracking issue")
		case !t.Healthy && page == "":
			r.Notices = append(r.Notices, "would open a tracking issue")
		}
		return
	}
	page, did, err := api.Track(ctx, t)
	if err != nil {
		warn(err)
	}
	r.Issue = page
	if did == github.Opened || did == github.Closed {
		r.Notices = append(r.Notices, did+" the tracking issue")
	}
}

// tracking is what the issue says. It has no ages and no links to this run, so that it
// changes only when what was found does.
func tracking(r pipeline.Report, p pages) github.Tracking {
	t := github.Tracking{
		Artifact: r.Repository,
		Title:    "The promotion of " + r.Repository + " needs a hand",
		Healthy:  r.Outcome == pipeline.Healthy,
		Comment:  "Healthy again: " + action.Markdown(r.Reason),
	}
	if p.run != "" {
		t.Comment += fmt.Sprintf(" ([log](%s))", p.run)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "`oci-promote verify` found that %s needs a hand.\n\n", action.Code(r.Repository))
	if r.Commit != "" {
		fmt.Fprintf(&b, "The path of commit %s:\n\n", commitLink(r.Commit, p.repository))
	}
	b.WriteString(picture(r.Path))
	b.WriteString(findingsText(r.Findings))
	b.WriteString("\n<sub>This issue is kept by mode verify with issue: true. It is closed when all is well again.</sub>\n")
	t.Body = b.String()
	return t
}
