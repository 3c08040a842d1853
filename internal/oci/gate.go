package oci

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"

	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// gate lets a run's first request go alone until its token is there, or its answer where it
// needs none. Requests that begin at once would each be refused first and ask for a token.
type gate struct {
	taken  atomic.Bool
	once   sync.Once
	opened chan struct{}

	given   atomic.Bool // a token service gave a token, to whoever asked
	refused error       // that the login is not accepted, which one question tells; set before it opens
}

func newGate() *gate { return &gate{opened: make(chan struct{})} }

func (g *gate) open(refused error) {
	g.once.Do(func() {
		g.refused = refused
		close(g.opened)
	})
}

// do sends with send, after the gate is open. An answer to the first request opens it, whatever
// that is but a refused login: the others then find out for themselves.
func (g *gate) do(ctx context.Context, send func() (*http.Response, error)) (*http.Response, error) {
	if g.taken.CompareAndSwap(false, true) {
		defer g.open(nil)
		return send()
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-g.opened:
		if g.refused != nil {
			return nil, g.refused
		}
		return send()
	}
}

// gatedCache opens the gate when it has a token, or knows that the login gets none.
type gatedCache struct {
	auth.Cache
	gate *gate
}

func (c gatedCache) Set(ctx context.Context, registry string, scheme auth.Scheme, key string, fetch func(context.Context) (string, error)) (string, error) {
	token, err := c.Cache.Set(ctx, registry, scheme, key, fetch)
	if err != nil && scheme == auth.SchemeBasic {
		err = noBasic(err)
	}
	var resp *errcode.ErrorResponse
	if errors.As(err, &resp) && resp.StatusCode == http.StatusUnauthorized {
		c.gate.open(err)
	}
	if err == nil && scheme == auth.SchemeBearer {
		c.gate.given.Store(true)
	}
	c.gate.open(nil)
	return token, err
}
