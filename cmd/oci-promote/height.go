package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/github"
)

// origin is where the commit of a build stands in history: its height and its time. What the run does not tell is zero,
// and asked for: of GitHub, and by hand of the clone first.
type origin struct {
	commit  string
	height  uint64
	created time.Time
	clone   *clone             // nil in the action, where git refuses to work (docs/facts.md 21)
	api     *github.Repository // nil where no token allows to ask
	now     func() time.Time
}

// origin reads what the run itself tells of the commit. Nothing is sent yet.
func (c *command) origin(rev bundle.Revision, height uint64, clone *clone, api *github.Repository) (o origin, err error) {
	o = origin{commit: rev.Commit, height: height, clone: clone, api: api, now: c.now}
	o.created, err = c.told(rev.Commit)
	return o, err
}

// ask completes what is known. It may run beside all that needs no manifest. The warning, if there is one, is about the time;
// a height that nobody knows is an error.
func (o origin) ask(ctx context.Context) (height uint64, created time.Time, warning string, err error) {
	height, created = o.height, o.created
	if height == 0 {
		var at time.Time
		if height, at, err = o.count(ctx); err != nil {
			return 0, time.Time{}, "", err
		}
		if created.IsZero() { // the answer has it, or the clone is asked in its turn
			created = at
		}
	}
	if created.IsZero() {
		created, warning = o.date(ctx)
	}
	return height, created, warning, ctx.Err()
}

// count finds the height, and where GitHub tells it the time too. It is never guessed: a wrong one would stand in the order
// of all candidates for ever. A height is the same whoever counts, so that GitHub helps where a clone is shallow.
func (o origin) count(ctx context.Context) (height uint64, at time.Time, err error) {
	var reasons []string
	hint := "give the input height, which `git rev-list --count COMMIT` tells in a full clone; or let GitHub tell it: token, with `permissions: contents: read`, and GITHUB_REPOSITORY"
	if o.clone != nil {
		hint = "give --height N; or a --path in a full clone that has the commit (git fetch --unshallow); or GITHUB_TOKEN, with contents: read, and GITHUB_REPOSITORY, to ask GitHub"
		if height, err = o.clone.height(ctx, o.commit); err == nil {
			return height, at, nil
		}
		reasons = append(reasons, err.Error())
	}
	if o.api == nil {
		reasons = append(reasons, "no GitHub token allows to ask, or GITHUB_REPOSITORY is not set")
	} else if height, at, err = o.api.Height(ctx, o.commit); err == nil {
		return height, at, nil
	} else {
		reasons = append(reasons, withHint(err))
	}
	if err = ctx.Err(); err != nil {
		return 0, at, err
	}
	return 0, at, &hinted{fmt.Errorf("finding the height of commit %.7s: %s", o.commit, strings.Join(reasons, "; ")), hint}
}

// readHeight is the input height, or 0 where it is not set.
func readHeight(r *action.Reader) uint64 {
	return action.Get(r, "height", func(s string) (uint64, error) {
		if s == "" {
			return 0, nil
		}
		return parseHeight(s)
	})
}

func parseHeight(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n < 1 || n > bundle.MaxHeight || strconv.FormatUint(n, 10) != s {
		return 0, fmt.Errorf("%q is not a whole number from 1 to %d", s, uint64(bundle.MaxHeight))
	}
	return n, nil
}
