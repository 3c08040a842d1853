package bench

import (
	"os"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/test/registrytest"
)

// What docs/benchmarks.md says of our requests and of Flux's client's is still true. The latency is long enough that what is
// asked at once overlaps on a busy machine too; nothing here measures time.
func TestPageTellsTheRequests(t *testing.T) {
	page, err := os.ReadFile("../../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	s := open(t)
	small, next := s.history(t, 10)
	long, after := s.history(t, 1000)
	s.server.SetLatency(50 * time.Millisecond)
	check := func(work Work, size, tool string) {
		t.Helper()
		log := s.server.Requests()
		requests, chain, err := Stated(string(page), work, size, tool)
		got := registrytest.LongestChain(log)
		if err != nil || requests != len(log) || chain != got {
			t.Errorf("%s, %s %s: %d requests, the longest chain %d; the page says %d and %d (%v): make bench writes it anew\n%s",
				tool, work.Title, size, len(log), got, requests, chain, err, s.server.RequestLog())
		}
	}
	for _, work := range Works[:3] {
		for _, tool := range []string{Ours, "flux"} {
			s.one(t, work.Name, tool)
			check(work, "", tool)
		}
	}
	s.find(t, Ours, small, next)
	check(Works[3], "10", Ours)
	s.find(t, Ours, long, after)
	check(Works[3], "1000", Ours)
}

// Each tree is packed by what needs no installing.
func TestPackRuns(t *testing.T) {
	for _, tool := range []string{Ours, "tar-gzip", "flux"} {
		pack(t, tool, grow(t, "small"))
	}
}
