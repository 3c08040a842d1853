package oci

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// TestClaimLooksAgain throttles the write of a tag that somebody else takes during the
// wait. The tag is left alone.
func TestClaimLooksAgain(t *testing.T) {
	ours, theirs := []byte(`{"ours":1}`), digest.FromString("theirs")
	desc := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(ours), Size: int64(len(ours))}
	for name, c := range map[string]struct {
		faults int
		taken  bool // by somebody, during the first fault
		seen   bool // free, by the caller
		want   digest.Digest
		asked  string
	}{
		"free":                       {0, false, false, desc.Digest, "HEAD PUT"},
		"seen free":                  {0, false, true, desc.Digest, "PUT"},
		"throttled":                  {2, false, false, desc.Digest, "HEAD PUT HEAD PUT HEAD PUT"},
		"taken while it was waiting": {1, true, false, theirs, "HEAD PUT HEAD"},
		"seen free, and taken while it was waiting": {1, true, true, theirs, "PUT HEAD"},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var tag digest.Digest
			var asked []string
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				asked = append(asked, r.Method)
				_, _ = io.Copy(io.Discard, r.Body)
				puts := len(slices.DeleteFunc(slices.Clone(asked), func(m string) bool { return m != http.MethodPut }))
				switch {
				case r.Method == http.MethodHead && tag == "":
					w.WriteHeader(http.StatusNotFound)
				case r.Method == http.MethodHead:
					w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
					w.Header().Set("Content-Length", "10")
					w.Header().Set("Docker-Content-Digest", tag.String())
				case puts <= c.faults:
					if c.taken {
						tag = theirs
					}
					w.Header().Set("Retry-After", "0")
					w.WriteHeader(http.StatusTooManyRequests)
				default:
					tag = desc.Digest
					w.WriteHeader(http.StatusCreated)
				}
			}))
			defer s.Close()
			r := claimant(t, s.URL, time.Minute)
			named, err := r.Claim(t.Context(), desc, ours, "0.0.1-rc.1", c.seen)
			if err != nil || named != c.want || tag != c.want {
				t.Errorf("the tag names %s, %v; want %s, and it is on %s", named, err, c.want, tag)
			}
			if got := strings.Join(asked, " "); got != c.asked {
				t.Errorf("asked %s, want %s", got, c.asked)
			}
		})
	}
}

// claimant is a client of a registry under url, whose retries have a budget.
func claimant(t *testing.T, url string, budget time.Duration) *Registry {
	t.Helper()
	ref, err := ParseReference(strings.TrimPrefix(url, "http://") + "/acme/fleet")
	if err != nil {
		t.Fatal(err)
	}
	o := Options{PlainHTTP: true, Credentials: Credentials{Username: "u", Password: "p"}, Transport: (&Retrier{Budget: budget}).Transport(NewTransport())}
	r, err := OpenRegistry(ref, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestClaimKeepsToTheBudget has each write fail after some time, which the budget pays for as it does for other requests.
func TestClaimKeepsToTheBudget(t *testing.T) {
	var puts atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.Method == http.MethodHead {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		puts.Add(1)
		time.Sleep(200 * time.Millisecond)
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer s.Close()
	manifest := []byte("{}")
	desc := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(manifest), Size: 2}
	_, err := claimant(t, s.URL, 500*time.Millisecond).Claim(t.Context(), desc, manifest, "0.0.1-rc.1", true)
	if err == nil || puts.Load() > 3 {
		t.Errorf("%d writes of 200 ms each, and %v, with a budget of 500 ms", puts.Load(), err)
	}
}
