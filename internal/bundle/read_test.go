package bundle

import (
	"encoding/json"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const commit = "0123456789abcdef0123456789abcdef01234567"

func TestParseRevision(t *testing.T) {
	at := "@sha1:" + commit
	tests := []struct {
		name, text string
		ref        string // "" when it is none
	}{
		{"branch", "main" + at, "main"},
		{"branch with slashes", "feature/a-b_c.d" + at, "feature/a-b_c.d"},
		{"git tag", "v1.0.0" + at, "v1.0.0"},
		{"branch with @", "renovate/@types/node@20" + at, "renovate/@types/node@20"},
		{"tag that begins with @", "@acme/fleet@1.0.0" + at, "@acme/fleet@1.0.0"},
		{"branch that ends with @", "main@" + at, "main@"},
		{"two @", "a@@b" + at, "a@@b"},
		{"branch in Japanese", "本番" + at, "本番"},
		{"a revision in a revision", "main" + at + at, "main" + at},
		{"no branch", at, ""},
		{"no branch, Flux's other form", "sha1:" + commit, ""},
		{"old form", "main/" + commit, ""},
		{"7 digits", "main@sha1:0123456", ""},
		{"39 digits", "main" + at[:len(at)-1], ""},
		{"41 digits", "main" + at + "0", ""},
		{"upper case", "main@sha1:" + strings.ToUpper(commit), ""},
		{"not hex", "main@sha1:" + strings.Repeat("g", 40), ""},
		{"sha256", "main@sha256:" + strings.Repeat("0", 64), ""},
		{"space in the branch", "ma in" + at, ""},
		{"space before", " main" + at, ""},
		{"space after", "main" + at + " ", ""},
		{"line break in the branch", "ma\nin" + at, ""},
		{"line break after", "main" + at + "\n", ""},
		{"carriage return", "main\r" + at, ""},
		{"NUL", "main\x00" + at, ""},
		{"DEL", "main\x7f" + at, ""},
		{"empty", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseRevision(test.text)
			if test.ref == "" {
				if err == nil || !strings.Contains(err.Error(), "such as main@sha1:") {
					t.Errorf("got %+v, %v", got, err)
				}
				return
			}
			if want := (Revision{test.ref, commit}); err != nil || got != want || got.String() != test.text {
				t.Errorf("got %+v, %v; want %+v", got, err, want)
			}
		})
	}
}

func TestParse(t *testing.T) {
	const foreign = `"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:aa","size":2}`
	created := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := []struct {
		name, manifest string
		want           Info
	}{
		{"empty object", `{}`, Info{}},
		{"null", `null`, Info{}},
		{"an index", `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"digest":"sha256:aa","size":1}]}`, Info{}},
		{"a container image", `{` + foreign + `,"layers":[{"digest":"sha256:bb"},{"digest":"sha256:cc"}]}`, Info{Config: "sha256:aa"}},
		{"one layer of another type", `{` + foreign + `,"layers":[{"mediaType":"` + LayerType + `","digest":"sha256:bb"}]}`, Info{Config: "sha256:aa", Layer: "sha256:bb"}},
		{"flux push", `{"config":{"mediaType":"` + ConfigType + `"},"layers":[{"mediaType":"` + LayerType + `"}],"annotations":{"org.opencontainers.image.created":"2026-01-02T03:04:05Z",` +
			`"org.opencontainers.image.revision":"main@sha1:` + commit + `","org.opencontainers.image.source":"https://x"}}`,
			Info{Created: created, Revision: Revision{"main", commit}}},
		{"time of another zone", `{"annotations":{"org.opencontainers.image.created":"2026-01-02T05:04:05+02:00"}}`, Info{Created: created}},
		{"no annotation in its form", `{"annotations":{"org.opencontainers.image.created":"yesterday","org.opencontainers.image.revision":"main","io.github.oci-promote.content":"sha256:short"}}`, Info{}},
		{"height", `{"annotations":{"io.github.oci-promote.height":"1534"}}`, Info{Height: 1534}},
		{"the greatest height", `{"annotations":{"io.github.oci-promote.height":"9007199254740992"}}`, Info{Height: MaxHeight}},
		{"a greater one", `{"annotations":{"io.github.oci-promote.height":"9007199254740993"}}`, Info{}},
		{"more than fits", `{"annotations":{"io.github.oci-promote.height":"99999999999999999999"}}`, Info{}},
		{"height 0", `{"annotations":{"io.github.oci-promote.height":"0"}}`, Info{}},
		{"height with a zero before it", `{"annotations":{"io.github.oci-promote.height":"07"}}`, Info{}},
		{"height with a sign", `{"annotations":{"io.github.oci-promote.height":"+7"}}`, Info{}},
		{"height with a space", `{"annotations":{"io.github.oci-promote.height":"7 "}}`, Info{}},
		{"height in hex", `{"annotations":{"io.github.oci-promote.height":"0x7"}}`, Info{}},
		{"height in other digits", `{"annotations":{"io.github.oci-promote.height":"٣"}}`, Info{}},
		{"content without an algorithm", `{"annotations":{"io.github.oci-promote.content":"` + strings.Repeat("0", 64) + `"}}`, Info{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Parse([]byte(test.manifest))
			if err == nil && got.Created.Equal(test.want.Created) {
				got.Created = test.want.Created // whatever its zone
			}
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, %v; want %+v", got, err, test.want)
			}
		})
	}
	for _, garbage := range []string{"", "not JSON", `{"layers":`, `[]`, `"manifest"`, `{"layers":{}}`, `{"annotations":{"a":1}}`, "<html>", `{} {}`} {
		if got, err := Parse([]byte(garbage)); err == nil || !strings.Contains(err.Error(), "manifest") {
			t.Errorf("%q: got %+v, %v", garbage, got, err)
		}
	}
}

