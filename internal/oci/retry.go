package oci

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"oras.land/oras-go/v2/registry/remote/retry"
)

// Retrier sends requests again after a passing fault, with the delay that the server
// asks for, until the run's budget is used up. One serves all clients of a run.
type Retrier struct {
	Budget time.Duration        // for all waits and failed retries together; zero is none
	Notify func(message string) // told before each wait; may be nil

	mu   sync.Mutex
	used time.Duration
}

// Transport adds the retries to base. A request body is sent again when it is a replay, or in memory. A request whose body
// cannot be had again (no GetBody) is sent once: its sender may have taken it away for that.
func (r *Retrier) Transport(base http.RoundTripper) http.RoundTripper {
	base = honest{whole{base}}
	return rewinder{r, base, &retry.Transport{Base: base, Policy: func() retry.Policy {
		return &policy{retrier: r}
	}}}
}

func (r *Retrier) tell(format string, args ...any) {
	if r.Notify != nil && r.Budget > 0 {
		r.Notify(fmt.Sprintf(format, args...))
	}
}

// charge takes d from the budget, or says that it is not left.
func (r *Retrier) charge(d time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d > r.Budget-r.used { // a sum could overflow: a server may ask for centuries
		return false
	}
	r.used += d
	return true
}

// honest tells a request that was given up from one that failed. net/http returns why
// a context was cancelled, which can be any error, such as that of the work beside it.
type honest struct{ next http.RoundTripper }

func (t honest) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil && req.Context().Err() != nil {
		return nil, req.Context().Err()
	}
	return resp, err
}

// whole reads the answer to a GET before it gives it on: one that breaks off halfway is a request that failed, and is
// sent again. Of a long one, such as a layer, it reads the beginning.
type whole struct{ next http.RoundTripper }

func (t whole) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil || req.Method != http.MethodGet {
		return resp, err
	}
	if _, err := beginning(resp, maxPageBytes+1); err != nil {
		_ = resp.Body.Close() // what failed was reading it
		return nil, fmt.Errorf("the answer broke off: %w", err)
	}
	return resp, nil
}

// policy decides for one request. oras-go's own waits 3 s at most and reads
// Retry-After only on 429 (docs/facts.md 18).
type policy struct {
	retrier *Retrier
	since   time.Time // when the attempt began; zero for the first, which is no retry
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
	var spent time.Duration
	if !p.since.IsZero() {
		spent = time.Since(p.since)
	}
	if !p.retrier.charge(spent) || !p.retrier.charge(wait) {
		p.retrier.tell("%s; trying again after %s would take longer than retry-for allows", fault, wait.Round(time.Millisecond))
		return -1, nil
	}
	p.since = time.Now().Add(wait)
	p.retrier.tell("%s; trying again in %s", fault, wait.Round(time.Millisecond))
	return wait, nil
}

// backoff doubles from 250 ms to 8 s, give or take a tenth, so that jobs that were
// refused together do not come back together.
func backoff(attempt int) time.Duration {
	d := 250 * time.Millisecond << min(attempt, 5)
	return d - d/10 + rand.N(d/5) //nolint:gosec // a jitter is no secret
}

// rewinder gives a request whose body is a replay the GetBody that sending it again
// needs: net/http sets it for in-memory bodies only, and a layer is in a file.
type rewinder struct {
	retrier *Retrier
	base    http.RoundTripper // without retries
	next    http.RoundTripper // with them
}

func (t rewinder) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body == http.NoBody { // of which oras-go's transport does not know that it can be sent again
		req = req.Clone(req.Context())
		req.Body = nil
	}
	if body, ok := req.Body.(turn); ok && req.GetBody == nil {
		req = req.Clone(req.Context())
		req.GetBody = body.again
	}
	if req.Context().Value(courtesyKey{}) != nil {
		return t.base.RoundTrip(req)
	}
	if once, ok := req.Context().Value(singleKey{}).(*single); ok {
		return t.retrier.roundTrip(t.base, req, once)
	}
	if req.Body != nil && req.GetBody == nil { // or a retry would be told of, and charged for, that never comes
		return t.base.RoundTrip(req)
	}
	return t.next.RoundTrip(req)
}
