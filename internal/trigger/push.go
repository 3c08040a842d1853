// Package trigger reads the event that started a run. It is pure: JSON in, value out.
package trigger

import (
	"encoding/json"
	"fmt"
	"regexp"
	"time"
)

// Commit is a commit that an event tells about.
type Commit struct {
	ID   string    // 40 hex digits
	Time time.Time // UTC
}

var fullCommit = regexp.MustCompile(`^[0-9a-f]{40}$`)

// HeadCommit reads the commit of a push event. An event that has none (a deleted
// branch, or an event that is no push) gives the zero Commit; one that has an
// unreadable one is an error that names the field.
func HeadCommit(event []byte) (Commit, error) {
	var e struct {
		HeadCommit *struct {
			ID        string `json:"id"`
			Timestamp string `json:"timestamp"`
		} `json:"head_commit"`
	}
	if err := json.Unmarshal(event, &e); err != nil {
		return Commit{}, fmt.Errorf("reading the event: %w", err)
	}
	if e.HeadCommit == nil {
		return Commit{}, nil
	}
	if !fullCommit.MatchString(e.HeadCommit.ID) {
		return Commit{}, fmt.Errorf("reading the event: head_commit.id %q is not a commit of 40 hex digits", e.HeadCommit.ID)
	}
	t, err := time.Parse(time.RFC3339, e.HeadCommit.Timestamp)
	if err != nil {
		return Commit{}, fmt.Errorf("reading the event: head_commit.timestamp %q is not a time such as 2026-11-23T09:00:00Z", e.HeadCommit.Timestamp)
	}
	return Commit{e.HeadCommit.ID, t.UTC()}, nil
}