func TestManifest(t *testing.T) {
	m := meta
	m.Created = time.Date(2026, 11, 23, 10, 30, 0, 999, time.FixedZone("", 5400))
	m.Extra = map[string]string{"org.opencontainers.image.licenses": "Apache-2.0", "a": "<b> & \"c\"\n"}
	m.Height = 1534
	a := build(t, os.DirFS(tree(t, names("a"))), Options{})
	must(t, a.Seal(m))
	got, err := Parse(a.Manifest)
	must(t, err)
	config, _ := Config()
	want := Info{Created: meta.Created, Revision: m.Revision, Content: a.Contents.Digest, Height: 1534, Config: config.Digest, Layer: a.Layer.Digest}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	var raw ocispec.Manifest
	must(t, json.Unmarshal(a.Manifest, &raw))
	if len(raw.Annotations) != 7 || raw.Annotations["io.github.oci-promote.height"] != "1534" || raw.Annotations["a"] != m.Extra["a"] || raw.SchemaVersion != 2 || raw.MediaType != ocispec.MediaTypeImageManifest ||
		raw.Annotations[ocispec.AnnotationCreated] != "2026-11-23T09:00:00Z" || raw.Annotations[ocispec.AnnotationSource] != m.Source ||
		raw.Config.MediaType != ConfigType || raw.Layers[0].MediaType != LayerType || raw.Layers[0].Size != a.Layer.Size || raw.Config.Size != config.Size {
		t.Errorf("the manifest is %s", a.Manifest)
	}
	before := a.Descriptor
	m.Source, m.Extra, m.Height = "", nil, 0
	must(t, a.Seal(m))
	if strings.Contains(string(a.Manifest), ocispec.AnnotationSource) || strings.Contains(string(a.Manifest), HeightAnnotation) || a.Descriptor.Digest == before.Digest {
		t.Errorf("without a source and a height: %s", a.Manifest)
	}
}

func TestCheckAnnotation(t *testing.T) {
	for _, key := range []string{"org.opencontainers.image.created", "org.opencontainers.image.source", "org.opencontainers.image.revision", ContentAnnotation, HeightAnnotation} {
		if err := CheckAnnotation(key); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: got %v", key, err)
		}
	}
	for _, key := range []string{"org.opencontainers.image.licenses", "org.opencontainers.image.version", "team", ContentAnnotation + "s"} {
		if err := CheckAnnotation(key); err != nil {
			t.Errorf("%s: got %v", key, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"annotations":{"org.opencontainers.image.created":"2026-01-02T03:04:05Z","io.github.oci-promote.content":"sha256:00"}}`, "main@sha1:"+commit)
	f.Add(`{"annotations":{"io.github.oci-promote.height":"0x7"}}`, "x")
	f.Add(`{"annotations":{"io.github.oci-promote.height":"1534"}}`, "x")
	f.Add(`{"layers":[{"digest":"x"}]}`, "a@b@sha1:"+commit)
	f.Add(`{"layers":[null],"config":null,"annotations":null}`, "@sha1:")
	f.Add(`[]`, "\xff@sha1:"+commit)
	f.Add(`{"annotations":{"org.opencontainers.image.revision":"x@sha1:`+commit+`","io.github.oci-promote.content":":"}}`, "")
	f.Fuzz(func(t *testing.T, manifest, revision string) {
		if r, err := ParseRevision(revision); err == nil {
			if r.String() != revision || r.Ref == "" || len(r.Commit) != 40 || strings.ContainsAny(revision, "\r\n\x00 ") {
				t.Errorf("%q parses as %+v", revision, r)
			}
		}
		info, err := Parse([]byte(manifest))
		if err != nil && info != (Info{}) {
			t.Errorf("%q: got %+v with %v", manifest, info, err)
		}
		if info.Content != "" && info.Content.Validate() != nil {
			t.Errorf("%q: the content is %q", manifest, info.Content)
		}
		if info.Height > MaxHeight || info.Height != 0 && !strings.Contains(manifest, strconv.FormatUint(info.Height, 10)) && !strings.Contains(manifest, `\u`) {
			t.Errorf("%q: the height is %d", manifest, info.Height)
		}
		if info.Revision != (Revision{}) {
			if again, err := ParseRevision(info.Revision.String()); err != nil || again != info.Revision {
				t.Errorf("%q: the revision is %+v", manifest, info.Revision)
			}
		}
	})
}
