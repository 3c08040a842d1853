// Package pipeline is the story of an artifact from merge to live. Each mode reads
// a snapshot of the repository, decides on a plan (a value), and applies it.
//
// It knows no HTTP, no GitHub and no Actions: those come in through two ports,
// Repository and History.
package pipeline

import (
	"context"
	"errors"
	"time"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/registry"

	"github.com/oci-promote/oci-promote/internal/version"
)

// Repository is where artifacts live. oras-go's *remote.Repository and *oci.Store
// both are one, so a test's fake is a real store.
//
// Tags of a repository that does not exist yet are none, without an error; any
// other failure to list is an error.
type Repository interface {
	oras.Target
	registry.TagLister
}

// History is what a build asks of the git repository's host.
type History interface {
	// Contains reports whether commit is newer or an ancestor of it. To ask the other way round costs nothing.
	Contains(ctx context.Context, newer, commit string) (bool, error)
	// Messages are the messages of the commits after since up to and including until
	// that touch path ("." for any).
	Messages(ctx context.Context, since, until, path string) ([]string, error)
}

// Outcome is what a run did.
type Outcome string

// The outcomes of a build, of a promotion, and of a look at both.
const (
	Created    Outcome = "created"    // a new candidate
	Promoted   Outcome = "promoted"   // a new stable
	Unchanged  Outcome = "unchanged"  // it was all there, or only missing tags were added
	Pending    Outcome = "pending"    // validated or approved, but its build is not complete
	Superseded Outcome = "superseded" // what is there already is newer
	Ignore     Outcome = "ignored"    // the event proves nothing, or is about something else
	Planned    Outcome = "planned"    // a dry run
	Healthy    Outcome = "healthy"    // the gate works: nothing needs a hand
	Unhealthy  Outcome = "unhealthy"  // something does
)

// Report is the result of a run, as the output "report" and --json give it. Text in
// it may come from outside; whoever prints it makes it harmless.
type Report struct {
	Mode       string        `json:"mode"`
	Outcome    Outcome       `json:"outcome"`
	Reason     string        `json:"reason"`          // one line: why this outcome
	Proof      string        `json:"proof,omitempty"` // of a promotion: on whose word
	Next       string        `json:"next,omitempty"`  // what happens now by itself, or what to do
	Repository string        `json:"repository"`
	Version    string        `json:"version,omitempty"`
	Candidate  string        `json:"candidate,omitempty"`
	Digest     digest.Digest `json:"digest,omitempty"`
	Reference  string        `json:"reference,omitempty"` // repository@digest
	SHA        string        `json:"sha,omitempty"`       // commit, 40 hex digits
	Tags       []string      `json:"tags"`                // pipeline tags that the run wrote or checked
	Plan       []string      `json:"plan,omitempty"`      // of a dry run: what would be written, in order
	Selected   *Selected     `json:"selected,omitempty"`
	Artifact   *Artifact     `json:"artifact,omitempty"`
	Highest    string        `json:"highest,omitempty"`  // the highest stable now
	Previous   *Stable       `json:"previous,omitempty"` // the stable before a promotion
	Rollback   *Rollback     `json:"rollback,omitempty"`
	Rescued    *Rescued      `json:"rescued,omitempty"`
	Release    string        `json:"release,omitempty"` // page of the GitHub release
	Issue      string        `json:"issue,omitempty"`   // page of the tracking issue
	Notices    []string      `json:"notices,omitempty"`
	Warnings   []string      `json:"warnings,omitempty"`
	*Diagnosis               // of mode verify only
}

// Selected is the tag that each cluster picks from the repository now; empty where
// its constraint matches none.
type Selected struct {
	Integration string `json:"integration"`
	Live        string `json:"live"`
}

// Artifact is what a build packed.
type Artifact struct {
	Revision string        `json:"revision"`
	Created  time.Time     `json:"created"`
	Content  digest.Digest `json:"content"` // of the uncompressed tar
	Files    int           `json:"files"`
	Bytes    int64         `json:"bytes"` // of the files
	Size     int64         `json:"size"`  // of the compressed layer
	LeftOut  int           `json:"leftOut,omitempty"`
}

// Stable is a stable tag and what it names. Digest and SHA may be unknown.
type Stable struct {
	Version string        `json:"version"`
	Digest  digest.Digest `json:"digest,omitempty"`
	SHA     string        `json:"sha,omitempty"`
}

// Rollback is a promotion of an artifact that was live before.
type Rollback struct {
	To      string   `json:"to"`                // the highest stable that it had before
	Held    []string `json:"held,omitempty"`    // candidates in flight that it holds back: validated late, they are superseded
	NotHeld []string `json:"notHeld,omitempty"` // candidates in flight above it: validated, they go live
}

// Rescued is a stranded artifact that got a candidate which integration can select.
type Rescued struct {
	From      string        `json:"from"` // the candidate that was stranded
	Candidate string        `json:"candidate"`
	Digest    digest.Digest `json:"digest"`
}

// Clusters is how the two clusters select.
type Clusters struct{ Integration, Live version.Constraint }

func (c Clusters) selected(tags []string) *Selected {
	return &Selected{c.Integration.Select(tags), c.Live.Select(tags)}
}

// refusal is an input that the state of the repository does not allow. Nothing was
// written.
type refusal struct{ text, hint string }

func (r *refusal) Error() string { return r.text }

// Hint is what to do about it.
func (r *refusal) Hint() string { return r.hint }

// withHint is an error with what to do about it, on one line.
func withHint(err error) string {
	if hint := hintOf(err); hint != "" {
		return err.Error() + "; " + hint
	}
	return err.Error()
}

// hintOf is what to do about err; may be empty.
func hintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

// tagImmutable reports whether a registry refused to move a tag (facts 17).
func tagImmutable(err error) bool {
	var refused interface{ TagImmutable() bool }
	return errors.As(err, &refused) && refused.TagImmutable()
}
