package test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// terse leaves out of each answer about a manifest, and of a blob's HEAD, all that the specification lets a registry leave out;
// what is left comes in chunks.
func terse(w http.ResponseWriter, r *http.Request, _ int, next http.Handler) {
	looks := r.Method == http.MethodHead || r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/manifests/")
	if !looks {
		next.ServeHTTP(w, r)
		return
	}
	answer := answered(w, r, next)
	if answer.Code == http.StatusOK {
		for _, name := range []string{"Docker-Content-Digest", "Content-Length", "Etag"} {
			w.Header().Del(name)
		}
		w.Header()["Content-Type"] = nil
	}
	w.WriteHeader(answer.Code)
	_ = http.NewResponseController(w).Flush()
	_, _ = w.Write(answer.Body.Bytes())
}

// answered is what a registry answers. Its header is set, and may be changed before the rest is sent.
func answered(w http.ResponseWriter, r *http.Request, next http.Handler) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	next.ServeHTTP(answer, r)
	maps.Copy(w.Header(), answer.Header())
	return answer
}

// succeeding gives each success of a PUT another status.
func succeeding(status int) registrytest.Interceptor {
	return func(w http.ResponseWriter, r *http.Request, _ int, next http.Handler) {
		if r.Method != http.MethodPut {
			next.ServeHTTP(w, r)
			return
		}
		answer := answered(w, r, next)
		code := answer.Code
		if code == http.StatusCreated {
			code = status
		}
		w.WriteHeader(code)
		_, _ = w.Write(answer.Body.Bytes())
	}
}

// TestWhateverFormAnswersHave: a first build, a repeat, a second build, a promotion and verify on a registry that tells less than
// Distribution does, or succeeds in another code, do all that they do there.
func TestWhateverFormAnswersHave(t *testing.T) {
	noHead := registrytest.On("HEAD", "/(manifests|blobs)/", registrytest.Status(http.StatusMethodNotAllowed, nil, ""))
	for name, answers := range map[string]registrytest.Interceptor{
		"nothing is optional":   nil,
		"terse":                 terse,
		"no HEAD":               noHead,
		"no HEAD, and terse":    registrytest.Chain(noHead, terse),
		"200":                   succeeding(http.StatusOK),
		"202":                   succeeding(http.StatusAccepted),
		"204":                   succeeding(http.StatusNoContent),
		"terse, and 202":        registrytest.Chain(terse, succeeding(http.StatusAccepted)),
		"no HEAD, and then 202": registrytest.Chain(noHead, succeeding(http.StatusAccepted)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := registrytest.Start(t, registrytest.Options{Token: true})
			s.Intercept(answers)
			a := programtest.BuildFor(t, s, commitA, 0)
			if again := programtest.BuildFor(t, s, commitA, 0); again != a {
				t.Errorf("the repeat has %v, want %v", again, a)
			}
			b := programtest.BuildFor(t, s, commitB, 1)
			r := programtest.TagOnce(t, s, a.BoundStatus(t))
			tags := s.Tags(fleet)
			for tag, digest := range map[string]string{
				"0.0.1-rc.1": a.Digest, "sha-aaaaaaa": a.Digest, "integration-aaaaaaa": a.Digest, "validated-aaaaaaa": a.Digest, "0.0.1": a.Digest,
				"0.0.1-rc.2": b.Digest, "sha-bbbbbbb": b.Digest, "integration-bbbbbbb": b.Digest, "0.0.2-rc.2": b.Digest,
			} {
				if tags[tag] != digest {
					t.Errorf("%s names %q, want %s", tag, tags[tag], digest)
				}
			}
			if r.Outcome != "promoted" || len(tags) != 9 {
				t.Errorf("%s; tags %v", r.Outcome, tags)
			}
			said := programtest.Run(t, []string{"OCI_PROMOTE_PASSWORD=" + s.Password}, "verify", "--repository", s.Host+"/"+fleet, "--plain-http",
				"--username", s.Username, "--artifact-sha", commitA, "--fail-on", "error")
			if strings.Contains(said.Stdout+said.Stderr, "missing-blob") || strings.Contains(said.Stderr, "reading ") {
				t.Errorf("verify: exit status %d\n%s%s", said.Code, said.Stdout, said.Stderr)
			}
		})
	}
}
