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

var tagForm = regexp.MustCompile(`^\w[\w.-]*$`)

// isTag reports whether s is what a registry takes for a tag (docs/facts.md 15).
func isTag(s string) bool { return len(s) <= 128 && tagForm.MatchString(s) }

// runLink leads to a workflow run.
func (p pages) runLink(address string) string {
	if !p.there(address) {
		return action.Markdown(address)
	}
	return link("run", address)
}

// track keeps the tracking issue: open while unhealthy, closed after. A failure is a warning:
// the finding itself is told anyway.
func (c *command) track(ctx context.Context, api *github.Repository, r *pipeline.Report, dryRun bool) {
	warn := func(err error) {
		r.Warnings = append(r.Warnings, "the tracking issue could not be kept: "+withHint(err))
	}
	if api == nil {
		r.Warnings = append(r.Warnings, "issue: true needs a token and GITHUB_REPOSITORY, and one of them is missing")
		return
	}
	t := tracking(*r, c.pages(*r))
	if dryRun {
		page, err := api.Tracked(ctx, t.Artifact)
		r.Issue = page
		switch {
		case err != nil:
			warn(err)
		case t.Healthy && page != "":
			r.Notices = append(r.Notices, "would close the tracking issue")
		case page != "":
			r.Notices = append(r.Notices, "would bring the tracking issue up to date")
		case !t.Healthy:
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

// kept is the end of the issue's text.
const kept = "\n<sub>This issue is kept by mode verify with issue: true. It is closed when all is well again.</sub>\n"

func title(repository string) string { return "The promotion of " + repository + " needs a hand" }

// tracking is what the issue says. It has no ages and no links to this run, so that it
// changes only when what was found does.
func tracking(r pipeline.Report, p pages) github.Tracking {
	t := github.Tracking{
		Artifact: r.Repository,
		Title:    title(r.Repository),
		Healthy:  r.Outcome == pipeline.Healthy,
		Comment:  "Healthy again: " + action.Markdown(r.Reason),
	}
	if p.run != "" {
		t.Comment += fmt.Sprintf(" ([log](%s))", p.run)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "`oci-promote verify` found that %s needs a hand.\n", action.Code(r.Repository))
	b.WriteString(findingsText(r.Findings))
	if r.Commit != "" {
		fmt.Fprintf(&b, "\nThe path of commit %s:\n\n", commitLink(r.Commit, p.repository))
	}
	b.WriteString(picture(r.Path))
	b.WriteString(kept)
	t.Body = b.String()
	return t
}

// trackFailure lets the tracking issue tell of a repository that could not be read at all: an
// expired password is as silent a gate as any. It opens the issue, and never closes it.
func (c *command) trackFailure(ctx context.Context, api *github.Repository, name string, cause error) error {
	if api == nil {
		return nil
	}
	text := fmt.Sprintf("`oci-promote verify` could not tell whether the promotion of %s works.\n\n", action.Code(name))
	for _, part := range parts(cause) {
		text += fmt.Sprintf("> [!CAUTION]\n> %s\n", prose(c.secrets.Clean(part)))
	}
	if hint := hintOf(cause); hint != "" {
		text += fmt.Sprintf(">\n> **What to do:** %s\n", prose(c.secrets.Clean(hint)))
	}
	_, _, err := api.Track(ctx, github.Tracking{Artifact: name, Title: title(name), Body: text + kept})
	if err != nil {
		return fmt.Errorf("keeping the tracking issue: %w", err)
	}
	return nil
}
