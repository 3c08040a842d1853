package bench

import (
	"slices"
	"time"
)

// Work is something that people do with a registry or a directory, in several ways.
type Work struct {
	Name  string // of its benchmarks
	Title string // in docs/benchmarks.md
	Tools []string
	Sizes []string // of what it is done on; "" for one size
	Kind  Kind
}

// Kind is what is told of a work.
type Kind int

// Requests, chains and times at each latency; what each of many at once needs, and what went wrong; how fast it packs; or
// what one that nobody waits for asks and receives.
const (
	Requests Kind = iota
	Crowd
	Packing
	Polls
)

// Ours is the contender that the others are compared with; Before is we at an earlier commit; Poller is what a cluster polls
// with.
const (
	Ours   = "oci-promote"
	Before = "before"
	Poller = "source-controller"
)

// Latencies are what each request waits.
var Latencies = []time.Duration{0, 20 * time.Millisecond, 50 * time.Millisecond}

var (
	registryTools = []string{Ours, Before, "crane", "oras", "regctl", "flux"}
	onlyWe        = []string{Ours, Before}
	onlyPoller    = []string{Poller}
	one           = []string{""}
	histories     = []string{"60", "100", "1000", "10000"}
)

// Works are all that is measured, in the order of the page.
var Works = []Work{
	{"Build", "Build and tag with three tags", registryTools, one, Requests},
	{"BuildAgain", "Build the same commit again", onlyWe, one, Requests},
	{"Builds16", "16 builds at once", onlyWe, one, Crowd},
	{"Build10000", "Build in a repository of 10,000 tags", onlyWe, one, Requests},
	{"PromoteDigest", "Promote with two tags, knowing the digest", registryTools, one, Requests},
	{"PromoteCommit", "Promote with two tags, knowing the commit", registryTools, one, Requests},
	{"Find", "Find the next version", registryTools, []string{"10", "1000", "10000"}, Requests},
	{"Poll1000", "One poll of source-controller's client, 1,000 tags a page", onlyPoller, histories, Polls},
	{"Poll100", "One poll of source-controller's client, 100 tags a page", onlyPoller, histories, Polls},
	{"Pack", "Pack", []string{Ours, "tar-gzip", "tar-pigz", "flux"}, []string{"small", "5000x20KB", "500MB"}, Packing},
}

// WorkOf is the work of that name. It panics if there is none.
func WorkOf(name string) Work {
	return Works[slices.IndexFunc(Works, func(w Work) bool { return w.Name == name })]
}
