package github

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// keeper is a GitHub that keeps what it is told: the ground of those with issues, pull requests and deployments. It serves
// one request after the other, and notes each.
type keeper struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string          // method and path, without the base
	fault    func(n int) fault // what becomes of the n-th request; nil for what should
	meeting  int               // as many first lists are answered only when all were asked
}

// fault answers in place of a keeper. What serve gives is what that answers, once it has done what it was asked.
type fault func(w http.ResponseWriter, serve func() *httptest.ResponseRecorder)

// keep starts a keeper of what is below a base. List is how the path of a first list ends.
func (k *keeper) keep(t *testing.T, base, list string, routes map[string]http.HandlerFunc) {
	t.Helper()
	mux := http.NewServeMux()
	for route, serve := range routes {
		method, path, _ := strings.Cut(route, " ")
		mux.HandleFunc(method+" "+base+path, serve)
	}
	arrived := make(chan struct{})
	k.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.mu.Lock()
		k.requests = append(k.requests, r.Method+" "+strings.TrimPrefix(r.URL.Path, base))
		meets := k.meeting > 0 && r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, list)
		if meets {
			if k.meeting--; k.meeting == 0 {
				close(arrived)
			}
		}
		serve := func() *httptest.ResponseRecorder {
			answer := httptest.NewRecorder()
			mux.ServeHTTP(answer, r)
			return answer
		}
		if k.fault != nil {
			if f := k.fault(len(k.requests) - 1); f != nil {
				defer k.mu.Unlock()
				f(w, serve)
				return
			}
		}
		answer := serve()
		k.mu.Unlock()
		if meets {
			<-arrived
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = answer.Body.WriteTo(w)
	}))
	t.Cleanup(k.Close)
}

func (k *keeper) open(t *testing.T) *Repository {
	t.Helper()
	r, err := Open(Options{Repository: "acme/fleet", APIURL: k.URL + "/api/v3", Token: token, Pause: 1})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// mend ends the faults. What becomes of the keeper until then is seen after it.
func (k *keeper) mend() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fault = nil
}

func refuse(status int, body string) fault {
	return func(w http.ResponseWriter, _ func() *httptest.ResponseRecorder) { says(status, body)(w, nil) }
}

// done is an answer that says nothing true of what was done.
func done(status int, body string) fault {
	return func(w http.ResponseWriter, serve func() *httptest.ResponseRecorder) {
		serve()
		says(status, body)(w, nil)
	}
}

func reset(w http.ResponseWriter, _ func() *httptest.ResponseRecorder) { hangUp(w) }

func lost(w http.ResponseWriter, serve func() *httptest.ResponseRecorder) { serve(); hangUp(w) }

func hangUp(w http.ResponseWriter) {
	if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
		_ = c.Close()
	}
}

// half sends the first half of an answer, and promises the whole.
func half(w http.ResponseWriter, serve func() *httptest.ResponseRecorder) {
	answer := serve()
	body := answer.Body.String()
	maps.Copy(w.Header(), answer.Header())
	w.Header().Set("Content-Length", fmt.Sprint(max(2, len(body))))
	w.WriteHeader(answer.Code)
	_, _ = fmt.Fprint(w, body[:len(body)/2])
	_ = http.NewResponseController(w).Flush() // or it is a reset, after which Go asks again
	panic(http.ErrAbortHandler)
}

// undone is a fault without what it would do.
func undone(f fault) fault {
	return func(w http.ResponseWriter, _ func() *httptest.ResponseRecorder) { f(w, httptest.NewRecorder) }
}
