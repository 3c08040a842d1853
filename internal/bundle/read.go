package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Revision names the commit of an artifact as Flux does: <branch>@sha1:<commit>.
type Revision struct {
	Ref    string // branch or tag; no line breaks
	Commit string // 40 lower-case hex digits
}

// String is the annotation's value.
func (r Revision) String() string { return r.Ref + "@sha1:" + r.Commit }

var revision = regexp.MustCompile(`^([^\x00-\x20\x7f]+)@sha1:([0-9a-f]{40})$`)

// ParseRevision accepts <ref>@sha1:<40 hex digits>. Flux's commit status needs
// exactly that: without the 40 digits no status ever reaches GitHub (docs/facts.md 3).
func ParseRevision(s string) (Revision, error) {
	m := revision.FindStringSubmatch(s)
	if m == nil {
		return Revision{}, fmt.Errorf("%q is not a revision <branch>@sha1:<40 hex digits> such as main@sha1:%s", s, strings.Repeat("0123456789", 4))
	}
	return Revision{m[1], m[2]}, nil
}

// Info is what a manifest says about its artifact. Its text comes from outside.
type Info struct {
	Created  time.Time     // zero when absent or not RFC 3339
	Revision Revision      // zero when absent or not in Flux's form
	Content  digest.Digest // of the uncompressed tar; empty when another tool pushed it
	Height   uint64        // of the commit, from 1 to MaxHeight; 0 when absent or in no canonical form
	Config   digest.Digest
	Layer    digest.Digest // of the compressed layer; empty unless there is exactly one
}

// ErrNoManifest is content that is no image manifest at all.
var ErrNoManifest = errors.New("not an image manifest")

// Parse reads a manifest. What it does not know it leaves zero; only what is no
// manifest at all is an error, ErrNoManifest.
func Parse(manifest []byte) (Info, error) {
	var m ocispec.Manifest
	if err := json.Unmarshal(manifest, &m); err != nil {
		return Info{}, fmt.Errorf("%w: %w", ErrNoManifest, err)
	}
	var info Info
	info.Created, _ = time.Parse(time.RFC3339, m.Annotations[ocispec.AnnotationCreated])
	info.Revision, _ = ParseRevision(m.Annotations[ocispec.AnnotationRevision])
	if d := digest.Digest(m.Annotations[ContentAnnotation]); d.Validate() == nil {
		info.Content = d
	}
	info.Height = parseHeight(m.Annotations[HeightAnnotation])
	info.Config = m.Config.Digest
	if len(m.Layers) == 1 {
		info.Layer = m.Layers[0].Digest
	}
	return info, nil
}

// parseHeight is 0 for all but what Seal writes: two spellings of a number would be two artifacts of one height.
func parseHeight(s string) uint64 {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n > MaxHeight || strconv.FormatUint(n, 10) != s {
		return 0
	}
	return n
}

// reserved annotations decide how an artifact is recognized; only the packer sets them.
var reserved = []string{ocispec.AnnotationCreated, ocispec.AnnotationSource, ocispec.AnnotationRevision, ContentAnnotation, HeightAnnotation}

// CheckAnnotation refuses a key that the packer itself sets.
func CheckAnnotation(key string) error {
	if slices.Contains(reserved, key) {
		return fmt.Errorf("%q is set by the build itself", key)
	}
	return nil
}
