package registrytest

import (
	"slices"
	"time"
)

// LongestChain is the length of the longest series of these requests of which each began after the one before it was
// answered: what a client pays in round trips, whatever it does at once. Two requests that could have run beside
// each other and by chance did not count as two, so measure with a latency above what a machine's scheduler may add.
func LongestChain(requests []Request) int {
	type event struct {
		at     time.Time
		begins bool
		n      int
	}
	var events []event
	for i, r := range requests {
		events = append(events, event{r.Start, true, i})
		if !r.Answered.IsZero() {
			events = append(events, event{r.Answered, false, i})
		}
	}
	slices.SortStableFunc(events, func(a, b event) int { return a.at.Compare(b.at) })
	depth, answered, longest := make([]int, len(requests)), 0, 0
	for _, e := range events {
		if e.begins {
			depth[e.n] = answered + 1
			longest = max(longest, depth[e.n])
		} else {
			answered = max(answered, depth[e.n])
		}
	}
	return longest
}
