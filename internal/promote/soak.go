package promote

import (
	"fmt"
	"time"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// soak is for how long integration ran an artifact, healthy without a break: from since until
// it went on to another, or now.
type soak struct {
	need  time.Duration
	now   time.Time
	since time.Time // zero where the newest word does not prove health
	says  string    // why it does not
	mend  string    // and how it would

	until  time.Time // zero where integration did not go on
	to     string    // the candidate to which it went on
	unsure string    // why it is not known whether it went on; empty where it is
}

// lasted is for how long. A word from the future counts as said now.
func (s *soak) lasted() time.Duration {
	end := s.now
	if !s.until.IsZero() && s.until.Before(end) {
		end = s.until
	}
	return max(0, end.Sub(s.since))
}

// over reports whether nothing is left to wait for; nil is an artifact that need not soak.
func (s *soak) over() bool {
	return s == nil || !s.since.IsZero() && s.unsure == "" && s.lasted() >= s.need
}

// unsoaked is the plan of an artifact that has not soaked: a later run promotes it, if integration
// goes on running it.
func (f facts) unsoaked() plan {
	s := f.soak
	lasted := s.progress()
	p := plan{outcome: pipeline.Pending}
	switch {
	case s.since.IsZero():
		p.reason, p.next = s.says, s.mend
	case s.unsure != "":
		p.reason, p.next = fmt.Sprintf("healthy for up to %s; %s", lasted, s.unsure), "the newest candidate goes live when it has soaked"
	case !s.until.IsZero():
		p.reason = fmt.Sprintf("integration went on to %s after %s", s.to, lasted)
		p.next = "nothing has to be done: the newest candidate goes live when it has soaked; to have exactly this artifact live, promote it by hand with its digest, without a soak"
	case f.manual == nil && f.subject.Proven:
		p.reason = fmt.Sprintf("healthy for %s; the next run after %s promotes it", lasted, s.ends())
		p.next = "nothing has to be done: a run of mode tag on a schedule promotes it then, if integration stays with it and it stays healthy"
	default: // neither an approval nor a version is kept anywhere
		p.reason, p.next = "healthy for "+lasted, "run this again after "+s.ends()
	}
	return p
}

// ends is when the artifact has soaked if nothing comes between, in whole minutes of UTC.
func (s *soak) ends() string {
	at := s.since.Add(s.need).UTC()
	if up := at.Truncate(time.Minute); up.Before(at) {
		at = up.Add(time.Minute)
	}
	if at.Format(time.DateOnly) == s.now.UTC().Format(time.DateOnly) {
		return at.Format("15:04 UTC")
	}
	return at.Format("2006-01-02 15:04 UTC")
}

// progress is how much of the time is over, such as "12m of 1h".
func (s *soak) progress() string { return s.healthyFor() + " of " + pipeline.Span(s.need) }

// healthyFor is lasted for people: in minutes, where nobody counts in seconds.
func (s *soak) healthyFor() string {
	lasted, unit := s.lasted(), time.Minute
	if lasted < unit || s.need%unit != 0 {
		unit = time.Second
	}
	return pipeline.Span(lasted.Truncate(unit))
}
