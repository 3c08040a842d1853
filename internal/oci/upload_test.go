package oci

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

var (
	testLayer = []byte("a layer")
	testBlob  = ocispec.Descriptor{MediaType: "x/y", Digest: digest.FromBytes(testLayer), Size: int64(len(testLayer))}
)

// shelf is a registry that holds one blob. It gives bearer tokens if it is to.
type shelf struct {
	there   bool // the blob, from the start
	deaf    bool // to mounts
	mounts  int  // status of the answer to a mount, in place of that
	token   bool
	putting func(n int, w http.ResponseWriter, r *http.Request) bool // answers the PUT n, from 1, unless it is false
	elsehow string                                                   // Location of a session, in place of its own

	mu    sync.Mutex
	asked []string // the method of each request, and what is special of it
	puts  int
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := r.URL.Query()
	what := r.Method
	switch {
	case r.URL.Path == "/token":
		what = "token " + strings.Join(q["scope"], " ")
	case q.Has("mount"):
		what += " mount"
		if q.Get("mount") != testBlob.Digest.String() || q.Get("from") != "acme/fleet" {
			what += " of " + r.URL.RawQuery
		}
	}
	s.asked = append(s.asked, what)
	session := "/v2/acme/fleet/blobs/uploads/1?state=x"
	switch {
	case r.URL.Path == "/token":
		_, _ = io.WriteString(w, `{"token":"t"}`)
	case s.token && r.Header.Get("Authorization") != "Bearer t":
		w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+r.Host+`/token",service="s",scope="repository:acme/fleet:pull,push"`)
		w.WriteHeader(http.StatusUnauthorized)
	case r.Method == http.MethodPost && q.Has("mount") && s.mounts != 0:
		w.WriteHeader(s.mounts)
	case r.Method == http.MethodPost && q.Has("mount") && s.there && !s.deaf:
		w.Header().Set("Docker-Content-Digest", testBlob.Digest.String())
		w.WriteHeader(http.StatusCreated)
	case r.Method == http.MethodPost:
		if s.elsehow != "" {
			session = s.elsehow
		}
		w.Header().Set("Location", session)
		w.WriteHeader(http.StatusAccepted)
	case r.Method == http.MethodPut:
		s.put(w, r)
	case r.Method == http.MethodDelete && r.URL.RequestURI() == session:
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodHead && s.there:
		w.Header().Set("Content-Length", fmt.Sprint(testBlob.Size))
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (s *shelf) put(w http.ResponseWriter, r *http.Request) {
	s.puts++
	if s.putting != nil && s.putting(s.puts, w, r) {
		return
	}
	body, _ := io.ReadAll(r.Body)
	if q := r.URL.Query(); !bytes.Equal(body, testLayer) || q.Get("state") != "x" || q.Get("digest") != testBlob.Digest.String() {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.there = true
	w.WriteHeader(http.StatusCreated)
}

// log is what was asked, in order.
func (s *shelf) log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.asked, ", ")
}

// once answers the first PUT with a status.
func once(status int) func(int, http.ResponseWriter, *http.Request) bool {
	return func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n > 1 {
			return false
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		return true
	}
}

// layerFile is content that says whether it was closed, and cannot be read after that: as a file.
type layerFile struct {
	*bytes.Reader
	closed bool
}

func (f *layerFile) Close() error { f.closed = true; return nil }

func (f *layerFile) Read(b []byte) (int, error) {
	if f.closed {
		return 0, errors.New("file already closed")
	}
	return f.Reader.Read(b)
}

// serve has a client of s, with or without a login.
func (s *shelf) serve(t *testing.T) *Registry {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return claimant(t, server.URL, time.Minute)
}

