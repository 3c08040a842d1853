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
	return openAt(t, url, Options{Credentials: Credentials{Username: "u", Password: "p"}, Transport: (&Retrier{Budget: budget}).Transport(NewTransport())})
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

// TestClaimSendsNoWriteTwice has the registry answer the first write in ways that have it sent again, by us or by the
// libraries below: each time the tag is looked at in between, and somebody else's is left alone.
func TestClaimSendsNoWriteTwice(t *testing.T) {
	ours, theirs := []byte(`{"ours":1}`), digest.FromString("theirs")
	desc := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(ours), Size: int64(len(ours))}
	drop := func(w http.ResponseWriter) { dropConnection(w, nil) }
	challenge := func(w http.ResponseWriter) { w.WriteHeader(http.StatusUnauthorized) }
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter) // to the first write
		before digest.Digest             // what the tag names when that is answered
		want   digest.Digest
		asked  string
	}{
		"dropped":                       {drop, "", desc.Digest, "PUT HEAD PUT"},
		"dropped, and it had arrived":   {drop, desc.Digest, desc.Digest, "PUT HEAD"},
		"dropped, and taken meanwhile":  {drop, theirs, theirs, "PUT HEAD"},
		"token ran out":                 {challenge, "", desc.Digest, "PUT token HEAD PUT"},
		"token ran out, and taken then": {challenge, theirs, theirs, "PUT token HEAD"},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var tag digest.Digest
			var asked []string
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+r.Host+`/token",service="s"`)
				switch {
				case r.URL.Path == "/token":
					asked = append(asked, "token")
					_, _ = io.WriteString(w, `{"token":"t"}`)
				case r.Header.Get("Authorization") == "":
					w.WriteHeader(http.StatusUnauthorized)
				case strings.HasSuffix(r.URL.Path, "/tags/list"):
					asked = nil
					_, _ = io.WriteString(w, `{"name":"acme/fleet","tags":[]}`)
				case r.Method == http.MethodHead && tag == "":
					asked = append(asked, "HEAD")
					w.WriteHeader(http.StatusNotFound)
				case r.Method == http.MethodHead:
					asked = append(asked, "HEAD")
					w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
					w.Header().Set("Content-Length", "10")
					w.Header().Set("Docker-Content-Digest", tag.String())
				case !slices.Contains(asked, http.MethodPut):
					asked = append(asked, http.MethodPut)
					tag = c.before
					c.answer(w)
				default:
					asked = append(asked, http.MethodPut)
					tag = desc.Digest
					w.WriteHeader(http.StatusCreated)
				}
			}))
			defer s.Close()
			r := claimant(t, s.URL, time.Minute)
			if _, err := allTags(t, r); err != nil { // has the run's token, as a build does
				t.Fatal(err)
			}
			named, err := r.Claim(t.Context(), desc, ours, "0.0.1-rc.1", true)
			if err != nil || named != c.want || tag != c.want {
				t.Errorf("the tag names %s, %v; want %s, and it is on %s", named, err, c.want, tag)
			}
			if got := strings.Join(asked, " "); got != c.asked {
				t.Errorf("asked %s, want %s", got, c.asked)
			}
		})
	}
}

// TestClaimEndsWithoutAToken: a registry that takes no token at all is not asked for ever.
func TestClaimEndsWithoutAToken(t *testing.T) {
	var puts atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch {
		case r.URL.Path == "/token":
			_, _ = io.WriteString(w, `{"token":"t"}`)
		case r.Method == http.MethodPut:
			puts.Add(1)
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+r.Host+`/token",service="s"`)
			w.WriteHeader(http.StatusUnauthorized)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer s.Close()
	manifest := []byte("{}")
	desc := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(manifest), Size: 2}
	_, err := claimant(t, s.URL, time.Minute).Claim(t.Context(), desc, manifest, "0.0.1-rc.1", true)
	if err == nil || !strings.Contains(err.Error(), "401") || puts.Load() != 3 {
		t.Errorf("%d writes, and %v; want 3 and the registry's 401", puts.Load(), err)
	}
}

// TestClaimCannotBeReplayed: below us net/http sends a request again over HTTP/2, after seconds, if it can.
func TestClaimCannotBeReplayed(t *testing.T) {
	replayable := false
	base := roundTrip(func(req *http.Request) (*http.Response, error) {
		replayable = replayable || req.GetBody != nil
		resp := reply{http.StatusCreated, "", ""}.response()
		resp.Request = req
		return resp, nil
	})
	manifest := []byte("{}")
	desc := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(manifest), Size: 2}
	r := openCanned(t, new(Retrier).Transport(base), Options{})
	if _, err := r.Claim(t.Context(), desc, manifest, "0.0.1-rc.1", true); err != nil || replayable {
		t.Errorf("the write can be sent again: %v; %v", replayable, err)
	}
}
