// Package pipeline is what the modes share: the report, the port to a repository, and the
// questions that one asks of it. Each mode is a room of its own (build, promote, verify) that
// reads a snapshot, decides on a plan (a value), and applies it; none knows another.
//
// It knows no HTTP, no GitHub and no Actions: those come in through two ports, Repository
// and History.
package pipeline

import (
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"
)

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

	PrunedOutcome Outcome = "pruned" // artifacts that nothing needs were deleted
)

// Report is the result of a run, as the output "report" and --json give it. Text in
// it may come from outside; whoever prints it makes it harmless.
type Report struct {
	Mode       string        `json:"mode"`
	Outcome    Outcome       `json:"outcome"`
	Reason     string        `json:"reason"`          // one line: why this outcome
	Proof      string        `json:"proof,omitempty"` // of a promotion: on whose word
	Unproven   *Unproven     `json:"unvalidated,omitempty"`
	Next       string        `json:"next,omitempty"` // what happens now by itself, or what to do
	Repository string        `json:"repository"`
	Version    string        `json:"version,omitempty"`
	Candidate  string        `json:"candidate,omitempty"`
	Digest     digest.Digest `json:"digest,omitempty"`
	Reference  string        `json:"reference,omitempty"` // repository@digest
	SHA        string        `json:"sha,omitempty"`       // commit, 40 hex digits
	Tags       []string      `json:"tags"`                // pipeline tags that the run wrote or checked
	Plan       []string      `json:"plan,omitempty"`      // of a dry run: what would be written, in order
	Selected   *Selected     `json:"selected,omitempty"`
	Artifact   *Packed       `json:"artifact,omitempty"`
	Highest    string        `json:"highest,omitempty"`  // the highest stable now
	Previous   *Stable       `json:"previous,omitempty"` // the stable before a promotion
	Rollback   *Rollback     `json:"rollback,omitempty"`
	Rescued    []Rescued     `json:"rescued,omitempty"`
	Release    string        `json:"release,omitempty"` // page of the GitHub release
	Issue      string        `json:"issue,omitempty"`   // page of the tracking issue
	Deployed   *Deployed     `json:"deployed,omitempty"`
	Commented  []Commented   `json:"commented,omitempty"`
	Notices    []string      `json:"notices,omitempty"`
	Warnings   []string      `json:"warnings,omitempty"`
	Retention  *Retention    `json:"retention,omitempty"` // of mode prune only
	*Diagnosis               // of mode verify only

	InPlace []string `json:"-"` // of a run that failed: the tags that it had written, or found written, by then
}

// Selected is the tag that each cluster picks from the repository now; empty where
// its constraint matches none.
type Selected struct {
	Integration string `json:"integration"`
	Live        string `json:"live"`
}

// Packed is what a build packed.
type Packed struct {
	Revision string        `json:"revision"`
	Created  time.Time     `json:"created"`
	Content  digest.Digest `json:"content"` // of the uncompressed tar
	Height   uint64        `json:"height"`  // of the commit: N of rc.N
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

// Unproven is why nothing vouches for the health of an artifact that a person promoted.
type Unproven struct {
	Never  bool   `json:"never"`  // integration never reported exactly this artifact healthy; false: it is not known whether it did
	Reason string `json:"reason"` // integration's last word on it, or why it is not known; text from outside
}

// Rollback is a promotion by which live goes back.
type Rollback struct {
	To   string   `json:"to"`             // the highest stable that its artifact had before, or its candidate
	Held []string `json:"held,omitempty"` // candidates in flight that it holds back: validated late, they are superseded
}

// Deployed is what GitHub's deployments of the artifact show: of what is there now, and of what
// this run changed.
type Deployed struct {
	Page        string       `json:"page"`
	Deployments []Deployment `json:"deployments"`
}

// Deployment is one artifact in one of GitHub's environments.
type Deployment struct {
	Environment string        `json:"environment"`
	Version     string        `json:"version"`
	Digest      digest.Digest `json:"digest"`
	State       string        `json:"state"` // in_progress, success, failure or inactive
	Did         string        `json:"did"`   // created, updated or unchanged
}

// Commented is the pull requests on which a run wrote a comment about one arrival.
type Commented struct {
	Version string `json:"version"`
	Back    bool   `json:"back,omitempty"` // it took their changes back
	Pulls   []int  `json:"pulls"`
}

// Notice adds a line that is good to know.
func (r *Report) Notice(format string, args ...any) {
	r.Notices = append(r.Notices, fmt.Sprintf(format, args...))
}

// Warn adds a line that may want a hand.
func (r *Report) Warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}
