package chaos

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oci-promote/oci-promote/test/registrytest"
)

// loadFaults lets each request fail with a probability, in one of the ways in which requests fail.
type loadFaults struct {
	probability float64
	off         atomic.Bool

	mu    sync.Mutex
	dice  *rand.Rand
	count int
	met   map[string]int // by the door of the run, in this round
}

var loadFaultKinds = []registrytest.Interceptor{
	registrytest.Status(http.StatusTooManyRequests, http.Header{"Retry-After": {"1"}}, `{"errors":[{"code":"TOOMANYREQUESTS"}]}`),
	registrytest.Status(http.StatusTooManyRequests, nil, `{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 20ms, allowed: 44000/minute"}]}`),
	registrytest.Status(http.StatusServiceUnavailable, nil, "unavailable"),
	registrytest.Status(http.StatusBadGateway, nil, "bad gateway"),
	registrytest.DropBefore,
	registrytest.DropAfter,
	registrytest.DropAfter,
	loadLate,
}

// loadLate lets a write take effect somewhat later, and drops the connection then.
func loadLate(w http.ResponseWriter, r *http.Request, n int, next http.Handler) {
	if r.Method == http.MethodPut {
		time.Sleep(50 * time.Millisecond)
	}
	registrytest.DropAfter(w, r, n, next)
}

func (f *loadFaults) intercept(w http.ResponseWriter, r *http.Request, n int, next http.Handler) {
	if kind := f.throw(r.Host); kind != nil {
		kind(w, r, n, next)
		return
	}
	next.ServeHTTP(w, r)
}

func (f *loadFaults) throw(host string) registrytest.Interceptor {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.off.Load() || f.dice.Float64() >= f.probability {
		return nil
	}
	f.count++
	f.met[host]++
	return loadFaultKinds[f.dice.IntN(len(loadFaultKinds))]
}
