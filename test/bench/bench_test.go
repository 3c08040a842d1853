package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/test/registrytest"
)

func BenchmarkBuild(b *testing.B)         { against(b, "Build") }
func BenchmarkBuildAgain(b *testing.B)    { against(b, "BuildAgain") }
func BenchmarkBuild10000(b *testing.B)    { against(b, "Build10000") }
func BenchmarkPromoteDigest(b *testing.B) { against(b, "PromoteDigest") }
func BenchmarkPromoteCommit(b *testing.B) { against(b, "PromoteCommit") }

func against(b *testing.B, work string) {
	s := open(b)
	each(b, s, WorkOf(work), Latencies, func(b *testing.B, tool string) {
		measure(b, s.server, func() cost { return s.one(b, work, "", tool) })
	})
}

// Flux's client asks six requests a tag, so that it gets no more than 10 tags, and 1,000 without latency.
func BenchmarkFind(b *testing.B) {
	s := open(b)
	work := WorkOf("Find")
	for _, size := range work.Sizes {
		b.Run("tags="+size, func(b *testing.B) {
			each(b, s, work, Latencies, func(b *testing.B, tool string) {
				if tool == "flux" && size != "10" {
					b.Skip("two requests and as many logins a tag: minutes")
				}
				measure(b, s.server, func() cost { return s.one(b, work.Name, size, tool) })
			})
		})
	}
}

// Builds of 16 commits at once, the latency being that of a near registry.
func BenchmarkBuilds16(b *testing.B) {
	s := open(b)
	each(b, s, WorkOf("Builds16"), CrowdLatencies, func(b *testing.B, tool string) {
		var all []crowd
		for range b.N {
			all = append(all, s.crowd(b, tool))
		}
		reportCrowds(b, all)
	})
}

func BenchmarkPoll1000(b *testing.B) { polls(b, "Poll1000") }
func BenchmarkPoll100(b *testing.B)  { polls(b, "Poll100") }

// polls measures a poll at each size. Nobody waits for one, so that there is no latency.
func polls(b *testing.B, name string) {
	work := WorkOf(name)
	s := paging(b, pages[name])
	for _, size := range work.Sizes {
		b.Run("tags="+size+"/tool="+Poller, func(b *testing.B) {
			measure(b, s.server, func() cost { return s.poll(b, size) })
		})
	}
}

// each runs f for each latency and each tool that is installed.
func each(b *testing.B, s *bench, work Work, latencies []time.Duration, f func(b *testing.B, tool string)) {
	for _, latency := range latencies {
		b.Run(fmt.Sprintf("latency=%dms", latency.Milliseconds()), func(b *testing.B) {
			for _, tool := range work.Tools {
				b.Run("tool="+tool, func(b *testing.B) {
					if !installed(b, tool) {
						b.Skip(tool + " is not installed")
					}
					s.server.SetLatency(latency)
					defer s.server.SetLatency(0)
					f(b, tool)
				})
			}
		})
	}
}

// measure reports what one run costs. The clock is the process's own: what happens around it is not measured.
func measure(b *testing.B, s *registrytest.Server, one func() cost) {
	b.Helper()
	var wall time.Duration
	var requests, chain, sent, answered, peak int64
	for range b.N {
		c := one()
		wall += c.wall
		peak = max(peak, c.peak)
		if s != nil {
			log := s.Requests()
			requests += int64(len(log))
			chain += int64(registrytest.LongestChain(log))
			for _, r := range log {
				sent += r.RequestBytes
			}
			answered += received(log)
		}
	}
	per := func(n int64) float64 { return float64(n) / float64(b.N) }
	b.ReportMetric(per(wall.Nanoseconds()), "ns/op")
	b.ReportMetric(float64(peak)/(1<<20), "peak-MB")
	if s != nil {
		b.ReportMetric(per(requests), "requests/op")
		b.ReportMetric(per(chain), "chain/op")
		b.ReportMetric(per(sent), "sent-bytes/op")
		b.ReportMetric(per(answered), "received-bytes/op")
	}
}

// received is the size of the answers' bodies, in bytes.
func received(log []registrytest.Request) (n int64) {
	for _, r := range log {
		n += r.ResponseBytes
	}
	return n
}

func BenchmarkPack(b *testing.B) {
	work := WorkOf("Pack")
	for _, size := range work.Sizes {
		tree := grow(b, size)
		b.Run("tree="+size, func(b *testing.B) {
			for _, tool := range work.Tools {
				b.Run("tool="+tool, func(b *testing.B) {
					if !installed(b, tool) {
						b.Skip(tool + " is not installed")
					}
					measure(b, nil, func() cost { return pack(b, tool, tree) })
				})
			}
		})
	}
}

// pack packs the tree into a file of its own, or as we do in a dry run, into none.
func pack(t testing.TB, tool, tree string) cost {
	t.Helper()
	dir, err := os.MkdirTemp(place, "pack")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	return job{"testdata/Pack/" + tool + ".sh", []string{
		"TREE=" + tree, "OUT=" + filepath.Join(dir, "out"), "HOME=" + dir, "COMMIT=" + commit(1), "HEIGHT=1", "SOURCE=" + source, "SOURCE_DATE_EPOCH=1767225600",
	}}.run(t)
}
