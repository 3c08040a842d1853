package verify

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// readDetails reads what the commit tags of the subject and of the stable name, and whether
// their blobs are there.
func (r *reading) readDetails(ctx context.Context) error {
	details := []*pipeline.Artifact{r.subject.artifact}
	if s := r.stable.artifact; s != nil && !r.isSubject(s) {
		details = append(details, s)
	}
	var tags []string
	for _, a := range details {
		for _, tag := range r.commitTags(a) {
			if r.snap.Has(tag) && tag != a.ReadBy {
				tags = append(tags, tag)
			}
		}
	}
	tags = append(tags, r.announced()...)
	named, err := pipeline.AskAll(ctx, tags, r.store.Resolve)
	if err != nil {
		return err
	}
	for i, tag := range tags {
		r.commits[tag] = named[i]
	}
	for _, a := range details {
		if a != nil && strings.HasPrefix(a.ReadBy, pipeline.SHAPrefix) {
			r.commits[a.ReadBy] = a.Desc.Digest
		}
	}
	return r.readBlobs(ctx, details)
}

// commitTags are the tags that an artifact's commit may have; none where it does not tell
// its commit.
func (r *reading) commitTags(a *pipeline.Artifact) []string {
	if a == nil {
		return nil
	}
	return r.commitTagsOf(a.Revision.Commit)
}

func (r *reading) commitTagsOf(commit string) []string {
	if commit == "" {
		return nil
	}
	return []string{r.commitTag(pipeline.SHAPrefix, commit), r.commitTag(pipeline.IntegrationPrefix, commit), r.commitTag(pipeline.ValidatedPrefix, commit)}
}

// commitTag is a commit's tag as it is there, whatever the length of its tags was when it was
// written, or as it would be written now.
func (r *reading) commitTag(prefix, commit string) string {
	for n := len(commit); n >= 7; n-- {
		if r.snap.Has(prefix + commit[:n]) {
			return prefix + commit[:n]
		}
	}
	return prefix + commit[:min(r.SHALength, len(commit))]
}

// readBlobs asks whether the config and the layer of artifacts are there, each once. Further
// layers are not Flux's. What the registry does not tell costs nothing else of the diagnosis:
// it fails only when the run is cancelled.
func (r *reading) readBlobs(ctx context.Context, artifacts []*pipeline.Artifact) error {
	parts, owners := map[string]ocispec.Descriptor{}, map[string][]digest.Digest{}
	for _, a := range artifacts {
		if a == nil {
			continue
		}
		blobs := bundle.ReadParts(a.Manifest).Blobs()
		for _, blob := range blobs[:min(2, len(blobs))] {
			name := blob.Digest.String()
			parts[name] = blob
			owners[name] = append(owners[name], a.Desc.Digest)
		}
	}
	names := slices.Sorted(maps.Keys(parts))
	type answer struct {
		there bool
		err   error
	}
	answers, _ := pipeline.AskAll(ctx, names, func(ctx context.Context, name string) (answer, error) {
		there, err := r.store.Exists(ctx, parts[name])
		return answer{there, err}, nil
	})
	for i, name := range names {
		switch a := answers[i]; {
		case a.err != nil:
			r.unchecked = cmp.Or(r.unchecked, a.err)
		case !a.there:
			for _, owner := range owners[name] {
				r.missing[owner] = name
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return cmp.Or(r.unchecked, err)
	}
	return nil
}
