package oci

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// TestHintsSayWhatToDo asks for the error and the hint that a person gets.
func TestHintsSayWhatToDo(t *testing.T) {
	denied := `{"errors":[{"code":"DENIED","message":"permission_denied: write_package"}]}`
	token := Credentials{Token: "ghs_token", Actor: "octocat"}
	for name, c := range map[string]struct {
		host   string
		creds  Credentials
		answer canned
		write  bool
		says   string
		hint   []string
	}{
		"ghcr.io, no right to push": {"ghcr.io", token, canned{403, "", denied}, true, "403 denied: permission_denied: write_package",
			[]string{"packages: write", "Manage Actions access", "with the GitHub token"}},
		"ghcr.io, no right to read": {"ghcr.io", token, canned{403, "", denied}, false, "403 denied", []string{"packages: read"}},
		"elsewhere, no right to push": {"registry.test", Credentials{Username: "robot", Password: "s3cret"}, canned{403, "", denied}, true, "403 denied",
			[]string{`as "robot"`, "allowed to push to registry.test/acme/fleet"}},
		"elsewhere, 403 on the list": {"registry.test", Credentials{}, canned{403, "", denied}, false, "403 denied", []string{"first-build: true", "DOCKER_CONFIG"}},
		"404 on the list":            {"registry.test", Credentials{}, canned{404, "text/html", "<html>"}, false, "404", []string{"not taken for that", "check the host"}},
		"503":                        {"registry.test", Credentials{}, canned{503, "", "maintenance"}, false, "503 maintenance", []string{"retry-for", "run again later"}},
		"limit":                      {"registry.test", Credentials{}, canned{429, "", ""}, false, "429", []string{"retry-for"}},
		"too large":                  {"registry.test", Credentials{}, canned{413, "", ""}, true, "413", []string{"smaller directory"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("DOCKER_CONFIG", t.TempDir())
			r, err := OpenRegistry(Reference{Host: c.host, Repository: "acme/fleet"}, Options{Credentials: c.creds, Transport: c.answer, Build: true})
			if err != nil {
				t.Fatal(err)
			}
			if c.write {
				blob := []byte("x")
				err = r.Push(t.Context(), ocispec.Descriptor{Digest: digest.FromBytes(blob), Size: 1}, strings.NewReader("x"))
			} else {
				_, err = allTags(t, r)
			}
			checkHint(t, err, c.says, c.hint...)
		})
	}
}

func checkHint(t *testing.T, err error, says string, hints ...string) {
	t.Helper()
	if err == nil || !strings.HasPrefix(err.Error(), says) || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "ghs_token") {
		t.Fatalf("error %v, want one that begins with %q and holds no secret", err, says)
	}
	h, ok := err.(interface{ Hint() string })
	if !ok {
		t.Fatalf("error %T has no hint", err)
	}
	for _, part := range hints {
		if !strings.Contains(h.Hint(), part) {
			t.Errorf("hint %q lacks %q", h.Hint(), part)
		}
	}
}

// TestNetworkErrors are told without the URL around them.
func TestNetworkErrors(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	_ = l.Close()
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.NotFoundHandler(), ReadHeaderTimeout: time.Second}
	t.Cleanup(func() { _ = server.Close() })
	go func() { _ = server.Serve(plain) }()
	for name, c := range map[string]struct{ host, says, hint string }{
		"nothing listens":        {closed, "dial tcp " + closed, "up and reachable"},
		"plain HTTP, not HTTPS":  {plain.Addr().String(), "http: server gave HTTP response to HTTPS client", "plain-http: true"},
		"a host that is unknown": {"no-such-host.invalid", "dial tcp: lookup", "host name"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := OpenRegistry(Reference{Host: c.host, Repository: "acme/fleet"}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = allTags(t, r)
			checkHint(t, err, c.says, c.hint)
		})
	}
}

