package build_test

import (
	"context"
	"errors"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

// secretive is a store that does not tell which blobs it has, as a registry that refuses their HEAD.
type secretive struct{ *pipelinetest.Store }

func (s secretive) Exists(ctx context.Context, blob ocispec.Descriptor) (bool, error) {
	if blob.MediaType == bundle.ConfigType {
		return false, errors.New("405 Method Not Allowed")
	}
	return s.Store.Exists(ctx, blob)
}

// Where the registry does not tell whether it has the config blob, that is sent.
func TestABlobThatIsNotTold(t *testing.T) {
	s := pipelinetest.NewStore(t)
	if r := run(t, of(secretive{s}, "a")); r.Outcome != pipeline.Created {
		t.Fatalf("%s: %s", r.Outcome, r.Reason)
	}
	config, _ := bundle.Config()
	if ok := pipelinetest.Must(s.Exists(t.Context(), config)); !ok {
		t.Error("the config was not sent")
	}
	if r := run(t, of(secretive{s}, "b")); r.Outcome != pipeline.Created {
		t.Errorf("with the config there: %s: %s", r.Outcome, r.Reason)
	}
}
