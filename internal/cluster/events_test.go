package cluster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
)

// The states are recorded, the event is not: it is written in the form in which `kubectl get events` prints one of v1, with the reason and
// the words of notification-controller 1.9.3 (internal/server/event_handlers.go, dispatchNotification) and of go-github's errors.
func TestUndeliveredReport(t *testing.T) {
	blob, err := os.ReadFile(filepath.Join("testdata", "integration-events.json"))
	if err != nil {
		t.Fatal(err)
	}
	event := string(blob)
	edit := strings.NewReplacer
	otherDigest := func(d digest.Digest) bool { return d == digestA }
	live := func(d digest.Digest) bool { return strings.HasPrefix(d.Encoded(), "6d8cbc5a") }
	const sent = "failed to send notification for Kustomization/flux-system/platform: could not create commit status: POST https://api.github.com/repos/acme/fleet/statuses/70697a6bf3487ae0c8bb443dc328309abb0cf31a: 403 Resource not accessible by personal access token []"
	const dispatch = "failed to dispatch notification for Kustomization/flux-system/platform: failed to initialize notifier for provider 'github-status': "
	tests := []struct {
		name     string
		state    string
		edit     *strings.Replacer
		reported func(digest.Digest) bool
		want     string
		words    []string
	}{
		{"denied", "healthy", edit(), nil, "provider-failing", []string{
			"Alert flux-system/github-status could not tell GitHub of Kustomization flux-system/platform on 2026-11-29 17:03 UTC: ",
			"403 Resource not accessible by personal access token", "renew the token in the secret of spec.secretRef of Provider flux-system/github-status",
			"`flux reconcile kustomization platform -n flux-system`",
		}},
		{"denied, and GitHub has none", "healthy", edit(), otherDigest, "provider-failing", nil},
		{"denied, and GitHub has one all the same", "healthy", edit(), live, "provider-failing?", []string{"all the same"}},
		{"the secret is not there", "provider-secret-missing", edit(sent, dispatch+`failed to read secret: Secret \"github-token\" not found`), nil, "provider-failing", []string{"not found", "the key token"}},
		{"the secret has another key", "provider-secret-wrong-key", edit(sent, dispatch+"failed to initialize notifier: github token or github app details must be specified"), nil,
			"provider-failing", []string{"must be specified", "the key token"}},
		{"of a commit that is not there", "healthy", edit("403 Resource not accessible by personal access token", "422 No commit found for SHA: 70697a6"), nil, "provider-failing", []string{"spec.address"}},
		{"an outage", "healthy", edit("403 Resource not accessible by personal access token", "502 Bad Gateway"), nil, "provider-failing", []string{"502", "comes again at spec.interval"}},
		{"before the last reconciliation", "healthy", edit("17:03:", "16:03:"), nil, "", nil},
		{"through events.k8s.io", "healthy", edit(`"eventTime": null`, `"eventTime": "2026-11-29T17:03:25.123456Z"`, `"lastTimestamp": "2026-11-29T17:03:25Z"`, `"lastTimestamp": null`, `"creationTimestamp": "2026-11-29T17:03:20Z"`, `"creationTimestamp": null`), nil,
			"provider-failing", []string{"17:03 UTC"}},
		{"of another object", "healthy", edit("system/platform:", "system/infra:"), nil, "", nil},
		{"of another Alert", "healthy", edit(`"name": "github-status"`, `"name": "slack"`), nil, "", nil},
		{"of another reason", "healthy", edit("NotificationDispatchFailed", "InvalidConfig"), nil, "", nil},
		{"a login in it", "healthy", edit("https://api", "https://robot:hunter2@api"), nil, "provider-failing", nil},
		{"an older cause", "suspended-alert", edit(), nil, "suspended", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := state(t, Integration, recording(t, test.state, Integration), []byte(test.edit.Replace(event)))
			r := recordedRegistry(t, Integration)
			r.Reported = test.reported
			got := s.Faults(Integration, r, recordedGate, recordedAt, maxAge)
			wantFaults(t, got, test.want, test.words...)
			for _, f := range got {
				if strings.Contains(f.Message+f.Hint, "hunter2") {
					t.Errorf("%+v shows a password", f)
				}
				if test.want == "provider-failing" && f.Since.Truncate(time.Second) != time.Date(2026, 11, 29, 17, 3, 25, 0, time.UTC) {
					t.Errorf("since %s", f.Since)
				}
			}
		})
	}
}

// Of several the last counts, whatever their order is.
func TestLastUndeliveredReport(t *testing.T) {
	blob, err := os.ReadFile(filepath.Join("testdata", "integration-events.json"))
	if err != nil {
		t.Fatal(err)
	}
	older := []byte(strings.NewReplacer("17:03:2", "17:02:2", "403 Resource", "500 Older").Replace(string(blob)))
	for _, blobs := range [][][]byte{{blob, older}, {older, blob}} {
		s := state(t, Integration, append([][]byte{recording(t, "healthy", Integration)}, blobs...)...)
		wantFaults(t, s.Faults(Integration, recordedRegistry(t, Integration), recordedGate, recordedAt, maxAge), "provider-failing", "403 Resource")
	}
}
