package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Parts are what a manifest is made of. Its text comes from outside.
type Parts struct {
	Config ocispec.Descriptor // zero where there is none
	Layers []ocispec.Descriptor
	Index  bool // it lists other manifests, such as those of an image for several platforms
}

// ReadParts reads a manifest. What is none at all has no parts.
func ReadParts(manifest []byte) Parts {
	var m struct {
		ocispec.Manifest
		Manifests json.RawMessage `json:"manifests"`
	}
	if json.Unmarshal(manifest, &m) != nil {
		return Parts{}
	}
	return Parts{m.Config, m.Layers, bytes.HasPrefix(m.Manifests, []byte("["))}
}

// Blobs are the parts that a registry must have.
func (p Parts) Blobs() []ocispec.Descriptor {
	if p.Config.Digest == "" {
		return p.Layers
	}
	return append([]ocispec.Descriptor{p.Config}, p.Layers...)
}

// Foreign tells what keeps the parts from being an artifact in Flux's format (docs/facts.md 7);
// empty for nothing. Broken is whether Flux certainly cannot unpack it. It takes the first layer, and
// looks neither at the config nor at a media type (docs/facts.md 33): see Unsure.
func (p Parts) Foreign() (why string, broken bool) {
	switch {
	case len(p.Layers) == 0 && p.Index:
		return "it is an index of other manifests", true
	case len(p.Layers) == 0:
		return "it has no layer", true
	}
	switch layer := p.Layers[0].MediaType; {
	case !strings.HasSuffix(layer, "tar+gzip") && !strings.HasSuffix(layer, "tar.gzip"):
		return fmt.Sprintf("its layer is %q, not a gzip-compressed tar by its type", layer), false
	case len(p.Layers) > 1:
		return fmt.Sprintf("it has %d layers, of which Flux takes the first", len(p.Layers)), false
	case p.Config.MediaType != ConfigType:
		return fmt.Sprintf("its config is %q, not of Flux's type", p.Config.MediaType), false
	case layer != LayerType:
		return fmt.Sprintf("its layer is %q, not of Flux's type", layer), false
	}
	return "", false
}

// Unsure is the layer that Flux takes, where its media type does not say that it is what Flux unpacks: a gzip-compressed
// tar. Its first bytes tell (IsGzip). Not ok where the type says so, and where there is no layer.
func (p Parts) Unsure() (layer ocispec.Descriptor, ok bool) {
	if len(p.Layers) == 0 || p.Layers[0].MediaType == LayerType {
		return ocispec.Descriptor{}, false
	}
	return p.Layers[0], true
}

// GzipStart is how many bytes of a layer IsGzip wants.
const GzipStart = 3

// IsGzip reports whether a layer that begins so is compressed by gzip (RFC 1952: two bytes, and the method deflate), as
// source-controller wants it.
func IsGzip(start []byte) bool { return bytes.HasPrefix(start, []byte{0x1f, 0x8b, 8}) }
