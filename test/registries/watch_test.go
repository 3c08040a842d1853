package registries

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/oci-promote/oci-promote/test/registrytest"
)

// watched is what a registry listed, to anyone.
type watched struct {
	mu   sync.Mutex
	tags map[string]bool
}

// watch notes each tag that is listed from now on.
func (w world) watch() *watched {
	seen := &watched{tags: map[string]bool{}}
	w.Intercept(registrytest.On(http.MethodGet, "/tags/list", func(rw http.ResponseWriter, r *http.Request, _ int, next http.Handler) {
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		var list struct{ Tags []string }
		if answer.Code == http.StatusOK && json.Unmarshal(answer.Body.Bytes(), &list) == nil {
			seen.note(list.Tags)
		}
		for name, values := range answer.Header() {
			rw.Header()[name] = values
		}
		rw.WriteHeader(answer.Code)
		_, _ = rw.Write(answer.Body.Bytes())
	}))
	return seen
}

func (s *watched) note(tags []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, tag := range tags {
		s.tags[tag] = true
	}
}

// expect fails the test if not so many tags were listed since the last time.
func (s *watched) expect(t *testing.T, w world, who string, least int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tags) < least {
		t.Errorf("%s was given %d tags of %d\n%s", who, len(s.tags), least, w.RequestLog())
	}
	clear(s.tags)
}
