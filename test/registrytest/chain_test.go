package registrytest_test

import (
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/test/registrytest"
)

func TestLongestChain(t *testing.T) {
	epoch := time.Unix(0, 0)
	for name, c := range map[string]struct {
		spans [][2]int // from, to; a "to" of 0 is no answer
		want  int
	}{
		"nothing":                       {nil, 0},
		"one":                           {[][2]int{{1, 2}}, 1},
		"one after the other":           {[][2]int{{1, 2}, {3, 4}, {5, 6}}, 3},
		"at once":                       {[][2]int{{1, 4}, {2, 5}, {3, 6}}, 1},
		"a short one beside two":        {[][2]int{{1, 9}, {1, 2}, {3, 4}}, 2},
		"the long way counts":           {[][2]int{{1, 2}, {1, 4}, {3, 6}, {5, 6}, {7, 8}}, 3},
		"what overlaps is no successor": {[][2]int{{1, 3}, {2, 5}, {4, 7}, {6, 8}}, 2},
		"without an answer":             {[][2]int{{1, 0}, {2, 3}, {4, 5}}, 2},
	} {
		var log []registrytest.Request
		for _, s := range c.spans {
			r := registrytest.Request{Start: epoch.Add(time.Duration(s[0]))}
			if s[1] > 0 {
				r.Answered = epoch.Add(time.Duration(s[1]))
			}
			log = append(log, r)
		}
		if got := registrytest.LongestChain(log); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
