package main

import (
	"fmt"
	"strings"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// The words of a report. No capital, no full stop; what comes from outside is cleaned
// by whoever prints a line.

// reportLines is the short human report.
func reportLines(r pipeline.Report) []string {
	lines := []string{headline(r)}
	add := func(name, value string) {
		if value != "" {
			lines = append(lines, fmt.Sprintf("  %-12s %s", name, value))
		}
	}
	add("because", r.Reason)
	if r.Reference != "" {
		add("artifact", r.Reference)
	} else {
		add("repository", r.Repository)
	}
	add("commit", r.SHA)
	if a := r.Artifact; a != nil {
		add("packed", packed(a))
	}
	add("tags", strings.Join(r.Tags, "  "))
	add("would write", strings.Join(r.Plan, "  "))
	if r.Selected != nil {
		add("integration", selects(r.Selected.Integration))
		add("live", selects(r.Selected.Live))
	}
	return lines
}

func headline(r pipeline.Report) string {
	return strings.TrimSpace(fmt.Sprintf("%s: %s %s", r.Mode, r.Outcome, r.Version))
}

func packed(a *pipeline.Artifact) string {
	files := "1 file"
	if a.Files != 1 {
		files = fmt.Sprintf("%d files", a.Files)
	}
	return fmt.Sprintf("%s, %s, compressed %s", files, size(a.Bytes), size(a.Size))
}

func selects(tag string) string {
	if tag == "" {
		return "selects nothing yet"
	}
	return "selects " + tag
}

// size is a number of bytes for people.
func size(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	value, prefix := float64(n)/unit, 0
	for ; value >= unit && prefix < len("KMGT")-1; prefix++ {
		value /= unit
	}
	return fmt.Sprintf("%.1f %ciB", value, "KMGT"[prefix])
}

// summary is the report as the job's summary. repositoryURL is the git repository's
// page, for links; it comes from the runner.
func summary(r pipeline.Report, repositoryURL string) string {
	var b strings.Builder
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "| %s | %s |\n", name, value)
		}
	}
	fmt.Fprintf(&b, "### %s\n\n%s\n\n", action.Markdown(headline(r)), action.Markdown(r.Reason))
	b.WriteString("| | |\n|---|---|\n")
	row("Artifact", action.Code(orElse(r.Reference, r.Repository)))
	row("Tags", codes(r.Tags))
	row("Would write", codes(r.Plan))
	row("Commit", commitLink(r.SHA, repositoryURL))
	if r.Artifact != nil {
		row("Packed", action.Markdown(packed(r.Artifact)))
	}
	if r.Selected != nil {
		row("Integration selects next", orElse(action.Code(r.Selected.Integration), "nothing"))
		row("Live selects next", orElse(action.Code(r.Selected.Live), "nothing yet"))
	}
	for _, text := range r.Warnings {
		fmt.Fprintf(&b, "\n> [!WARNING]\n> %s\n", action.Markdown(text))
	}
	for _, text := range r.Notices {
		fmt.Fprintf(&b, "\n> [!NOTE]\n> %s\n", action.Markdown(text))
	}
	if pushed(r) {
		fmt.Fprintf(&b, "\n<details><summary>How to look inside</summary>\n\n```sh\nflux pull artifact oci://%s --output .\n```\n\n</details>\n", action.Clean(r.Reference))
	}
	return b.String()
}

// pushed reports whether a registry has the artifact, so that others can fetch it.
func pushed(r pipeline.Report) bool {
	return r.Reference != "" && r.Outcome != pipeline.Planned && !strings.HasPrefix(r.Repository, "oci-layout:")
}

// failure is the summary of a run that did not succeed.
func failure(mode string, errs []string, hint string) string {
	s := fmt.Sprintf("### %s: failed\n\n", action.Markdown(mode))
	for _, text := range errs {
		s += fmt.Sprintf("- %s\n", action.Markdown(text))
	}
	if hint != "" {
		s += fmt.Sprintf("\n> [!TIP]\n> %s\n", action.Markdown(hint))
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
	if sha == "" || repositoryURL == "" {
		return action.Code(sha)
	}
	return fmt.Sprintf("[%s](%s/commit/%s)", action.Code(sha[:7]), repositoryURL, sha)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
