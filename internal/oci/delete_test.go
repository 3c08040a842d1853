package oci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"
)

// What can be deleted from, a registry or a layout, has one form.
type deleter interface {
	Referrers(ctx context.Context, d digest.Digest) (all []ocispec.Descriptor, ok bool, err error)
	Delete(ctx context.Context, d digest.Digest) error
}

var _, _ deleter = (*Registry)(nil), (*Layout)(nil)

// shrinking is a registry that deletes testDesc, in its own way.
type shrinking struct {
	faults []http.HandlerFunc // in place of the first answers to a DELETE; nil deletes
	lost   []bool             // those of them whose manifest is deleted all the same
	answer http.HandlerFunc   // to a DELETE of what is there; nil for 202
	absent string             // body of the 404 to a DELETE of what is not there

	gone  bool
	asked []string
}

func (s *shrinking) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, r.Method+" "+strings.TrimPrefix(r.URL.Path, "/v2/acme/fleet"))
	switch {
	case r.Method != http.MethodDelete && s.gone:
		w.WriteHeader(http.StatusNotFound)
	case r.Method != http.MethodDelete:
		w.Header().Set("Content-Type", testDesc.MediaType)
		w.Header().Set("Content-Length", fmt.Sprint(testDesc.Size))
		w.Header().Set("Docker-Content-Digest", testDesc.Digest.String())
		if r.Method == http.MethodGet {
			_, _ = w.Write(testManifest)
		}
	case len(s.faults) > 0:
		fault := s.faults[0]
		s.gone = s.gone || s.lost != nil && s.lost[0]
		s.faults = s.faults[1:]
		fault(w, r)
	case s.gone:
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, s.absent)
	case s.answer != nil:
		s.answer(w, r)
	default:
		s.gone = true
		w.WriteHeader(http.StatusAccepted)
	}
}

// open has a client that may delete.
func (s *shrinking) open(t *testing.T) *Registry {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return openAt(t, server.URL, Options{
		Credentials: Credentials{Username: "u", Password: "p"}, Delete: true,
		Transport: (&Retrier{Budget: time.Minute}).Transport(NewTransport()),
	})
}

// says is an answer of a status and a body.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// coded is an answer in the specification's form.
func coded(status int, code, message string) http.HandlerFunc {
	body, _ := json.Marshal(map[string]any{"errors": []any{map[string]string{"code": code, "message": message}}})
	return says(status, string(body))
}

// TestDelete: a deletion is by digest, and done when the registry says so, or says that there is nothing left to delete.
func TestDelete(t *testing.T) {
	byDigest := "/manifests/" + testDesc.Digest.String()
	const unknown = `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`
	for name, c := range map[string]struct {
		registry shrinking
		gone     bool // it is told as gone already
		asked    string
	}{
		"202":                                    {shrinking{}, false, "DELETE"},
		"200":                                    {shrinking{answer: says(200, "")}, false, "DELETE"},
		"204":                                    {shrinking{answer: says(204, "")}, false, "DELETE"},
		"gone already":                           {shrinking{gone: true, absent: unknown}, true, "DELETE"},
		"gone already, as Harbor says":           {shrinking{gone: true, absent: `{"errors":[{"code":"NOT_FOUND","message":"artifact x not found"}]}`}, true, "DELETE"},
		"gone already, with the repository":      {shrinking{gone: true, absent: `{"errors":[{"code":"NAME_UNKNOWN","message":"x"}]}`}, true, "DELETE"},
		"gone already, without a word":           {shrinking{gone: true}, true, "DELETE HEAD"},
		"gone already, in a page":                {shrinking{gone: true, absent: "404 page not found"}, true, "DELETE HEAD"},
		"lost before":                            {shrinking{faults: []http.HandlerFunc{abort}}, false, "DELETE DELETE"},
		"lost after":                             {shrinking{faults: []http.HandlerFunc{abort}, lost: []bool{true}, absent: unknown}, true, "DELETE DELETE"},
		"busy":                                   {shrinking{faults: []http.HandlerFunc{says(503, ""), says(502, ""), says(500, "")}}, false, "DELETE DELETE DELETE DELETE"},
		"429 with a delay":                       {shrinking{faults: []http.HandlerFunc{later(429, "0")}}, false, "DELETE DELETE"},
		"403 that is a limit":                    {shrinking{faults: []http.HandlerFunc{says(403, "You have exceeded a secondary rate limit")}}, false, "DELETE DELETE"},
		"403 that is a limit, by a header alone": {shrinking{faults: []http.HandlerFunc{later(403, "0")}}, false, "DELETE DELETE"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &c.registry
			err := s.open(t).Delete(t.Context(), testDesc.Digest)
			if c.gone && !errors.Is(err, errdef.ErrNotFound) || !c.gone && err != nil {
				t.Errorf("error %v", err)
			}
			var want []string
			for method := range strings.FieldsSeq(c.asked) {
				want = append(want, method+" "+byDigest)
			}
			if !slices.Equal(s.asked, want) {
				t.Errorf("asked %q, want %q", s.asked, want)
			}
		})
	}
}

