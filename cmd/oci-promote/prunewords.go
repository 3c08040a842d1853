package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// keepWords are the rules of mode prune as people read them.
var keepWords = map[pipeline.KeepRule]string{
	pipeline.KeptStable:   "among the last stables",
	pipeline.KeptSelected: "selected by a cluster",
	pipeline.KeptNewest:   "the newest candidate",
	pipeline.KeptRunning:  "needed by a cluster, as cluster-state tells",
	pipeline.KeptRollback: "shows that live went back",
	pipeline.KeptOpen:     "may go live yet",
	pipeline.KeptInFlight: "build or promotion not complete",
	pipeline.KeptYoung:    "younger than keep-for, or of unknown age",
	pipeline.KeptForeign:  "not of this pipeline, or with a tag that is not",
	pipeline.KeptIndexed:  "listed by an index",
	pipeline.KeptAttached: "something attached to it must stay",
}

// keptText counts what is kept, by rule, on one line.
func keptText(t *pipeline.Retention) string {
	var parts []string
	for _, k := range t.Keep {
		parts = append(parts, fmt.Sprintf("%s %s", thousands(k.Artifacts), keepWords[k.Rule]))
	}
	return strings.Join(parts, "; ")
}

// fate is what became of one artifact of the plan, and why.
func fate(x pipeline.Pruned, applied bool) string {
	switch {
	case x.State == pipeline.PrunedDeleted:
		return "deleted"
	case x.State == pipeline.PrunedGone:
		return "gone already"
	case x.State == pipeline.PrunedKept:
		return "kept: " + x.Reason
	case applied:
		return "not reached"
	}
	return x.Reason
}

// freesText is how many bytes a run frees, and when.
func freesText(t *pipeline.Retention) string {
	if len(t.Delete) == 0 {
		return ""
	}
	text := size(t.Bytes) + ", once the registry has collected its garbage"
	if t.Applied && t.Deleted < len(t.Delete) {
		return "at most " + text
	}
	return text
}

// leftText is what is over the number that one run deletes. Whether it may go live yet, nobody has asked.
func leftText(t *pipeline.Retention) string {
	switch t.Left {
	case 0:
		return ""
	case 1:
		return "1 artifact for the next run to look at"
	}
	return thousands(t.Left) + " artifacts for the next run to look at"
}

// few are the first of some tags, and how many there are besides.
func few(tags []string) []string {
	const most = 8
	if len(tags) <= most {
		return tags
	}
	return append(tags[:most:most], fmt.Sprintf("and %d more", len(tags)-most))
}

// counted is how far a count has come.
func counted(what string, done, of int) string {
	line := fmt.Sprintf("%s: %s of %s", what, thousands(done), thousands(of))
	if what == "reading" {
		line += " manifests"
	}
	return line
}

// thousands is a number with a comma between each three digits.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
