package pipeline

import (
	"time"

	"github.com/opencontainers/go-digest"
)

// Stage is a part of the path from a commit to live.
type Stage string

// The stages in their order.
const (
	Built                 Stage = "built"
	Numbered              Stage = "numbered"
	SelectedByIntegration Stage = "selected by integration"
	Validated             Stage = "validated"
	PromotedStage         Stage = "promoted"
	SelectedByLive        Stage = "selected by live"
	RunningOnLive         Stage = "running on live"
)

// Stages is the whole path.
var Stages = []Stage{Built, Numbered, SelectedByIntegration, Validated, PromotedStage, SelectedByLive, RunningOnLive}

// State is how far an artifact has come at one stage.
type State string

// The states of a step. Where the path ends, the steps behind it are ahead.
const (
	Reached  State = "reached"
	Waiting  State = "waiting"    // not yet, and not late
	Stopped  State = "stopped"    // not reached, and a finding tells why
	Followed State = "superseded" // not reached, and never will be: something newer goes in its place
	Unknown  State = "unknown"    // it cannot be told from what this run may read; of the last stage it is no fault
	Ahead    State = "ahead"      // an earlier step is not reached
)

// Step is one stage of an artifact's path. At is zero where the time is not known.
type Step struct {
	Stage    Stage     `json:"stage"`
	State    State     `json:"state"`
	At       time.Time `json:"at,omitzero"`
	Evidence Evidence  `json:"evidence"`
}

// Evidence is what shows that a step is in its state. Status and Run are text from outside.
type Evidence struct {
	Tag    string        `json:"tag,omitempty"`
	Digest digest.Digest `json:"digest,omitempty"`
	Status string        `json:"status,omitempty"` // a commit status: its context, state and description; or how old one is
	Run    string        `json:"run,omitempty"`    // page of a workflow run
}

// Severity is how bad a finding is.
type Severity string

// The severities. An error is something that a person has to mend; a warning may be one; an
// info is good to know.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Code names a kind of finding. Codes are stable: people write rules about them.
type Code string

// What the registry tells.
const (
	NotBuilt                 Code = "not-built"
	NoCandidate              Code = "no-candidate"
	Stranded                 Code = "stranded"
	SupersededBy             Code = "superseded"
	Stuck                    Code = "stuck"
	HeadNotBuilt             Code = "head-not-built"
	NotSelectedByIntegration Code = "not-selected-by-integration"
	NotSelectedByLive        Code = "not-selected-by-live"
	HalfPromoted             Code = "half-promoted"
	TagMoved                 Code = "tag-moved"
	RevisionMismatch         Code = "revision-mismatch"
	NotAFluxArtifact         Code = "not-a-flux-artifact"
	MissingBlob              Code = "missing-blob"
)

// What GitHub tells.
const (
	BuildFailed          Code = "build-failed"
	NoReport             Code = "no-report"
	ValidationFailed     Code = "validation-failed"
	ValidatedNotPromoted Code = "validated-not-promoted"
	PromotionRepeats     Code = "promotion-repeats"
	LiveFailed           Code = "live-failed"
	LiveNoReport         Code = "live-no-report"
	LiveBehind           Code = "live-behind"
	TokenCannotRead      Code = "token-cannot-read"
	GitHubNotRead        Code = "github-not-read"
)

// ProviderFailing is what a cluster tells, or GitHub and a cluster together. The other codes that a cluster
// alone tells are internal/cluster's.
const ProviderFailing Code = "provider-failing"

// Finding is one thing that verify found. Message and Hint are one line each and may hold
// text from outside.
type Finding struct {
	Code     Code      `json:"code"`
	Severity Severity  `json:"severity"`
	Stage    Stage     `json:"stage"`
	Message  string    `json:"message"`        // what is wrong, and the likely cause
	Hint     string    `json:"hint"`           // the command or setting that mends it
	Since    time.Time `json:"since,omitzero"` // zero for unknown
}

// Diagnosis is what verify found out, beside what every report has.
type Diagnosis struct {
	At       time.Time `json:"at"`     // when it was looked at
	Commit   string    `json:"commit"` // whose path it is; empty where nothing was built
	Path     []Step    `json:"path"`
	Findings []Finding `json:"findings"` // the most severe first, of those the earliest on the path
	Versions []Version `json:"versions"` // highest first

	Lead       *Lead     `json:"lead,omitempty"`       // of that commit
	MedianLead *Median   `json:"medianLead,omitempty"` // of the last promotions
	Running    []Running `json:"running,omitempty"`    // integration's, then live's; what is not known is not there
	Arrivals   []Arrival `json:"arrivals,omitempty"`   // of the last 24 hours, the oldest first

	NotKnown bool `json:"-"` // GitHub could not be asked at all, and what would tell of trouble is there; the findings say so in JSON
}

// Version is one artifact of the repository.
type Version struct {
	Version    string        `json:"version"` // the highest that names it
	Commit     string        `json:"commit,omitempty"`
	Digest     digest.Digest `json:"digest"`
	Created    time.Time     `json:"created,omitzero"`
	Tags       []string      `json:"tags"`
	SelectedBy []string      `json:"selectedBy,omitempty"` // integration, live
}

// Worst is the severity of the worst finding; empty where there is none.
func (d Diagnosis) Worst() Severity {
	if len(d.Findings) == 0 {
		return ""
	}
	return d.Findings[0].Severity
}