func abort(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func later(status int, seconds string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", seconds)
		w.WriteHeader(status)
	}
}

// TestDeleteIsRefused: whatever else a registry answers, it is no deletion, nor nothing to delete; the hint says what allows it.
func TestDeleteIsRefused(t *testing.T) {
	const unsupported = "The operation is unsupported."
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		says   string
		hint   string
	}{
		"Distribution":                  {coded(405, "UNSUPPORTED", unsupported), "405 unsupported: " + unsupported, "REGISTRY_STORAGE_DELETE_ENABLED=true"},
		"400, as the specification has": {coded(400, "UNSUPPORTED", unsupported), "400 unsupported: " + unsupported, "REGISTRY_STORAGE_DELETE_ENABLED=true"},
		"a proxy":                       {says(405, "<html>"), "405 ", "lets no DELETE pass"},
		"no such method":                {says(501, ""), "501 Not Implemented", "does not delete over its API"},
		"Artifactory":                   {says(406, `{"errors":[{"status":406,"message":"Not Acceptable"}]}`), "406 Not Acceptable", "does not delete over its API"},
		"ECR until 2023":                {says(404, "404 page not found"), "404 404 page not found", "does not delete over its API"},
		"no right":                      {coded(403, "DENIED", "no"), "403 denied: no", `as "u", from the inputs username and password; whoever asks must have the right to delete (Harbor: Delete Artifact`},
		"no right, as Harbor says":      {coded(401, "UNAUTHORIZED", "no"), "401 unauthorized: no", "the role Maintainer"},
		"Harbor's rule":                 {coded(412, "PRECONDITION", "Failed to process request due to 'fleet:1.0.0' configured as immutable."), "412 precondition", "tag immutability rules"},
		"cuelabs, with immutable tags":  {coded(403, "DENIED", "requested access to the resource is denied: deletion of tagged manifest not permitted"), "403 denied", "tag immutability rules"},
		"a child of an index on GitLab": {coded(409, "MANIFEST_REFERENCED", "manifest referenced by a manifest list"), "409 manifest referenced", "that one has to go first"},
		"several tags on zot":           {coded(409, "MANIFEST_INVALID", "manifest invalid"), "409 manifest invalid", "detectManifestCollision"},
		"a limit that does not end":     {later(429, "3600"), "429", "retry-for"},
		"a failure that does not end":   {later(500, "3600"), "500", "retry-for"},
		"a web page":                    {says(200, "<!DOCTYPE html><html>"), "200, but the answer is a web page", "check the host"},
		"another success":               {says(206, ""), "206", "check the host"},
		"a redirection to a reading": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/v2/acme/fleet/manifests/0.0.1", http.StatusFound)
		}, "the registry sends a deletion on to 127.0.0.1", "the address that the registry knows itself by"},
		"Google's, to what has tags":      {coded(400, "GOOGLE_MANIFEST_DANGLING_TAG", "Manifest is still referenced by tag: v1"), "400 google manifest dangling tag", "never deletes a tag"},
		"Google's, to what an index has":  {coded(400, "FAILED_PRECONDITION", "Manifest is still referenced by one or more parent images"), "400 failed precondition", "that one has to go first"},
		"Azure's, to what is locked":      {coded(405, "REGISTRY_DISALLOWED_OPERATION", "The operation is disallowed on this registry, repository or image."), "405 registry disallowed operation", "locked"},
		"words that hold a digest's name": {coded(400, "DIGEST_INVALID", "provided digest did not match"), "400 digest invalid", "its own words say why"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &shrinking{answer: c.answer}
			err := s.open(t).Delete(t.Context(), testDesc.Digest)
			checkHint(t, err, c.says, c.hint)
			if errors.Is(err, errdef.ErrNotFound) || s.gone {
				t.Errorf("it is taken for gone: %v", err)
			}
		})
	}
}

