package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/github"
	"github.com/oci-promote/oci-promote/internal/trigger"
)

// created is the time of the commit, so that the same commit gives the same digest
// on any machine: SOURCE_DATE_EPOCH (reproducible-builds.org), the push event, the
// GitHub API, in this order. The time of day is the last resort, with a warning.
func (c *command) created(ctx context.Context, rev bundle.Revision, api *github.Repository) (t time.Time, warning string, err error) {
	if epoch := c.getenv("SOURCE_DATE_EPOCH"); epoch != "" {
		seconds, err := strconv.ParseUint(epoch, 10, 33)
		if err != nil {
			return t, "", fmt.Errorf("SOURCE_DATE_EPOCH: %q is not a number of seconds since 1970", epoch)
		}
		return time.Unix(int64(seconds), 0).UTC(), "", nil
	}
	if t, err := c.pushTime(rev.Commit); err != nil || !t.IsZero() {
		return t, "", err
	}
	reason := "no GitHub token allows to ask"
	if api != nil {
		if t, err = api.CommitTime(ctx, rev.Commit); err == nil {
			return t, "", nil
		}
		reason = withHint(err)
	}
	return time.Now().UTC().Truncate(time.Second), "the time of the commit is not known (" + reason + "), so the artifact is dated now:" +
		" the same commit packed again will have another digest; set SOURCE_DATE_EPOCH to the commit's time to avoid that", nil
}

// pushTime is the commit's time from the push event that started the run, or zero
// when another event did, or the artifact's commit is not the one that was pushed.
func (c *command) pushTime(commit string) (time.Time, error) {
	if c.getenv("GITHUB_EVENT_NAME") != "push" || c.getenv("GITHUB_EVENT_PATH") == "" {
		return time.Time{}, nil
	}
	event, err := c.event()
	if err != nil {
		return time.Time{}, err
	}
	head, err := trigger.HeadCommit(event)
	if err != nil || head.ID != commit {
		return time.Time{}, err
	}
	return head.Time, nil
}
