package chaos

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// prunable is a repository in which something is old enough to go, and something of each kind must stay.
type prunable struct {
	*testing.T
	*registrytest.Server
	repo string
	n    int // commits
}

// pruneLife makes such a repository. With pruneFlags three artifacts go with what is attached to two of them: the first stable,
// which is signed and has a bill of materials, and two candidates that were passed, of which one is signed.
func pruneLife(t *testing.T, s *registrytest.Server, repo string) {
	t.Helper()
	p := &prunable{t, s, repo, 0}
	first := p.build()
	p.promote(first)
	p.sign(first)
	p.refer(first)
	second := p.build()
	p.promote(second)
	p.Retag(repo, digest.Digest(second.Digest), "pinned-by-hand")
	passed, flying, child, signed := p.build(), p.build(), p.build(), p.build()
	p.sign(signed)
	for range 2 {
		live := p.build()
		p.promote(live)
		p.sign(live)
		p.refer(live)
	}
	p.Retag(repo, digest.Digest(flying.Digest), "validated-"+flying.Commit[:7])
	untagged := p.put(ocispec.Manifest{ArtifactType: "application/vnd.example.child"})
	p.putIndex([]ocispec.Descriptor{p.descriptor(child.Digest), untagged}, "all-platforms")
	p.sign(p.build()) // open
	if tags := s.Tags(repo); tags[passed.Tag] == "" || tags["0.0.4"] == "" {
		t.Fatalf("the life is %v", tags)
	}
}

// pruneFlags keep two stables.
var pruneFlags = []string{"--keep-stables", "2", "--keep-for", "24h", "--apply"}

func (p *prunable) build() programtest.Artifact {
	p.Helper()
	p.n++
	return programtest.BuildFor(p.T, p.Server, commitOf(p.n), p.n, "--repository", p.Host+"/"+p.repo)
}

func (p *prunable) promote(a programtest.Artifact) {
	p.Helper()
	programtest.TagOnce(p.T, p.Server, a.BoundStatus(p.T), "--repository", p.Host+"/"+p.repo)
}

// sign attaches a signature as cosign does, and one to that.
func (p *prunable) sign(a programtest.Artifact) {
	p.Helper()
	signature := p.put(ocispec.Manifest{ArtifactType: "application/vnd.example.signature of " + a.Digest}, attached(a.Digest)+".sig")
	p.put(ocispec.Manifest{ArtifactType: "application/vnd.example.attestation of " + a.Digest}, attached(string(signature.Digest))+".att")
}

// refer attaches a bill of materials by its subject, in the list that clients keep where a registry has no API for it.
func (p *prunable) refer(a programtest.Artifact) {
	p.Helper()
	of := p.descriptor(a.Digest)
	bill := p.put(ocispec.Manifest{ArtifactType: "application/vnd.example.sbom", Subject: &of})
	p.putIndex([]ocispec.Descriptor{bill}, attached(a.Digest))
}

func attached(digest string) string { return strings.Replace(digest, ":", "-", 1) }

func (p *prunable) descriptor(id string) ocispec.Descriptor {
	d := digest.Digest(id)
	return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: d, Size: int64(len(p.Manifest(p.repo, d)))}
}

func (p *prunable) put(m ocispec.Manifest, tags ...string) ocispec.Descriptor {
	p.Helper()
	m.Versioned, m.MediaType = specs.Versioned{SchemaVersion: 2}, ocispec.MediaTypeImageManifest
	m.Config, m.Layers = ocispec.DescriptorEmptyJSON, []ocispec.Descriptor{ocispec.DescriptorEmptyJSON}
	return p.write(m, m.MediaType, tags...)
}

func (p *prunable) putIndex(manifests []ocispec.Descriptor, tags ...string) {
	p.Helper()
	p.write(ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: manifests}, ocispec.MediaTypeImageIndex, tags...)
}

func (p *prunable) write(manifest any, mediaType string, tags ...string) ocispec.Descriptor {
	p.Helper()
	body, err := json.Marshal(manifest)
	if err != nil {
		p.Fatal(err)
	}
	id := p.SeedManifest(p.repo, body, tags...)
	return ocispec.Descriptor{MediaType: mediaType, Digest: id, Size: int64(len(body))}
}
