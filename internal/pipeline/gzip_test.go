package pipeline_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

// layered is a store that gives these bytes for any blob.
type layered struct {
	*pipelinetest.Store
	content io.Reader
}

func (l layered) Fetch(context.Context, ocispec.Descriptor) (io.ReadCloser, error) {
	return io.NopCloser(l.content), nil
}

// A layer is told by its first bytes, as Go's gzip tells it, which Flux unpacks with. One that is cut short tells nothing.
func TestIsGzip(t *testing.T) {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, _ = w.Write([]byte("a tar"))
	_ = w.Close()
	for name, test := range map[string]struct {
		content string
		size    int64 // 0 for as long as it is
		gzip    bool
		err     error
	}{
		"gzip":              {zipped.String(), 0, true, nil},
		"another method":    {"\x1f\x8b\x07" + zipped.String()[3:], 0, false, nil},
		"a plain tar":       {"apps/\x00\x00", 0, false, nil},
		"zstd":              {"\x28\xb5\x2f\xfd", 0, false, nil},
		"two bytes of it":   {"\x1f\x8b", 0, false, nil},
		"nothing":           {"", 0, false, nil},
		"cut short at once": {"", 9, false, io.EOF},
		"cut short":         {"\x1f", 9, false, io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			size := test.size
			if size == 0 {
				size = int64(len(test.content))
			}
			layer := ocispec.Descriptor{MediaType: "application/octet-stream", Digest: digest.FromString(test.content), Size: size}
			s := &pipeline.Store{Repo: layered{pipelinetest.NewStore(t), strings.NewReader(test.content)}, Name: pipelinetest.Name}
			got, err := s.IsGzip(t.Context(), layer)
			if got != test.gzip || !errors.Is(err, test.err) || (err == nil) != (test.err == nil) {
				t.Errorf("%t, %v", got, err)
			}
			if _, reads := gzip.NewReader(strings.NewReader(test.content)); test.err == nil && got != (reads == nil) {
				t.Errorf("%t, and Go says %v", got, reads)
			}
		})
	}
}
