package chaos

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"go.uber.org/goleak"

	"github.com/oci-promote/oci-promote/internal/build"
	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/oci"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/promote"
	"github.com/oci-promote/oci-promote/internal/verify"
	"github.com/oci-promote/oci-promote/internal/version"
	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// runner runs a mode in this process on a repository of the bench.
type runner func(ctx context.Context, t *testing.T, repo *oci.Registry) error

// runners are the modes, and the repository that each begins with.
func runners(t *testing.T, a programtest.Artifact) map[string]struct {
	seed string
	run  runner
} {
	t.Helper()
	dir := t.TempDir()
	programtest.Write(t, filepath.Join(dir, "app.yaml"), "commit: "+programtest.CommitB+"\n")
	clusters := pipeline.Clusters{Integration: must(version.ParseConstraint(">= 0.0.0-0")), Live: must(version.ParseConstraint(">= 0.0.0"))}
	return map[string]struct {
		seed string
		run  runner
	}{
		"build": {"acme/leak", func(ctx context.Context, _ *testing.T, repo *oci.Registry) error {
			_, err := build.Build{
				Repo: repo, Name: "the registry", Source: os.DirFS(dir), SHALength: 7, Initial: must(version.ParseStable("0.0.1")), Clusters: clusters,
				Meta: bundle.Metadata{Revision: must(bundle.ParseRevision("main@sha1:" + programtest.CommitB))},
				Origin: func(context.Context) (build.Origin, error) {
					return build.Origin{Height: 2, Created: time.Unix(1767312000, 0)}, nil
				},
			}.Run(ctx)
			return err
		}},
		"tag": {"acme/leak", func(ctx context.Context, _ *testing.T, repo *oci.Registry) error {
			_, err := promote.Promotion{
				Repo: repo, Name: "the registry", SHALength: 7, Clusters: clusters,
				Subject: &promote.Subject{Commit: a.Commit, Digest: digest.Digest(a.Digest), Tag: a.Tag, Proven: true, Because: "a test"},
			}.Run(ctx)
			return err
		}},
		"verify": {"acme/leak", func(ctx context.Context, _ *testing.T, repo *oci.Registry) error {
			_, err := verify.Verify{Repo: repo, Name: "the registry", SHALength: 7, Path: ".", MaxAge: time.Hour, Clusters: clusters, Now: time.Now()}.Run(ctx)
			return err
		}},
	}
}

func must[V any](v V, err error) V {
	if err != nil {
		panic(err)
	}
	return v
}

// TestNoGoroutineIsLeft runs the modes in this process, where each request meets each fault of all that come after it,
// or the run is cancelled at it: when a run has returned, and its connections are closed, nothing of it goes on.
func TestNoGoroutineIsLeft(t *testing.T) {
	b := newBench(t, registrytest.Options{Token: true, PageSize: pageSize, NoKeepAlive: true})
	a := programtest.BuildFor(t, b.Server, programtest.CommitA, 0, "--repository", b.Host+"/acme/leak")
	faults := map[string]registrytest.Interceptor{"cancelled": nil}
	for _, f := range passing() {
		if f.on == nil && f.always == fails && !f.slow {
			faults[f.name] = f.answer
		}
	}
	n := 0
	for mode, m := range runners(t, a) {
		undisturbed := b.cell(n, m.seed)
		undisturbed.meet(nil, target{}, false, false)
		if err := leak(t.Context(), t, undisturbed, m.run); err != nil {
			t.Fatalf("%s: %v", mode, err)
		}
		k := 0
		for name, answer := range faults {
			for i, at := range undisturbed.targets(false) {
				if k++; !*programtest.Long && k%17 != 0 && (name != "cancelled" || i%2 == 0) {
					continue
				}
				n++
				c := b.cell(1000+n, m.seed)
				ctx, cancel := context.WithCancel(t.Context())
				if name == "cancelled" {
					answer = func(w http.ResponseWriter, r *http.Request, n int, next http.Handler) {
						cancel()
						registrytest.Stall(time.Hour)(w, r, n, next)
					}
				}
				c.meet(answer, at, true, false)
				begin := time.Now()
				err := leak(ctx, t, c, m.run)
				cancel()
				optional := mode == "verify" && at.method == http.MethodHead && strings.Contains(at.path, "/blobs/") // its diagnosis stands without
				if name == "cancelled" && !errors.Is(err, context.Canceled) || err == nil && (name == "cancelled" || !optional) {
					t.Errorf("%s, %s at request %d, %s %s: error %v", mode, name, i, at.method, at.path, err)
				}
				if took := time.Since(begin); took > time.Minute {
					t.Errorf("%s, %s at request %d, %s %s: it takes %s", mode, name, i, at.method, at.path, took)
				}
			}
		}
	}
	t.Logf("%d runs", n)
}

// leak runs a mode and looks at what is left of it. The server's own goroutines, in this process too, are no matter.
func leak(ctx context.Context, t *testing.T, c *cell, run runner) error {
	t.Helper()
	here := goleak.IgnoreCurrent()
	base := oci.NewTransport()
	retrier := &oci.Retrier{Budget: 50 * time.Millisecond}
	repo, err := oci.OpenRegistry(must(oci.ParseReference(c.bench.Host+"/"+c.repo)), oci.Options{
		PlainHTTP: true, Transport: retrier.Transport(base), Build: true,
		Credentials: oci.Credentials{Username: c.bench.Username, Password: c.bench.Password},
	})
	if err != nil {
		t.Fatal(err)
	}
	err = run(ctx, t, repo)
	base.CloseIdleConnections()
	if left := goleak.Find(here, goleak.IgnoreAnyFunction("net/http.(*conn).serve"), goleak.IgnoreAnyFunction("net/http.(*connReader).backgroundRead")); left != nil {
		t.Errorf("%s: %v", c.repo, left)
	}
	return err
}