// TestHowToDeleteElsewhere: the hint has the vendor's own right and way, by the registry's host.
func TestHowToDeleteElsewhere(t *testing.T) {
	unsupported := canned{405, "", `{"errors":[{"code":"UNSUPPORTED","message":"The operation is unsupported."}]}`}
	denied := canned{403, "", `{"errors":[{"code":"DENIED","message":"no"}]}`}
	dangling := canned{400, "", `{"errors":[{"code":"GOOGLE_MANIFEST_DANGLING_TAG","message":"Manifest is still referenced by tag: v1"}]}`}
	for _, c := range []struct {
		host   string
		answer canned
		hint   string
	}{
		{"123456789012.dkr.ecr.eu-west-1.amazonaws.com", unsupported, "aws ecr batch-delete-image --region eu-west-1 --repository-name acme/fleet --image-ids imageDigest=DIGEST"},
		{"123456789012.dkr.ecr.eu-west-1.amazonaws.com", denied, "ecr:BatchDeleteImage"},
		{"europe-west1-docker.pkg.dev", dangling, "gcloud artifacts docker images delete europe-west1-docker.pkg.dev/acme/fleet@DIGEST --delete-tags"},
		{"eu.gcr.io", dangling, "gcloud artifacts docker images delete eu.gcr.io/acme/fleet@DIGEST --delete-tags"},
		{"gcr.io", denied, "roles/artifactregistry.repoAdmin"},
		{"gcr.io.example.com", denied, "the right to delete (Harbor"},
		{"acme.azurecr.io", denied, "AcrDelete"},
		{"acme.azurecr.io", canned{405, "", `{"errors":[{"code":"REGISTRY_DISALLOWED_OPERATION","message":"x"}]}`}, "az acr repository update --image acme/fleet@DIGEST --delete-enabled true"},
		{"docker.io", unsupported, "Image Management"},
		{"docker.io", denied, "Read, Write, Delete"},
		{"ghcr.io", unsupported, "GitHub's Packages API"},
		{"quay.io", denied, "write permission"},
		{"harbor.example.com", denied, "Delete Artifact"},
	} {
		r, err := OpenRegistry(Reference{Host: c.host, Repository: "acme/fleet"}, Options{Credentials: Credentials{Username: "u", Password: "s3cret"}, Transport: c.answer, Delete: true})
		if err != nil {
			t.Fatal(err)
		}
		err = r.Delete(t.Context(), testDesc.Digest)
		checkHint(t, err, fmt.Sprint(c.answer.status), c.hint)
		var refused *Error
		if errors.As(err, &refused) && strings.ContainsAny(refused.Hint(), "{}") {
			t.Errorf("%s: not filled in: %s", c.host, refused.Hint())
		}
	}
}

// A run that was not opened to delete does not, whatever its mode thinks.
func TestNoDeletionUnlessAskedFor(t *testing.T) {
	s := &shrinking{}
	r := s.open(t)
	r.o.Delete = false
	if err := r.Delete(t.Context(), testDesc.Digest); !errors.Is(err, errNoDelete) || len(s.asked) > 0 {
		t.Errorf("error %v, asked %q", err, s.asked)
	}
	r.o.Delete = true
	for _, reference := range []string{"0.0.1", "", "sha256:abc", "../tags/list"} {
		if err := r.Delete(t.Context(), digest.Digest(reference)); err == nil || len(s.asked) > 0 {
			t.Errorf("%q: error %v, asked %q", reference, err, s.asked)
		}
	}
}

