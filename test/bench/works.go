package bench

import "time"

// Work is something that people do with a registry or a directory, in several ways.
type Work struct {
	Name    string // of its benchmarks and of its scripts' directory
	Title   string // in docs/benchmarks.md
	Tools   []string
	Sizes   []string // of what it is done on; "" for one size
	Request bool     // it speaks to a registry
}

// Ours is the contender that the others are compared with.
const Ours = "oci-promote"

// Latencies are what each request waits.
var Latencies = []time.Duration{0, 20 * time.Millisecond, 50 * time.Millisecond}

var registryTools = []string{Ours, "crane", "oras", "regctl", "flux"}

// Works are all that is measured, in the order of the page.
var Works = []Work{
	{"Build", "Build and tag with three tags", registryTools, []string{""}, true},
	{"PromoteDigest", "Promote with two tags, knowing the digest", registryTools, []string{""}, true},
	{"PromoteCommit", "Promote with two tags, knowing the commit", registryTools, []string{""}, true},
	{"Find", "Find the next version", registryTools, []string{"10", "1000", "10000"}, true},
	{"Pack", "Pack", []string{Ours, "tar-gzip", "tar-pigz", "flux"}, []string{"small", "5000x20KB", "500MB"}, false},
}
