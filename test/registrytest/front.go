package registrytest

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"testing"
	"time"
)

// Front is a Server before a registry of any other kind, until the test ends: with its log, its latency and its
// interceptors, and the registry's own word for who may do what. It has no storage: Seed, Tags and all else that looks at
// the disk panic.
func Front(t testing.TB, upstream http.Handler) *Server {
	t.Helper()
	s := &Server{Username: "robot", Password: "s3cret", upstream: upstream}
	front := httptest.NewUnstartedServer(s)
	front.Config.ReadHeaderTimeout = time.Minute
	s.Host = front.Listener.Addr().String()
	front.Start()
	t.Cleanup(front.Close)
	return s
}

// Secure leads a host that speaks HTTPS to the registry, which does not.
func (s *Server) Secure() http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", s.Host, r.In.Host
		},
		ModifyResponse: func(r *http.Response) error {
			if location := r.Header.Get("Location"); location != "" {
				r.Header.Set("Location", strings.Replace(location, "http://", "https://", 1))
			}
			return nil
		},
		ErrorLog: log.New(io.Discard, "", 0), // of clients that are gone
	}
}
