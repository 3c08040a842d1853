package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/go-github/v60/github"
)

// Release is a GitHub release of one stable.
type Release struct {
	Tag            string // git tag, such as v1.4.0 or platform/v1.4.0
	Commit         string // full commit that the tag must name
	Latest         bool   // mark it as the latest
	Previous       string // git tag of the previous stable of the same artifact; may be empty
	PreviousCommit string // its commit; may be empty
	Body           string // replaces the generated notes where it is not empty (a rollback)
}

// Publish creates the release and, where it is missing, its git tag. It gives the page's
// URL and whether this call created it: a release of that tag that is there already, or
// that another run creates at the same time, is left alone. A git tag that names another
// commit is refused. Drafts do not count.
func (r *Repository) Publish(ctx context.Context, rel Release) (page string, created bool, err error) {
	if page, err = r.released(ctx, rel.Tag); err != nil || page != "" {
		return page, false, err
	}
	if err := r.checkTag(ctx, rel); err != nil {
		return "", false, err
	}
	body, err := r.notes(ctx, rel)
	if err != nil {
		return "", false, err
	}
	return r.create(ctx, rel, body)
}

// released is the page of the release of tag, or empty where there is none.
func (r *Repository) released(ctx context.Context, tag string) (string, error) {
	// go-github puts the tag into the path as it is; GitHub takes a slash in it as %2F.
	found, _, err := r.api.Repositories.GetReleaseByTag(ctx, r.owner, r.name, url.PathEscape(tag))
	switch {
	case answered(err) == http.StatusNotFound:
		return "", nil
	case err != nil:
		return "", fmt.Errorf("reading release %s of %s/%s: %w", tag, r.owner, r.name, explain(err, writeContents))
	case found.GetHTMLURL() == "":
		return "", fmt.Errorf("reading release %s of %s/%s: the answer has no html_url", tag, r.owner, r.name)
	}
	return found.GetHTMLURL(), nil
}

// checkTag refuses a git tag that names another commit: GitHub would put the release
// there, whatever commit it is given.
func (r *Repository) checkTag(ctx context.Context, rel Release) error {
	at, _, err := r.api.Repositories.GetCommitSHA1(ctx, r.owner, r.name, "tags/"+rel.Tag, "")
	switch status := answered(err); {
	case status == http.StatusNotFound || status == http.StatusUnprocessableEntity: // "No commit found for SHA" is a 422
		return nil
	case err != nil:
		return fmt.Errorf("reading git tag %s of %s/%s: %w", rel.Tag, r.owner, r.name, explain(err, writeContents))
	case !strings.EqualFold(at, rel.Commit):
		return fmt.Errorf("creating release %s of %s/%s: %w", rel.Tag, r.owner, r.name, &Error{
			text: fmt.Sprintf("the git tag names commit %.7s, not %.7s", at, rel.Commit),
			hint: "the git tag was made by hand: delete or move it and run the job again, or create the release by hand",
		})
	}
	return nil
}

// notes are the body of the release: the given one, or what GitHub writes of the commits
// since the previous stable. It refuses where that one has no git tag, as when releases
// were switched on later: then a link to the comparison has to do.
func (r *Repository) notes(ctx context.Context, rel Release) (string, error) {
	if rel.Body != "" {
		return rel.Body, nil
	}
	o := &github.GenerateNotesOptions{TagName: rel.Tag, TargetCommitish: &rel.Commit}
	if rel.Previous != "" {
		o.PreviousTagName = &rel.Previous
	}
	notes, _, err := r.api.Repositories.GenerateReleaseNotes(ctx, r.owner, r.name, o)
	switch {
	case err == nil:
		return notes.Body, nil
	case rel.Previous == "" || !unknownTag(err):
		return "", fmt.Errorf("generating notes of release %s of %s/%s: %w", rel.Tag, r.owner, r.name, explain(err, writeContents))
	case rel.PreviousCommit == "":
		rel.Previous = ""
		return r.notes(ctx, rel)
	}
	return fmt.Sprintf("**Full Changelog**: %s/compare/%s...%s", r.page, rel.PreviousCommit, rel.Commit), nil
}

// unknownTag reports whether GitHub may have refused the previous tag: it says "400
// Invalid previous_tag parameter", which is not documented. The token and limits are
// other matters.
func unknownTag(err error) bool {
	switch status := answered(err); status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
		return false
	default:
		return status >= 400 && status < 500
	}
}

// burnt is what GitHub says of the tag of a deleted immutable release.
const burnt = "was used by an immutable release"

func (r *Repository) create(ctx context.Context, rel Release, body string) (page string, created bool, err error) {
	made, _, err := r.api.Repositories.CreateRelease(ctx, r.owner, r.name, &github.RepositoryRelease{
		TagName: &rel.Tag, TargetCommitish: &rel.Commit, Name: &rel.Tag, Body: &body,
		MakeLatest: github.String(strconv.FormatBool(rel.Latest)),
	})
	// Another run was faster, or an answer was lost and the request sent again. GitHub says
	// already_exists, or "must have a valid tag" when it is about to be: a look tells.
	if answered(err) == http.StatusUnprocessableEntity {
		if page, again := r.released(ctx, rel.Tag); again == nil && page != "" {
			return page, false, nil
		}
	}
	switch {
	case err != nil:
		return "", false, fmt.Errorf("creating release %s of %s/%s: %w", rel.Tag, r.owner, r.name, forbidden(err, rel))
	case made.GetHTMLURL() == "":
		return "", false, fmt.Errorf("creating release %s of %s/%s: the answer has no html_url", rel.Tag, r.owner, r.name)
	}
	return made.GetHTMLURL(), true, nil
}

// forbidden explains why a release was not created. No job's token may make a git tag on
// a commit whose workflows are not those of a branch, as after a later change to them
// (https://github.blog/changelog/2023-11-02-github-actions-enforcing-workflow-scope-when-creating-a-release).
// GitHub answers that as it answers a missing permission. The tag's name may also be burnt (docs/facts.md 44).
func forbidden(err error, rel Release) error {
	explained := explain(err, writeContents)
	if strings.Contains(explained.text, burnt) {
		explained.hint = "an immutable release had the tag " + rel.Tag + " and was deleted, and GitHub never gives its name again, not even by hand: " +
			"this version stays without a release, and the next promotion gets one; another release-prefix gives each other names"
	}
	if status := answered(err); status == http.StatusForbidden || status == http.StatusNotFound {
		explained.hint += "; where it has that, the workflows have changed since this commit, and only a person may tag it: git push origin " + rel.Commit + ":refs/tags/" + rel.Tag
	}
	return explained
}
