package trigger

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// The artifact of the recorded events.
const (
	commit    = "5b9d4b6af2c4b95c0d7b48c5e50c5551bf3b0a82"
	hexA      = "8ef039eeedf3400d490ba006227f7032b6054f3eeb8ace8d8f46ed10b062c0a5"
	digestA   = "sha256:" + hexA
	revision1 = "0.0.1-rc.1@" + digestA
)

var platform = Gate{Name: "platform"}

// absent is the value of a field that is left out.
type absent struct{}

// edited is a recorded event in which the field at path has another value.
func edited(t testing.TB, name, path string, value any) []byte {
	t.Helper()
	return edit(t, recorded(t, name), path, value)
}

func edit(t testing.TB, blob []byte, path string, value any) []byte {
	t.Helper()
	var event map[string]any
	if err := json.Unmarshal(blob, &event); err != nil {
		t.Fatal(err)
	}
	in, fields := event, strings.Split(path, ".")
	for _, field := range fields[:len(fields)-1] {
		in = in[field].(map[string]any)
	}
	last := fields[len(fields)-1]
	if _, ok := in[last]; !ok {
		t.Fatalf("the event has no %s", path)
	}
	in[last] = value
	if value == (absent{}) {
		delete(in, last)
	}
	blob, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	return blob
}

// wantVerdict compares a verdict. A zero proof is none; because is a part of the reason.
func wantVerdict(t *testing.T, got Verdict, err error, want Proof, because string) {
	t.Helper()
	if err != nil || got.Proof != want || got.Proven != (want != Proof{}) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if because == "" || !strings.Contains(got.Because, because) || strings.ContainsAny(got.Because, "\r\n") {
		t.Errorf("the reason is %q, want one line with %q", got.Because, because)
	}
}

// wantError holds an event that cannot be understood to one line that says why, and to
// no verdict.
func wantError(t *testing.T, got Verdict, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\r\n") {
		t.Errorf("got %v, want an error of one line with %q", err, want)
	}
	if got != (Verdict{}) {
		t.Errorf("got %+v with an error", got)
	}
}

// Only the events by which Flux reports must bring their own proof.
func TestReports(t *testing.T) {
	for _, event := range []string{"status", "repository_dispatch"} {
		if !Reports(event) {
			t.Errorf("%s is a cluster's word", event)
		}
	}
	for _, event := range []string{"", "push", "schedule", "workflow_dispatch", "workflow_run", "check_run", "deployment_status", "STATUS", "status "} {
		if Reports(event) {
			t.Errorf("%q is no cluster's word", event)
		}
		got, err := platform.Read(event, recorded(t, "status.success.json"))
		wantError(t, got, err, "expected status or repository_dispatch")
	}
}

// Each event is read in its own form only: a proof in the other's proves nothing.
func TestReadTheOtherEvent(t *testing.T) {
	got, err := platform.Read(DispatchEvent, recorded(t, "status.success.json"))
	wantError(t, got, err, "client_payload is missing")
	got, err = platform.Read(StatusEvent, recorded(t, "repository_dispatch.kustomization-health-check-passed.json"))
	wantError(t, got, err, `sha ""`)
}

// What is no event at all is an error that says so, without Go's words for it.
func TestReadUnreadable(t *testing.T) {
	tests := []struct{ name, payload, want string }{
		{"empty", "", "unexpected end of JSON input"},
		{"not JSON", "ref: refs/heads/main", "invalid character"},
		{"two events", "{}{}", "invalid character"},
		{"a list", "[]", "it is a JSON array, expected an object"},
		{"a text", `"success"`, "it is a JSON string, expected an object"},
		{"a number", "1", "it is a JSON number, expected an object"},
		{"true", "true", "it is a JSON bool, expected an object"},
		{"null", "null", " is "}, // the first field
		{"an empty object", "{}", " is "},
	}
	for _, test := range tests {
		for _, event := range []string{StatusEvent, DispatchEvent} {
			t.Run(test.name+" as "+event, func(t *testing.T) {
				got, err := platform.Read(event, []byte(test.payload))
				wantError(t, got, err, test.want)
				if err != nil && (!strings.HasPrefix(err.Error(), "reading the event: ") || strings.Contains(err.Error(), "struct")) {
					t.Errorf("got %v", err)
				}
			})
		}
	}
}

// wantNoGate is the error of an event without a Kustomization to compare it with: it shows
// what arrived, and what to set.
func wantNoGate(t *testing.T, got Verdict, err error, arrived string) {
	t.Helper()
	wantError(t, got, err, "kustomization: not set")
	wantError(t, got, err, arrived)
	var h interface{ Hint() string }
	if !errors.As(err, &h) || !strings.Contains(h.Hint(), "set the input kustomization") {
		t.Errorf("%v has no hint that names the input", err)
	}
}
