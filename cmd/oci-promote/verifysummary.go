package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// verifySummary is a report of mode verify as the job's summary.
func verifySummary(r pipeline.Report, p pages) string {
	d := r.Diagnosis
	var b facts
	fmt.Fprintf(&b.text, "### %s\n\n", action.Markdown(verifyHeadline(r)))
	if r.Outcome == pipeline.Healthy { // else the findings say it
		fmt.Fprintf(&b.text, "%s\n\n", action.Markdown(r.Reason))
	}
	loud := slices.IndexFunc(d.Findings, func(f pipeline.Finding) bool { return f.Severity == pipeline.Info })
	if loud < 0 {
		loud = len(d.Findings)
	}
	b.text.WriteString(findingsText(d.Findings[:loud]))
	b.text.WriteString("\n" + picture(d.Path))
	b.text.WriteString(findingsText(d.Findings[loud:]))
	b.text.WriteString("\n")
	b.add("Artifact", action.Code(orElse(r.Reference, r.Repository)))
	if d.Commit != "" {
		b.add("Commit", commitLink(d.Commit, p.repository))
	}
	b.add("Integration selects", orElse(action.Code(r.Selected.Integration), "nothing")) // what live selects is in the headline
	b.add("Lead time", action.Markdown(leadText(d.Lead)))
	b.add("Median lead time", action.Markdown(medianText(d.MedianLead)))
	b.add("Issue", p.address(r.Issue))
	if r.Deployed != nil {
		b.add("Deployments", deployedText(*r.Deployed, p))
	}
	for _, c := range r.Commented {
		b.add("Comments", commentsRow(c, p))
	}
	b.addPages(p)
	b.details("The path, step by step", pathTable(d, p), r.Outcome == pipeline.Unhealthy)
	b.details("Versions", versionTable(d.Versions, d.At, p), r.Outcome == pipeline.Unhealthy)
	b.text.WriteString(callouts(r))
	return b.text.String()
}

// details is a part that can be folded away, and is where all is well.
func (b *facts) details(title, text string, open bool) {
	if text == "" {
		return
	}
	attribute := ""
	if open {
		attribute = " open"
	}
	fmt.Fprintf(&b.text, "\n<details%s><summary>%s</summary>\n\n%s\n</details>\n", attribute, title, text)
}

// picture is the path as a diagram that GitHub draws (mermaid), and that reads as text too.
// All words in it are ours but tags, whose form allows no sign that means something here.
func picture(path []pipeline.Step) string {
	var b strings.Builder
	b.WriteString("```mermaid\nflowchart LR\n")
	for i, step := range path {
		text := fmt.Sprintf("%s %s", mark(step.State), step.Stage)
		if step.State == pipeline.Unknown {
			text += "<br>" + inWords(step.State)
		}
		if tag := step.Evidence.Tag; isTag(tag) {
			text += "<br>" + tag
		}
		arrow := ""
		if i > 0 {
			arrow = fmt.Sprintf("s%d --> ", i-1)
		}
		fmt.Fprintf(&b, "  %ss%d[\"%s\"]:::%s\n", arrow, i, text, step.State)
	}
	for _, c := range colours {
		fmt.Fprintf(&b, "  classDef %s %s\n", c.state, c.style)
	}
	b.WriteString("```\n")
	return b.String()
}

// colours of the steps, the same in GitHub's light and dark themes.
var colours = []struct {
	state pipeline.State
	style string
}{
	{pipeline.Reached, "fill:#dafbe1,stroke:#1a7f37,color:#1f2328"},
	{pipeline.Stopped, "fill:#ffebe9,stroke:#cf222e,color:#1f2328"},
	{pipeline.Waiting, "fill:#fff8c5,stroke:#9a6700,color:#1f2328"},
	{pipeline.Followed, "fill:#ddf4ff,stroke:#0969da,color:#1f2328"},
	{pipeline.Unknown, "fill:#f6f8fa,stroke:#59636e,color:#1f2328,stroke-dasharray:4"},
	{pipeline.Ahead, "fill:#f6f8fa,stroke:#d1d9e0,color:#59636e"},
}

// findingsText is each finding as one of GitHub's alerts.
func findingsText(findings []pipeline.Finding) string {
	kinds := map[pipeline.Severity]string{pipeline.Error: "CAUTION", pipeline.Warning: "WARNING", pipeline.Info: "NOTE"}
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "\n> [!%s]\n> **%s**, at the stage *%s*%s\n>\n> %s\n>\n> **What to do:** %s ([more](%s))\n", kinds[f.Severity],
			action.Markdown(string(f.Code)), action.Markdown(string(f.Stage)), action.Markdown(sinceText(f.Since)), prose(f.Message), prose(f.Hint), guide(f.Code))
	}
	return b.String()
}

// prose is text with commands between backticks, which show as code. Whatever is between
// them, and wherever they come from, is harmless.
func prose(text string) string {
	parts := strings.Split(text, "`")
	if len(parts)%2 == 0 { // one has no partner
		return action.Markdown(text)
	}
	for i, part := range parts {
		if i%2 == 1 && part != "" {
			parts[i] = action.Code(part)
		} else {
			parts[i] = action.Markdown(part)
		}
	}
	return strings.Join(parts, "")
}

// pathTable is the path with its evidence, but for what a finding has quoted already.
func pathTable(d *pipeline.Diagnosis, p pages) string {
	var b strings.Builder
	b.WriteString("| stage | state | when | evidence |\n|---|---|---|---|\n")
	for _, step := range d.Path {
		when := ""
		if !step.At.IsZero() {
			when = moment(step.At)
		}
		var evidence []string
		if step.Evidence.Tag != "" {
			evidence = append(evidence, action.Code(step.Evidence.Tag))
		}
		if status := step.Evidence.Status; status != "" && !quoted(d.Findings, status) {
			evidence = append(evidence, action.Markdown(shortDigests(status)))
		}
		if step.Evidence.Run != "" {
			evidence = append(evidence, p.runLink(step.Evidence.Run))
		}
		fmt.Fprintf(&b, "| %s %s | %s | %s | %s |\n", mark(step.State), step.Stage, inWords(step.State), when, strings.Join(evidence, " "))
	}
	return b.String()
}

// quoted reports whether a finding has the text.
func quoted(findings []pipeline.Finding, text string) bool {
	return slices.ContainsFunc(findings, func(f pipeline.Finding) bool { return strings.Contains(f.Message, text) })
}

// wholeDigest is a digest as it is too long for the cell of a table.
var wholeDigest = regexp.MustCompile(`(sha256:[0-9a-f]{12})[0-9a-f]{52}`)

// shortDigests is text with the first digits of its digests. What needs all of one has the fact above the table.
func shortDigests(text string) string { return wholeDigest.ReplaceAllString(text, "$1…") }

// others are the tags without one that has a cell of its own.
func others(tags []string, shown string) []string {
	return slices.DeleteFunc(slices.Clone(tags), func(tag string) bool { return tag == shown })
}

func versionTable(versions []pipeline.Version, now time.Time, p pages) string {
	if len(versions) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| version | commit | age | other tags | selected by |\n|---|---|---|---|---|\n")
	for _, v := range versions {
		commit := commitLink(v.Commit, p.repository)
		if p.repository == "" {
			commit = action.Code(v.Commit[:min(7, len(v.Commit))])
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", action.Code(v.Version), commit, age(v.Created, now), codes(others(v.Tags, v.Version)), strings.Join(v.SelectedBy, ", "))
	}
	return b.String()
}
