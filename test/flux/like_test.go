package flux

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// varies are what differs between two recordings of the same thing, and what stands for each of them.
var varies = []struct {
	pattern *regexp.Regexp
	mask    string
}{
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "UID"},
	{regexp.MustCompile(`/[0-9a-f]{8}$`), "UID"},    // Flux's own context of a status ends with a part of one
	{regexp.MustCompile(`\.[0-9a-f]{16}$`), "NAME"}, // of an Event
	{regexp.MustCompile(`(\d+\.\d+\.\d+(-rc\.\d+)?@)?sha256:[0-9a-f]{64}`), "DIGEST"},
	{regexp.MustCompile(`\b[0-9a-f]{40}\b`), "COMMIT"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z|\b\d{10}\.\d{9}\b`), "TIME"},
	{regexp.MustCompile(`\b(\d+(\.\d+)?(ms|µs|s))+\b`), "DURATION"},
	{regexp.MustCompile(`\b(127\.0\.0\.1|localhost\.?):\d+`), "ADDRESS"},
	{regexp.MustCompile(`on \d+\.\d+\.\d+\.\d+:53`), "RESOLVER"},
	{regexp.MustCompile(`/tmp/[^ ]*kustomization-\d+`), "FOLDER"},
	{regexp.MustCompile(`generation \d+ -> \d+`), "GENERATIONS"},
}

// counters are the keys whose numbers say no more than how often something has happened.
var counters = map[string]bool{
	"resourceVersion": true, "generation": true, "observedGeneration": true, "totalReconciliations": true, "size": true,
	"reportingInstance": true, "count": true,
}

// recording makes a new recording like the one before it: where two texts differ in no more than varies, the old one stays,
// and a new text says the old ids. So a second recording of the same behaviour is no change.
type recording struct {
	was map[string]string // ids of the new recording, and what the old one has in their place
}

// like changes what is now, decoded JSON, into a recording after the one before, which is nil for none.
func like(before, now any) any {
	r := &recording{was: map[string]string{}}
	r.keep("", before, now)
	return r.keep("", before, now) // the second time all ids are known
}

func (r *recording) keep(key string, before, now any) any {
	switch now := now.(type) {
	case object:
		old, _ := before.(object)
		kept := object{}
		for name, value := range now {
			kept[name] = r.keep(name, old[name], value)
		}
		return kept
	case []any:
		old, _ := before.([]any)
		now = inOrderOf(old, now)
		kept := make([]any, len(now))
		for i, value := range now {
			var was any
			if i < len(old) {
				was = old[i]
			}
			kept[i] = r.keep("", was, value)
		}
		return kept
	case string:
		if old, ok := before.(string); ok && (counters[key] || r.learn(old, now)) {
			return old
		}
		return r.translate(now)
	default:
		if before != nil && counters[key] {
			return before
		}
		return now
	}
}

// inOrderOf has conditions in the order that those of the same types had before; it varies with the time between two.
func inOrderOf(old, now []any) []any {
	place := func(all []any, kind any) int {
		return slices.IndexFunc(all, func(c any) bool { o, ok := c.(object); return ok && o["type"] != nil && o["type"] == kind })
	}
	ordered := make([]any, 0, len(now))
	for _, was := range old {
		o, _ := was.(object)
		if i := place(now, o["type"]); i >= 0 {
			ordered = append(ordered, now[i])
		}
	}
	if len(old) != len(now) || len(ordered) != len(now) {
		return now
	}
	return ordered
}

// learn reports whether two texts differ in no more than varies, and remembers which id stands for which.
func (r *recording) learn(old, now string) bool {
	if mask(old) != mask(now) {
		return false
	}
	for _, v := range varies {
		was := v.pattern.FindAllString(old, -1)
		for i, id := range v.pattern.FindAllString(now, -1) {
			if i < len(was) && v.mask != "TIME" && v.mask != "DURATION" {
				r.was[id] = was[i]
			}
		}
	}
	return true
}

func (r *recording) translate(s string) string {
	for id, was := range r.was {
		s = strings.ReplaceAll(s, id, was)
	}
	return s
}

func mask(s string) string {
	for _, v := range varies {
		s = v.pattern.ReplaceAllString(s, v.mask)
	}
	return s
}

// TestLike: what varies stays as it was; what changed is new, and speaks of the old ids.
func TestLike(t *testing.T) {
	before := `{"size":3,"uid":"3f59f5c6-9055-4718-8dbd-66811d073819","at":"2026-11-23T02:00:19Z","url":"http://127.0.0.1:15000/x","list":["a","took 3.2ms"],"gone":1,"conditions":[{"type":"Ready"},{"type":"Stalled","at":1}]}`
	now := `{"size":4,"uid":"11111111-9055-4718-8dbd-66811d073819","at":"2027-01-01T00:00:00Z","url":"http://127.0.0.1:23456/x","list":["b","took 1.5s","new on 127.0.0.1:23456"],"word":"yes","conditions":[{"type":"Stalled","at":2},{"type":"Ready"}]}`
	want := `{"at":"2026-11-23T02:00:19Z","conditions":[{"type":"Ready"},{"at":2,"type":"Stalled"}],"list":["b","took 3.2ms","new on 127.0.0.1:15000"],"size":3,"uid":"3f59f5c6-9055-4718-8dbd-66811d073819","url":"http://127.0.0.1:15000/x","word":"yes"}`
	var b, n any
	for text, into := range map[string]*any{before: &b, now: &n} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	got, err := json.Marshal(like(b, n))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
