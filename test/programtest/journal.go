package programtest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/version"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// Journal is every write of a tag, in the order in which they took effect: it lets one write through at a time.
type Journal struct {
	// Delay is waited before each write, by each on its own; may be nil.
	Delay func(e TagWrite) time.Duration
	// Immutable has the registry refuse to move a stable tag (docs/facts.md 17).
	Immutable bool

	server  *registrytest.Server
	mu      sync.Mutex
	writes  []TagWrite
	refused int
}

// TagWrite is one write that the registry accepted.
type TagWrite struct {
	Repo, Tag, Digest string
	Before            string // what the tag named before; "" for nothing
	Host              string // the door through which it came
	Body              []byte
	Began, At         time.Time // when it came, and when it had taken effect
}

// Keep makes a journal of all writes to s. It stands behind rest, which may be nil.
func Keep(s *registrytest.Server, j *Journal, rest registrytest.Interceptor) *Journal {
	if rest == nil {
		rest = func(w http.ResponseWriter, r *http.Request, _ int, next http.Handler) { next.ServeHTTP(w, r) }
	}
	s.Intercept(registrytest.Chain(rest, j.Of(s)))
	return j
}

// Of keeps the writes to s that reach the interceptor it gives.
func (j *Journal) Of(s *registrytest.Server) registrytest.Interceptor {
	j.server = s
	return j.intercept
}

func (j *Journal) intercept(w http.ResponseWriter, r *http.Request, n int, next http.Handler) {
	repo, tag, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), "/manifests/")
	if !ok || r.Method != http.MethodPut || strings.Contains(tag, ":") {
		next.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		next.ServeHTTP(w, r)
		return
	}
	e := TagWrite{Repo: repo, Tag: tag, Digest: digest.FromBytes(body).String(), Host: r.Host, Body: body, Began: time.Now()}
	if j.Delay != nil {
		time.Sleep(j.Delay(e))
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	e.Before = j.server.Named(repo, tag)
	if j.Immutable && IsStable(tag) && e.Before != "" && e.Before != e.Digest {
		j.refused++
		registrytest.Status(http.StatusBadRequest, nil, `{"errors":[{"code":"TAG_INVALID","message":"tag is immutable"}]}`)(w, r, n, next)
		return
	}
	answer := httptest.NewRecorder()
	next.ServeHTTP(answer, r)
	if answer.Code == http.StatusCreated {
		e.At = time.Now()
		j.writes = append(j.writes, e)
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// All are the writes since the last call.
func (j *Journal) All() []TagWrite {
	j.mu.Lock()
	defer j.mu.Unlock()
	writes := j.writes
	j.writes = nil
	return writes
}

// Refused is the number of writes that the registry refused as it is immutable.
func (j *Journal) Refused() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.refused
}

// Moves are the writes that let a stable tag name another digest than before (promise 1).
func Moves(writes []TagWrite) []string {
	var moved []string
	for _, e := range writes {
		if IsStable(e.Tag) && e.Before != "" && e.Before != e.Digest {
			moved = append(moved, fmt.Sprintf("%s:%s moved from %s to %s", e.Repo, e.Tag, e.Before, e.Digest))
		}
	}
	return moved
}

// IsStable reports whether the tag is a version X.Y.Z.
func IsStable(tag string) bool {
	_, err := version.ParseStable(tag)
	return err == nil
}
