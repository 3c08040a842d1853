package build_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

// manifestOf is a manifest with a config and layers of these types, that says to be of commit b.
func manifestOf(config string, layers ...string) []byte {
	m := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Annotations: map[string]string{ocispec.AnnotationRevision: "main@sha1:" + pipelinetest.CommitOf("b")},
	}
	blob, _ := bundle.Config()
	m.Config = ocispec.Descriptor{MediaType: config, Digest: blob.Digest, Size: blob.Size}
	for _, layer := range layers {
		m.Layers = append(m.Layers, ocispec.Descriptor{MediaType: layer, Digest: blob.Digest, Size: blob.Size})
	}
	return pipelinetest.Must(json.Marshal(m))
}

// push has a manifest, and the one blob that it names, in the store.
func push(t *testing.T, s *pipelinetest.Store, mediaType string, manifest []byte, tags ...string) {
	t.Helper()
	config, blob := bundle.Config()
	for desc, content := range map[*ocispec.Descriptor][]byte{
		&config: blob,
		{MediaType: mediaType, Digest: digest.FromBytes(manifest), Size: int64(len(manifest))}: nil,
	} {
		if content == nil {
			content = manifest
		}
		if there := pipelinetest.Must(s.Exists(t.Context(), *desc)); there {
			continue
		}
		if err := s.Push(t.Context(), *desc, bytes.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tag := range tags {
		s.Name(t, digest.FromBytes(manifest).String(), tag)
	}
}

// foreign are what other tools push. That of the image and the signature tells our commit, in Flux's form.
var foreign = map[string]struct {
	mediaType string
	manifest  []byte
	says      string
}{
	"an image":           {ocispec.MediaTypeImageManifest, manifestOf(ocispec.MediaTypeImageConfig, ocispec.MediaTypeImageLayerGzip), "its config is"},
	"one of two layers":  {ocispec.MediaTypeImageManifest, manifestOf(ocispec.MediaTypeImageConfig, ocispec.MediaTypeImageLayerGzip, ocispec.MediaTypeImageLayerGzip), "it has 2 layers"},
	"a signature":        {ocispec.MediaTypeImageManifest, manifestOf(ocispec.MediaTypeImageConfig, "application/vnd.dev.cosign.simplesigning.v1+json"), "its layer is"},
	"nothing but config": {ocispec.MediaTypeImageManifest, manifestOf("application/vnd.example.attestation"), "it has no layer"},
	"a chart":            {ocispec.MediaTypeImageManifest, manifestOf("application/vnd.cncf.helm.config.v1+json", "application/vnd.cncf.helm.chart.content.v1.tar+gzip"), "its config is"},
	"an index":           {ocispec.MediaTypeImageIndex, []byte(`{"schemaVersion":2,"mediaType":"` + ocispec.MediaTypeImageIndex + `","manifests":[]}`), "it is an index"},
}

// No build moves a commit's tag off what is not in Flux's format: not to complete what a crash left out, and not asked to
// overwrite either. It refuses before it writes, and says what mends it.
func TestAForeignTagStays(t *testing.T) {
	sha, integration := pipelinetest.Tag(pipeline.SHAPrefix, "b"), pipelinetest.Tag(pipeline.IntegrationPrefix, "b")
	for name, f := range foreign {
		for tag, built := range map[string]string{sha: "", integration: "", sha + " ": "@b 0.0.1-rc.2=b", integration + " ": "@b 0.0.1-rc.2=b", "0.0.1-rc.2": ""} {
			tag = strings.TrimSpace(tag)
			if tag == "0.0.1-rc.2" && name == "an index" { // of no commit: it is not ours, and another number is
				continue
			}
			for _, overwrite := range []bool{false, true} {
				s := pipelinetest.NewShelf(t, built)
				push(t, s.Store, f.mediaType, f.manifest, tag)
				before := pipelinetest.Tags(t, s)
				b := of(s, "b")
				b.Overwrite = overwrite
				said := refused(t, b)
				if !strings.Contains(said, `"`+tag+`" of registry.test/acme/fleet is no artifact of ours`) || !strings.Contains(said, f.says) ||
					!strings.Contains(said, "such as repository: registry.test/acme/fleet/manifests") || strings.Contains(said, "overwrite") {
					t.Errorf("%s, %s, overwrite %t: %s", name, tag, overwrite, said)
				}
				if after := pipelinetest.Tags(t, s); !maps.Equal(before, after) {
					t.Errorf("%s, %s, overwrite %t: %v, before %v", name, tag, overwrite, after, before)
				}
			}
		}
	}
}

// A candidate of our height that is another's is no hindrance, whatever it is, and stays.
func TestAForeignCandidateStays(t *testing.T) {
	s := pipelinetest.NewShelf(t, "")
	f := foreign["an index"]
	push(t, s.Store, f.mediaType, f.manifest, "0.0.1-rc.2")
	for _, overwrite := range []bool{false, true} {
		b := of(s, "b")
		b.Overwrite = overwrite
		if r := run(t, b); r.Candidate != "0.0.2-rc.2" || pipelinetest.Tags(t, s)["0.0.1-rc.2"] != digest.FromBytes(f.manifest).String() {
			t.Errorf("%s %s, %v", r.Outcome, r.Candidate, pipelinetest.Tags(t, s))
		}
	}
}

// What flux push artifact made, or oras with Flux's types, is ours: its tags move where that is asked for.
func TestFluxPushIsOurs(t *testing.T) {
	sha := pipelinetest.Tag(pipeline.SHAPrefix, "b")
	s := pipelinetest.NewShelf(t, sha+"=b~")
	b := of(s, "b")
	if said := refused(t, b); !strings.Contains(said, "names other content") || !strings.Contains(said, "overwrite: true") {
		t.Error(said)
	}
	b.Overwrite = true
	if r := run(t, b); r.Outcome != pipeline.Created || pipelinetest.Tags(t, s)[sha] != r.Digest.String() {
		t.Errorf("%s %s, %v", r.Outcome, r.Digest, pipelinetest.Tags(t, s))
	}
}
