// Package internet is all that a program can reach: a proxy on loopback that plays every host.
package internet

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/test/programtest"
)

// Internet is all that the program can reach: a proxy that plays every host, over HTTPS too, and keeps each request
// whole. So a test has ghcr.io, and two hosts are two hosts.
type Internet struct {
	proxy *httptest.Server
	ca    string // file

	mu    sync.Mutex
	hosts map[string]http.Handler
	heard []Heard
}

// Heard is a request as it arrived.
type Heard struct {
	Scheme, Host, Text string // Text is the request line, the headers and the body
}

// Play lets the handler be a host, by name; the port belongs to that only if it is not the scheme's own.
func (n *Internet) Play(host string, handler http.Handler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[host] = handler
}

// Host is who plays a host, nil for nobody.
func (n *Internet) Host(name string) http.Handler {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.hosts[name]
}

// New plays no host yet.
func New(t *testing.T) *Internet {
	t.Helper()
	n := &Internet{hosts: map[string]http.Handler{}, ca: filepath.Join(t.TempDir(), "ca.pem")}
	programtest.Write(t, n.ca, string(authority(t).pem))
	n.proxy = httptest.NewUnstartedServer(http.HandlerFunc(n.serve))
	n.proxy.Config.ErrorLog = log.New(io.Discard, "", 0)
	n.proxy.Start()
	t.Cleanup(n.proxy.CloseClientConnections)
	t.Cleanup(n.proxy.Close)
	return n
}

// Env is what leads the program here. Only that no name is looked up is left to the machine.
func (n *Internet) Env() []string {
	return []string{"HTTP_PROXY=" + n.proxy.URL, "HTTPS_PROXY=" + n.proxy.URL, "SSL_CERT_FILE=" + n.ca, "SSL_CERT_DIR=/nowhere"}
}

// Requests are all that arrived, in their order.
func (n *Internet) Requests() []Heard {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]Heard(nil), n.heard...)
}

func (n *Internet) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		n.answer("http", r.Host, w, r)
		return
	}
	host := strings.TrimSuffix(r.Host, ":443")
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
	secure := tls.Server(conn, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		return authority(nil).issue(h.ServerName)
	}})
	server := &http.Server{
		ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { n.answer("https", host, w, r) }),
	}
	_ = server.Serve(&oneConn{conn: secure})
}

func (n *Internet) answer(scheme, host string, w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", r.Method, r.RequestURI)
	_ = r.Header.Write(&b)
	b.Write(body)
	n.mu.Lock()
	n.heard = append(n.heard, Heard{scheme, host, b.String()})
	n.mu.Unlock()
	r.URL.Scheme, r.URL.Host = scheme, host
	handler := n.Host(host)
	if handler == nil {
		http.Error(w, "nobody is here", http.StatusNotFound)
		return
	}
	handler.ServeHTTP(w, r)
}

// oneConn is a listener that has one connection, and ends with it.
type oneConn struct {
	conn net.Conn
	once sync.Once
}

func (l *oneConn) Accept() (c net.Conn, err error) {
	err = io.EOF
	l.once.Do(func() { c, err = l.conn, nil })
	return c, err
}
func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return l.conn.LocalAddr() }

// Raw answers with these bytes, which net/http would not send.
func Raw(w http.ResponseWriter, text string) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	out := bufio.NewWriter(conn)
	_, _ = out.WriteString(text)
	_ = out.Flush()
	_ = conn.Close()
}

// certificates is the one authority that the program trusts in these tests.
type certificates struct {
	pem    []byte
	key    *ecdsa.PrivateKey
	cert   *x509.Certificate
	mu     sync.Mutex
	issued map[string]*tls.Certificate
}

var (
	theAuthority *certificates
	makeOne      sync.Once
)

func authority(t *testing.T) *certificates {
	makeOne.Do(func() {
		t.Helper()
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "hostile"}, NotAfter: time.Now().Add(24 * time.Hour),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		theAuthority = &certificates{pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), key: key, cert: cert, issued: map[string]*tls.Certificate{}}
	})
	return theAuthority
}

func (c *certificates) issue(name string) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cert := c.issued[name]; cert != nil {
		return cert, nil
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(int64(len(c.issued) + 2)), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{name}}
	der, err := x509.CreateCertificate(rand.Reader, template, c.cert, &c.key.PublicKey, c.key)
	if err != nil {
		return nil, err
	}
	c.issued[name] = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: c.key}
	return c.issued[name], nil
}
