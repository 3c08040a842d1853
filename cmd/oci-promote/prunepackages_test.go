package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/github"
	"github.com/oci-promote/oci-promote/internal/oci"
	"github.com/oci-promote/oci-promote/internal/packagestest"
	"github.com/oci-promote/oci-promote/internal/prune"
)

const platformPackage = "acme/fleet/platform"

// hubOf is a GitHub whose package has two versions: first, with two tags, and second, without.
func hubOf(t *testing.T) (hub *packagestest.Hub, v *versions, first, second digest.Digest) {
	t.Helper()
	first, second = digest.FromString("first"), digest.FromString("second")
	hub = &packagestest.Hub{Token: "ghs_x"}
	hub.Organization("acme")
	hub.Push(platformPackage, digest.FromString("other").String(), "latest")
	hub.Push(platformPackage, first.String(), "0.0.1", "sha-aaaaaaa")
	hub.Push(platformPackage, second.String())
	server := httptest.NewServer(hub)
	t.Cleanup(server.Close)
	pkg, err := github.OpenPackage(github.Options{APIURL: server.URL, Token: "ghs_x", Pause: 1}, platformPackage)
	if err != nil {
		t.Fatal(err)
	}
	v = &versions{Package: pkg, ids: map[digest.Digest]int64{}}
	written, err := v.Written(t.Context())
	if err != nil || len(written) != 3 || written[first].IsZero() {
		t.Fatalf("written: %v, %v", written, err)
	}
	return hub, v, first, second
}

// TestVersionsDelete: a version goes only with exactly the tags that the plan knew.
func TestVersionsDelete(t *testing.T) {
	tags := []string{"sha-aaaaaaa", "0.0.1"}
	for name, test := range map[string]struct {
		meanwhile func(hub *packagestest.Hub, first, second digest.Digest)
		of        string // which is asked for; first if empty
		tags      []string
		gone      bool
		stays     string // why it is kept; empty where it is not
	}{
		"as it was":             {tags: tags},
		"without tags":          {of: "second"},
		"one more tag":          {func(h *packagestest.Hub, first, _ digest.Digest) { h.Push(platformPackage, first.String(), "1.0.0") }, "", tags, false, "other tags by now: 1.0.0, "},
		"one tag moved":         {func(h *packagestest.Hub, _, second digest.Digest) { h.Push(platformPackage, second.String(), "0.0.1") }, "", tags, false, "other tags by now: sha-aaaaaaa"},
		"fewer than it has":     {tags: tags[:1], stays: "other tags"},
		"a tag where none was":  {func(h *packagestest.Hub, _, second digest.Digest) { h.Push(platformPackage, second.String(), "x") }, "second", nil, false, "other tags by now: x"},
		"downloaded too often":  {func(h *packagestest.Hub, first, _ digest.Digest) { h.Download(platformPackage, first.String(), 5001) }, "", tags, false, "5,000 downloads"},
		"that is not listed":    {of: "third", stays: "did not list it"},
		"that somebody deleted": {func(h *packagestest.Hub, first, _ digest.Digest) { deleteFrom(h, first) }, "", tags, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			hub, v, first, second := hubOf(t)
			asked := map[string]digest.Digest{"": first, "second": second, "third": digest.FromString("third")}[test.of]
			if test.meanwhile != nil {
				test.meanwhile(hub, first, second)
			}
			before := hub.Versions(platformPackage)
			gone, err := v.Delete(t.Context(), asked, test.tags)
			if gone != test.gone {
				t.Errorf("gone: %v", gone)
			}
			after := hub.Versions(platformPackage)
			if test.stays != "" {
				if !errors.Is(err, prune.ErrChanged) || !strings.Contains(err.Error(), test.stays) || len(after) != len(before) {
					t.Errorf("%v, want %q; %d of %d versions are left", err, test.stays, len(after), len(before))
				}
				return
			}
			if _, there := after[asked.String()]; err != nil || there || len(after) != 2 {
				t.Errorf("%v; it is there: %v; %v", err, there, after)
			}
		})
	}
}

// deleteFrom deletes a version as a person does.
func deleteFrom(h *packagestest.Hub, d digest.Digest) {
	server := httptest.NewServer(h)
	defer server.Close()
	pkg, err := github.OpenPackage(github.Options{APIURL: server.URL, Token: "ghs_x", Pause: 1}, platformPackage)
	if err != nil {
		panic(err)
	}
	v := &versions{Package: pkg, ids: map[digest.Digest]int64{}}
	if _, err := v.Written(context.Background()); err != nil {
		panic(err)
	}
	if err := pkg.Delete(context.Background(), v.ids[d]); err != nil {
		panic(err)
	}
}

// TestVersionsMayNotDelete: a refusal is an error, and none that lets a run go on.
func TestVersionsMayNotDelete(t *testing.T) {
	hub, v, first, _ := hubOf(t)
	hub.May = func(method, _ string) bool { return method != http.MethodDelete }
	gone, err := v.Delete(t.Context(), first, []string{"0.0.1", "sha-aaaaaaa"})
	if gone || err == nil || errors.Is(err, prune.ErrChanged) || !strings.Contains(withHint(err), "packages: write") || !strings.Contains(withHint(err), "Admin") {
		t.Errorf("%v, %v", gone, withHint(err))
	}
}

// TestPackages: whose registry deletes by GitHub's API, and with whose token.
func TestPackages(t *testing.T) {
	for _, test := range []struct {
		repository, server, token string
		by                        bool
		says                      string
	}{
		{"ghcr.io/acme/fleet", "", "t", true, ""},
		{"ghcr.io/acme/fleet/platform", "https://github.com", "t", true, ""},
		{"ghcr.io/acme/fleet", "", "", false, "Admin"},
		{"ghcr.io/acme/fleet", "https://github.acme.example", "t", false, "of github.com"},
		{"containers.github.acme.example/acme/fleet", "https://github.acme.example", "t", true, ""},
		{"containers.github.acme.example/acme/fleet", "https://github.acme.example", "", false, "Admin"},
		{"containers.github.acme.example/acme/fleet", "", "t", false, ""},
		{"registry.example/acme/fleet", "", "t", false, ""},
		{"registry.example/acme/fleet", "nonsense", "t", false, ""},
		{"oci-layout:x", "", "t", false, ""},
		{"oci-layout:x", "nonsense", "t", false, ""},
	} {
		ref, err := oci.ParseReference(test.repository)
		if err != nil {
			t.Fatal(err)
		}
		c := &command{secrets: &action.Secrets{}, getenv: func(name string) string { return map[string]string{"GITHUB_SERVER_URL": test.server}[name] }}
		v, err := c.packages(common{ref: ref, token: test.token}, nil)
		if (v != nil) != test.by || (err != nil) != (test.says != "") || err != nil && !strings.Contains(withHint(err), test.says) {
			t.Errorf("%v: %v, %v", test, v != nil, err)
		}
	}
}

func TestFew(t *testing.T) {
	tags := strings.Fields("a b c d e f g h i j")
	if got := strings.Join(few(tags), " "); got != "a b c d e f g h and 2 more" || tags[8] != "i" {
		t.Errorf("%q of %q", got, tags)
	}
	if got := few(tags[:8]); !slices.Equal(got, tags[:8]) {
		t.Errorf("%q", got)
	}
}
