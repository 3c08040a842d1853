package bundle

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// What a manifest is made of agrees with what Parse tells of it, and what is not foreign is an artifact of Flux's.
func FuzzReadParts(f *testing.F) {
	const flux = `{"schemaVersion":2,"config":{"mediaType":"` + ConfigType + `","digest":"sha256:5b94","size":115},"layers":[{"mediaType":"` + LayerType + `","digest":"sha256:ab","size":9}]`
	for _, manifest := range []string{
		flux + `,"annotations":{"org.opencontainers.image.revision":"main@sha1:` + commit + `"}}`, flux + `,"layers":null}`, flux + `,"config":{}}`, strings.Replace(flux, `"size":9}`, `"size":9},{"mediaType":"x"}`, 1) + "}",
		`{"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"digest":"sha256:ab"}]}`, `{"config":{"mediaType":"application/vnd.oci.image.config.v1+json"},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip"}]}`,
		`{"layers":[{"mediaType":"x.tar.gzip"},{"mediaType":"a\nb"}]}`, `{"layers":[{"mediaType":"::error::\n"}]}`, `{"layers":{}}`, `[]`, `null`, ``, `{"Layers":[{"DIGEST":"x"}],"CONFIG":{"Digest":"y"}}`,
	} {
		f.Add([]byte(manifest))
	}
	f.Fuzz(func(t *testing.T, manifest []byte) {
		p := ReadParts(manifest)
		info, err := Parse(manifest)
		switch {
		case err != nil && (!errors.Is(err, ErrNoManifest) || len(p.Blobs()) > 0):
			t.Errorf("%q is no manifest, %v, and has the parts %v", manifest, err, p)
		case err == nil && !json.Valid(manifest):
			t.Errorf("%q is a manifest", manifest)
		case p.Config.Digest != info.Config, len(p.Layers) == 1 && p.Layers[0].Digest != info.Layer, len(p.Layers) != 1 && info.Layer != "":
			t.Errorf("%q has the parts %+v and says %+v", manifest, p, info)
		}
		blobs := p.Blobs()
		if want := len(p.Layers); len(blobs) != want && (len(blobs) != want+1 || p.Config.Digest == "" || blobs[0].Digest != p.Config.Digest) {
			t.Errorf("%q has the blobs %+v", manifest, blobs)
		}
		why, broken := p.Foreign()
		switch {
		case strings.ContainsAny(why, "\r\n\x00\x1b\u2028") || why == "" && broken:
			t.Errorf("%q is foreign, for %q, %t", manifest, why, broken)
		case why == "" && (len(p.Layers) != 1 || p.Layers[0].MediaType != LayerType || p.Config.MediaType != ConfigType):
			t.Errorf("%q is taken for an artifact of Flux's", manifest)
		case broken != (len(p.Layers) == 0):
			t.Errorf("%q is broken, %t, for %q", manifest, broken, why)
		}
		if layer, unsure := p.Unsure(); unsure && (why == "" || broken || layer.Digest != p.Layers[0].Digest) {
			t.Errorf("%q is unsure of %v, and foreign, for %q, %t", manifest, layer, why, broken)
		}
	})
}
