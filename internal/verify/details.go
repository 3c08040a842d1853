package verify

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"

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
	if err := r.readBlobs(ctx, details); err != nil {
		return err
	}
	return r.readLayer(ctx)
}

// readLayer looks at the first bytes of one layer of which the media type does not tell whether Flux can unpack it: of
// what a cluster selects, else of the subject. One that the registry does not give is nothing to go by.
func (r *reading) readLayer(ctx context.Context) error {
	for _, tag := range []string{r.selected.Integration, r.selected.Live, r.subject.candidate, r.stable.tag} {
		a := r.artifacts[tag]
		if a == nil || r.missing[a.Desc.Digest] != "" {
			continue
		}
		layer, unsure := bundle.ReadParts(a.Manifest).Unsure()
		if !unsure {
			continue
		}
		gzip, err := r.store.IsGzip(ctx, layer)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errdef.ErrNotFound):
			r.missing[a.Desc.Digest] = layer.Digest.String()
		case err != nil:
			r.unchecked = cmp.Or(r.unchecked, err)
		default:
			r.gzip[a.Desc.Digest] = gzip
		}
		return nil
	}
	return nil
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
