package verify

import (
	"slices"
	"time"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// mark is when a part of the way from a commit to live ended; zero for unknown.
type mark struct {
	part string
	at   time.Time
}

// leadOf tells how long the way took from a commit, and where the time went. A part whose end is
// not known is one with the next. The later mark is believed: what would have ended before it
// began, or after what follows it, is not known. Nil where no end is known.
func leadOf(commit time.Time, marks []mark) *pipeline.Lead {
	if !isDate(commit) {
		return nil
	}
	lead, last := &pipeline.Lead{}, commit
	var parts []string
	for _, m := range plausible(commit, marks) {
		parts = append(parts, m.part)
		if m.at.IsZero() {
			continue
		}
		lead.Parts = append(lead.Parts, pipeline.LeadPart{Of: parts, Seconds: seconds(m.at.Sub(last))})
		lead.Live = m.part == pipeline.LeadLive
		parts, last = nil, m.at
	}
	if lead.Parts == nil {
		return nil
	}
	lead.Seconds = seconds(last.Sub(commit))
	return lead
}

// isDate reports whether an artifact's time can be its commit's: tools that want the same bytes date
// all of them at the start of 1970.
func isDate(t time.Time) bool { return t.Year() > 1970 }

// plausible are marks of which none is before the commit or after a later one.
func plausible(commit time.Time, marks []mark) []mark {
	marks = slices.Clone(marks)
	var next time.Time
	for i, m := range slices.Backward(marks) {
		switch {
		case m.at.Before(commit), !next.IsZero() && m.at.After(next):
			marks[i].at = time.Time{}
		default:
			next = m.at
		}
	}
	return marks
}

func seconds(d time.Duration) int64 { return int64(d.Round(time.Second) / time.Second) }

// arrival is a promotion of which the median is made.
type arrival struct {
	artifact *pipeline.Artifact
	live     time.Time // live's first word that it is healthy; zero for unknown
}

// fewest is how many promotions make a median.
const fewest = 3

// medianOf is the median of the times from commit to live, of promotions from the lowest version
// up. What went back (an artifact that a lower version has too, or one that is older than that) is
// left out, and what is not known. Nil for fewer than three.
func medianOf(all []arrival) *pipeline.Median {
	var took []int64
	highest := uint64(0)
	for i, a := range all {
		repeated := slices.ContainsFunc(all[:i], func(b arrival) bool { return b.artifact.Desc.Digest == a.artifact.Desc.Digest })
		back := a.artifact.Height > 0 && a.artifact.Height < highest
		highest = max(highest, a.artifact.Height)
		if created := a.artifact.Created; !repeated && !back && isDate(created) && a.live.After(created) {
			took = append(took, seconds(a.live.Sub(created)))
		}
	}
	if len(took) < fewest {
		return nil
	}
	slices.Sort(took)
	middle := len(took) / 2
	m := &pipeline.Median{Seconds: took[middle], Of: len(took)}
	if len(took)%2 == 0 {
		m.Seconds = (took[middle-1] + took[middle]) / 2
	}
	return m
}
