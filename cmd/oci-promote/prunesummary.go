package main

import (
	"fmt"
	"strings"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// pruneSummary is a report of mode prune as the job's summary.
func pruneSummary(r pipeline.Report, p pages) string {
	t := r.Retention
	var b facts
	fmt.Fprintf(&b.text, "### %s\n\n%s\n\n", action.Markdown(headline(r)), action.Markdown(r.Reason))
	b.text.WriteString(ladderPicture(t) + "\n")
	b.add("Repository", action.Code(r.Repository))
	b.add("Integration selects", orElse(action.Code(r.Selected.Integration), "nothing"))
	b.add("Live selects", orElse(action.Code(r.Selected.Live), "nothing yet"))
	b.add("Frees", freesText(t))
	b.add("Left", leftText(t))
	b.addPages(p)
	if r.Next != "" {
		fmt.Fprintf(&b.text, "\n**What happens next:** %s\n", prose(r.Next))
	}
	title := "What would go"
	if t.Applied {
		title = "What went"
	}
	b.details(title, prunedTable(t, p), true)
	b.details("What is kept", keptTable(t), true)
	b.text.WriteString(callouts(r))
	return b.text.String()
}

// maxPrunedRows is how many artifacts of a plan a summary shows: older runners take no more than 128 KiB of it.
const maxPrunedRows = 100

// prunedTable is each artifact of the plan.
func prunedTable(t *pipeline.Retention, p pages) string {
	if len(t.Delete) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| version | commit | age | size | what | other tags |\n|---|---|---|---|---|---|\n")
	for _, x := range t.Delete[:min(maxPrunedRows, len(t.Delete))] {
		commit := commitLink(x.Commit, p.repository)
		if p.repository == "" {
			commit = action.Code(x.Commit[:min(7, len(x.Commit))])
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n",
			action.Code(x.Version), commit, age(x.Since, t.At), size(x.Bytes), action.Markdown(fate(x, t.Applied)), codes(few(others(x.Tags, x.Version))))
	}
	if more := len(t.Delete) - maxPrunedRows; more > 0 {
		fmt.Fprintf(&b, "\nand %s more, which the output `report` has\n", thousands(more))
	}
	return b.String()
}

// keptTable counts what is kept, by rule.
func keptTable(t *pipeline.Retention) string {
	if len(t.Keep) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| artifacts | because |\n|---:|---|\n")
	for _, k := range t.Keep {
		fmt.Fprintf(&b, "| %s | %s |\n", thousands(k.Artifacts), keepWords[k.Rule])
	}
	return b.String()
}
