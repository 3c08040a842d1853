package oci

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// answers gives one answer after the other, and the last one for ever.
type answers struct {
	all   []http.HandlerFunc
	asked []string
}

func (s *answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, r.URL.RequestURI())
	answer := s.all[0]
	if len(s.all) > 1 {
		s.all = s.all[1:]
	}
	answer(w, r)
}

func (s *answers) open(t *testing.T) *Registry {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return claimant(t, server.URL, time.Minute)
}

// typed is an answer 200 of a type, with a Link to the next page if there is one.
func typed(contentType, body, next string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		if next != "" {
			w.Header().Set("Link", "<"+next+`>; rel="next"`)
		}
		_, _ = io.WriteString(w, body)
	}
}

// index is one of referrers of these names.
func index(names ...string) string {
	var all []string
	for _, name := range names {
		all = append(all, fmt.Sprintf(`{"mediaType":%q,"size":9,"digest":%q,"artifactType":"x/%s"}`, ocispec.MediaTypeImageManifest, digest.FromString(name), name))
	}
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, ocispec.MediaTypeImageIndex, strings.Join(all, ","))
}

const ofIndex = ocispec.MediaTypeImageIndex

// TestReferrers: what the API tells is whole, or it is an error; that there is no such API is told in few ways.
func TestReferrers(t *testing.T) {
	path := "/v2/acme/fleet/referrers/" + testDesc.Digest.String()
	one := func(answer http.HandlerFunc) []http.HandlerFunc { return []http.HandlerFunc{answer} }
	bad := func(desc string) []http.HandlerFunc {
		return one(typed(ofIndex, `{"schemaVersion":2,"manifests":[`+desc+`]}`, ""))
	}
	for name, c := range map[string]struct {
		answers []http.HandlerFunc
		want    string // names, and "none" where there is no such API
		says    string // part of the error; empty for none
		asked   int
	}{
		"none":                            {one(typed(ofIndex, index(), "")), "", "", 1},
		"none, as null":                   {one(typed(ofIndex, `{"schemaVersion":2,"manifests":null}`, "")), "", "", 1},
		"manifests of another kind":       {one(typed(ofIndex, `{"schemaVersion":2,"manifests":{}}`, "")), "", "200, but the answer is no index of referrers", 1},
		"two":                             {one(typed(ofIndex, index("a", "b"), "")), "a b", "", 1},
		"typed in the body alone":         {one(typed("application/json", index("a"), "")), "a", "", 1},
		"typed in the header alone":       {one(typed(ofIndex+"; charset=utf-8", `{"schemaVersion":2,"manifests":[]}`, "")), "", "", 1},
		"pages":                           {[]http.HandlerFunc{typed(ofIndex, index("a"), path+"?page=2"), typed(ofIndex, index("a", "b"), "?page=3"), typed(ofIndex, index(), "")}, "a b", "", 3},
		"busy, and lost":                  {[]http.HandlerFunc{says(503, ""), abort, typed(ofIndex, index("a"), "")}, "a", "", 3},
		"404":                             {one(says(404, "")), "none", "", 1},
		"404 of a web server":             {one(says(404, "404 page not found")), "none", "", 1},
		"404 in the specification's form": {one(coded(404, "NOT_FOUND", "x")), "none", "", 1},
		"405":                             {one(coded(405, "UNSUPPORTED", "x")), "none", "", 1},
		"501":                             {one(says(501, "")), "none", "", 1},
		"a web page":                      {one(typed("text/html", "<html>", "")), "none", "", 1},
		"another object":                  {one(typed("application/json", `{"tags":[]}`, "")), "none", "", 1},
		"401":                             {one(coded(401, "UNAUTHORIZED", "no")), "", "401 unauthorized: no", 1},
		"403":                             {one(coded(403, "DENIED", "no")), "", "403 denied: no", 1},
		"400":                             {one(coded(400, "DIGEST_INVALID", "no")), "", "400 digest invalid: no", 1},
		"429":                             {one(later(429, "3600")), "", "429", 1},
		"500":                             {one(later(500, "3600")), "", "500", 1},
		"cut off":                         {one(typed(ofIndex, index("a")[:50], "")), "", "200, but the answer is no index of referrers", 1},
		"null for none":                   {one(typed(ofIndex, `{"schemaVersion":2,"manifests":null}`, "")), "", "", 1},
		"without manifests":               {one(typed(ofIndex, `{"schemaVersion":2}`, "")), "", "200, but the answer is no index of referrers", 1},
		"no digest":                       {bad(`{"mediaType":"x","size":1,"digest":"../x"}`), "", `200, but a referrer of it is "../x"`, 1},
		"no size":                         {bad(`{"mediaType":"x","size":-1,"digest":"` + testDesc.Digest.String() + `"}`), "", "of -1 bytes", 1},
		"no type":                         {bad(`{"size":1,"digest":"` + testDesc.Digest.String() + `"}`), "", `type ""`, 1},
		"a page elsewhere":                {one(typed(ofIndex, index("a"), "https://evil.example/x")), "", "the Link to the next page leads to another address", 1},
		"a second page that fails":        {[]http.HandlerFunc{typed(ofIndex, index("a"), "?page=2"), coded(404, "NOT_FOUND", "x")}, "", "404 not found: x", 2},
		"a second page that is no index":  {[]http.HandlerFunc{typed(ofIndex, index("a"), "?page=2"), typed("text/html", "<html>", "")}, "", "the registry has no referrers API", 2},
		"pages without an end":            {one(typed(ofIndex, index("a"), "?page=2")), "", "more than 100 pages", 100},
	} {
		t.Run(name, func(t *testing.T) {
			s := &answers{all: c.answers}
			all, ok, err := s.open(t).Referrers(t.Context(), testDesc.Digest)
			if c.says != "" {
				if err == nil || !strings.Contains(err.Error(), c.says) || ok || all != nil {
					t.Errorf("%v, %v, error %v, want one with %q", all, ok, err, c.says)
				}
			} else if got := namesOf(all); err != nil || ok != (c.want != "none") || ok && got != c.want {
				t.Errorf("%q, %v, error %v, want %q", got, ok, err, c.want)
			}
			if len(s.asked) != c.asked || s.asked[0] != path {
				t.Errorf("asked %q, want %d requests for %s", s.asked, c.asked, path)
			}
		})
	}
}

