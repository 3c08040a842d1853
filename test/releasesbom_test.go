package test

import (
	"debug/buildinfo"
	"encoding/json"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func (r *releasing) sbom(platform string) string {
	return filepath.Join(r.dist, "assets", "oci-promote_1.1.0_"+platform+".spdx.json")
}

// checkSBOM looks at the list of modules that is among the release's assets, and beside the image: it is of this image,
// and has exactly the modules that the linker wrote into its binary.
func (r *releasing) checkSBOM(t *testing.T, image, platform string) {
	t.Helper()
	text := readText(t, r.sbom(platform))
	tag, err := name.NewTag(r.registry.Host + "/" + releaseImage + ":" + strings.Replace(image, ":", "-", 1) + ".sbom")
	if err != nil {
		t.Fatal(err)
	}
	attached, err := remote.Image(tag)
	if err != nil {
		t.Fatal(err)
	}
	layers, err := attached.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%s: %d layers, %v", tag, len(layers), err)
	}
	blob, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	if beside, err := io.ReadAll(blob); err != nil || string(beside) != text {
		t.Errorf("%s is not the asset %s: %v", tag, r.sbom(platform), err)
	}

	var sbom struct {
		SPDXVersion string
		Packages    []struct {
			Name, VersionInfo string
			ExternalRefs      []struct{ ReferenceLocator string }
		}
	}
	if err := json.Unmarshal([]byte(text), &sbom); err != nil || sbom.SPDXVersion != "SPDX-2.3" {
		t.Fatalf("%s: version %q, %v", platform, sbom.SPDXVersion, err)
	}
	listed := map[string]string{}
	for _, p := range sbom.Packages {
		for _, ref := range p.ExternalRefs {
			if strings.HasPrefix(ref.ReferenceLocator, "pkg:golang/") {
				listed[p.Name] = p.VersionInfo
			}
		}
	}
	if sbom.Packages[0].Name != image {
		t.Errorf("%s: the SBOM is of %s, the image is %s", platform, sbom.Packages[0].Name, image)
	}
	info, err := buildinfo.ReadFile(filepath.Join(r.dist, "binaries", strings.ReplaceAll(platform, "_", "/"), "oci-promote"))
	if err != nil {
		t.Fatal(err)
	}
	linked := map[string]string{info.Main.Path: ""}
	for _, dep := range info.Deps {
		linked[dep.Path] = dep.Version
	}
	if !maps.Equal(listed, linked) || len(linked) < 10 {
		t.Errorf("%s: the SBOM lists %v, linked is %v", platform, slices.Sorted(maps.Keys(listed)), slices.Sorted(maps.Keys(linked)))
	}
}
