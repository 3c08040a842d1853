package pipeline

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/bundle"
)

// readDetails reads what the commit tags of the subject and of the stable name, and whether
// their blobs are there.
func (r *verifyRun) readDetails(ctx context.Context) error {
	details := []*artifact{r.subject.artifact}
	if s := r.stable.artifact; s != nil && !r.isSubject(s) {
		details = append(details, s)
	}
	var tags []string
	for _, a := range details {
		for _, tag := range r.commitTags(a) {
			if r.snap.has[tag] && tag != a.readBy {
				tags = append(tags, tag)
			}
		}
	}
	tags = append(tags, r.announced()...)
	var err error
	if r.commits, err = r.resolveAll(ctx, tags); err != nil {
		return err
	}
	for _, a := range details {
		if a != nil && strings.HasPrefix(a.readBy, shaPrefix) {
			r.commits[a.readBy] = a.desc.Digest
		}
	}
	return r.readBlobs(ctx, details)
}

// commitTags are the tags that an artifact's commit may have; none where it does not tell
// its commit.
func (r *verifyRun) commitTags(a *artifact) []string {
	if a == nil {
		return nil
	}
	return r.commitTagsOf(a.Revision.Commit)
}

func (r *verifyRun) commitTagsOf(commit string) []string {
	if commit == "" {
		return nil
	}
	return []string{r.commitTag(shaPrefix, commit), r.commitTag(integrationPrefix, commit), r.commitTag(validatedPrefix, commit)}
}

// commitTag is a commit's tag as it is there, whatever the length of its tags was when it was
// written, or as it would be written now.
func (r *verifyRun) commitTag(prefix, commit string) string {
	for n := len(commit); n >= 7; n-- {
		if r.snap.has[prefix+commit[:n]] {
			return prefix + commit[:n]
		}
	}
	return prefix + commit[:min(r.SHALength, len(commit))]
}

// readBlobs asks whether the config and the layer of artifacts are there, each once. Further
// layers are not Flux's.
func (r *verifyRun) readBlobs(ctx context.Context, artifacts []*artifact) error {
	parts, owners := map[string]ocispec.Descriptor{}, map[string][]digest.Digest{}
	for _, a := range artifacts {
		if a == nil {
			continue
		}
		blobs := bundle.ReadParts(a.manifest).Blobs()
		for _, blob := range blobs[:min(2, len(blobs))] {
			name := blob.Digest.String()
			parts[name] = blob
			owners[name] = append(owners[name], a.desc.Digest)
		}
	}
	names := slices.Sorted(maps.Keys(parts))
	there, err := askAll(ctx, names, func(ctx context.Context, name string) (bool, error) { return r.exists(ctx, parts[name]) })
	r.missing = map[digest.Digest]string{}
	for i, name := range names {
		for _, owner := range owners[name] {
			if !there[i] {
				r.missing[owner] = name
			}
		}
	}
	return err
}
