package pipeline

import (
	"time"

	"github.com/opencontainers/go-digest"
)

// KeepRule is what keeps an artifact. Rules are stable: people read them in reports.
type KeepRule string

// The rules of mode prune.
const (
	KeptStable   KeepRule = "stable"    // one of the last stables
	KeptSelected KeepRule = "selected"  // a cluster selects it
	KeptNewest   KeepRule = "newest"    // the newest candidate
	KeptRunning  KeepRule = "running"   // a cluster told that it runs it
	KeptForeign  KeepRule = "foreign"   // it has a tag that is not the pipeline's, or is not of its format
	KeptIndexed  KeepRule = "indexed"   // an index lists it
	KeptYoung    KeepRule = "young"     // it is younger than keep-for, or does not tell its age
	KeptInFlight KeepRule = "in-flight" // its build or its promotion is not complete
	KeptAttached KeepRule = "attached"  // something that is attached to it stays
	KeptOpen     KeepRule = "open"      // it may go live yet
	KeptRollback KeepRule = "rollback"  // it shows that live went back, or holds back what a rollback passed
)

// KeepRules are all of them, in the order in which they are told.
var KeepRules = []KeepRule{
	KeptStable, KeptSelected, KeptNewest, KeptRunning, KeptRollback, KeptOpen, KeptInFlight, KeptYoung, KeptForeign, KeptIndexed, KeptAttached,
}

// Retention is what mode prune keeps and deletes.
type Retention struct {
	Applied bool     `json:"applied"` // false: it only tells
	Kept    int      `json:"kept"`    // artifacts that are there after the run
	Deleted int      `json:"deleted"` // artifacts that this run, or another one beside it, deleted
	Left    int      `json:"left"`    // over what one run deletes, for the next one to look at: a rule may keep some
	Bytes   int64    `json:"bytes"`   // of what goes, as far as nothing else needs it; free once the registry has collected its garbage
	Keep    []KeptBy `json:"keep"`    // each artifact once, by the first rule that keeps it
	Delete  []Pruned `json:"delete"`  // the oldest first
	Rungs   []Rung   `json:"rungs"`   // the ladder, from the highest version down

	At time.Time `json:"at"` // from when ages count back
}

// KeptBy is how many artifacts a rule keeps.
type KeptBy struct {
	Rule      KeepRule `json:"rule"`
	Artifacts int      `json:"artifacts"`
}

// The states of what goes.
const (
	PrunedPlanned = "planned"
	PrunedDeleted = "deleted"
	PrunedGone    = "gone" // somebody else deleted it meanwhile
	PrunedKept    = "kept" // it has changed since the plan
)

// Pruned is one artifact that goes.
type Pruned struct {
	Version  string        `json:"version"` // the highest that names it
	Digest   digest.Digest `json:"digest"`
	Commit   string        `json:"commit"`
	Since    time.Time     `json:"since"` // from when its age counts
	Tags     []string      `json:"tags"`
	Bytes    int64         `json:"bytes"`              // of its manifest and blobs, whoever shares them
	Attached int           `json:"attached,omitempty"` // manifests that refer to it, and go with it
	Reason   string        `json:"reason"`             // why no rule keeps it, or what has changed
	State    string        `json:"state"`
}

// Rung is a row of artifacts with one fate, whose versions follow each other.
type Rung struct {
	From      string   `json:"from"` // the highest version
	To        string   `json:"to"`   // the lowest
	Artifacts int      `json:"artifacts"`
	Rule      KeepRule `json:"rule,omitempty"` // that keeps them
	Goes      bool     `json:"goes,omitempty"`
	Left      bool     `json:"left,omitempty"` // for the next run
}
