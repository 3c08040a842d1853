package test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/oci"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// registryOf opens fleet on a host, as a run does.
func registryOf(t *testing.T, host string, login oci.Credentials) *oci.Registry {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	ref, err := oci.ParseReference(host + "/" + fleet)
	if err != nil {
		t.Fatal(err)
	}
	retries := &oci.Retrier{Budget: time.Minute}
	r, err := oci.OpenRegistry(ref, oci.Options{PlainHTTP: true, Credentials: login, Transport: retries.Transport(oci.NewTransport())})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func blobOf(size int) ([]byte, ocispec.Descriptor) {
	layer := bytes.Repeat([]byte{'x'}, size)
	return layer, ocispec.Descriptor{MediaType: "application/vnd.cncf.flux.content.v1.tar+gzip", Digest: digest.FromBytes(layer), Size: int64(size)}
}

type noClose struct{ io.ReadSeeker }

func (noClose) Close() error { return nil }

func asked(s *registrytest.Server) string {
	var all []string
	for _, r := range s.Requests() {
		path, _, _ := strings.Cut(r.Path, "?")
		path = strings.TrimPrefix(path, "/v2/"+fleet)
		if i := strings.LastIndex(path, "/"); strings.HasPrefix(path, "/blobs/uploads/") {
			path = path[:i+1]
		}
		all = append(all, fmt.Sprintf("%s %s %d", r.Method, path, r.Status))
	}
	return strings.Join(all, ", ")
}

// TestUploadToDistribution is what an upload costs on a registry that is in use: to a new repository, of a blob that is
// there, of one that was there, and one that the caller gives up.
func TestUploadToDistribution(t *testing.T) {
	refusal := errors.New("superseded")
	layer, desc := blobOf(3 << 20)
	_, never := blobOf(5)
	for name, token := range map[string]bool{"anonymous": false, "token": true} {
		t.Run(name, func(t *testing.T) {
			s := registrytest.Start(t, registrytest.Options{Token: token})
			for _, c := range []struct {
				name     string
				desc     ocispec.Descriptor
				give     error
				open     string // what is asked, after the token
				abandons int    // status of the answer to a DELETE; 0 for none
			}{
				{"new", desc, nil, "POST /blobs/uploads/ 202, PUT /blobs/uploads/ 201", 0},
				{"there", desc, nil, "POST /blobs/uploads/ 201", 0},
				{"given up", never, refusal, "POST /blobs/uploads/ 202, DELETE /blobs/uploads/", http.StatusNoContent},
			} {
				login := oci.Credentials{}
				want, deleted := c.open, c.abandons
				if token {
					login = oci.Credentials{Username: s.Username, Password: s.Password}
					want = "POST /blobs/uploads/ 401, GET /token 200, " + want
					deleted = http.StatusUnauthorized // our token has no right to delete
				}
				if c.abandons > 0 {
					want += fmt.Sprintf(" %d", deleted)
				}
				s.Reset()
				err := registryOf(t, s.Host, login).Upload(t.Context(), c.desc, func() (io.ReadSeekCloser, error) {
					return noClose{bytes.NewReader(layer)}, c.give
				})
				if !errors.Is(err, c.give) {
					t.Errorf("%s: %v", c.name, err)
				}
				if got := asked(s); got != want {
					t.Errorf("%s: asked %s\nwant %s", c.name, got, want)
				}
			}
		})
	}
}

// TestUploadBesideTheList: a tag list that begins with the upload shares its token, and is read while the registry waits
// for the bytes.
func TestUploadBesideTheList(t *testing.T) {
	s := registrytest.Start(t, registrytest.Options{Token: true, Latency: 20 * time.Millisecond})
	s.Seed(fleet, "build-1")
	s.Reset()
	layer, desc := blobOf(1 << 20)
	r := registryOf(t, s.Host, oci.Credentials{Username: s.Username, Password: s.Password})
	listed := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(listed)
		if err := r.Tags(t.Context(), "", func([]string) error { return nil }); err != nil {
			t.Error(err)
		}
	})
	wg.Go(func() {
		if err := r.Upload(t.Context(), desc, func() (io.ReadSeekCloser, error) {
			<-listed
			return noClose{bytes.NewReader(layer)}, nil
		}); err != nil {
			t.Error(err)
		}
	})
	wg.Wait()
	checkTokens(t, s)
	if n := len(s.Requests()); n != 5 {
		t.Errorf("%d requests, want 5: 401, token, list, POST, PUT\n%s", n, s.Timeline())
	}
	t.Logf("\n%s", s.Timeline())
}

// TestUploadToARegistryThatIgnoresMounts is go-containerregistry's.
func TestUploadToARegistryThatIgnoresMounts(t *testing.T) {
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	var mu sync.Mutex
	var methods []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		methods = append(methods, r.Method)
		mu.Unlock()
		inner.ServeHTTP(w, r)
	}))
	defer s.Close()
	r := registryOf(t, strings.TrimPrefix(s.URL, "http://"), oci.Credentials{})
	layer, desc := blobOf(1 << 10)
	for range 2 {
		if err := r.Upload(t.Context(), desc, func() (io.ReadSeekCloser, error) { return noClose{bytes.NewReader(layer)}, nil }); err != nil {
			t.Fatal(err)
		}
	}
	if ok, err := r.Exists(t.Context(), desc); !ok || err != nil {
		t.Errorf("the blob is there: %v, %v", ok, err)
	}
	if got := strings.Join(methods, " "); got != "POST PUT POST PUT HEAD" {
		t.Errorf("asked %s", got)
	}
}
