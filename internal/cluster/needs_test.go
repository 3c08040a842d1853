package cluster

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

func hex(c string) string { return "sha256:" + strings.Repeat(c, 64) }

// TestDigests: each way in which an object names an artifact counts, and nothing else does.
func TestDigests(t *testing.T) {
	source := func(spec, status string) string {
		return fmt.Sprintf(`{"apiVersion":"source.toolkit.fluxcd.io/v1","kind":"OCIRepository","metadata":{"namespace":"a","name":"b"},"spec":{"url":"oci://x.io/y","ref":{%s}},"status":{%s}}`, spec, status)
	}
	kustomization := func(status string) string {
		return fmt.Sprintf(`{"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization","metadata":{"namespace":"a","name":"b"},"spec":{},"status":{%s}}`, status)
	}
	for name, test := range map[string]struct {
		object string
		want   []digest.Digest
	}{
		"fetched":         {source(``, `"artifact":{"revision":"0.0.1@`+hex("a")+`"}`), []digest.Digest{digest.Digest(hex("a"))}},
		"fetched, pinned": {source(``, `"artifact":{"revision":"`+hex("a")+`"}`), []digest.Digest{digest.Digest(hex("a"))}},
		"pinned":          {source(`"digest":"`+hex("b")+`"`, ``), []digest.Digest{digest.Digest(hex("b"))}},
		"pinned anew":     {source(`"digest":"`+hex("b")+`"`, `"artifact":{"revision":"`+hex("a")+`"}`), []digest.Digest{digest.Digest(hex("a")), digest.Digest(hex("b"))}},
		"applied":         {kustomization(`"lastAppliedRevision":"0.0.1@` + hex("c") + `"`), []digest.Digest{digest.Digest(hex("c"))}},
		"attempted":       {kustomization(`"lastAttemptedRevision":"0.0.1@` + hex("d") + `"`), []digest.Digest{digest.Digest(hex("d"))}},
		"git":             {kustomization(`"lastAppliedRevision":"main@sha1:` + strings.Repeat("e", 40) + `"`), nil},
		"no digest":       {source(`"digest":"sha256:abc"`, `"artifact":{"revision":"0.0.1"}`), nil},
	} {
		if got := given(t, test.object).Digests(); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func given(t *testing.T, text string) *State {
	t.Helper()
	s := new(State)
	if err := s.Add("state.json", strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestPicks: of the sources that read the repository, each named tag and each selection counts.
func TestPicks(t *testing.T) {
	tags := []string{"0.0.1", "0.0.2-rc.3", "0.0.2-canary.9", "sha-abcdef0"}
	for name, test := range map[string]struct {
		url, ref string
		want     []string
	}{
		"tag":            {"oci://x.io/y", `"tag":"sha-abcdef0"`, []string{"sha-abcdef0"}},
		"stable":         {"oci://x.io/y", `"semver":">= 0.0.0"`, []string{"0.0.1"}},
		"candidate":      {"oci://x.io/y", `"semver":">= 0.0.0-0"`, []string{"0.0.2-rc.3"}},
		"filter":         {"oci://x.io/y", `"semver":">= 0.0.0-0","semverFilter":"canary"`, []string{"0.0.2-canary.9"}},
		"both":           {"oci://x.io/y", `"semver":">= 0.0.0","tag":"0.0.9"`, []string{"0.0.1", "0.0.9"}},
		"no constraint":  {"oci://x.io/y", `"semver":"no"`, nil},
		"nothing":        {"oci://x.io/y", `"semver":">= 3"`, nil},
		"digest":         {"oci://x.io/y", `"digest":"` + hex("a") + `"`, nil},
		"nearly the URL": {"oci://x.io/y/", `"tag":"0.0.1"`, []string{"0.0.1"}},
		"another's":      {"oci://x.io/z", `"tag":"0.0.1"`, nil},
	} {
		s := given(t, fmt.Sprintf(`{"apiVersion":"source.toolkit.fluxcd.io/v1","kind":"OCIRepository","metadata":{"namespace":"a","name":"b"},"spec":{"url":%q,"ref":{%s}}}`, test.url, test.ref))
		if got := s.Picks("x.io/y", tags); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
		if got, want := s.Reads("x.io/y"), test.url != "oci://x.io/z"; got != want {
			t.Errorf("%s: reads it: %v", name, got)
		}
	}
}