func TestUpload(t *testing.T) {
	refusal := errors.New("superseded")
	for name, c := range map[string]struct {
		shelf   *shelf
		refused error // by the caller
		asked   string
		content int // times that it was asked for
		says    string
	}{
		"new":                         {&shelf{}, nil, "POST mount, PUT", 1, ""},
		"there":                       {&shelf{there: true}, nil, "POST mount", 0, ""},
		"there, and mounts ignored":   {&shelf{there: true, deaf: true}, nil, "POST mount, PUT", 1, ""},
		"mounts not found":            {&shelf{mounts: 404}, nil, "POST mount, POST, PUT", 1, ""},
		"mounts not allowed":          {&shelf{mounts: 405}, nil, "POST mount, POST, PUT", 1, ""},
		"mounts a bad request":        {&shelf{mounts: 400}, nil, "POST mount, POST, PUT", 1, ""},
		"mounts forbidden":            {&shelf{mounts: 403}, nil, "POST mount, POST, PUT", 1, ""},
		"mounts not implemented":      {&shelf{mounts: 501}, nil, "POST mount, POST, PUT", 1, ""},
		"no right to either":          {&shelf{mounts: 401}, nil, "POST mount", 0, "401 Unauthorized"},
		"refused":                     {&shelf{}, refusal, "POST mount, DELETE", 1, refusal.Error()},
		"refused, and mounts too":     {&shelf{mounts: 405}, refusal, "POST mount", 1, refusal.Error()},
		"refused, and there":          {&shelf{there: true}, refusal, "POST mount", 0, ""},
		"refused, session elsewhere":  {&shelf{elsehow: "http://localhost:1/v2/x"}, refusal, "POST mount", 1, refusal.Error()},
		"session elsewhere":           {&shelf{elsehow: "http://localhost:1/v2/x"}, nil, "POST mount", 1, "different host"},
		"fault":                       {&shelf{putting: once(500)}, nil, "POST mount, PUT, PUT", 1, ""},
		"session lost":                {&shelf{putting: once(404)}, nil, "POST mount, PUT, HEAD, POST, PUT", 1, ""},
		"offset lost":                 {&shelf{putting: once(416)}, nil, "POST mount, PUT, HEAD, POST, PUT", 1, ""},
		"too large":                   {&shelf{putting: once(413)}, nil, "POST mount, PUT", 1, "413 Request Entity Too Large"},
		"session lost without mounts": {&shelf{mounts: 405, putting: once(404)}, nil, "POST mount, POST, PUT, HEAD, POST, PUT", 1, ""},
		"token": {&shelf{token: true}, nil,
			"POST mount, token repository:acme/fleet:pull,push, POST mount, PUT", 1, ""},
		"token, refused": {&shelf{token: true}, refusal,
			"POST mount, token repository:acme/fleet:pull,push, POST mount, DELETE", 1, refusal.Error()},
		"token ran out": {&shelf{token: true, putting: once(401)}, nil,
			"POST mount, token repository:acme/fleet:pull,push, POST mount, PUT, HEAD, POST, PUT", 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, file, asked := c.shelf, &layerFile{Reader: bytes.NewReader(testLayer)}, 0
			err := s.serve(t).Upload(t.Context(), testBlob, func() (io.ReadSeekCloser, error) {
				if asked++; c.refused != nil {
					return nil, c.refused
				}
				return file, nil
			})
			if got := s.log(); got != c.asked || asked != c.content {
				t.Errorf("asked %s, and for the content %d times; want %s, and %d", got, asked, c.asked, c.content)
			}
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want one with %q", err, c.says)
			}
			if c.refused != nil && err != nil && err != refusal { //nolint:errorlint // as it is
				t.Errorf("the refusal comes back as %#v", err)
			}
			if file.closed != (asked > 0 && c.refused == nil) {
				t.Errorf("content closed: %v", file.closed)
			}
			if err == nil && !s.there {
				t.Error("the registry has no blob")
			}
		})
	}
}

