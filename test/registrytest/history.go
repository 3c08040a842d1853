package registrytest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"
)

// SeedManifest writes a manifest into the repository and lets all the tags name it, as Seed does. What the manifest
// names is not looked for. It panics if the disk fails.
func (s *Server) SeedManifest(repo string, manifest []byte, tags ...string) digest.Digest {
	id := digest.FromBytes(manifest)
	err := errors.Join(
		s.writeBlob(id, manifest),
		writeFile(filepath.Join(s.repoDir(repo), "_manifests", "revisions", digestPath(id), "link"), []byte(id)),
	)
	if err != nil {
		panic(fmt.Errorf("seeding %s: %w", repo, err))
	}
	s.Retag(repo, id, tags...)
	return id
}

// Retag lets tags name a manifest that the repository has. It panics if the disk fails.
func (s *Server) Retag(repo string, id digest.Digest, tags ...string) {
	for _, tag := range tags {
		if err := writeFile(filepath.Join(s.tagsDir(repo), tag, "current", "link"), []byte(id)); err != nil {
			panic(fmt.Errorf("naming %s:%s: %w", repo, tag, err))
		}
	}
}

// Copy makes the repository "to", which must not exist, from another one: with its tags, manifests and blobs.
// Nothing goes over HTTP or into the log. It panics if the disk fails.
func (s *Server) Copy(from, to string) {
	if err := os.CopyFS(s.repoDir(to), os.DirFS(s.repoDir(from))); err != nil {
		panic(fmt.Errorf("copying %s to %s: %w", from, to, err))
	}
}

// Untag takes tags away, as if they had never been written. It panics if the disk fails.
func (s *Server) Untag(repo string, tags ...string) {
	for _, tag := range tags {
		if err := os.RemoveAll(filepath.Join(s.tagsDir(repo), tag)); err != nil {
			panic(fmt.Errorf("taking tag %s of %s away: %w", tag, repo, err))
		}
	}
}

// Named is the digest that the tag names on the disk; "" where there is no such tag. It panics if the disk fails.
func (s *Server) Named(repo, tag string) string {
	link, err := os.ReadFile(filepath.Join(s.tagsDir(repo), tag, "current", "link"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		panic(fmt.Errorf("reading tag %s of %s: %w", tag, repo, err))
	}
	return string(link)
}

// Manifests are the digests of all manifests that the repository has, with and without a tag. It panics if the disk fails.
func (s *Server) Manifests(repo string) []string {
	links, err := filepath.Glob(filepath.Join(s.repoDir(repo), "_manifests", "revisions", "*", "*", "link"))
	if err != nil {
		panic(fmt.Errorf("reading manifests of %s: %w", repo, err))
	}
	all := make([]string, len(links))
	for i, link := range links {
		of := filepath.Dir(link)
		all[i] = filepath.Base(filepath.Dir(of)) + ":" + filepath.Base(of)
	}
	return all
}

// Manifest is the body of a manifest on the disk; nil for "" and for what is not there. It panics if the disk fails.
func (s *Server) Manifest(repo string, id digest.Digest) []byte {
	if id == "" {
		return nil
	}
	body, err := os.ReadFile(s.blobFile(id))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		panic(fmt.Errorf("reading %s of %s: %w", id, repo, err))
	}
	return body
}
