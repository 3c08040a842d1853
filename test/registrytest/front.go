package registrytest

import (
	"net/http"
	"net/http/httptest"
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
