package bundle

import (
	"os"
	"testing"

	"github.com/opencontainers/go-digest"
)

// Changing these bytes is a breaking change: every user's next build gets a new
// digest for content that did not change. See CONTRIBUTING.md before you touch them.
const (
	goldenDigest  = "sha256:a0db811287087f58024bb3ea63ed085f96ddf4243dbbf2fd717ec86bdc1b0a36"
	goldenHeight  = "sha256:52125c70febe88f154330d590b5a0c912a6c7d12b4aff376af089f62286841eb" // of the same with a height
	goldenSeveral = "sha256:a6bc3172e428dcf49e39048b653c6a0d75a4fc359a28e068660f66bc69bb73fb" // of several blocks: their size decides bytes too
	goldenContent = "sha256:0993deaacaaeff34de44620eeee5becd3db42b54e33e0f80a647c8eda273ca7f" // of the uncompressed tar: a new compressor alone must not change it
)

func TestGoldenDigest(t *testing.T) {
	a := build(t, os.DirFS("../../testdata/platform"), Options{})
	if a.Contents.Digest != goldenContent {
		t.Errorf("the content has the digest %s; its entries were:", a.Contents.Digest)
		for _, e := range entries(t, a) {
			t.Errorf("%s %6d %s", e.FileInfo().Mode(), e.Size, e.Name)
		}
	}
	if a.Descriptor.Digest != goldenDigest {
		t.Errorf("the artifact has the digest %s, layer %s\n%s", a.Descriptor.Digest, a.Layer.Digest, a.Manifest)
	}
	if digest.FromBytes(a.Manifest) != a.Descriptor.Digest || int64(len(a.Manifest)) != a.Descriptor.Size {
		t.Errorf("the descriptor %v is not the manifest's", a.Descriptor)
	}
}

func TestGoldenDigestWithHeight(t *testing.T) {
	a := build(t, os.DirFS("../../testdata/platform"), Options{})
	m := meta
	m.Height = 1534
	must(t, a.Seal(m))
	if a.Descriptor.Digest != goldenHeight || a.Contents.Digest != goldenContent {
		t.Errorf("the artifact has the digest %s, content %s\n%s", a.Descriptor.Digest, a.Contents.Digest, a.Manifest)
	}
}

func TestGoldenDigestOfSeveralBlocks(t *testing.T) {
	if d := build(t, os.DirFS(tree(t, several())), Options{}).Descriptor.Digest; d != goldenSeveral {
		t.Errorf("the artifact has the digest %s", d)
	}
}

// Flux's own config blob, byte for byte: a registry that knows it needs no upload.
func TestConfig(t *testing.T) {
	d, blob := Config()
	const want = "sha256:5b943e2b943f6c81dbbd4e2eca5121f4fcc39139e3d1219d6d89bd925b77d9fe"
	if d.Digest != want || d.Digest != digest.FromBytes(blob) || d.Size != 115 || len(blob) != 115 {
		t.Errorf("got %v, %d bytes", d, len(blob))
	}
}
