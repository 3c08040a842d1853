package registrytest

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// reverseProxy hands requests to the registry. It keeps the Host header, so that the registry's Locations lead
// back here.
func (s *Server) reverseProxy(dial func(ctx context.Context, network, address string) (net.Conn, error)) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: s.Host})
			r.Out.Host = r.In.Host
			r.Out.Header.Set("X-Forwarded-Proto", "http") // Distribution takes who redirects for one with TLS
			s.limitPage(r.Out.URL)
		},
		Transport: &http.Transport{
			DialContext: dial, MaxIdleConnsPerHost: 64, DisableCompression: true, DisableKeepAlives: s.options.NoKeepAlive,
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "registrytest: the registry did not answer: "+err.Error(), http.StatusBadGateway)
		},
	}
}

// limitPage makes the page size count for requests that name none: Distribution limits only the others.
func (s *Server) limitPage(u *url.URL) {
	size := max(s.options.PageSize, s.options.DefaultPage)
	if size == 0 || !strings.HasSuffix(u.Path, "/tags/list") {
		return
	}
	if q := u.Query(); !q.Has("n") {
		q.Set("n", strconv.Itoa(size))
		u.RawQuery = q.Encode()
	}
}

// ServeHTTP answers as at Host, for whoever leads there by another way. It records a request, delays it, and gives it to the interceptor or to the registry.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n, record, latency, intercept := s.begin(r)
	r.Body = &recordedBody{ReadCloser: r.Body, server: s, record: record}
	answer := &recordedAnswer{ResponseWriter: w, server: s, record: record}
	returned := false
	defer func() { s.end(record, returned) }()

	wait(r.Context(), latency)
	next := http.HandlerFunc(s.handle)
	if intercept != nil {
		intercept(answer, r, n, next)
	} else {
		next(answer, r)
	}
	returned = true
}

// handle answers as the registry and its token service do.
func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	if s.tokens != nil && r.URL.Path == tokenPath {
		s.tokens.ServeHTTP(w, r)
		return
	}
	if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") {
		if s.options.WriteDelay != nil {
			wait(r.Context(), s.options.WriteDelay())
		}
		// What a killed client has sent takes effect all the same, and interceptors are to see it.
		r = r.WithContext(context.WithoutCancel(r.Context()))
	}
	s.upstream.ServeHTTP(w, r)
}

// SetLatency changes the time that is waited before each request.
func (s *Server) SetLatency(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latency = d
}

// RandomDelay gives delays from zero up to limit, the same ones for the same seed.
func RandomDelay(seed uint64, limit time.Duration) func() time.Duration {
	var mu sync.Mutex
	source := rand.New(rand.NewPCG(seed, 0))
	return func() time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return time.Duration(source.Int64N(int64(limit) + 1))
	}
}

func wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
