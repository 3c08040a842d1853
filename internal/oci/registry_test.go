package oci

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// canned answers every request alike, without a network.
type canned struct {
	status      int
	contentType string
	body        string
}

func (c canned) RoundTrip(req *http.Request) (*http.Response, error) {
	h := http.Header{}
	if c.contentType != "" {
		h.Set("Content-Type", c.contentType)
	}
	return &http.Response{
		StatusCode: c.status, Status: fmt.Sprint(c.status), Header: h, Request: req, ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(strings.NewReader(c.body)), ContentLength: int64(len(c.body)),
	}, nil
}

func openCanned(t testing.TB, c http.RoundTripper, o Options) *Registry {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	ref, err := ParseReference("registry.test/acme/fleet")
	if err != nil {
		t.Fatal(err)
	}
	o.Transport = c
	r, err := OpenRegistry(ref, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// openAt has a client of acme/fleet on a server.
func openAt(t testing.TB, url string, o Options) *Registry {
	t.Helper()
	ref, err := ParseReference(strings.TrimPrefix(url, "http://") + "/acme/fleet")
	if err != nil {
		t.Fatal(err)
	}
	o.PlainHTTP = true
	r, err := OpenRegistry(ref, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func allTags(t testing.TB, r *Registry) ([]string, error) {
	t.Helper()
	var all []string
	err := r.Tags(t.Context(), "", func(tags []string) error {
		all = append(all, tags...)
		return nil
	})
	return all, err
}

// TestNoTagsIsBelievedOnlyWhenSaid is promise 8: which answers to the tag list mean
// that nothing was ever pushed, and what the others are told as.
func TestNoTagsIsBelievedOnlyWhenSaid(t *testing.T) {
	code := func(code string) string { return `{"errors":[{"code":"` + code + `","message":"what it says"}]}` }
	for name, c := range map[string]struct {
		answer     canned
		firstBuild bool
		says       string // part of the error; empty for none
		tags       int
	}{
		"tags":                                {canned{200, "", `{"name":"acme/fleet","tags":["a","b"]}`}, false, "", 2},
		"an existing repository without tags": {canned{200, "", `{"name":"acme/fleet","tags":null}`}, false, "", 0},
		"never pushed":                        {canned{404, "", code("NAME_UNKNOWN")}, false, "", 0},
		"never pushed, as Harbor says":        {canned{404, "", code("NOT_FOUND")}, false, "", 0},
		"404 from a web server":               {canned{404, "text/html", "<html>nginx</html>"}, false, "404 the answer is a web page", 0},
		"404 without a word":                  {canned{404, "", ""}, false, "404", 0},
		"404 of something else":               {canned{404, "", code("MANIFEST_UNKNOWN")}, false, "what it says", 0},
		"401":                                 {canned{401, "", code("UNAUTHORIZED")}, false, "401 unauthorized: what it says", 0},
		"403":                                 {canned{403, "", code("DENIED")}, false, "403 denied: what it says", 0},
		"403 where that is known to mean new": {canned{403, "", code("DENIED")}, true, "", 0},
		"401 is never new":                    {canned{401, "", code("UNAUTHORIZED")}, true, "401", 0},
		"500 is never new":                    {canned{500, "", "oops"}, true, "500 oops", 0},
		"429":                                 {canned{429, "", code("TOOMANYREQUESTS")}, false, "429", 0},
		"200 with a web page":                 {canned{200, "text/html", "<html>login</html>"}, false, "200, but the answer is a web page", 0},
		"200 with nothing":                    {canned{200, "", ""}, false, "no JSON object", 0},
		"200 with another object":             {canned{200, "", `{"message":"rate limited"}`}, false, `no "tags"`, 0},
		"200 with an empty object":            {canned{200, "", `{}`}, false, `no "tags"`, 0},
		"200 cut off":                         {canned{200, "", `{"name":"acme/fleet","tags":["a","b`}, false, "200, but the answer is cut off", 0},
		"200 with a list of something else":   {canned{200, "", `{"tags":[{"a":1}]}`}, false, `its "tags" are no list of names`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			tags, err := allTags(t, openCanned(t, c.answer, Options{FirstBuild: c.firstBuild}))
			switch {
			case c.says == "" && err != nil:
				t.Errorf("error %v", err)
			case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("error %v, want one with %q", err, c.says)
			case len(tags) != c.tags:
				t.Errorf("tags %q, want %d", tags, c.tags)
			}
		})
	}
}

// FuzzTagList feeds the registry's answer to the tag list: a status and a body.
func FuzzTagList(f *testing.F) {
	for _, body := range []string{
		`{"name":"a","tags":["1.0.0","0.0.1-rc.1"]}`, `{"tags":null}`, `{"errors":[{"code":"NAME_UNKNOWN"}]}`, `{"errors":[]}`, `<html>`, ``, `{`, `[]`,
		`{"details":"x"}`, `{"errors":[{"code":"DENIED","message":"::error::\n##[x]","detail":{"a":[1]}}]}`, `{"tags":[1]}`, `{"a":{"tags":[]}}`,
	} {
		for _, status := range []int{200, 403, 404, 429, 500} {
			f.Add(status, body)
		}
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 || status/100 == 3 {
			return
		}
		tags, err := allTags(t, openCanned(t, canned{status, "application/json", body}, Options{}))
		if err != nil {
			if len(err.Error()) > 10_000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		if status == http.StatusNotFound && len(tags) == 0 && (strings.Contains(body, "NAME_UNKNOWN") || strings.Contains(body, "NOT_FOUND") || strings.Contains(body, `\u`)) {
			return
		}
		if want, ok := wholeTags([]byte(body)); status != http.StatusOK || !ok || len(tags) > len(want) {
			t.Errorf("%d %q is taken for the tags %q", status, body, tags)
		}
	})
}

// TestPages reads all pages, whatever their order and size, none twice for ever, and no tag twice.
func TestPages(t *testing.T) {
	var pages atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pages.Add(1)
		last := r.URL.Query().Get("last")
		switch {
		case strings.Contains(r.URL.Path, "endless"):
			w.Header().Set("Link", `</v2/endless/acme/fleet/tags/list?last=a&n=1>; rel="next"`)
			last = "x"
		case last == "":
			w.Header().Set("Link", `</v2/acme/fleet/tags/list?last=b&n=2>; rel="next"`)
		}
		_, _ = io.WriteString(w, map[string]string{"": `{"tags":["z","b"]}`, "b": `{"tags":["a","b"]}`, "x": `{"tags":["a"]}`}[last])
	}))
	defer s.Close()
	open := func(above string) *Registry {
		return openAt(t, s.URL+above, Options{Credentials: Credentials{Username: "u", Password: "p"}})
	}
	if tags, err := allTags(t, open("")); err != nil || !slices.Equal(tags, []string{"z", "b", "a"}) {
		t.Errorf("tags %q, %v", tags, err)
	}
	pages.Store(0)
	if _, err := allTags(t, open("/endless")); err == nil || !strings.Contains(err.Error(), "pages") || pages.Load() > maxTagPages+1 {
		t.Errorf("an endless list ends after %d pages with %v", pages.Load(), err)
	}
}

