package main

import "testing"

func TestWorded(t *testing.T) {
	for _, c := range []struct{ hint, inAction, byHand string }{
		{"", "", ""},
		{"set first-build: true for one run", "set first-build: true for one run", "set --first-build for one run"},
		{"the registry speaks plain HTTP; set plain-http: true if it is a local one", "the registry speaks plain HTTP; set plain-http: true if it is a local one", "the registry speaks plain HTTP; set --plain-http if it is a local one"},
		{"the registry may speak HTTPS only; leave plain-http false", "the registry may speak HTTPS only; leave plain-http false", "the registry may speak HTTPS only; leave out --plain-http"},
		{"set token (by hand: GITHUB_TOKEN and GITHUB_REPOSITORY), or give artifact-sha or digest", "set token, or give artifact-sha or digest", "set GITHUB_TOKEN and GITHUB_REPOSITORY, or give --artifact-sha or --digest"},
		{"in a workflow leave the input token at its default; by hand set GITHUB_TOKEN", "leave the input token at its default", "set GITHUB_TOKEN"},
		{"it is not valid; in a workflow leave the input token at its default; by hand give a good one", "it is not valid; leave the input token at its default", "it is not valid; give a good one"},
		{"set username and password, or DOCKER_CONFIG to a directory", "set username and password, or DOCKER_CONFIG to a directory", "set --username and --password (or OCI_PROMOTE_PASSWORD), or DOCKER_CONFIG to a directory"},
		{"it is empty; in a workflow is there a step before?; by hand check path and ignore", "it is empty; is there a step before?", "it is empty; check --path and --ignore"},
		{"set token, or create the release by hand", "set token, or create the release by hand", "set --token (or GITHUB_TOKEN), or create the release by hand"},
		{"naming version: next", "naming version: next", "naming --version=next"},
		{"set the input kustomization to a name", "set the input kustomization to a name", "set --kustomization to a name"},
		{"while artifact-sha or digest alone only go forward", "while artifact-sha or digest alone only go forward", "while --artifact-sha or --digest alone only go forward"},
		{"max-age is the time", "max-age is the time", "--max-age is the time"},
		{"use another, such as repository: ghcr.io/acme/fleet/app", "use another, such as repository: ghcr.io/acme/fleet/app", "use another, such as --repository=ghcr.io/acme/fleet/app"},
		{"set REGISTRY_STORAGE_DELETE_ENABLED=true", "set REGISTRY_STORAGE_DELETE_ENABLED=true", "set REGISTRY_STORAGE_DELETE_ENABLED=true"},
		// What only looks like an input stays as it is.
		{"check the path of the repository, and the version", "check the path of the repository, and the version", "check the path of the repository, and the version"},
		{"oci-promote tag --artifact-sha latest --digest sha256:0", "oci-promote tag --artifact-sha latest --digest sha256:0", "oci-promote tag --artifact-sha latest --digest sha256:0"},
		{"see docs/x.md#artifact-sha, status-contexts and the release: it is there", "see docs/x.md#artifact-sha, status-contexts and the release: it is there", "see docs/x.md#artifact-sha, status-contexts and the release: it is there"},
	} {
		if got := worded(c.hint, false); got != c.inAction {
			t.Errorf("in Actions %q is %q, want %q", c.hint, got, c.inAction)
		}
		if got := worded(c.hint, true); got != c.byHand {
			t.Errorf("by hand %q is %q, want %q", c.hint, got, c.byHand)
		}
		if got := worded(worded(c.hint, true), true); got != c.byHand {
			t.Errorf("%q is worded twice: %q", c.hint, got)
		}
	}
}
