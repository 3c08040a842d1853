package trigger

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/opencontainers/go-digest"
)

// The events by which Flux reports. Whatever else a run was given, they promote only
// what they prove.
const (
	StatusEvent   = "status"              // Flux's provider "github"
	DispatchEvent = "repository_dispatch" // Flux's provider "githubdispatch"
)

// Reports reports whether an event of that name is a cluster's word, and so must bring
// its own proof.
func Reports(event string) bool { return event == StatusEvent || event == DispatchEvent }

// Proof names the artifact that a cluster found healthy: by its commit, by its digest,
// or by both.
type Proof struct {
	Commit string        // 40 hex digits; empty where only the digest is known
	Digest digest.Digest // empty where only the commit is known
	Tag    string        // by which the cluster selected it; empty with Digest
}

// Of reports whether p can be about the artifact with this commit (some first digits)
// and digest, each of which may be empty for any.
func (p Proof) Of(commit string, d digest.Digest) bool {
	return samePrefix(p.Commit, commit) && (p.Digest == "" || d == "" || p.Digest == d)
}

func samePrefix(a, b string) bool {
	n := min(len(a), len(b))
	return a[:n] == b[:n]
}

// Verdict is what an event says of an artifact's health.
type Verdict struct {
	Proof          // of what; zero unless Proven
	Proven  bool   // that it is healthy
	Because string // one line with text from outside: the proof, or why there is none
}

// Read reads an event of Flux's, as GitHub has it in GITHUB_EVENT_PATH. What proves
// nothing, or is about something else, is a verdict; an error is an event that cannot
// be understood, and names the field.
func (g Gate) Read(event string, payload []byte) (Verdict, error) {
	switch event {
	case StatusEvent:
		return g.readStatus(payload)
	case DispatchEvent:
		return g.readDispatch(payload)
	}
	return Verdict{}, fmt.Errorf("event %q is none of Flux's: expected %s or %s", event, StatusEvent, DispatchEvent)
}

var revision = regexp.MustCompile(`^(\w[\w.-]*)@(sha256:[0-9a-f]{64})$`)

// readRevision reads Flux's name for an artifact: <tag>@sha256:<hex>. A tag has the form that registries accept (docs/facts.md 15).
func readRevision(s string) (tag string, d digest.Digest, ok bool) {
	m := revision.FindStringSubmatch(s)
	if m == nil || len(m[1]) > 128 {
		return "", "", false
	}
	return m[1], digest.Digest(m[2]), true
}

// origin ends in the commit; before it stands a branch or tag.
var origin = regexp.MustCompile(`^[^\x00-\x20\x7f]+@sha1:([0-9a-f]{40})$`)

// decode is json.Unmarshal with an error that names the field for people.
func decode(payload []byte, v any) error {
	err := json.Unmarshal(payload, v)
	var mistyped *json.UnmarshalTypeError
	switch {
	case errors.As(err, &mistyped) && mistyped.Field != "":
		return malformed(mistyped.Field, "is a JSON %s, expected another type", mistyped.Value)
	case mistyped != nil:
		return malformed("it", "is a JSON %s, expected an object", mistyped.Value)
	case err != nil:
		return fmt.Errorf("reading the event: %w", err)
	}
	return nil
}

func malformed(field, format string, args ...any) error {
	return fmt.Errorf("reading the event: %s %s", field, fmt.Sprintf(format, args...))
}

// no is the verdict on what proves nothing.
func no(format string, args ...any) Verdict { return Verdict{Because: oneLine(format, args...)} }

// oneLine is fmt.Sprintf with each run of spaces and line breaks, of which Flux's error
// messages are full, as one space.
func oneLine(format string, args ...any) string {
	return strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")
}
