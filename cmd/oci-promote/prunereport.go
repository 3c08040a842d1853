package main

import (
	"fmt"
	"strings"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// maxPruned is how many artifacts of a plan the short report shows.
const maxPruned = 20

// pruneLines is the short human report of mode prune.
func pruneLines(r pipeline.Report) []string {
	t := r.Retention
	lines := []string{headline(r)}
	add := func(name, value string) {
		if value != "" {
			lines = append(lines, fmt.Sprintf("  %-12s %s", name, value))
		}
	}
	add("because", r.Reason)
	add("repository", r.Repository)
	add("integration", selects(r.Selected.Integration))
	add("live", selects(r.Selected.Live))
	add("keeps", keptText(t))
	add("frees", freesText(t))
	add("left", leftText(t))
	lines = append(lines, prunedLines(t)...)
	add("next", r.Next)
	return lines
}

// prunedLines is the table of what goes.
func prunedLines(t *pipeline.Retention) []string {
	if len(t.Delete) == 0 {
		return nil
	}
	lines := []string{fmt.Sprintf("  %-14s %-8s %-5s %-10s %-36s %s", "version", "commit", "age", "size", "what", "tags")}
	for _, x := range t.Delete[:min(maxPruned, len(t.Delete))] {
		lines = append(lines, fmt.Sprintf("  %-14s %-8.7s %-5s %-10s %-36s %s",
			x.Version, x.Commit, age(x.Since, t.At), size(x.Bytes), fate(x, t.Applied), strings.Join(few(x.Tags), "  ")))
	}
	if more := len(t.Delete) - maxPruned; more > 0 {
		lines = append(lines, fmt.Sprintf("  and %s more", thousands(more)))
	}
	return lines
}
