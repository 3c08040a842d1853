package registrytest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync/atomic"
)

// An Interceptor answers a request in place of the registry, or calls next, which is the registry; what it does
// before and after that call is its own affair. n is the request's place in the log: the number of requests
// since the start or the last Reset. It runs in the request's goroutine, so several may run at once.
type Interceptor func(w http.ResponseWriter, r *http.Request, n int, next http.Handler)

// Intercept sets the interceptor of all later requests, those for tokens too; nil is none.
func (s *Server) Intercept(f Interceptor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.intercept = f
}

// DropBefore closes the connection without an answer; the registry never sees the request.
//
// Go's HTTP client sends a GET or HEAD again, unasked, if a connection that it had used before dies so: the log
// then has both.
func DropBefore(_ http.ResponseWriter, _ *http.Request, _ int, _ http.Handler) {
	panic(http.ErrAbortHandler)
}

// DropAfter lets the registry do what was asked, and closes the connection in place of its answer.
func DropAfter(_ http.ResponseWriter, r *http.Request, _ int, next http.Handler) {
	next.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

// Status answers in place of the registry. A body that begins with a brace is sent as JSON unless header says
// otherwise.
func Status(code int, header http.Header, body string) Interceptor {
	return func(w http.ResponseWriter, r *http.Request, _ int, _ http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body) // lest the client still writes when the connection closes
		for name, values := range header {
			w.Header()[http.CanonicalHeaderKey(name)] = values
		}
		if w.Header().Get("Content-Type") == "" && body != "" && body[0] == '{' {
			w.Header().Set("Content-Type", "application/json")
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// At applies f to the request number n since the last Reset, and lets all others through.
func At(n int, f Interceptor) Interceptor {
	return func(w http.ResponseWriter, r *http.Request, i int, next http.Handler) {
		apply(i == n, f, w, r, i, next)
	}
}

// On applies f to the requests with this method ("" is any) whose path, with its query, matches the regular
// expression; it lets all others through. It panics if the expression is none.
func On(method, path string, f Interceptor) Interceptor {
	expression := regexp.MustCompile(path)
	return func(w http.ResponseWriter, r *http.Request, i int, next http.Handler) {
		matches := (method == "" || method == r.Method) && expression.MatchString(r.URL.RequestURI())
		apply(matches, f, w, r, i, next)
	}
}

// Times applies f to the first k requests that reach it, and lets all later ones through. It stands inside of On:
// On("PUT", "/manifests/", Times(2, DropAfter)).
func Times(k int, f Interceptor) Interceptor {
	var seen atomic.Int64
	return func(w http.ResponseWriter, r *http.Request, i int, next http.Handler) {
		apply(seen.Add(1) <= int64(k), f, w, r, i, next)
	}
}

func apply(yes bool, f Interceptor, w http.ResponseWriter, r *http.Request, n int, next http.Handler) {
	if yes {
		f(w, r, n, next)
		return
	}
	next.ServeHTTP(w, r)
}

// Chain asks one after the other: the next of each is the one behind it, and the next of the last is the registry.
func Chain(list ...Interceptor) Interceptor {
	return func(w http.ResponseWriter, r *http.Request, n int, next http.Handler) {
		if len(list) == 0 {
			next.ServeHTTP(w, r)
			return
		}
		rest := Chain(list[1:]...)
		list[0](w, r, n, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { rest(w, r, n, next) }))
	}
}