// TestUploadBeginsBesideTheList: while the caller is deciding the registry is ready already, and a tag list that begins
// at the same time shares the token.
func TestUploadBeginsBesideTheList(t *testing.T) {
	s := &shelf{token: true}
	r := s.serve(t)
	ready, decided := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- r.Upload(t.Context(), testBlob, func() (io.ReadSeekCloser, error) {
			close(ready)
			<-decided
			return &layerFile{Reader: bytes.NewReader(testLayer)}, nil
		})
	}()
	if _, err := r.Exists(t.Context(), testBlob); err != nil {
		t.Fatal(err)
	}
	<-ready
	if log := s.log(); strings.Contains(log, "PUT") || !strings.Contains(log, "POST mount") {
		t.Errorf("before the decision: %s", log)
	}
	close(decided)
	if err := <-done; err != nil {
		t.Error(err)
	}
	tokens, challenges := 0, 0
	for _, what := range s.asked {
		if strings.HasPrefix(what, "token") {
			tokens++
		}
		if what == "POST mount" || what == "HEAD" {
			challenges++
		}
	}
	if tokens != 1 || challenges != 3 {
		t.Errorf("asked %s: want one token and one refusal", s.log())
	}
}

// TestUploadEndsWithItsContext, whatever it waits for.
func TestUploadEndsWithItsContext(t *testing.T) {
	for name, c := range map[string]struct {
		blocks bool // the caller, else the PUT
		asked  []string
	}{
		"deciding":  {true, []string{"POST mount", "DELETE"}},
		"uploading": {false, []string{"POST mount", "PUT"}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			release := make(chan struct{})
			file := &layerFile{Reader: bytes.NewReader(testLayer)}
			closed := make(chan struct{})
			s := &shelf{putting: func(int, http.ResponseWriter, *http.Request) bool {
				cancel()
				<-release
				return true
			}}
			r := s.serve(t)
			t.Cleanup(sync.OnceFunc(func() { close(release) })) // before the server is closed
			began := time.Now()
			err := r.Upload(ctx, testBlob, func() (io.ReadSeekCloser, error) {
				if c.blocks {
					cancel()
					<-release
				}
				return closing{file, closed}, nil
			})
			if !errors.Is(err, context.Canceled) || time.Since(began) > 5*time.Second {
				t.Errorf("after %s: %v", time.Since(began), err)
			}
			checkHint(t, err, "context canceled", "the run was interrupted")
			if c.blocks {
				release <- struct{}{}
				if got := s.log(); got != strings.Join(c.asked, ", ") {
					t.Errorf("asked %s, want %s", got, c.asked)
				}
			}
			<-closed // also what came too late
		})
	}
}

// closing tells when it is closed.
type closing struct {
	io.ReadSeekCloser
	closed chan struct{}
}

func (c closing) Close() error { close(c.closed); return c.ReadSeekCloser.Close() }

// TestAbandonIsNotInsisted: a registry that does not want to forget a session, or says nothing, is not asked twice, and
// holds nobody for long.
func TestAbandonIsNotInsisted(t *testing.T) {
	refusal := errors.New("superseded")
	for name, answer := range map[string]func(http.ResponseWriter){
		"busy":    func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) },
		"refused": func(w http.ResponseWriter) { w.WriteHeader(http.StatusUnauthorized) },
		"silent":  func(http.ResponseWriter) { time.Sleep(3 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var deletes []string
			inner := new(shelf)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodDelete {
					inner.ServeHTTP(w, r)
					return
				}
				deletes = append(deletes, r.URL.RequestURI())
				answer(w)
			}))
			defer server.Close()
			began := time.Now()
			err := claimant(t, server.URL, time.Minute).Upload(t.Context(), testBlob, func() (io.ReadSeekCloser, error) { return nil, refusal })
			if !errors.Is(err, refusal) || time.Since(began) > 2*time.Second {
				t.Errorf("after %s: %v", time.Since(began), err)
			}
			server.Close() // waits for the handlers
			if !slices.Equal(deletes, []string{"/v2/acme/fleet/blobs/uploads/1?state=x"}) {
				t.Errorf("deleted %q", deletes)
			}
		})
	}
}
