package oci

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// session is an upload that a registry has begun.
type session struct {
	location *url.URL // nil for none
	origin   *url.URL // that was asked
	login    string   // that it was asked with
}

type sessionKey struct{}

// note looks for the beginning of an upload in an answer.
func (s *session) note(req *http.Request, resp *http.Response) {
	location, err := resp.Location()
	if err != nil || req.Method != http.MethodPost || resp.StatusCode != http.StatusAccepted {
		return
	}
	*s = session{location, req.URL, resp.Request.Header.Get("Authorization")}
}

// abandon tells the registry that an upload does not go on, and does not mind what it says: one that is not told, or does
// not allow it (Distribution wants the right to delete, which we do not ask for), removes old sessions in time.
// It goes nowhere but to the registry itself.
func (r *Registry) abandon(ctx context.Context, s *session) {
	if s.location == nil || s.location.Scheme != s.origin.Scheme || s.location.Host != s.origin.Host {
		return
	}
	const patience = time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(context.WithValue(ctx, courtesyKey{}, true), http.MethodDelete, s.location.String(), http.NoBody)
	if err != nil {
		return
	}
	req.Header.Set("User-Agent", r.o.UserAgent)
	if s.login != "" {
		req.Header.Set("Authorization", s.login)
	}
	if resp, err := r.o.Transport.RoundTrip(req); err == nil { // without a client, which would ask for another token
		_ = resp.Body.Close()
	}
}

// courtesyKey marks a request that is not worth a second attempt.
type courtesyKey struct{}
