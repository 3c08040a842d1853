package cluster

import "testing"

// The recording is of a repository that is not there. "denied" was not recorded: it is in the words of ghcr.io (docs/facts.md 13).
func TestSourceBeforeTheFirstPush(t *testing.T) {
	failing := func(reason, message string) change {
		return change{"OCIRepository platform", "status.conditions", oneCondition("Ready", "False", reason, message, recordedAt)}
	}
	tests := []struct {
		name    string
		changes []change
		want    string
		word    string
	}{
		{"it is not there", nil, "(source-not-ready)", "NAME_UNKNOWN"},
		{"denied", []change{failing("ReadOperationFailed", "GET http://127.0.0.1:15000/token?scope=x: DENIED: requested access to the resource is denied")}, "(source-not-ready)", "may deny what is not there"},
		{"without its secret", []change{failing("AuthenticationFailed", `failed to get credential: secrets "ghcr-auth" not found`)}, "source-not-ready", "spec.secretRef"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := recordedRegistry(t, Integration)
			r.Name, r.Tags, r.Candidate, r.Stable = "127.0.0.1:15000/acme/flet", nil, "0.0.1-rc.1", ""
			s := state(t, Integration, altered(t, recording(t, "wrong-url-missing-repo", Integration), test.changes...))
			wantFaults(t, s.Faults(Integration, r, recordedGate, recordedAt, maxAge), test.want, test.word)
		})
	}
}
