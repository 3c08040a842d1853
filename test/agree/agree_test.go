// Package agree fuzzes what reads text from outside against the code of others that reads the same text: Flux's, and
// another OCI client's.
package agree

import (
	"slices"
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"
	fluxversion "github.com/fluxcd/pkg/version"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/oci"
	"github.com/oci-promote/oci-promote/internal/version"
)

// What the program says that a cluster selects is what source-controller selects (internal/oci.getTagBySemver): of what
// ParseVersion understands and the constraint admits, the highest; of equal ones any.
func FuzzSelection(f *testing.F) {
	for _, constraint := range []string{">= 0.0.0-0", ">= 0.0.0", "*", "~0.0.1-0", "^1.0.0-0 || < 0.5", "1.x", "!= 1.0.0", "=v1.0.0", "1.0.0 - 2.0.0"} {
		f.Add(constraint, "0.0.1-rc.1 0.0.1-rc.2 0.0.1 0.0.2-rc.1 rc.10 0.0.1-rc9 0.0.1-rc10")
		f.Add(constraint, "v1.0.0 1.0.1 1.0 2 latest 01.0.0 1.0.0-rc.01 2026.01.02 1.0.0.0 sha-0123456 1.0.0_b 1.0.0+b -1.0.0 1..0")
	}
	f.Add("*", "2.0 1.0.0")
	f.Fuzz(func(t *testing.T, constraint, list string) {
		ours, err := version.ParseConstraint(constraint)
		reference, other := semver.NewConstraint(constraint)
		if (err == nil) != (other == nil) {
			t.Fatalf("the constraint %q: %v, and Flux's reading: %v", constraint, err, other)
		}
		if err != nil {
			return
		}
		var best *semver.Version
		var equal []string
		tags := strings.Fields(list)
		for _, tag := range tags {
			v, err := fluxversion.ParseVersion(tag)
			if err != nil || !reference.Check(v) {
				continue
			}
			if best == nil || v.GreaterThan(best) {
				best, equal = v, nil
			}
			if v.Equal(best) {
				equal = append(equal, tag)
			}
		}
		if got := ours.Select(tags); got == "" && best != nil || got != "" && !slices.Contains(equal, got) {
			t.Errorf("of %q by %q the program picks %q, Flux one of %q", tags, constraint, got, equal)
		}
	})
}

// A repository that the program takes is one to go-containerregistry, which Flux reads with, and means the same.
func FuzzReference(f *testing.F) {
	for _, s := range []string{"ghcr.io/acme/fleet", "oci://GHCR.io/Acme/Fleet/", "127.0.0.1:5000/fleet", "localhost/x", "docker.io/library/x", "acme/fleet", "registry.test/a__b/c-d", "[::1]:5000/x", "a.b/c:1", "a.b/c@sha256:00", "xn--a.b/c", "a.b//c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ours, err := oci.ParseReference(s)
		if err != nil || ours.Layout != "" {
			return
		}
		theirs, err := name.NewRepository(ours.String())
		if len(ours.Repository) < 2 || len(ours.Repository) > 255 || !strings.ContainsAny(ours.Host, ".:") && ours.Host != "localhost" {
			return // too short or long for it, or a host that it takes for an organization of Docker Hub
		}
		if err != nil {
			t.Fatalf("%q is %s to the program, and %v", s, ours, err)
		}
		host, repository := ours.Host, ours.Repository
		if host == "docker.io" {
			host = name.DefaultRegistry
		}
		if theirs.RegistryStr() != host || strings.TrimPrefix(theirs.RepositoryStr(), "library/") != strings.TrimPrefix(repository, "library/") {
			t.Errorf("%q is %s to the program, and %s", s, ours, theirs)
		}
	})
}

// A manifest that go-containerregistry reads, the program reads too, and finds the same in it.
func FuzzManifest(f *testing.F) {
	const d = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
	f.Add(`{"schemaVersion":2,"config":{"mediaType":"` + bundle.ConfigType + `","digest":"` + d + `","size":2},"layers":[{"mediaType":"` + bundle.LayerType + `","digest":"` + d + `","size":2}],
"annotations":{"org.opencontainers.image.revision":"main@sha1:0123456789012345678901234567890123456789","org.opencontainers.image.created":"2026-11-23T09:00:00Z"}}`)
	f.Add(`{"layers":[{"digest":"` + d + `"},{"digest":"` + d + `"}],"LAYERS":[]}`)
	f.Add(`{"layers":[{"digest":"` + d + `"},{"digest":"` + d + `"}]}`)
	f.Add(`{"manifests":[{"digest":"` + d + `"}],"annotations":{"":""}}`)
	f.Add(`{"config":null,"layers":[null]} {}`)
	f.Fuzz(func(t *testing.T, text string) {
		theirs, err := v1.ParseManifest(strings.NewReader(text))
		if err != nil {
			return
		}
		ours, err := bundle.Parse([]byte(text))
		if err != nil { // a stream to it, and one document to the program
			if !strings.Contains(err.Error(), "after top-level value") {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		digest := func(h v1.Hash) string { return strings.TrimPrefix(h.String(), ":") }
		if string(ours.Config) != digest(theirs.Config.Digest) {
			t.Errorf("%q: the config is %q, and %s", text, ours.Config, theirs.Config.Digest)
		}
		var layer string
		if len(theirs.Layers) == 1 {
			layer = digest(theirs.Layers[0].Digest)
		}
		if string(ours.Layer) != layer {
			t.Errorf("%q: the layer is %q, and %q", text, ours.Layer, layer)
		}
		revision := theirs.Annotations["org.opencontainers.image.revision"]
		if ours.Revision.Commit != "" && ours.Revision.String() != revision {
			t.Errorf("%q: the revision is %s, and %q", text, ours.Revision, revision)
		}
	})
}
