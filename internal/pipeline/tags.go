package pipeline

import (
	"regexp"
	"strings"

	"github.com/oci-promote/oci-promote/internal/version"
)

// The tags of a commit: sha- and integration- name what its build made, validated- says for
// ever after that it was proven healthy, or approved.
const (
	SHAPrefix         = "sha-"
	IntegrationPrefix = "integration-"
	ValidatedPrefix   = "validated-"
)

var commitTag = regexp.MustCompile(`^(?:sha|integration|validated)-[0-9a-f]{7,40}$`)

// IsCommitTag reports whether a tag is a commit's, with that prefix.
func IsCommitTag(prefix, tag string) bool {
	return strings.HasPrefix(tag, prefix) && commitTag.MatchString(tag)
}

// IntegrationOf is the integration- tag beside a sha- tag.
func IntegrationOf(shaTag string) string {
	return IntegrationPrefix + strings.TrimPrefix(shaTag, SHAPrefix)
}

// Descending gives the tags of an ascending row of versions, from the highest down.
func Descending[V interface{ String() string }](versions []V) []string {
	tags := make([]string, len(versions))
	for i, v := range versions {
		tags[len(versions)-1-i] = v.String()
	}
	return tags
}

// IsCandidate and IsStable tell what a tag is.
func IsCandidate(tag string) bool { _, err := version.ParseCandidate(tag); return err == nil }

// IsStable reports whether a tag is a version X.Y.Z.
func IsStable(tag string) bool { _, err := version.ParseStable(tag); return err == nil }
