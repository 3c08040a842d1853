package bench

import (
	"strings"
	"testing"
)

// A page that is made of measurements says of them what can be read from it again, and the rest of it stays.
func TestPageFromResults(t *testing.T) {
	results, err := Read(strings.NewReader(`machine-cores: 2
cpu: A
cpu: A
BenchmarkBuild/latency=50ms/tool=oci-promote-2  1  300000000 ns/op  10.00 chain/op  12.00 requests/op
BenchmarkBuild/latency=50ms/tool=oci-promote-2  1  300000000 ns/op  13.00 chain/op  12.00 requests/op
BenchmarkBuild/latency=50ms/tool=oci-promote-2  1  300000000 ns/op  13.00 chain/op  12.00 requests/op
BenchmarkBuild/latency=20ms/tool=oci-promote-2  1  100000000 ns/op  10.00 chain/op  12.00 requests/op
BenchmarkBuild/latency=20ms/tool=oci-promote-2  1  900000000 ns/op  10.00 chain/op  12.00 requests/op
BenchmarkBuild/latency=20ms/tool=oci-promote-2  1  200000000 ns/op  10.00 chain/op  12.00 requests/op
BenchmarkBuild/latency=50ms/tool=oras           1  900000000 ns/op  11.00 chain/op  13.00 requests/op
BenchmarkBuild/latency=20ms/tool=oras           1  500000000 ns/op  11.00 chain/op  13.00 requests/op
BenchmarkBuilds16/latency=20ms/tool=oci-promote-2 1 9000000000 ns/op 14 most-requests 12 requests/build 8000000000 slowest-ns
BenchmarkBuilds16/latency=20ms/tool=before-2  1 19000000000 ns/op 40 most-requests 31.5 requests/build 18000000000 slowest-ns 2 foreign-candidates
BenchmarkBuilds16/latency=20ms/tool=before-2  1 19000000000 ns/op 60 most-requests 32 requests/build 18000000000 slowest-ns 3 foreign-candidates 1 disorder
BenchmarkFind/tags=1000/latency=50ms/tool=oci-promote-2 1 50000000 ns/op 5 chain/op 6 requests/op
BenchmarkPoll100/tags=1000/tool=source-controller-2 1 50000000 ns/op 16 chain/op 24499 received-bytes/op 16 requests/op
BenchmarkPack/tree=500MB/tool=oci-promote-2  1  12345678901 ns/op  30.5 peak-MB
PASS
`))
	if err != nil {
		t.Fatal(err)
	}
	page, err := Splice("before\n"+begin+"\nold\n"+end+"\nafter\n", results.Markdown())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Splice(page, results.Markdown()); err != nil || again != page {
		t.Errorf("written again: %v\n%s", err, again)
	}
	if !strings.HasPrefix(page, "before\n") || !strings.HasSuffix(page, "\nafter\n") || strings.Contains(page, "old") {
		t.Errorf("page:\n%s", page)
	}
	for _, row := range []string{
		"Medians of 1 to 3 runs", "- cores: 2\n- cpu: A\n\n",
		"| oci-promote | 12 | 10 | | 200 ms | 300 ms |  |\n", "| oras | 13 | 11 | | 500 ms | 900 ms | 2.50 |\n",
		"| crane | not measured |", "| 12.3 s |  | 30 MB |\n", "100 tags a page\n\n", "| 1,000 | 16 | 16 | 24 KB |\n", "| 10,000 | not measured |", "among 1,000 tags",
		"| oci-promote | 12 | 14 | 8000 ms | 9000 ms |  | nothing |\n",
		"| before | 32 | 60 | 18.0 s | 19.0 s | 2.11 | up to 3 builds report a candidate that is another's; the newest commit was not the highest in 1 of 2 runs |\n",
	} {
		if !strings.Contains(page, row) {
			t.Errorf("the page lacks %q:\n%s", row, page)
		}
	}
	if requests, chain, err := Stated(page, WorkOf("Find"), "1000", Ours); requests != 6 || chain != 5 || err != nil {
		t.Errorf("stated: %d %d %v", requests, chain, err)
	}
	for _, missing := range []string{"crane", "nobody"} {
		if _, _, err := Stated(page, WorkOf("Build"), "", missing); err == nil {
			t.Errorf("the page is said to have numbers of %s", missing)
		}
	}
	if _, err := Splice("no marks", ""); err == nil {
		t.Error("a page without marks was written")
	}
}