// TestBrokenUploadIsBegunAgain loses an upload in three ways. Its bytes come from a
// reader that can seek.
func TestBrokenUploadIsBegunAgain(t *testing.T) {
	layer := []byte("a layer")
	desc := ocispec.Descriptor{MediaType: "x/y", Digest: digest.FromBytes(layer), Size: int64(len(layer))}
	for name, c := range map[string]struct {
		arrived bool // the first PUT took effect before the answer was lost
		status  int
		puts    int32
	}{
		"session lost":            {false, http.StatusNotFound, 2},
		"offset lost":             {false, http.StatusRequestedRangeNotSatisfiable, 2},
		"token ran out":           {false, http.StatusUnauthorized, 2},
		"it had arrived":          {true, http.StatusNotFound, 1},
		"a refusal is no mishap":  {false, http.StatusForbidden, 1},
		"too large stays refused": {false, http.StatusRequestEntityTooLarge, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var puts atomic.Int32
			var stored []byte
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				switch {
				case r.Method == http.MethodPost:
					w.Header().Set("Location", "/v2/acme/fleet/blobs/uploads/1")
					w.WriteHeader(http.StatusAccepted)
				case r.Method == http.MethodPut && puts.Add(1) == 1:
					if c.arrived {
						stored = body
					}
					w.WriteHeader(c.status)
				case r.Method == http.MethodPut:
					stored = body
					w.WriteHeader(http.StatusCreated)
				case stored == nil:
					w.WriteHeader(http.StatusNotFound)
				default:
					w.Header().Set("Content-Type", "application/octet-stream")
					w.Header().Set("Content-Length", fmt.Sprint(len(stored)))
				}
			}))
			defer s.Close()
			r := openAt(t, s.URL, Options{Credentials: Credentials{Username: "u", Password: "p"}})
			err := r.Push(t.Context(), desc, bytes.NewReader(layer))
			passes := c.puts == 2 || c.arrived
			if passes != (err == nil) || puts.Load() != c.puts || passes && !bytes.Equal(stored, layer) {
				t.Errorf("%d PUTs, stored %q, error %v", puts.Load(), stored, err)
			}
		})
	}
}

func TestReadOnlyRefusesToWrite(t *testing.T) {
	r := openCanned(t, canned{status: 201}, Options{ReadOnly: true, Delete: true})
	for name, err := range map[string]error{
		"Push":          r.Push(t.Context(), ocispec.Descriptor{}, nil),
		"PushReference": r.PushReference(t.Context(), ocispec.Descriptor{}, nil, "a"),
		"Tag":           r.Tag(t.Context(), ocispec.Descriptor{}, "a"),
		"Upload":        r.Upload(t.Context(), ocispec.Descriptor{}, nil),
		"Delete":        r.Delete(t.Context(), testDesc.Digest),
	} {
		if !errors.Is(err, errReadOnly) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestStalledServer cuts off a connection that says nothing.
func TestStalledServer(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"tags":[`)
		_ = http.NewResponseController(w).Flush()
		<-release
	}))
	defer s.Close()
	defer close(release)
	r := openAt(t, s.URL, Options{Credentials: Credentials{Username: "u", Password: "p"}, Transport: newTransport(100 * time.Millisecond)})
	if _, err := allTags(t, r); err == nil {
		t.Error("a stalled tag list ends without an error")
	}
}
