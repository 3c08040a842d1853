package trigger

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	hex40 = regexp.MustCompile(`\A[0-9a-f]{40}\z`)
	hex64 = regexp.MustCompile(`\Asha256:[0-9a-f]{64}\z`)
)

// holds checks what is true of every verdict: a proof names an artifact in full, and the
// lack of one has a reason.
func holds(t *testing.T, got Verdict, err error) {
	t.Helper()
	commit, d := got.Commit, string(got.Digest)
	switch {
	case err != nil:
		if got != (Verdict{}) || strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("got %+v with %v", got, err)
		}
	case got.Because == "" || strings.ContainsAny(got.Because, "\r\n"):
		t.Errorf("the reason of %+v is not one line", got)
	case !got.Proven:
		if got.Proof != (Proof{}) {
			t.Errorf("got %+v, which proves nothing", got)
		}
	case commit == "" && d == "":
		t.Errorf("got %+v, a proof of anything", got)
	case commit != "" && !hex40.MatchString(commit), d != "" && !hex64.MatchString(d), (got.Tag == "") != (d == ""):
		t.Errorf("got %+v", got)
	}
}

// No payload, however wrong, gives a proof of something that it does not name, or stops the
// program.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 7 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		event := short(f, filepath.Base(file))
		f.Add(true, event)
		f.Add(false, event)
	}
	f.Add(true, []byte(`{"SHA":"`+commit+`","sha":null,"state":"success","context":"kustomization/platform"}`))
	f.Add(false, []byte(`{"client_payload":{"involvedObject":{"kind":null}},"client_payload":null}`))
	f.Fuzz(func(t *testing.T, asStatus bool, payload []byte) {
		event := DispatchEvent
		if asStatus {
			event = StatusEvent
		}
		for _, gate := range []Gate{platform, {Namespace: "flux-system", Name: "platform"}, {Name: "validated", Context: []string{"kustomization"}}, {}} {
			got, err := gate.Read(event, payload)
			holds(t, got, err)
			switch {
			case gate.Name == "" && err == nil:
				t.Errorf("got %+v without a Kustomization", got)
			case got.Proven && !json.Valid(payload):
				t.Errorf("got %+v from what is not JSON", got)
			case got.Proven && event == DispatchEvent && got.Digest == "":
				t.Errorf("got %+v, without a digest", got)
			case got.Proven && event == StatusEvent && got.Commit == "":
				t.Errorf("got %+v, without a commit", got)
			}
		}
	})
}

// short is a recorded event without what is not read, for which a fuzzer has no use.
func short(f *testing.F, file string) []byte {
	f.Helper()
	var event map[string]json.RawMessage
	if err := json.Unmarshal(recorded(f, file), &event); err != nil {
		f.Fatal(err)
	}
	for _, field := range []string{"repository", "organization", "sender", "commit", "commits", "branches"} {
		delete(event, field)
	}
	blob, err := json.Marshal(event)
	if err != nil {
		f.Fatal(err)
	}
	return blob
}

// A status proves health if and only if it is a success, in Flux's words where it is Flux's, its
// context begins with the gate's segments, and it can be read; the proof is of its own commit and of the digest at its end.
func FuzzStatus(f *testing.F) {
	gates := []struct {
		begins *regexp.Regexp
		Gate
	}{
		{regexp.MustCompile(`(?i)\Akustomization/platform(/|\z)`), platform},
		{regexp.MustCompile(`(?i)\Ak(/|\z)`), Gate{Name: "platform", Context: []string{"k"}}},
		{regexp.MustCompile(`(?i)\Akustomization/größe/a b(/|\z)`), Gate{Namespace: "x", Name: "platform", Context: []string{"Kustomization", "Größe", "a b"}}},
	}
	for _, state := range []string{"success", "failure", "error", "pending", "Success", "", "success\n"} {
		f.Add(commit, state, "kustomization/platform/be63676c", "dependency not ready")
		f.Add(commit, state, "Kustomization/Platform/staging/"+revision1, "reconciliation succeeded")
	}
	for _, context := range []string{"kustomization/platform", "kustomization/platform-dev/x", "k/0.0.1@sha256:8e", "K/0.0.1@SHA256:" + hexA, "\u212a/x",
		"KUSTOMIZATION/GRÖSSE/a b", "kustomization/größe/A B/" + revision1, "k/" + revision1 + "/x", "/k", "k\n/x", "\xff", ""} {
		f.Add(commit, "success", context, "x\ny")
		f.Add(commit[:39], "success", context, "")
	}
	flux, healthy := regexp.MustCompile(`(?i)\Akustomization/`), regexp.MustCompile(`(?i)\Areconciliation succeeded\z`)
	f.Fuzz(func(t *testing.T, sha, state, context, description string) {
		payload := status(t, sha, state, context, description)
		var arrived map[string]string // JSON is UTF-8, so it may be another text
		if err := json.Unmarshal(payload, &arrived); err != nil {
			t.Fatal(err)
		}
		context = arrived["context"]
		for _, gate := range gates {
			got, err := gate.Read(StatusEvent, payload)
			holds(t, got, err)
			want := state == "success" && gate.begins.MatchString(context) && (!flux.MatchString(context) || healthy.MatchString(arrived["description"]))
			switch {
			case got.Proven && (!want || got.Commit != sha):
				t.Errorf("%s of %s by %q proves %+v", state, sha, context, got)
			case got.Proven:
				boundTo(t, got, context)
			case want && err == nil:
				t.Errorf("%s of %s by %q proves nothing: %s", state, sha, context, got.Because)
			case err != nil && hex40.MatchString(sha) && state != "" && !strings.Contains(strings.ToLower(context), "@sha256:") && context != "":
				t.Errorf("%s of %s by %q: %v", state, sha, context, err)
			}
		}
	})
}

// boundTo checks that a proof has the digest with which its context ends, if it does.
func boundTo(t *testing.T, got Verdict, context string) {
	t.Helper()
	segments := strings.Split(context, "/")
	last := segments[len(segments)-1]
	_, digest, bound := strings.Cut(last, "@sha256:")
	switch {
	case bound && (got.Digest.Encoded() != digest || last != got.Tag+"@"+string(got.Digest)):
		t.Errorf("%q proves %+v", context, got)
	case !bound && got.Digest != "":
		t.Errorf("%q names no digest and proves %+v", context, got)
	}
}
