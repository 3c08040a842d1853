package main

import (
	"testing"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// TestGuideIsOfTheVersionThatRuns: a link of an old release must not lead to a section that was renamed since.
func TestGuideIsOfTheVersionThatRuns(t *testing.T) {
	defer func(v string) { version = v }(version)
	const repo = "https://github.com/oci-promote/oci-promote/blob/"
	for v, at := range map[string]string{
		"v1.2.3":                             "v1.2.3",
		"dev":                                "main",
		"v0.0.0-20261126034000-0471004644e5": "main", // go install of a commit
		"v1.2.3+dirty":                       "main",
	} {
		version = v
		if got, want := guide(pipeline.NotBuilt), repo+at+"/docs/troubleshooting.md#not-built"; got != want {
			t.Errorf("version %s: %s, want %s", v, got, want)
		}
	}
}
