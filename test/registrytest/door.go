package registrytest

import (
	"net"
	"net/http"
	"testing"
	"time"
)

// Door opens one more address of the registry, until the test ends. The Host of a Request says through which door it
// came: of a process that has a door of its own, one knows all requests, whatever else is running.
func (s *Server) Door(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	front := &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	go func() { _ = front.Serve(listener) }() // ends with Close
	t.Cleanup(func() { _ = front.Close() })
	return listener.Addr().String()
}
