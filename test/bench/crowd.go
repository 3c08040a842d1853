package bench

import (
	"fmt"
	"strings"
	"time"
)

// CrowdLatencies are what each request of a crowd waits: what counts there is the delay of the writes.
var CrowdLatencies = []time.Duration{20 * time.Millisecond}

// What must not happen to builds that run at once, as units of a benchmark: how many builds failed, got no candidate, or
// report one that names another's digest; how many candidates named two digests; 1 where the newest commit's is not the highest.
const (
	Failed     = "failed-builds"
	Unnumbered = "unnumbered-builds"
	Foreign    = "foreign-candidates"
	Moved      = "moved-candidates"
	Disorder   = "disorder"
)

// crowd is the table of a work that is done by many at once.
func (r *Results) crowd(work Work) string {
	var b strings.Builder
	b.WriteString("| | requests a build | the most | the slowest build | all of them | against ours | what went wrong |\n|---|---|---|---|---|---|---|\n")
	latency := fmt.Sprint(CrowdLatencies[0].Milliseconds())
	for _, tool := range work.Tools {
		whole, measured := r.median(work.Name, "", latency, tool, "ns/op")
		if !measured {
			fmt.Fprintf(&b, "| %s | not measured | | | | | |\n", tool)
			continue
		}
		requests, _ := r.median(work.Name, "", latency, tool, "requests/build")
		slowest, _ := r.median(work.Name, "", latency, tool, "slowest-ns")
		fmt.Fprintf(&b, "| %s | %.0f | %.0f | %s | %s | %s | %s |\n", tool, requests, r.most(work.Name, "", latency, tool, "most-requests"),
			round(slowest), round(whole), r.ratio(work.Name, "", latency, tool), r.wrong(work, latency, tool))
	}
	return b.String()
}

// wrong says in words what went wrong in the worst of the runs.
func (r *Results) wrong(work Work, latency, tool string) string {
	var all []string
	for _, w := range []struct{ unit, words string }{
		{Failed, "failed"},
		{Unnumbered, "got no candidate"},
		{Foreign, "report a candidate that is another's"},
	} {
		if n := r.most(work.Name, "", latency, tool, w.unit); n > 0 {
			all = append(all, fmt.Sprintf("up to %.0f builds %s", n, w.words))
		}
	}
	if n := r.most(work.Name, "", latency, tool, Moved); n > 0 {
		all = append(all, fmt.Sprintf("up to %.0f candidates named two digests", n))
	}
	if n := len(r.values[key(work.Name, "", latency, tool, Disorder)]); n > 0 {
		runs := len(r.values[key(work.Name, "", latency, tool, "ns/op")])
		all = append(all, fmt.Sprintf("the newest commit was not the highest in %d of %d runs", n, runs))
	}
	if len(all) == 0 {
		return "nothing"
	}
	return strings.Join(all, "; ")
}
