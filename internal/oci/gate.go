package oci

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"

	"oras.land/oras-go/v2/registry/remote/auth"
)

// gate lets a run's first request go alone until its token is there, or its answer where it
// needs none. Requests that begin at once would each be refused first and ask for a token.
type gate struct {
	taken  atomic.Bool
	once   sync.Once
	opened chan struct{}
}

func newGate() *gate { return &gate{opened: make(chan struct{})} }

func (g *gate) open() { g.once.Do(func() { close(g.opened) }) }

// do sends with send, after the gate is open. An answer to the first request opens it, whatever
// that is: the others then find out for themselves.
func (g *gate) do(ctx context.Context, send func() (*http.Response, error)) (*http.Response, error) {
	if g.taken.CompareAndSwap(false, true) {
		defer g.open()
		return send()
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-g.opened:
		return send()
	}
}

// gatedCache opens the gate when it has a token.
type gatedCache struct {
	auth.Cache
	gate *gate
}

func (c gatedCache) Set(ctx context.Context, registry string, scheme auth.Scheme, key string, fetch func(context.Context) (string, error)) (string, error) {
	defer c.gate.open()
	return c.Cache.Set(ctx, registry, scheme, key, fetch)
}
