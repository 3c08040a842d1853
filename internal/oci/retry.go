package oci

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"oras.land/oras-go/v2/registry/remote/retry"
)

// Retrier sends requests again after a passing fault, with the delay that the server
// asks for, until the run's budget is used up. One serves all clients of a run.
type Retrier struct {
	Budget time.Duration        // for all waits and failed attempts together; zero is none
	Notify func(message string) // told before each wait; may be nil

	mu   sync.Mutex
	used time.Duration
}

// Transport adds the retries to base. A request body is sent again when it can seek.
func (r *Retrier) Transport(base http.RoundTripper) http.RoundTripper {
	return rewinder{&retry.Transport{Base: base, Policy: func() retry.Policy {
		return &policy{retrier: r, since: time.Now()}
	}}}
}

// charge takes d from the budget, or says that it is not left.
func (r *Retrier) charge(d time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.used+d > r.Budget {
		return false
	}
	r.used += d
	return true
}

// policy decides for one request. oras-go's own waits 3 s at most and reads
// Retry-After only on 429 (facts 18).
type policy struct {
	retrier *Retrier
	since   time.Time // when the attempt began
}

func (p *policy) Retry(attempt int, resp *http.Response, err error) (time.Duration, error) {
	fault := transient(resp, err)
	if fault == "" {
		return -1, nil
	}
	wait := backoff(attempt)
	if asked, ok := askedDelay(resp); ok {
		// A delay of a millisecond that is asked for again and again must not spin.
		wait = max(asked, wait/8)
	}
	if !p.retrier.charge(time.Since(p.since) + wait) {
		return -1, nil
	}
	p.since = time.Now().Add(wait)
	if p.retrier.Notify != nil {
		p.retrier.Notify(fmt.Sprintf("%s; trying again in %s", fault, wait.Round(time.Millisecond)))
	}
	return wait, nil
}

// backoff doubles from 250 ms to 8 s, give or take a tenth, so that jobs that were
// refused together do not come back together.
func backoff(attempt int) time.Duration {
	d := 250 * time.Millisecond << min(attempt, 5)
	return d - d/10 + rand.N(d/5) //nolint:gosec // a jitter is no secret
}

// transient names a fault that may pass, or is empty.
func transient(resp *http.Response, err error) string {
	if err != nil {
		if permanent(err) {
			return ""
		}
		return reason(err)
	}
	switch resp.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return "the server answered " + resp.Status
	case http.StatusForbidden:
		// GitHub's secondary limits arrive as 403 with a text (facts 12).
		if strings.Contains(strings.ToLower(string(peek(resp))), "rate limit") {
			return "the server answered " + resp.Status + ": rate limit"
		}
	}
	return ""
}

// permanent errors come back however often one asks.
func permanent(err error) bool {
	var (
		dns    *net.DNSError
		cert   *tls.CertificateVerificationError
		record tls.RecordHeaderError
	)
	return errors.Is(err, context.Canceled) ||
		errors.As(err, &dns) && dns.IsNotFound || errors.As(err, &cert) || errors.As(err, &record) ||
		errors.Is(err, http.ErrSchemeMismatch)
}

// bodyDelay is GHCR's way to ask for a delay: a Go duration in the body (facts 12).
var bodyDelay = regexp.MustCompile(`(?i)retry-after: *([0-9.]+[a-zµ]+)`)

// askedDelay reads the server's own delay: the header Retry-After in seconds or as
// a date (RFC 9110, 10.2.3), else GHCR's form.
func askedDelay(resp *http.Response) (time.Duration, bool) {
	if resp == nil {
		return 0, false
	}
	header := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if date, err := http.ParseTime(header); err == nil {
		return max(0, time.Until(date)), true
	}
	if m := bodyDelay.FindSubmatch(peek(resp)); m != nil {
		if d, err := time.ParseDuration(string(m[1])); err == nil {
			return max(0, d), true
		}
	}
	return 0, false
}

// peek reads the beginning of a response body and leaves it in place.
func peek(resp *http.Response) []byte {
	const limit = 8 << 10
	start, err := io.ReadAll(io.LimitReader(resp.Body, limit))
	rest := io.Reader(resp.Body)
	if err != nil {
		rest = failing{err}
	}
	resp.Body = body{io.MultiReader(bytes.NewReader(start), rest), resp.Body}
	return start
}

type body struct {
	io.Reader
	io.Closer
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// rewinder gives a request whose body can seek the GetBody that sending it again
// needs: net/http sets it for in-memory bodies only, and a layer is in a file.
type rewinder struct{ next http.RoundTripper }

func (t rewinder) RoundTrip(req *http.Request) (*http.Response, error) {
	if seeker, ok := req.Body.(io.Seeker); ok && req.GetBody == nil {
		content := req.Body
		req = req.Clone(req.Context())
		req.GetBody = func() (io.ReadCloser, error) {
			_, err := seeker.Seek(0, io.SeekStart)
			return content, err
		}
	}
	return t.next.RoundTrip(req)
}