// TestTagImmutable knows the words of the registries that keep a tag in place.
func TestTagImmutable(t *testing.T) {
	for name, c := range map[string]struct {
		answer canned
		want   bool
	}{
		"ECR":    {canned{400, "", `{"errors":[{"code":"TAG_INVALID","message":"The image tag '1.0.0' already exists in the 'fleet' repository and cannot be overwritten because the tag is immutable."}]}`}, true},
		"Harbor": {canned{412, "", `{"errors":[{"code":"PRECONDITION","message":"Failed to process request due to 'fleet:1.0.0' configured as immutable."}]}`}, true},
		"Google": {canned{400, "", `{"errors":[{"code":"FAILED_PRECONDITION","message":"The repository has enabled tag immutability. Tag 1.0.0 already exists."}]}`}, true},
		"denied": {canned{403, "", `{"errors":[{"code":"DENIED","message":"no"}]}`}, false},
		"broken": {canned{500, "", "immutable"}, false},
	} {
		r := openCanned(t, c.answer, Options{})
		blob := []byte("{}")
		err := r.PushReference(t.Context(), ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(blob), Size: 2}, strings.NewReader("{}"), "1.0.0")
		refused, ok := err.(interface{ TagImmutable() bool })
		if !ok || refused.TagImmutable() != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWhoRefused: a refusal is told as the token service's where that was asked, wherever it is, and only there.
func TestWhoRefused(t *testing.T) {
	denied := canned{http.StatusForbidden, "", `{"errors":[{"code":"DENIED","message":"no"}]}`}
	challenge := func(realm string) http.RoundTripper {
		return roundTrip(func(req *http.Request) (*http.Response, error) {
			if strings.HasPrefix(realm, "https://"+req.URL.Host+req.URL.Path) {
				return denied.RoundTrip(req)
			}
			resp, err := canned{status: http.StatusUnauthorized}.RoundTrip(req)
			resp.Header.Set("WWW-Authenticate", `Bearer realm="`+realm+`",service="x"`)
			return resp, err
		})
	}
	moved := roundTrip(func(req *http.Request) (*http.Response, error) {
		if strings.HasPrefix(req.URL.Path, "/prefix/") {
			return denied.RoundTrip(req)
		}
		resp, err := canned{status: http.StatusTemporaryRedirect}.RoundTrip(req)
		resp.Header.Set("Location", "/prefix"+req.URL.Path)
		return resp, err
	})
	for name, c := range map[string]struct {
		registry http.RoundTripper
		asking   string // of a token; empty for the registry itself
	}{
		"the registry":                          {denied, ""},
		"a registry behind a path prefix":       {moved, ""},
		"a token service":                       {challenge("https://auth.test/token"), "auth.test"},
		"a token service below /v2/ (quay)":     {challenge("https://registry.test/v2/auth"), "registry.test"},
		"a token service where a list would be": {challenge("https://registry.test/v2/x/tags/list"), "registry.test"},
	} {
		t.Run(name, func(t *testing.T) {
			r := openCanned(t, c.registry, Options{Credentials: Credentials{Username: "robot", Password: "s3cret"}})
			want := "403 denied: no"
			if c.asking != "" {
				want += " (asking " + c.asking + " for a token)"
			}
			for range 2 {
				if _, err := allTags(t, r); err == nil || err.Error() != want {
					t.Errorf("%v, want %q", err, want)
				}
				if _, err := r.Resolve(t.Context(), "1.0.0"); err == nil || strings.Contains(err.Error(), "for a token") != (c.asking != "") {
					t.Errorf("reading: %v", err)
				}
			}
		})
	}
}

// TestRefusedElsewhere: what a server says that the registry sends us to is told as its word. It never saw a login.
func TestRefusedElsewhere(t *testing.T) {
	for _, status := range []int{401, 403, 404} {
		r := openCanned(t, roundTrip(func(req *http.Request) (*http.Response, error) {
			if req.URL.Host == "elsewhere.test" {
				return canned{status, "", `{"errors":[{"code":"DENIED","message":"no"}]}`}.RoundTrip(req)
			}
			resp, err := canned{status: http.StatusTemporaryRedirect}.RoundTrip(req)
			resp.Header.Set("Location", "https://elsewhere.test"+req.URL.Path)
			return resp, err
		}), Options{Build: true, Credentials: Credentials{Username: "robot", Password: "s3cret"}})
		_, err := allTags(t, r)
		checkHint(t, err, fmt.Sprintf("%d denied: no (from elsewhere.test, to which the registry sends us)", status), "no login goes there")
	}
}

// TestRefusedOverPlainHTTP: only an answer that is none of a registry's hints at HTTPS.
func TestRefusedOverPlainHTTP(t *testing.T) {
	for body, hint := range map[string]string{
		"Client sent an HTTP request to an HTTPS server.\n": "the registry may speak HTTPS only; leave plain-http false",
		"": "the registry may speak HTTPS only; leave plain-http false",
		`{"errors":[{"code":"NAME_INVALID","message":"no such project name"}]}`: "the registry understood the request and refuses it; its own words say why",
	} {
		_, err := allTags(t, openCanned(t, canned{http.StatusBadRequest, "", body}, Options{PlainHTTP: true}))
		checkHint(t, err, "400 ", hint)
	}
}
