package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/oci-promote/oci-promote/internal/trigger"
)

// told is the time of the commit as the run itself tells it, so that the same commit gives the same digest on any machine:
// SOURCE_DATE_EPOCH (reproducible-builds.org), else the push event, else zero.
func (c *command) told(commit string) (time.Time, error) {
	if epoch := c.getenv("SOURCE_DATE_EPOCH"); epoch != "" {
		t, err := unixTime(epoch)
		if err != nil {
			return t, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
		}
		return t, nil
	}
	return c.pushTime(commit)
}

func unixTime(s string) (time.Time, error) {
	seconds, err := strconv.ParseUint(s, 10, 33)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a number of seconds since 1970", s)
	}
	return time.Unix(int64(seconds), 0).UTC(), nil
}

// date asks the clone and then GitHub for the commit's time. The time of day is the last resort, with a warning.
func (o origin) date(ctx context.Context) (t time.Time, warning string) {
	if o.clone != nil {
		if t, err := o.clone.time(ctx, o.commit); err == nil {
			return t, ""
		}
	}
	reason := "no GitHub token allows to ask"
	if o.api != nil {
		t, err := o.api.CommitTime(ctx, o.commit)
		if err == nil {
			return t, ""
		}
		reason = withHint(err)
	}
	return o.now().UTC().Truncate(time.Second), "the time of the commit is not known (" + reason + "), so the artifact is dated now:" +
		" the same commit packed again will have another digest; set SOURCE_DATE_EPOCH to the commit's time to avoid that"
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
