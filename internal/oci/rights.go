package oci

import (
	"sync/atomic"

	"oras.land/oras-go/v2/registry/remote/auth"
)

// rights are the actions that a run asks a token service for.
type rights struct {
	actions []string // asked for at once
	deletes bool     // the run may ask for the right to delete too
	wanted  atomic.Bool
}

func newRights(o Options) *rights {
	r := &rights{actions: []string{auth.ActionPull}}
	if !o.ReadOnly {
		r.actions = append(r.actions, auth.ActionPush)
		r.deletes = o.Delete
	}
	return r
}

// asked are the actions that a request asks for. The right to delete is asked for once a challenge has: to some
// registries the right to push is that to delete, and the word is an error (docs/facts.md 37).
func (r *rights) asked() []string {
	if r.wanted.Load() {
		return append(r.actions[:len(r.actions):len(r.actions)], auth.ActionDelete)
	}
	return r.actions
}

// may reports whether a challenge may ask for an action, and takes note of what it asks. Other words than those of the
// specification are a registry's own, such as the right to list tags.
func (r *rights) may(action string) bool {
	switch action {
	case "*":
		return false
	case auth.ActionPush:
		return len(r.actions) > 1
	case auth.ActionDelete:
		if r.deletes {
			r.wanted.Store(true)
		}
		return r.deletes
	}
	return true
}
