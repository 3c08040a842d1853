package github

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/internal/packagestest"
)

// packageHub is a GitHub with the package acme/fleet/platform: 0 to n-1 are its versions, each with the tags a-N and b-N but
// for every fifth, which has none.
type packageHub struct {
	keeper
	*packagestest.Hub
	ids []int64
}

const platform = "acme/fleet/platform"

func startPackageHub(t *testing.T, n int) *packageHub {
	t.Helper()
	h := &packageHub{}
	h.Hub, h.ids = pushed(n)
	h.keep(t, "/api/v3/", "/versions", map[string]http.HandlerFunc{"GET {rest...}": h.ServeHTTP, "DELETE {rest...}": h.ServeHTTP})
	return h
}

func pushed(n int) (h *packagestest.Hub, ids []int64) {
	h = &packagestest.Hub{Token: token}
	h.Organization("acme")
	for i := range n {
		var tags []string
		if i%5 > 0 || i == 0 {
			tags = []string{fmt.Sprint("a-", i), fmt.Sprint("b-", i)}
		}
		ids = append(ids, h.Push(platform, digestOf(i), tags...))
	}
	return h, ids
}

func (h *packageHub) open(t *testing.T) *Package {
	t.Helper()
	return openPackage(t, Options{APIURL: h.URL + "/api/v3"}, platform)
}

func openPackage(t *testing.T, o Options, path string) *Package {
	t.Helper()
	o.Token, o.Pause, o.UserAgent = token, 1, "oci-promote/test"
	p, err := OpenPackage(o, path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// meets has the n-th request of all, from 0 on, meet a fault.
func (h *packageHub) meets(f fault, at int) {
	h.fault = func(n int) fault {
		if n == at {
			return f
		}
		return nil
	}
}

// sent are the requests of a method.
func (h *packageHub) sent(method string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.requests {
		if strings.HasPrefix(r, method+" ") {
			n++
		}
	}
	return n
}

// deletePast deletes a version as somebody else would.
func (h *packageHub) deletePast(which int) {
	r := httptest.NewRequest(http.MethodDelete, fmt.Sprintf("/orgs/acme/packages/container/fleet%%2Fplatform/versions/%d", h.ids[which]), nil)
	r.Header.Set("Authorization", "Bearer "+token)
	h.ServeHTTP(httptest.NewRecorder(), r)
}
