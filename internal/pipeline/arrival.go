package pipeline

import (
	"time"

	"github.com/opencontainers/go-digest"
)

// Running is what one cluster has of an artifact, for whoever shows it.
type Running struct {
	Cluster string        `json:"cluster"` // integration or live
	Version string        `json:"version"` // by which the cluster selected it
	Digest  digest.Digest `json:"digest"`
	Commit  string        `json:"commit"` // 40 hex digits
	State   RunningState  `json:"state"`
	Says    string        `json:"says,omitempty"` // the cluster's words; text from outside
}

// RunningState is how far a cluster has come with an artifact that it selects or runs.
type RunningState string

// The states. What a cluster has no more is not listed.
const (
	Applying RunningState = "applying" // selected, and not reported healthy yet
	Runs     RunningState = "runs"     // reported healthy
	Fails    RunningState = "fails"    // reported not healthy
)

// Arrival is a stable that live reported healthy a short while ago, and what it ran before.
type Arrival struct {
	Version        string    `json:"version"`
	Commit         string    `json:"commit"`
	Previous       string    `json:"previous"`       // version that live ran before; empty for none
	PreviousCommit string    `json:"previousCommit"` // empty where Previous is
	Rollback       bool      `json:"rollback"`       // live went back
	At             time.Time `json:"at"`             // live's report
}
