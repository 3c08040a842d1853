package main

import (
	"regexp"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// released is the version of a release: a tag of the repository.
var released = regexp.MustCompile(`^v\d+\.\d+\.\d+$`)

// guide is the page of the section about a finding, as it was for the version that runs.
func guide(code pipeline.Code) string {
	at := "main"
	if released.MatchString(version) {
		at = version
	}
	return "https://github.com/oci-promote/oci-promote/blob/" + at + "/docs/troubleshooting.md#" + string(code)
}
