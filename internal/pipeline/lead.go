package pipeline

// Lead is how long a change took from its commit to live, and where the time went. What is not
// known is in the next part: its name stands there too, and no time is guessed.
type Lead struct {
	Live    bool       `json:"live"`    // it runs there; else this is the way so far
	Seconds int64      `json:"seconds"` // from the commit to the end of the last part
	Parts   []LeadPart `json:"parts"`   // in the order of the path, at least one
}

// LeadPart is a part of the way: one of the parts below, or several together.
type LeadPart struct {
	Of      []string `json:"of"`
	Seconds int64    `json:"seconds"`
}

// The parts: from the commit to the end of the build's run, from there to integration's word, to
// the end of the promotion's run, to live's word.
const (
	LeadBuild       = "build"
	LeadIntegration = "integration"
	LeadPromotion   = "promotion"
	LeadLive        = "live"
)

// Median is the median of the lead times, from commit to live, of some promotions.
type Median struct {
	Seconds int64 `json:"seconds"`
	Of      int   `json:"of"` // so many promotions
}
