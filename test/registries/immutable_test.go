package registries

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// taken lets somebody else give a tag to a manifest right before the first write of it.
func (w world) taken(tag string, manifest []byte) {
	var once sync.Once
	w.Intercept(registrytest.On(http.MethodPut, "/manifests/"+tag+"$", func(rw http.ResponseWriter, r *http.Request, _ int, next http.Handler) {
		once.Do(func() { w.put(manifest, tag) })
		next.ServeHTTP(rw, r)
	}))
}

// movedTag: a version that somebody else took in the last moment stays his, where the registry moves no tag, in whatever words
// it says so: the run has lost a race, and goes above.
func movedTag(t *testing.T, w world) {
	if !w.immutable {
		t.Skip("this registry moves any tag")
	}
	first, second := w.ready().build(t, a, 0), w.build(t, b, 1)
	w.taken("0.0.1", w.manifest(first.Tag))
	w.tag(t, "promoted", "0.0.2", second, second.BoundStatus(t))
	w.expect(t, map[string]string{"0.0.1": first.Digest, "0.0.2": second.Digest})

	w.taken("0.0.3-rc.3", w.manifest(first.Tag))
	third := w.build(t, c, 2)
	if third.Tag != "0.0.4-rc.3" {
		t.Errorf("the candidate is %s, want 0.0.4-rc.3: 0.0.3-rc.3 was taken\n%s", third.Tag, w.RequestLog())
	}
	w.expect(t, map[string]string{"0.0.3-rc.3": first.Digest, third.Tag: third.Digest})
}

// allTagsStay: where not even the tags of a commit move, another content of a commit gets a number and a warning, and no
// tag is harmed.
func allTagsStay(t *testing.T, w world) {
	if !w.immutable {
		t.Skip("this registry moves any tag")
	}
	first := w.ready().build(t, a, 0)
	dir := t.TempDir()
	programtest.Write(t, dir+"/app.yaml", "another content\n")
	r := w.run(t, []string{programtest.DayOf(0)}, "build", "--path", dir, "--revision", "main@sha1:"+a, "--height", "1", "--overwrite", "--retry-for", "0s")
	if r.Code != 0 || !strings.HasPrefix(r.Stdout, "build: created 0.0.2-rc.1\n") || !strings.Contains(r.Stderr, "warning") {
		t.Errorf("exit status %d\n%s%s\n%s", r.Code, r.Stdout, r.Stderr, w.RequestLog())
	}
	w.expect(t, map[string]string{"0.0.1-rc.1": first.Digest, "sha-" + a[:7]: first.Digest, "integration-" + a[:7]: first.Digest})
}
