package oci

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

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
		return host(resp) + " answered " + resp.Status
	case http.StatusForbidden:
		if limited(resp) {
			return host(resp) + " answered " + resp.Status + ": rate limit"
		}
	}
	return ""
}

// limited reports whether a 403 is a limit: GitHub's secondary ones arrive so, with a text (docs/facts.md 12), or, in answer to
// a HEAD, with the header alone.
func limited(resp *http.Response) bool {
	return resp.Header.Get("Retry-After") != "" || strings.Contains(strings.ToLower(string(peek(resp))), "rate limit")
}

func host(resp *http.Response) string {
	if resp.Request == nil {
		return "the server"
	}
	return resp.Request.URL.Host
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

// bodyDelay is GHCR's way to ask for a delay: a Go duration in the body (docs/facts.md 12).
var bodyDelay = regexp.MustCompile(`(?i)retry-after: *([0-9.]+[a-zµ]+)`)

// askedDelay reads the server's own delay: the header Retry-After in seconds or as
// a date (RFC 9110, 10.2.3), else GHCR's form.
func askedDelay(resp *http.Response) (time.Duration, bool) {
	if resp == nil {
		return 0, false
	}
	if resp.Header.Get("X-RateLimit-Remaining") == "0" { // GitHub's primary limit says when it is free again
		if reset, err := strconv.ParseInt(resp.Header.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			return max(0, time.Until(time.Unix(reset, 0))), true
		}
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