// namesOf are the names that index gave.
func namesOf(all []ocispec.Descriptor) string {
	var names []string
	for _, desc := range all {
		names = append(names, strings.TrimPrefix(desc.ArtifactType, "x/"))
	}
	return strings.Join(names, " ")
}

// A registry without the API is asked once a run; one that has it and then denies that has failed. ghcr.io is not asked.
func TestReferrersAreRemembered(t *testing.T) {
	without := &answers{all: []http.HandlerFunc{says(404, ""), typed(ofIndex, index("a"), "")}}
	r := without.open(t)
	for range 3 {
		if _, ok, err := r.Referrers(t.Context(), testDesc.Digest); ok || err != nil {
			t.Errorf("%v, error %v", ok, err)
		}
	}
	if len(without.asked) != 1 {
		t.Errorf("asked %q", without.asked)
	}

	failing := &answers{all: []http.HandlerFunc{coded(403, "DENIED", ""), typed(ofIndex, index("a"), ""), says(404, "")}}
	r = failing.open(t)
	for i, want := range []bool{false, true, false} {
		if _, ok, err := r.Referrers(t.Context(), testDesc.Digest); ok != want || (err == nil) != want {
			t.Errorf("%d: %v, error %v", i, ok, err)
		}
	}

	r = openCanned(t, roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("asked") }), Options{})
	r.ref.Host = GHCR
	if _, ok, err := r.Referrers(t.Context(), testDesc.Digest); ok || err != nil {
		t.Errorf("ghcr.io: %v, error %v", ok, err)
	}
	if _, _, err := r.Referrers(t.Context(), "0.0.1"); err == nil {
		t.Error("a tag is taken for a digest")
	}
}

// TestReferrersAtOnce: that there is no such API is told to each that asked before it was known.
func TestReferrersAtOnce(t *testing.T) {
	const n = 8
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(50 * time.Millisecond) // so that all have asked
		w.WriteHeader(http.StatusNotFound)
	}))
	defer server.Close()
	r := claimant(t, server.URL, 0)
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			if _, ok, err := r.Referrers(t.Context(), testDesc.Digest); ok || err != nil {
				t.Errorf("%v, %v", ok, err)
			}
		})
	}
	all.Wait()
}

// FuzzReferrers feeds an answer to the referrers API: what is taken from it are descriptors, all that it has, or it is an error.
func FuzzReferrers(f *testing.F) {
	for _, text := range []string{index(), index("a", "b"), `{"manifests":null}`, `{"manifests":[{}]}`, `{"manifests":[{"digest":"sha256:x","size":-1}]}`, `[]`, `<html>`, ``} {
		f.Add(ofIndex, text)
		f.Add("application/json", text)
	}
	f.Fuzz(func(t *testing.T, contentType, text string) {
		found, err := parseReferrers(contentType, []byte(text))
		if err != nil {
			if found != nil || len(err.Error()) > 10_000 {
				t.Errorf("%d referrers and an error of %d bytes", len(found), len(err.Error()))
			}
			return
		}
		var whole struct{ Manifests []map[string]any }
		if json.Unmarshal([]byte(text), &whole) != nil || len(whole.Manifests) != len(found) {
			t.Errorf("%q is taken for %d referrers", text, len(found))
		}
		for _, desc := range found {
			if desc.Digest.Validate() != nil || desc.Size < 0 || desc.MediaType == "" {
				t.Errorf("%q has the referrer %v", text, desc)
			}
		}
	})
}
