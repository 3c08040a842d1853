package chaos

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/internal/packagestest"
	"github.com/oci-promote/oci-promote/test/internet"
	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// TestPruneFaults has each request of an applied prune lost before, lost after, refused, throttled for hours, and the program
// killed before it and after it: on a registry, and on ghcr.io with GitHub's API. Nothing that an undisturbed run keeps is ever
// gone, and the next run leaves what that leaves. In the short form a deletion meets one or two of them, and some other requests one.
func TestPruneFaults(t *testing.T) {
	for name, start := range map[string]func(*testing.T) *bench{"registry": startBench, "ghcr.io": startGHCR} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			s := &scenario{name: "prune", seed: "acme/pruned", mode: "prune", flags: pruneFlags}
			pruneLife(t, b.Server, s.seed)
			b.undisturbed(t, 0, s)
			checkPruned(t, b, s)
			var all sync.WaitGroup
			busy := make(chan struct{}, 8)
			for n, at := range s.targets {
				for k, f := range pruneFaults {
					i := n*len(pruneFaults) + k
					if i%pruneStep(at) != 0 && !*programtest.Long {
						continue
					}
					busy <- struct{}{}
					all.Go(func() {
						defer func() { <-busy }()
						c := b.cell(1+i, s.seed)
						b.try(t, c, job{scenario: s, fault: f(c), target: at, n: n})
					})
				}
			}
			all.Wait()
		})
	}
}

// pruneStep is prime to the number of faults, so that the short form meets each of them.
func pruneStep(at target) int {
	if at.method == http.MethodDelete {
		return 5
	}
	return 37
}

// pruneFaults are the faults that issue 20 names, for a cell.
var pruneFaults = []func(*cell) fault{
	func(*cell) fault { return fault{name: "lost before", once: survives, answer: registrytest.DropBefore} },
	func(*cell) fault { return fault{name: "lost after", once: survives, answer: registrytest.DropAfter} },
	func(*cell) fault {
		return fault{name: "403", once: fails, answer: status(403, `{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}`)}
	},
	func(*cell) fault { return fault{name: "429", once: fails, answer: throttled(text("999999"))} },
	func(c *cell) fault { return fault{name: "killed before", once: dies, answer: c.killed(false)} },
	func(c *cell) fault { return fault{name: "killed after", once: dies, answer: c.killed(true)} },
}

// killed ends the program before a request takes effect, or after.
func (c *cell) killed(after bool) registrytest.Interceptor {
	return func(_ http.ResponseWriter, r *http.Request, _ int, next http.Handler) {
		if after {
			next.ServeHTTP(httptest.NewRecorder(), r)
		}
		c.process(func(p *os.Process) { _ = p.Kill() })
		panic(http.ErrAbortHandler)
	}
}

// checkPruned: the undisturbed run deletes what is to go, and no more.
func checkPruned(t *testing.T, b *bench, s *scenario) {
	t.Helper()
	before := b.cell(1_000_000, s.seed).state()
	tags, manifests := 0, 0
	for name := range before {
		switch {
		case s.want.tags[name] != "":
		case strings.HasPrefix(name, "manifest "):
			manifests++
		case !strings.HasPrefix(name, "version "):
			tags++
		}
	}
	// of the first stable 5, of the others 3 each; a signature and what is attached to it of two, a list of the first's bill
	if tags != 5+3+3+2+2+1 || manifests != 3+2+2+2 {
		t.Errorf("it deletes %d tags and %d manifests\n%s%s", tags, manifests, s.want.Stdout, s.want.Stderr)
	}
}

// startGHCR is ghcr.io, where each cell is a package of its own organisation, and GitHub's API that deletes its versions.
func startGHCR(t *testing.T) *bench {
	t.Helper()
	b := newBench(t, registrytest.Options{})
	b.Intercept(nil) // the faults are in front of TLS
	b.repo = "%s/fleet"
	api := &packagestest.Hub{Token: hubToken, Now: func() time.Time { return time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC) }}
	api.Deleted = func(pkg, digest string) { b.delete(t, pkg, digest) }
	b.made = func(c *cell) {
		owner, _, _ := strings.Cut(c.repo, "/")
		api.Organization(owner)
		for _, digest := range b.Manifests(c.repo) {
			api.Push(c.repo, digest)
		}
		for tag, digest := range b.Tags(c.repo) {
			api.Push(c.repo, digest, tag)
		}
	}
	b.other = func(repo string) map[string]string {
		all := map[string]string{}
		for digest, tags := range api.Versions(repo) {
			all["version "+digest] = "with " + strings.Join(tags, " ")
		}
		return all
	}
	world := internet.New(t)
	for host, handler := range map[string]http.Handler{"ghcr.io": b.Secure(), "api.github.com": api} {
		world.Play(host, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if host == "ghcr.io" && r.Method == http.MethodDelete { // which deletes nothing (docs/facts.md 36)
				t.Errorf("ghcr.io is asked for %s %s", r.Method, r.URL)
			}
			b.of(r).serve(w, r, 0, handler, false)
		}))
	}
	b.env = append(world.Env(), "GITHUB_TOKEN="+hubToken)
	b.at = func(repo string) []string { return []string{"--repository", "ghcr.io/" + repo} }
	return b
}

// delete takes a manifest out of the registry, with its tags.
func (b *bench) delete(t *testing.T, repo, digest string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, "http://"+b.Host+"/v2/"+repo+"/manifests/"+digest, nil)
	if err != nil {
		t.Error(err)
		return
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil || answer.StatusCode != http.StatusAccepted {
		t.Error(answer, err)
		return
	}
	_ = answer.Body.Close()
}
