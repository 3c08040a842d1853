package test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// faults are the ways in which a single request can fail.
var faults = map[string]registrytest.Interceptor{
	"lost before it":            registrytest.DropBefore,
	"lost after it took effect": registrytest.DropAfter,
	"503":                       registrytest.Status(503, nil, `{"errors":[{"code":"UNAVAILABLE","message":"down"}]}`),
	"403":                       registrytest.Status(403, nil, `{"errors":[{"code":"DENIED","message":"denied"}]}`),
}

// TestEveryRequestFails lets each single request of a first build fail in four ways
// (promise 5). The run fails with a clear error, or gets by; one clean run then
// reaches the tags of an undisturbed build.
func TestEveryRequestFails(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "app.yaml"), []byte("replicas: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	undisturbed := registrytest.Start(t, registrytest.Options{Token: true})
	if said, ok := crashBuild(t, undisturbed, dir); !ok {
		t.Fatal(said)
	}
	want, requests := undisturbed.Tags(fleet), len(undisturbed.Requests())
	if len(want) != 3 {
		t.Fatalf("an undisturbed build leaves %v", want)
	}
	for name, fault := range faults {
		for n := range requests {
			t.Run(fmt.Sprintf("request %d %s", n, name), func(t *testing.T) {
				t.Parallel()
				s := registrytest.Start(t, registrytest.Options{Token: true})
				// From request n on nothing gets through, as if the process had died there.
				s.Intercept(from(n, fault))
				said, ok := crashBuild(t, s, dir)
				if ok {
					t.Fatalf("the build succeeds without an answer to request %d\n%s", n, s.RequestLog())
				}
				if !strings.Contains(said, "oci-promote: ") || strings.Contains(said, "panic") || strings.Contains(said, s.Password) {
					t.Errorf("it says %q", said)
				}
				s.Intercept(nil)
				if said, ok := crashBuild(t, s, dir); !ok {
					t.Fatalf("the next run: %s", said)
				}
				if got := s.Tags(fleet); !maps.Equal(got, want) {
					t.Errorf("tags %v, want %v", got, want)
				}
			})
		}
	}
}

// from applies f to every request from the n-th on; only the n-th may take effect.
func from(n int, f registrytest.Interceptor) registrytest.Interceptor {
	return func(w http.ResponseWriter, r *http.Request, i int, next http.Handler) {
		switch {
		case i < n:
			next.ServeHTTP(w, r)
		case i == n:
			f(w, r, i, next)
		default:
			registrytest.DropBefore(w, r, i, next)
		}
	}
}

func crashBuild(t *testing.T, s *registrytest.Server, dir string) (said string, ok bool) {
	t.Helper()
	r := programtest.Run(t, []string{timeA, "OCI_PROMOTE_PASSWORD=" + s.Password}, "build", "--plain-http", "--retry-for", "0s",
		"--repository", s.Host+"/"+fleet, "--path", dir, "--username", s.Username, "--revision", "main@sha1:"+commitA, "--height", "1")
	return r.Stdout + r.Stderr, r.Code == 0
}
