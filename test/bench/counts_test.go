package bench

import (
	"os"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/test/registrytest"
)

// What docs/benchmarks.md says of our requests and of Flux's client's is still true. Nothing here measures time.
func TestPageTellsTheRequests(t *testing.T) {
	page, err := os.ReadFile("../../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	s := open(t)
	small, next := s.history(t, 10)
	long, after := s.history(t, 1000)
	s.server.SetLatency(50 * time.Millisecond)
	check := func(work Work, size, tool string, do func()) {
		t.Helper()
		requests, chain, err := Stated(string(page), work, size, tool)
		if err != nil {
			t.Error(err)
			return
		}
		var log []registrytest.Request
		got := 0
		for range 5 { // what is asked at once may begin apart on a busy machine, and then counts as a longer chain
			do()
			log = s.server.Requests()
			if got = registrytest.LongestChain(log); got <= chain {
				break
			}
		}
		if requests != len(log) || chain != got {
			t.Errorf("%s, %s %s: %d requests, the longest chain %d; the page says %d and %d: make bench writes it anew\n%s",
				tool, work.Title, size, len(log), got, requests, chain, s.server.RequestLog())
		}
	}
	for _, work := range Works[:3] {
		for _, tool := range []string{Ours, "flux"} {
			check(work, "", tool, func() { s.one(t, work.Name, tool) })
		}
	}
	check(Works[3], "10", Ours, func() { s.find(t, Ours, small, next) })
	check(Works[3], "1000", Ours, func() { s.find(t, Ours, long, after) })
}

// Each tree is packed by what needs no installing.
func TestPackRuns(t *testing.T) {
	for _, tool := range []string{Ours, "tar-gzip", "flux"} {
		pack(t, tool, grow(t, "small"))
	}
}
