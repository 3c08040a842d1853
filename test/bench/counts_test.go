package bench

import (
	"maps"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/test/registrytest"
)

// A limit is what the registry may be asked: requests of any kind, and the longest chain of them; 0 is any number.
type limit struct{ requests, chain int }

// What issue 17 allows us, in its words.
var limits = map[string]limit{
	"Build":         {12, 7}, // "build: at most 12 requests, longest chain at most 7"
	"BuildAgain":    {6, 0},  // "a repeat: at most 6"
	"Build10000":    {32, 0}, // "10,000 tags: at most 32 requests for a build"
	"PromoteDigest": {9, 7},  // "Promote by digest: at most 9, chain 7, where the event names the tag"
	"PromoteCommit": {11, 8}, // "Promote by commit: at most 11, chain 8"
}

const (
	crowdLimit = 14      // "16 builds at once, writes delayed by up to 3 s: at most 14 requests a build"
	findLimit  = "crane" // "next version without a request more than crane ls"
)

// What docs/benchmarks.md says of our requests and of Flux's client's is still true, and ours are within the limits. Nothing
// here measures time.
func TestPageTellsTheRequests(t *testing.T) {
	text, err := os.ReadFile("../../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	p := page{open(t), string(text)}
	for _, work := range Works {
		if work.Kind != Requests {
			continue
		}
		for _, size := range work.Sizes {
			t.Run(work.Name+size, func(t *testing.T) { p.check(t, work, size, Ours, p.limit(t, work, size)) })
		}
	}
	for _, name := range []string{"Build", "PromoteDigest", "PromoteCommit"} {
		t.Run(name+" of flux", func(t *testing.T) { p.check(t, WorkOf(name), "", "flux", limit{}) })
	}
}

// page is docs/benchmarks.md, and where what it says is tried.
type page struct {
	bench *bench
	text  string
}

// limit is what the issue allows us; for the next version it is what the page says of crane, which may not be installed.
func (p page) limit(t *testing.T, work Work, size string) limit {
	t.Helper()
	if work.Name != "Find" {
		return limits[work.Name]
	}
	requests, _, err := Stated(p.text, work, size, findLimit)
	if err != nil {
		t.Error(err)
	}
	return limit{requests, 0}
}

func (p page) check(t *testing.T, work Work, size, tool string, allowed limit) {
	t.Helper()
	requests, chain, err := Stated(p.text, work, size, tool)
	if err != nil {
		t.Errorf("%v: make bench writes it", err)
		chain = allowed.chain
	}
	log, got := p.least(t, work, size, tool, chain)
	if err == nil && (requests != len(log) || chain != got) {
		t.Errorf("%d requests, the longest chain %d; the page says %d and %d: make bench writes it anew\n%s",
			len(log), got, requests, chain, p.bench.server.RequestLog())
	}
	if allowed.requests > 0 && len(log) > allowed.requests || allowed.chain > 0 && got > allowed.chain {
		t.Errorf("%d requests, the longest chain %d; allowed are %+v\n%s", len(log), got, allowed, p.bench.server.RequestLog())
	}
}

// least does the work until its chain is as expected, at most five times: what is asked at once may begin apart on a busy
// machine, and then counts as a longer chain. Where nothing is expected (0), once.
func (p page) least(t *testing.T, work Work, size, tool string, expected int) (log []registrytest.Request, chain int) {
	t.Helper()
	p.bench.server.SetLatency(50 * time.Millisecond)
	defer p.bench.server.SetLatency(0)
	for range 5 {
		p.bench.one(t, work.Name, size, tool)
		log = p.bench.server.Requests()
		if chain = registrytest.LongestChain(log); chain <= expected || expected == 0 {
			break
		}
	}
	return log, chain
}

// What docs/benchmarks.md says of a poll is still true, and each poll is made of what the page says: a ping and a token
// before the list and before the HEAD, and pages of the size that heads the table, up to one that is not full.
func TestPageTellsThePolls(t *testing.T) {
	text, err := os.ReadFile("../../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int{"Poll1000": 1000, "Poll100": 100} {
		work, b := WorkOf(name), paging(t, pages[name])
		_, table, _ := strings.Cut(string(text), "### "+work.Title+"\n")
		table, _, _ = strings.Cut(table, "\n#")
		for _, tags := range work.Sizes {
			t.Run(name+" of "+tags, func(t *testing.T) {
				b.poll(t, tags)
				log := b.server.Requests()
				row := pollRow(tags, float64(len(log)), float64(registrytest.LongestChain(log)), float64(received(log)))
				if !strings.Contains(table, row) {
					t.Errorf("the page lacks %q under %q: make bench writes it anew", row, work.Title)
				}
				all, _ := strconv.Atoi(tags)
				want := map[string]int{"ping": 2, "token": 2, "list": all/size + 1, "HEAD": 1}
				if got := asked(log); !maps.Equal(got, want) || !strings.HasSuffix(log[2].Path, "/tags/list?n=1000") {
					t.Errorf("asked %v, want %v, the first page by n=1000\n%s", got, want, b.server.RequestLog())
				}
			})
		}
	}
}

// asked counts the requests of a poll by what they are.
func asked(log []registrytest.Request) map[string]int {
	kinds := map[string]int{}
	for _, r := range log {
		switch path, _, _ := strings.Cut(r.Path, "?"); {
		case path == "/v2/":
			kinds["ping"]++
		case path == "/token":
			kinds["token"]++
		case strings.HasSuffix(path, "/tags/list"):
			kinds["list"]++
		default:
			kinds[r.Method]++
		}
	}
	return kinds
}

// Each of 16 builds at once asks no more than it may, and has a number of its own.
func TestCrowdCosts(t *testing.T) {
	b := open(t)
	b.server.SetLatency(CrowdLatencies[0])
	c := b.crowd(t, Ours)
	if most := c.requests[len(c.requests)-1]; most > crowdLimit {
		t.Errorf("requests of each: %d; at most %d are allowed\n%s", c.requests, crowdLimit, c.log)
	}
}

// Each tree is packed by what needs no installing.
func TestPackRuns(t *testing.T) {
	for _, tool := range []string{Ours, "tar-gzip", "flux"} {
		pack(t, tool, grow(t, "small"))
	}
}