// guarded is a registry whose token service refuses words that it does not know, and whose deletion needs an action of its own.
type guarded struct {
	needs  string   // to delete
	knows  []string // by the token service
	scopes []string // that were asked for
	sent   int      // requests to the registry
}

func (s *guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" {
		scope := r.URL.Query().Get("scope")
		s.scopes = append(s.scopes, scope)
		for action := range strings.SplitSeq(strings.TrimPrefix(scope, "repository:acme/fleet:"), ",") {
			if !slices.Contains(s.knows, action) {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
		}
		_, _ = fmt.Fprintf(w, `{"token":%q}`, scope)
		return
	}
	s.sent++
	need := "pull"
	if r.Method == http.MethodDelete {
		need = s.needs
	}
	if !strings.Contains(r.Header.Get("Authorization"), need) {
		w.Header().Set("Www-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="x",scope="repository:acme/fleet:%s"`, r.Host, need))
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.Method == http.MethodDelete {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	_, _ = io.WriteString(w, `{"tags":["a"]}`)
}

// TestRightToDelete is asked for where the registry does, once, and in no other run; where pushing is enough it is not, for there
// the word is an error.
func TestRightToDelete(t *testing.T) {
	const scope = "repository:acme/fleet:"
	for name, c := range map[string]struct {
		registry guarded
		o        Options
		scopes   []string
		sent     int // list, three deletions, list
	}{
		"Distribution":          {guarded{needs: "delete", knows: []string{"pull", "push", "delete"}}, Options{Delete: true}, []string{scope + "pull,push", scope + "delete,pull,push"}, 7},
		"Quay":                  {guarded{needs: "push", knows: []string{"pull", "push"}}, Options{Delete: true}, []string{scope + "pull,push"}, 6},
		"a run of another mode": {guarded{needs: "delete", knows: []string{"pull", "push", "delete"}}, Options{}, []string{scope + "pull,push"}, 3},
		"a dry run":             {guarded{needs: "delete", knows: []string{"pull", "push", "delete"}}, Options{Delete: true, ReadOnly: true}, []string{scope + "pull"}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := &c.registry
			server := httptest.NewServer(s)
			defer server.Close()
			c.o.Credentials = Credentials{Username: "u", Password: "p"}
			r := openAt(t, server.URL, c.o)
			if _, err := allTags(t, r); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				err := r.Delete(t.Context(), testDesc.Digest)
				if may := c.o.Delete && !c.o.ReadOnly; (err == nil) != may {
					t.Errorf("error %v", err)
				}
			}
			if _, err := allTags(t, r); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(s.scopes, c.scopes) || s.sent != c.sent {
				t.Errorf("%d requests, and tokens for %q; want %d and %q", s.sent, s.scopes, c.sent, c.scopes)
			}
		})
	}
}

// TestNoRightToDelete: a token service that does not give the right is told as who refuses, whatever its status.
func TestNoRightToDelete(t *testing.T) {
	for status, hint := range map[int]string{
		http.StatusForbidden:    "must be allowed to delete in ",
		http.StatusUnauthorized: "check the user name",
		http.StatusNotFound:     "check the host",
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/token" {
				coded(status, "DENIED", "no")(w, r)
				return
			}
			w.Header().Set("Www-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",scope="repository:acme/fleet:delete"`, r.Host))
			w.WriteHeader(http.StatusUnauthorized)
		}))
		defer s.Close()
		r := openAt(t, s.URL, Options{Credentials: Credentials{Username: "u", Password: "s3cret"}, Delete: true})
		err := r.Delete(t.Context(), testDesc.Digest)
		checkHint(t, err, fmt.Sprintf("%d denied: no (asking ", status), hint)
		if errors.Is(err, errdef.ErrNotFound) {
			t.Errorf("%d is taken for gone", status)
		}
	}
}
