package main

import (
	"fmt"
	"net/url"
	"regexp"
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

// summary is the report as the job's summary.
func summary(r pipeline.Report, p pages) string {
	if r.Diagnosis != nil {
		return verifySummary(r, p)
	}
	if r.Retention != nil {
		return pruneSummary(r, p)
	}
	var b strings.Builder
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "| %s | %s |\n", name, value)
		}
	}
	fmt.Fprintf(&b, "### %s\n\n%s\n\n", action.Markdown(headline(r)), action.Markdown(r.Reason))
	b.WriteString("| | |\n|---|---|\n")
	row("On whose word", action.Markdown(r.Proof))
	row("Artifact", action.Code(orElse(r.Reference, r.Repository)))
	if r.Mode == action.Tag {
		row("Candidate", action.Code(r.Candidate))
	}
	row("Tags", codes(r.Tags))
	row("Would write", codes(r.Plan))
	row("Commit", commitLink(r.SHA, p.repository))
	if r.Artifact != nil {
		row("Packed", action.Markdown(packed(r.Artifact)))
	}
	for _, line := range promotionRows(r, p) {
		row(line[0], line[1])
	}
	if r.Selected != nil {
		row("Integration selects next", orElse(action.Code(r.Selected.Integration), "nothing"))
		row("Live selects next", orElse(action.Code(r.Selected.Live), "nothing yet"))
	}
	row("Release", p.address(r.Release))
	row("Package", link("all versions", p.container))
	row("Run", link("log", p.run))
	if r.Next != "" {
		fmt.Fprintf(&b, "\n**What happens next:** %s\n", action.Markdown(r.Next))
	}
	b.WriteString(callouts(r))
	if pushed(r) {
		fmt.Fprintf(&b, "\n<details><summary>How to look inside</summary>\n\n```sh\nflux pull artifact oci://%s --output .\n```\n\n</details>\n", action.Clean(r.Reference))
	}
	return b.String()
}

// callouts are the warnings and notices of a run as GitHub's alerts.
func callouts(r pipeline.Report) string {
	var b strings.Builder
	for _, text := range r.Warnings {
		fmt.Fprintf(&b, "\n> [!WARNING]\n> %s\n", action.Markdown(text))
	}
	for _, text := range r.Notices {
		fmt.Fprintf(&b, "\n> [!NOTE]\n> %s\n", action.Markdown(text))
	}
	return b.String()
}

// promotionRows tell what a promotion follows, holds back and sets free.
func promotionRows(r pipeline.Report, p pages) (rows [][2]string) {
	for _, rescued := range r.Rescued {
		rows = append(rows, [2]string{"Rescued", action.Code(rescued.From) + ", now " + action.Code(rescued.Candidate)})
	}
	if b := r.Previous; b != nil {
		value := action.Code(b.Version)
		if b.SHA != "" {
			value += " of commit " + commitLink(b.SHA, p.repository)
		}
		rows = append(rows, [2]string{"Before", value})
	}
	if b := r.Rollback; b != nil {
		rows = append(rows, [2]string{"Held back in flight", orElse(codes(b.Held), "none")})
	}
	return rows
}

// pushed reports whether a registry has the artifact, so that others can fetch it.
func pushed(r pipeline.Report) bool {
	return r.Reference != "" && r.Outcome != pipeline.Planned && !strings.HasPrefix(r.Repository, "oci-layout:")
}

// failure is the summary of a run that did not succeed.
func (c *command) failure(mode string, err error) string {
	s := fmt.Sprintf("### %s: failed\n\n", action.Markdown(mode))
	for _, text := range parts(err) {
		s += fmt.Sprintf("- %s\n", action.Markdown(c.secrets.Clean(text)))
	}
	if hint := hintOf(err); hint != "" {
		s += fmt.Sprintf("\n> [!TIP]\n> %s\n", action.Markdown(c.secrets.Clean(hint)))
	}
	return s
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
