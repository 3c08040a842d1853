package test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/version"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// journal is every write of a tag, in the order in which they took effect: it lets one write through at a time.
type journal struct {
	server *registrytest.Server
	// delay is waited before each write, by each on its own; may be nil.
	delay func(e tagWrite) time.Duration
	// immutable has the registry refuse to move a stable tag (facts 17).
	immutable bool

	mu      sync.Mutex
	writes  []tagWrite
	refused int
}

// tagWrite is one write that the registry accepted.
type tagWrite struct {
	repo, tag, digest string
	before            string // what the tag named before; "" for nothing
	body              []byte
}

// keep makes a journal of all writes to s. It stands in front of rest, which may be nil.
func keep(s *registrytest.Server, j *journal, rest registrytest.Interceptor) *journal {
	j.server = s
	if rest == nil {
		rest = func(w http.ResponseWriter, r *http.Request, _ int, next http.Handler) { next.ServeHTTP(w, r) }
	}
	s.Intercept(registrytest.Chain(rest, j.intercept))
	return j
}

func (j *journal) intercept(w http.ResponseWriter, r *http.Request, n int, next http.Handler) {
	repo, tag, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), "/manifests/")
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if !ok || err != nil || r.Method != http.MethodPut || strings.Contains(tag, ":") {
		next.ServeHTTP(w, r)
		return
	}
	e := tagWrite{repo: repo, tag: tag, digest: digest.FromBytes(body).String(), body: body}
	if j.delay != nil {
		time.Sleep(j.delay(e))
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	e.before = j.server.Named(repo, tag)
	if j.immutable && isStable(tag) && e.before != "" && e.before != e.digest {
		j.refused++
		registrytest.Status(http.StatusBadRequest, nil, `{"errors":[{"code":"TAG_INVALID","message":"tag is immutable"}]}`)(w, r, n, next)
		return
	}
	answer := httptest.NewRecorder()
	next.ServeHTTP(answer, r)
	if answer.Code == http.StatusCreated {
		j.writes = append(j.writes, e)
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// all are the writes since the last call.
func (j *journal) all() []tagWrite {
	j.mu.Lock()
	defer j.mu.Unlock()
	writes := j.writes
	j.writes = nil
	return writes
}

// moves are the writes that let a stable tag name another digest than before (promise 1).
func moves(writes []tagWrite) []string {
	var moved []string
	for _, e := range writes {
		if isStable(e.tag) && e.before != "" && e.before != e.digest {
			moved = append(moved, fmt.Sprintf("%s:%s moved from %s to %s", e.repo, e.tag, e.before, e.digest))
		}
	}
	return moved
}

func isStable(tag string) bool {
	_, err := version.ParseStable(tag)
	return err == nil
}

// TestJournal: the journal has what was written, in order, and the immutable registry refuses the move.
func TestJournal(t *testing.T) {
	s := registrytest.Start(t, registrytest.Options{})
	j := keep(s, &journal{immutable: true}, nil)
	a, b := buildFor(t, s, commitA, 0), buildFor(t, s, commitB, 1)
	var got []string
	var manifests [][]byte
	for _, e := range j.all() {
		got = append(got, e.tag+"@"+e.digest)
		manifests = append(manifests, e.body)
	}
	want := []string{
		"sha-aaaaaaa@" + a.digest, "0.0.1-rc.1@" + a.digest, "integration-aaaaaaa@" + a.digest,
		"sha-bbbbbbb@" + b.digest, "0.0.1-rc.2@" + b.digest, "integration-bbbbbbb@" + b.digest,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("the journal has %q, want %q", got, want)
	}
	for i, want := range []int{http.StatusCreated, http.StatusCreated, http.StatusBadRequest} {
		body := manifests[[]int{0, 0, 3}[i]]
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+s.Host+"/v2/"+fleet+"/manifests/0.0.1", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("write %d of 0.0.1: status %d, want %d", i, response.StatusCode, want)
		}
	}
	if moved := moves(append(j.all(), tagWrite{fleet, "1.0.0", "b", "a", nil})); len(moved) != 1 {
		t.Errorf("moves: %q", moved)
	}
}
