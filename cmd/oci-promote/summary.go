package main

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/oci"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// pages are where a summary links to; empty for none. They come from the runner, not from
// the report.
type pages struct{ repository, container, run string }

func (c *command) pages(r pipeline.Report) (p pages) {
	server, repository := c.getenv("GITHUB_SERVER_URL"), c.getenv("GITHUB_REPOSITORY")
	if !serverForm.MatchString(server) || !repositoryForm.MatchString(repository) {
		return p
	}
	p.repository = server + "/" + repository
	if id := c.getenv("GITHUB_RUN_ID"); runForm.MatchString(id) {
		p.run = p.repository + "/actions/runs/" + id
	}
	owner, _, _ := strings.Cut(repository, "/")
	if name, ok := strings.CutPrefix(r.Repository, oci.GHCR+"/"+strings.ToLower(owner)+"/"); ok {
		p.container = p.repository + "/pkgs/container/" + url.PathEscape(name)
	}
	return p
}

// What the runner's variables look like that links are made of.
var (
	serverForm     = regexp.MustCompile(`^https?://[\w.:-]+$`)
	repositoryForm = regexp.MustCompile(`^[\w.-]+/[\w.-]+$`)
	runForm        = regexp.MustCompile(`^\d+$`)
)

// pageForm is the address of a page as GitHub gives it: nothing in it ends a link.
// The lengths are not for the expression, which would be compiled as often over at each start.
var pageForm = regexp.MustCompile(`^https?://([\w.:-]+)/([\w./%+~-]+)$`)

// there reports whether an address that GitHub's API gave is a page of this GitHub.
func (p pages) there(address string) bool {
	page, err := url.Parse(address)
	home, homeErr := url.Parse(p.repository)
	m := pageForm.FindStringSubmatch(address)
	return err == nil && homeErr == nil && m != nil && len(m[1]) <= 200 && len(m[2]) <= 400 && page.Scheme == home.Scheme && page.Host == home.Host
}

// facts is a summary that lists facts, each with its name. GitHub breaks the lines of a list wherever a digest
// needs it; a table would have a header without words, and go out of the page.
type facts struct{ text strings.Builder }

// add lists a fact, whose value is Markdown; nothing for an empty one.
func (b *facts) add(name, value string) {
	if value != "" {
		fmt.Fprintf(&b.text, "- **%s:** %s\n", name, value)
	}
}

// addPages lists where to read on.
func (b *facts) addPages(p pages) {
	b.add("Package", link("all versions", p.container))
	b.add("Run", link("log", p.run))
}

// summary is the report as the job's summary.
func summary(r pipeline.Report, p pages) string {
	if r.Diagnosis != nil {
		return verifySummary(r, p)
	}
	if r.Retention != nil {
		return pruneSummary(r, p)
	}
	var b facts
	fmt.Fprintf(&b.text, "### %s\n\n%s\n\n", action.Markdown(headline(r)), action.Markdown(r.Reason))
	b.add("On whose word", action.Markdown(r.Proof))
	b.add("Artifact", action.Code(orElse(r.Reference, r.Repository)))
	if r.Mode == action.Tag && !slices.Contains(r.Tags, r.Candidate) {
		b.add("Candidate", action.Code(r.Candidate))
	}
	b.add("Tags", codes(r.Tags))
	b.add("Would write", codes(r.Plan))
	b.add("Commit", commitLink(r.SHA, p.repository))
	if r.Artifact != nil {
		b.add("Packed", action.Markdown(packed(r.Artifact)))
	}
	b.addPromotion(r, p)
	if r.Selected != nil {
		b.add("Integration selects next", orElse(action.Code(r.Selected.Integration), "nothing"))
		b.add("Live selects next", orElse(action.Code(r.Selected.Live), "nothing yet"))
	}
	b.add("Release", p.address(r.Release))
	b.addPages(p)
	if r.Next != "" {
		fmt.Fprintf(&b.text, "\n**What happens next:** %s\n", prose(r.Next))
	}
	b.text.WriteString(callouts(r))
	if pushed(r) {
		fmt.Fprintf(&b.text, "\n<details><summary>How to look inside</summary>\n\n```sh\nflux pull artifact oci://%s --output .\n```\n\n</details>\n", action.Clean(r.Reference))
	}
	return b.text.String()
}

// callouts are the warnings and notices of a run as GitHub's alerts.
func callouts(r pipeline.Report) string {
	var b strings.Builder
	for _, text := range r.Warnings {
		fmt.Fprintf(&b, "\n> [!WARNING]\n> %s\n", prose(text))
	}
	for _, text := range r.Notices {
		fmt.Fprintf(&b, "\n> [!NOTE]\n> %s\n", prose(text))
	}
	return b.String()
}

// addPromotion tells what a promotion follows, holds back and sets free.
func (b *facts) addPromotion(r pipeline.Report, p pages) {
	for _, rescued := range r.Rescued {
		b.add("Rescued", action.Code(rescued.From)+", now "+action.Code(rescued.Candidate))
	}
	if s := r.Previous; s != nil {
		value := action.Code(s.Version)
		if s.SHA != "" {
			value += " of commit " + commitLink(s.SHA, p.repository)
		}
		b.add("Before", value)
	}
	if r.Rollback != nil {
		b.add("Candidates held back", orElse(codes(r.Rollback.Held), "none"))
	}
}

// pushed reports whether a registry has the artifact, so that others can fetch it.
func pushed(r pipeline.Report) bool {
	return r.Reference != "" && r.Outcome != pipeline.Planned && !strings.HasPrefix(r.Repository, "oci-layout:")
}

// failure is the summary of a run that did not succeed. The repository is what the run was given, as the report may have none. What
// is none may be a login that stands in the wrong place, and is not shown.
func (c *command) failure(mode, repository string, err error) string {
	var b facts
	fmt.Fprintf(&b.text, "### %s: failed\n\n", action.Markdown(mode))
	for _, text := range parts(err) {
		fmt.Fprintf(&b.text, "- %s\n", action.Markdown(c.secrets.Clean(text)))
	}
	if hint := hintOf(err); hint != "" {
		fmt.Fprintf(&b.text, "\n> [!TIP]\n> %s\n", prose(c.secrets.Clean(hint)))
	}
	b.text.WriteString("\n")
	var r pipeline.Report
	if ref, err := oci.ParseReference(repository); err == nil {
		r.Repository = ref.String()
		b.add("Repository", action.Code(c.secrets.Clean(r.Repository)))
	}
	b.addPages(c.pages(r))
	return b.text.String()
}

func codes(tags []string) string {
	spans := make([]string, len(tags))
	for i, tag := range tags {
		spans[i] = action.Code(tag)
	}
	return strings.Join(spans, " ")
}

func commitLink(sha, repositoryURL string) string {
	if len(sha) < 7 || repositoryURL == "" {
		return action.Code(sha)
	}
	return fmt.Sprintf("[%s](%s/commit/%s)", action.Code(sha[:7]), repositoryURL, sha)
}

// address shows the address of a page, as a link where it leads to this GitHub.
func (p pages) address(address string) string {
	if !p.there(address) {
		return action.Markdown(address)
	}
	return link(address, address)
}

// link shows text as a link, if there is a page.
func link(text, page string) string {
	if page == "" {
		return ""
	}
	return fmt.Sprintf("[%s](%s)", action.Markdown(text), page)
}
