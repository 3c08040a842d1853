// Package registrytest runs a real OCI registry (CNCF Distribution, as a process of its own) behind a proxy that
// records every request, can slow requests down, and can make any of them fail in any way.
package registrytest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Options say how a registry differs from a fast one that lets everybody in. The zero value is the default.
type Options struct {
	// Token asks clients for a bearer token, given at http://HOST/token for Username and Password.
	Token bool
	// Username and Password are what the token service accepts; "robot" and "s3cret" if empty.
	Username, Password string
	// PageSize is the most tags that one page of a tag list holds, also if the client asks for no number of
	// tags, as on ghcr.io. Without it Distribution gives all tags, or at most 1,000 of those asked for.
	PageSize int
	// DefaultPage is the number of tags on a page for clients that ask for no number; who asks for more gets more, up
	// to 1,000. So does ghcr.io, with 100.
	DefaultPage int
	// Latency is waited before each request, also those for a token.
	Latency time.Duration
	// WriteDelay, if set, gives the time to wait before each PUT of a manifest: see RandomDelay.
	WriteDelay func() time.Duration
	// NoKeepAlive has the proxy open a connection to the registry for each request, so that none stays open behind it.
	NoKeepAlive bool
	// NoDelete has the registry delete nothing, as Distribution is unless it is set up to.
	NoDelete bool
	// Binary is a registry to run in place of Distribution 3, with the same command line, configuration and storage: see
	// Debian. It asks for no token.
	Binary string
}

// Server is a running registry. Its methods may be called from many goroutines at once.
type Server struct {
	// Host is the address for clients, "127.0.0.1:PORT", over plain HTTP.
	Host string
	// Username and Password are accepted if the registry asks for any.
	Username, Password string

	storage  string // root of the filesystem driver; "" of a Front
	options  Options
	process  *process
	front    *http.Server
	tokens   *tokenService
	upstream http.Handler

	mu        sync.Mutex
	log       []*Request
	latency   time.Duration
	intercept Interceptor
}

// Start runs a registry until the test ends. The first call in a test process may compile the registry.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := New(t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// New runs a registry that keeps its files in dir, an existing and empty directory, until Close.
func New(dir string, o Options) (*Server, error) {
	if o.Username == "" {
		o.Username = "robot"
	}
	if o.Password == "" {
		o.Password = "s3cret"
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{
		Host:     listener.Addr().String(),
		Username: o.Username,
		Password: o.Password,
		storage:  filepath.Join(dir, "storage"),
		options:  o,
		latency:  o.Latency,
	}
	if err := s.startUpstream(dir); err != nil {
		return nil, errors.Join(fmt.Errorf("starting a registry: %w", err), listener.Close())
	}
	s.front = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.front.Serve(listener) }() // ends with Close
	return s, nil
}

func (s *Server) startUpstream(dir string) error {
	if err := os.MkdirAll(s.storage, 0o755); err != nil {
		return err
	}
	if s.options.Token {
		var err error
		if s.tokens, err = newTokenService(s.Host, s.Username, s.Password); err != nil {
			return err
		}
		if err := s.tokens.writeKeys(filepath.Join(dir, "jwks.json")); err != nil {
			return err
		}
	}
	binary, err := s.binary()
	if err != nil {
		return err
	}
	process, err := startProcess(dir, binary, func(socket string) any { return s.config(dir, socket) })
	if err != nil {
		return err
	}
	s.process = process
	s.upstream = s.reverseProxy(func(ctx context.Context, _, _ string) (net.Conn, error) {
		return process.dial(ctx)
	})
	return nil
}

func (s *Server) binary() (string, error) {
	switch {
	case s.options.Binary == "":
		return build()
	case s.options.Token:
		return "", fmt.Errorf("%s is not set up to ask for a token", s.options.Binary)
	}
	return s.options.Binary, nil
}

// Close ends the registry and every open connection. What it stored stays.
func (s *Server) Close() error {
	return errors.Join(s.front.Close(), s.process.stop())
}

// config is Distribution's configuration file. JSON is YAML too.
func (s *Server) config(dir, socket string) any {
	type object = map[string]any
	config := object{
		"version": "0.1",
		"log":     object{"level": "warn", "accesslog": object{"disabled": true}},
		"storage": object{
			"filesystem":  object{"rootdirectory": s.storage},
			"delete":      object{"enabled": !s.options.NoDelete},
			"maintenance": object{"uploadpurging": object{"enabled": false}},
		},
		"http": object{"net": "unix", "addr": socket, "secret": "of no use outside of this test"},
	}
	if s.options.PageSize > 0 {
		config["tags"] = object{"maxtags": s.options.PageSize}
	}
	if s.options.Token {
		config["auth"] = object{"token": object{
			"realm":   s.tokens.realm,
			"service": tokenServiceName,
			"issuer":  tokenIssuer,
			"jwks":    filepath.Join(dir, "jwks.json"),
			// the realm of each door is behind that door
			"autoredirect":     true,
			"autoredirectpath": tokenPath,
		}}
	}
	return config
}
