package oci

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func TestLayoutKeepsTags(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "layout")
	for i, tag := range []string{"a", "b"} {
		l, err := OpenLayout(t.Context(), dir, false)
		if err != nil {
			t.Fatal(err)
		}
		blob := []byte("{}")
		desc := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(blob), Size: 2}
		if i == 0 {
			err = l.Push(t.Context(), desc, bytes.NewReader(blob))
		}
		if err == nil {
			err = l.Tag(t.Context(), desc, tag)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	l, err := OpenLayout(t.Context(), dir, true)
	if err != nil {
		t.Fatal(err)
	}
	var tags []string
	if err := l.Tags(t.Context(), "", func(page []string) error { tags = append(tags, page...); return nil }); err != nil || !slices.Equal(tags, []string{"a", "b"}) {
		t.Errorf("tags %q, %v", tags, err)
	}
	if err := l.Tag(t.Context(), ocispec.Descriptor{}, "c"); err == nil {
		t.Error("a layout opened to read takes a tag")
	}
	if err := l.Upload(t.Context(), ocispec.Descriptor{}, nil); !errors.Is(err, errReadOnly) {
		t.Errorf("a layout opened to read takes a blob: %v", err)
	}
}

func TestLayoutIsNotMadeToRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "absent")
	l, err := OpenLayout(t.Context(), dir, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Tags(t.Context(), "", func(tags []string) error {
		if len(tags) > 0 {
			t.Errorf("tags %q", tags)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the directory was made")
	}
}

func TestLayoutRefusesAnotherDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "precious"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLayout(t.Context(), dir, false); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("error %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

// TestLayoutBelongsToOne has a second process wait for the first.
func TestLayoutBelongsToOne(t *testing.T) {
	dir := t.TempDir()
	first, err := OpenLayout(t.Context(), dir, false)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := OpenLayout(ctx, dir, false); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("error %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := OpenLayout(t.Context(), dir, false)
	if err != nil {
		t.Fatal(err)
	}
	_ = second.Close()
}

func TestLayoutUpload(t *testing.T) {
	l, err := OpenLayout(t.Context(), t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	refusal := errors.New("superseded")
	if err := l.Upload(t.Context(), testBlob, func() (io.ReadSeekCloser, error) { return nil, refusal }); !errors.Is(err, refusal) {
		t.Errorf("refused: %v", err)
	}
	asked := 0
	file := &layerFile{Reader: bytes.NewReader(testLayer)}
	for range 2 {
		if err := l.Upload(t.Context(), testBlob, func() (io.ReadSeekCloser, error) { asked++; return file, nil }); err != nil {
			t.Error(err)
		}
	}
	if ok, err := l.Exists(t.Context(), testBlob); !ok || err != nil || asked != 1 || !file.closed {
		t.Errorf("stored: %v, %v; asked %d times; closed: %v", ok, err, asked, file.closed)
	}
}
