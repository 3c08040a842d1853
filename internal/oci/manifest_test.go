package oci

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"
)

var (
	testManifest = []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[]}`)
	testDesc     = ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(testManifest), Size: int64(len(testManifest))}
)

// terse is a registry that has testManifest as 0.0.1, and testBlob, and tells little.
type terse struct {
	without  string // of "digest length type", in each answer; "guessed" is the type that net/http guesses
	head     int    // status of the answer to a HEAD, in place of that
	headOnly bool   // answer GET in full
	manifest []byte // in place of testManifest
	asked    []string
}

func (s *terse) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, r.Method)
	content, kind, named := testManifest, ocispec.MediaTypeImageManifest, testDesc.Digest
	if s.manifest != nil {
		content, named = s.manifest, digest.FromBytes(s.manifest)
	}
	switch reference := path.Base(r.URL.Path); {
	case strings.Contains(r.URL.Path, "/blobs/"):
		content, kind, named = testLayer, "application/octet-stream", testBlob.Digest
		if reference != named.String() {
			w.WriteHeader(http.StatusNotFound)
			return
		}
	case reference != "0.0.1" && reference != testDesc.Digest.String():
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if s.head != 0 && r.Method == http.MethodHead {
		w.WriteHeader(s.head)
		return
	}
	lacks := func(what string) bool {
		return strings.Contains(s.without, what) && (!s.headOnly || r.Method == http.MethodHead)
	}
	w.Header()["Content-Type"] = nil
	if lacks("guessed") {
		w.Header().Set("Content-Type", http.DetectContentType(content))
	} else if !lacks("type") {
		w.Header().Set("Content-Type", kind)
	}
	if !lacks("digest") {
		w.Header().Set("Docker-Content-Digest", named.String())
	}
	if !lacks("length") {
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	}
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush() // lest net/http counts what is short
	if r.Method != http.MethodHead {
		_, _ = w.Write(content)
	}
}

// open has a client of s.
func (s *terse) open(t *testing.T) *Registry {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return claimant(t, server.URL, time.Minute)
}

// TestAnswersThatLeaveOut: whatever of its optional parts an answer lacks, a tag is resolved, read and found by its digest; by
// GET where HEAD does not tell, and then at once by GET.
func TestAnswersThatLeaveOut(t *testing.T) {
	for name, c := range map[string]struct {
		registry terse
		resolves string // the requests of two looks at a tag
	}{
		"nothing":                 {terse{}, "HEAD HEAD"},
		"digest":                  {terse{without: "digest"}, "HEAD GET GET"},
		"length":                  {terse{without: "length"}, "HEAD GET GET"},
		"type":                    {terse{without: "type"}, "HEAD GET GET"},
		"a type that was guessed": {terse{without: "guessed"}, "HEAD HEAD"},
		"digest, and guessed":     {terse{without: "digest guessed"}, "HEAD GET GET"},
		"all":                     {terse{without: "digest length type"}, "HEAD GET GET"},
		"all, in HEAD only":       {terse{without: "digest length type", headOnly: true}, "HEAD GET GET"},
		"HEAD not allowed":        {terse{head: 405}, "HEAD GET GET"},
		"HEAD not implemented":    {terse{head: 501, without: "digest length type"}, "HEAD GET GET"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &c.registry
			r := s.open(t)
			for range 2 {
				if desc, err := r.Resolve(t.Context(), "0.0.1"); err != nil || desc.Digest != testDesc.Digest || desc.Size != testDesc.Size {
					t.Errorf("it names %v, %v", desc, err)
				}
			}
			if got := strings.Join(s.asked, " "); got != c.resolves {
				t.Errorf("asked %s, want %s", got, c.resolves)
			}
			checkReads(t, r)
		})
	}
}

// checkReads reads what a terse registry has in all ways.
func checkReads(t *testing.T, r *Registry) {
	t.Helper()
	for _, reference := range []string{"0.0.1", testDesc.Digest.String()} {
		desc, rc, err := r.FetchReference(t.Context(), reference)
		if err != nil || desc.Digest != testDesc.Digest || desc.Size != testDesc.Size || desc.MediaType != testDesc.MediaType {
			t.Fatalf("%s is %v, %v", reference, desc, err)
		}
		if got, err := io.ReadAll(rc); err != nil || string(got) != string(testManifest) {
			t.Errorf("%s has %q, %v", reference, got, err)
		}
	}
	rc, err := r.Fetch(t.Context(), testDesc)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(rc); err != nil || string(got) != string(testManifest) {
		t.Errorf("the digest has %q, %v", got, err)
	}
	_ = rc.Close()
	for name, desc := range map[string]ocispec.Descriptor{"manifest": testDesc, "blob": testBlob} {
		if ok, err := r.Exists(t.Context(), desc); err != nil || !ok {
			t.Errorf("the %s is there: %v, %v", name, ok, err)
		}
		desc.Digest = digest.FromString("nothing")
		if ok, err := r.Exists(t.Context(), desc); err != nil || ok {
			t.Errorf("no %s is there: %v, %v", name, ok, err)
		}
	}
	if _, err := r.Resolve(t.Context(), "0.0.2"); !errors.Is(err, errdef.ErrNotFound) {
		t.Errorf("0.0.2: %v", err)
	}
	if _, _, err := r.FetchReference(t.Context(), "0.0.2"); !errors.Is(err, errdef.ErrNotFound) {
		t.Errorf("0.0.2: %v", err)
	}
}

// What is read so is bounded, and believed only as far as its digest and its own words go.
func TestWhatIsReadIsLookedAt(t *testing.T) {
	byDigest := testDesc.Digest.String()
	for name, c := range map[string]struct {
		registry  terse
		reference string
		says      string
	}{
		"more than a manifest has": {terse{without: "digest length", manifest: append([]byte(`{"mediaType":"`), make([]byte, 9<<20)...)}, "0.0.1", "the manifest has more than 8 MiB"},
		"other bytes":              {terse{without: "digest length", manifest: []byte(`{"mediaType":"application/vnd.oci.image.manifest.v1+json"}`)}, byDigest, "digest mismatch"},
		"other bytes by name":      {terse{manifest: []byte(`{}`)}, byDigest, "digest mismatch"},
		"a web page":               {terse{without: "digest length guessed", manifest: []byte("<!DOCTYPE html><html>")}, "0.0.1", "200, but the answer is a web page"},
		"no type at all":           {terse{without: "type", manifest: []byte(`{"schemaVersion":2}`)}, "0.0.1", "200, but neither the answer nor what it holds says that it is a manifest"},
		"no JSON":                  {terse{without: "type", manifest: []byte("oops")}, "0.0.1", "200, but neither the answer nor what it holds says that it is a manifest"},
		"HEAD is refused":          {terse{head: 403}, "0.0.1", "403"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.registry.open(t).Resolve(t.Context(), c.reference)
			if err == nil || !strings.Contains(err.Error(), c.says) || errors.Is(err, errdef.ErrNotFound) {
				t.Errorf("error %v, want one with %q", err, c.says)
			}
		})
	}
}

// TestABlobThatIsRead is there only if its bytes are.
func TestABlobThatIsRead(t *testing.T) {
	for name, c := range map[string]struct {
		body, says string
		there      bool
	}{
		"there": {string(testLayer), "", true},
		"other": {"a lawyer"[:len(testLayer)], "what came is not what its digest names", false},
		"short": {"a", "what came is not what its digest names", false},
		"long":  {string(testLayer) + "x", "what came is not what its digest names", false},
	} {
		r := openCanned(t, roundTrip(func(req *http.Request) (*http.Response, error) {
			resp, err := canned{http.StatusOK, "", c.body}.RoundTrip(req)
			resp.ContentLength = -1
			return resp, err
		}), Options{})
		ok, err := r.Exists(t.Context(), testBlob)
		if ok != c.there || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
}
