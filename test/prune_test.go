package test

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/test/internet"
	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
	"github.com/oci-promote/oci-promote/test/registrytest/packages"
)

const packageOfPlatform = "acme/fleet/platform"

// ghcr is ghcr.io with a package of three artifacts, each of which went live.
type ghcr struct {
	*testing.T
	*packages.GitHub
	env []string
}

func startGHCR(t *testing.T) *ghcr {
	t.Helper()
	g := &ghcr{T: t, GitHub: packages.Start(t, func() time.Time { return time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC) })}
	g.env = g.Play(internet.New(t))
	for i, commit := range []string{commitA, commitB, commitC} {
		g.run(0, "build", "--path", platform, "--revision", "main@sha1:"+commit, "--height", strconv.Itoa(i+1))
		g.run(0, "tag", "--artifact-sha", commit)
	}
	g.Registry.Reset()
	g.API.Reset()
	return g
}

func (g *ghcr) run(code int, args ...string) programtest.Result {
	g.Helper()
	r := programtest.Run(g.T, append([]string{timeA}, g.env...), append(args, "--repository", "ghcr.io/"+packageOfPlatform, "--retry-for", "0s")...)
	if r.Code != code {
		g.Fatalf("%s: exit status %d\n%s%s", args, r.Code, r.Stdout, r.Stderr)
	}
	return r
}

// asked counts the requests of a method to the registry and to the API.
func (g *ghcr) asked(method string) (registry, api int) {
	return strings.Count(g.Registry.RequestLog(), " "+method+" "), strings.Count(g.API.RequestLog(), " "+method+" ")
}

// TestPruneOnGHCR: on ghcr.io artifacts go by way of the Packages API, of which each is looked at before.
func TestPruneOnGHCR(t *testing.T) {
	g := startGHCR(t)
	before := g.Tags(packageOfPlatform)
	if r := g.run(0, "prune", "--keep-stables", "1"); !strings.Contains(r.Stdout, "2 artifacts of 3 would go") || !maps.Equal(before, g.Tags(packageOfPlatform)) {
		t.Errorf("the plan is\n%s", r.Stdout)
	}
	if _, api := g.asked(http.MethodGet); api != 2 { // whose package it is, and its versions
		t.Errorf("a plan asks the API %d times:\n%s", api, g.API.RequestLog())
	}
	g.Hub.Push(packageOfPlatform, before["0.0.1"], "pinned-by-hand") // of which the registry does not tell yet
	r := g.run(0, "prune", "--keep-stables", "1", "--apply")
	if !strings.Contains(r.Stdout, "1 artifact deleted, 2 kept") || !strings.Contains(r.Stderr, "0.0.1 is kept: it has other tags by now: ") {
		t.Errorf("a tag that is new on GitHub alone:\n%s%s", r.Stdout, r.Stderr)
	}
	after := g.Tags(packageOfPlatform)
	for tag, digest := range before {
		if kept := digest != before["0.0.2"]; kept != (after[tag] != "") {
			t.Errorf("%s is there: %v", tag, !kept)
		}
	}
	if registry, api := g.asked(http.MethodDelete); registry != 0 || api != 1 || len(g.Hub.Versions(packageOfPlatform)) != 2 {
		t.Errorf("%d deletions on the registry, %d by the API; the package has %v", registry, api, g.Hub.Versions(packageOfPlatform))
	}
	g.run(0, "verify", "--max-age", "1000000h")
}

// TestPruneOnGHCRRefused: who may not delete is told what that takes, and nothing is gone.
func TestPruneOnGHCRRefused(t *testing.T) {
	g := startGHCR(t)
	before := g.Tags(packageOfPlatform)
	g.Hub.Let(func(method, _ string) bool { return method != http.MethodDelete })
	r := g.run(1, "prune", "--keep-stables", "1", "--apply")
	for _, part := range []string{"oci-promote: deleting 0.0.1 (sha256:", "404", "packages: write", "role Admin on the package"} {
		if !strings.Contains(r.Stderr, part) {
			t.Errorf("%q is missing in\n%s", part, r.Stderr)
		}
	}
	if !maps.Equal(before, g.Tags(packageOfPlatform)) {
		t.Errorf("%v is left", g.Tags(packageOfPlatform))
	}
}

// TestPruneStopsBesideABuild: a tag that is new while artifacts are deleted ends the run, and what it was about to delete stays.
func TestPruneStopsBesideABuild(t *testing.T) {
	g := startGHCR(t)
	manifest := g.Manifest(packageOfPlatform, "0.0.3")
	g.Registry.Intercept(registrytest.On(http.MethodGet, "/tags/list", func(w http.ResponseWriter, r *http.Request, _ int, next http.Handler) {
		if len(g.Hub.Versions(packageOfPlatform)) == 2 { // of three
			g.Put(packageOfPlatform, manifest, "0.0.4-rc.9")
		}
		next.ServeHTTP(w, r)
	}))
	r := g.run(0, "prune", "--keep-stables", "1", "--apply")
	if !strings.Contains(r.Stdout, "prune: pruned") || !strings.Contains(r.Stdout, "1 artifact deleted, 2 kept") ||
		!strings.Contains(r.Stderr, "warning: stopped: a build or a promotion is under way beside this run (new since it began: 0.0.4-rc.9)") {
		t.Errorf("%s%s", r.Stdout, r.Stderr)
	}
	if tags := g.Tags(packageOfPlatform); tags["0.0.1"] != "" || tags["0.0.2"] == "" {
		t.Errorf("%v", tags)
	}
}

// TestPruneReadsAPackageOnce: a package of many versions is listed once, in a request for each hundred, and a plan reads one
// manifest of each artifact.
func TestPruneReadsAPackageOnce(t *testing.T) {
	g := startGHCR(t)
	for i := range 1000 { // somebody else's, without tags
		g.Hub.Push(packageOfPlatform, fmt.Sprintf("sha256:%064x", i))
	}
	if r := g.run(0, "prune", "--keep-stables", "1"); !strings.Contains(r.Stdout, "2 artifacts of 3 would go") {
		t.Errorf("the plan is\n%s", r.Stdout)
	}
	registry, api := g.asked(http.MethodGet)
	if manifests := strings.Count(g.Registry.RequestLog(), "/manifests/"); api != 1+11 || manifests != 3 {
		t.Errorf("%d reads by the API, %d of %d of the registry are of manifests\n%s", api, manifests, registry, g.Registry.RequestLog())
	}
}

// TestPruneGoesOnPastWhatGitHubKeeps: what was downloaded too often holds up no run, however few artifacts that may delete.
func TestPruneGoesOnPastWhatGitHubKeeps(t *testing.T) {
	g := startGHCR(t)
	before := g.Tags(packageOfPlatform)
	g.Hub.Download(packageOfPlatform, before["0.0.1"], 5001)
	r := g.run(0, "prune", "--keep-stables", "1", "--max-deletes", "1", "--apply")
	after := g.Tags(packageOfPlatform)
	if after["0.0.1"] == "" || after["0.0.2"] != "" || !strings.Contains(r.Stdout, "1 artifact deleted, 2 kept") || !strings.Contains(r.Stderr, "0.0.1 is kept: ") {
		t.Errorf("%s%s%v", r.Stdout, r.Stderr, after)
	}
}
