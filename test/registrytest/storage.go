package registrytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// foreignType is the artifact type of what Seed writes: nothing that Flux or we made.
const foreignType = "application/vnd.example.foreign"

// Seed writes a small artifact that is not Flux's into the repository and lets all the tags name it; it gives the
// artifact's digest. Nothing goes over HTTP or into the log, and 10,000 tags take about a second. A tag that exists
// moves. Tags and repo must be well-formed: they become file names. It panics if the disk fails.
func (s *Server) Seed(repo string, tags ...string) digest.Digest {
	manifest, err := s.writeForeign(repo)
	if err != nil {
		panic(fmt.Errorf("seeding %s: %w", repo, err))
	}
	s.Retag(repo, manifest, tags...)
	return manifest
}

// Tags reads from the disk which digest each tag of the repository names. A repository that does not exist has
// none. Nothing goes into the log. It panics if the disk fails.
func (s *Server) Tags(repo string) map[string]string {
	tags := make(map[string]string)
	disk := os.DirFS(s.tagsDir(repo))
	links, err := fs.Glob(disk, "*/current/link") // leaves out tags that the registry is about to write
	if err != nil {
		panic(fmt.Errorf("reading tags of %s: %w", repo, err))
	}
	for _, name := range links {
		link, err := fs.ReadFile(disk, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted a moment ago
		}
		if err != nil {
			panic(fmt.Errorf("reading tags of %s: %w", repo, err))
		}
		tag, _, _ := strings.Cut(name, "/")
		tags[tag] = string(link)
	}
	return tags
}

// CutOff leaves of an artifact what Distribution does where the connection of a deletion ends too soon: its tags are listed, and
// name nothing. It panics if the disk fails.
func (s *Server) CutOff(repo, id string) {
	if err := os.Remove(filepath.Join(s.repoDir(repo), "_manifests", "revisions", digestPath(digest.Digest(id)), "link")); err != nil {
		panic(fmt.Errorf("cutting off the deletion of %s in %s: %w", id, repo, err))
	}
}

func (s *Server) writeForeign(repo string) (digest.Digest, error) {
	manifest, err := json.Marshal(ocispec.Manifest{
		Versioned:    specs.Versioned{SchemaVersion: 2},
		MediaType:    ocispec.MediaTypeImageManifest,
		ArtifactType: foreignType,
		Config:       ocispec.DescriptorEmptyJSON,
		Layers:       []ocispec.Descriptor{ocispec.DescriptorEmptyJSON},
	})
	if err != nil {
		return "", err
	}
	empty, id := ocispec.DescriptorEmptyJSON, digest.FromBytes(manifest)
	return id, errors.Join(
		s.writeBlob(empty.Digest, empty.Data),
		writeFile(filepath.Join(s.repoDir(repo), "_layers", digestPath(empty.Digest), "link"), []byte(empty.Digest)),
		s.writeBlob(id, manifest),
		writeFile(filepath.Join(s.repoDir(repo), "_manifests", "revisions", digestPath(id), "link"), []byte(id)),
	)
}

func (s *Server) writeBlob(id digest.Digest, data []byte) error {
	return writeFile(s.blobFile(id), data)
}

func (s *Server) blobFile(id digest.Digest) string {
	return filepath.Join(s.root(), "blobs", id.Algorithm().String(), id.Encoded()[:2], id.Encoded(), "data")
}

// The layout is Distribution's, in the documentation of its package registry/storage. A tag's "index" directory
// is left out: only the garbage collector reads it.
func (s *Server) root() string {
	if s.storage == "" {
		panic("registrytest: the registry behind a Front keeps nothing where this looks")
	}
	return filepath.Join(s.storage, "docker", "registry", "v2")
}
func (s *Server) repoDir(repo string) string { return filepath.Join(s.root(), "repositories", repo) }
func (s *Server) tagsDir(repo string) string {
	return filepath.Join(s.repoDir(repo), "_manifests", "tags")
}

func digestPath(id digest.Digest) string { return strings.Replace(id.String(), ":", "/", 1) }

func writeFile(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}
