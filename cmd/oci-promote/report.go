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
	if r.Diagnosis != nil {
		return verifyLines(r, false)
	}
	if r.Retention != nil {
		return pruneLines(r)
	}
	lines := []string{headline(r)}
	add := func(name, value string) {
		if value != "" {
			lines = append(lines, fmt.Sprintf("  %-12s %s", name, value))
		}
	}
	add("because", r.Reason)
	add("proof", r.Proof)
	if r.Reference != "" {
		add("artifact", r.Reference)
	} else {
		add("repository", r.Repository)
	}
	if r.Mode == action.Tag {
		add("candidate", r.Candidate)
	}
	add("commit", r.SHA)
	if a := r.Artifact; a != nil {
		add("packed", packed(a))
	}
	add("tags", strings.Join(r.Tags, "  "))
	add("would write", strings.Join(r.Plan, "  "))
	for _, rescued := range r.Rescued {
		add("rescued", fmt.Sprintf("%s, now %s", rescued.From, rescued.Candidate))
	}
	if r.Previous != nil {
		add("before", before(*r.Previous))
	}
	if r.Rollback != nil {
		add("held back", orElse(strings.Join(r.Rollback.Held, "  "), "none"))
	}
	if r.Selected != nil {
		add("integration", selects(r.Selected.Integration))
		add("live", selects(r.Selected.Live))
	}
	add("release", r.Release)
	add("next", r.Next)
	return lines
}

func headline(r pipeline.Report) string {
	line := strings.TrimSpace(fmt.Sprintf("%s: %s %s", r.Mode, r.Outcome, r.Version))
	switch u := r.Unproven; {
	case u == nil:
		return line
	case u.Never:
		return line + ", never validated"
	}
	return line + ", not known to be validated"
}

// before is the stable that a promotion follows.
func before(s pipeline.Stable) string {
	if s.SHA == "" {
		return s.Version
	}
	return fmt.Sprintf("%s, of commit %.7s", s.Version, s.SHA)
}

func packed(a *pipeline.Packed) string {
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

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
