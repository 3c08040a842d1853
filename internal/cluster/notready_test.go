package cluster

import (
	"testing"
	"time"
)

// A failing source is asked again by exponential backoff (docs/facts.md 32). The recordings are of a repository that is not
// there (since 16:58:34) and of a registry that does not answer (since 16:58:51). "no match" and "denied" were not
// recorded: they are in the words of source-controller 1.9.6 and of ghcr.io (docs/facts.md 13).
func TestFailingSourceIsAskedAgain(t *testing.T) {
	const missing, unreachable = "wrong-url-missing-repo", "wrong-url-port"
	noMatch := change{"OCIRepository platform", "status.conditions", oneCondition("Ready", "False", "ReadOperationFailed",
		"failed to determine the artifact tag for 'oci://127.0.0.1:15000/acme/flet': no match found for semver: >= 0.0.0-0", recordedAt)}
	deny := change{"OCIRepository platform", "status.conditions", oneCondition("Ready", "False", "ReadOperationFailed",
		"failed to determine the artifact tag for 'oci://127.0.0.1:15000/acme/flet': GET http://127.0.0.1:15000/token?scope=x: DENIED: requested access to the resource is denied", recordedAt)}
	login := change{"OCIRepository platform", "status.conditions", oneCondition("Ready", "False", "AuthenticationFailed",
		"failed to get credential: secrets \"ghcr-auth\" not found", recordedAt)}
	const soon, early, late = 5 * time.Minute, 14 * time.Minute, 15 * time.Minute
	one, more := []string{"sha-1a2b3c4", "0.0.1-rc.1"}, []string{"0.0.1-rc.1", "0.0.1-rc.2"}
	tests := []struct {
		name    string
		state   string
		changes []change
		tags    []string
		since   time.Duration // how long before recordedAt the registry has had the tags; unknown where it is 0
		after   time.Duration // how long after recordedAt verify runs
		want    string
		words   []string
	}{
		{"before the first push", missing, nil, nil, 0, late, "(source-not-ready)", []string{"nothing for it yet", "NAME_UNKNOWN"}},
		{"before the first push, denied", missing, []change{deny}, nil, 0, late, "(source-not-ready)", []string{"may deny what is not there"}},
		{"before the first push, without its secret", missing, []change{login}, nil, 0, late, "source-not-ready", []string{"spec.secretRef"}},
		{"after the first push", missing, nil, one, time.Second, early, "(source-not-ready)", []string{
			`has "0.0.1-rc.1" for it`, "exponential backoff, not by spec.interval: within 15 minutes", "`flux reconcile source oci platform -n flux-system`",
			"`kubectl annotate --overwrite ocirepository platform -n flux-system reconcile.fluxcd.io/requestedAt=\"$(date +%s)\"`",
		}},
		{"after the first push, denied", missing, []change{deny}, one, -time.Minute, early, "(source-not-ready)", []string{"15 minutes"}},
		{"denied, and it was there before", missing, []change{deny}, more, -time.Minute, early, "source-not-ready", []string{"mend or renew the secret"}},
		{"longer after the first push", missing, nil, one, time.Second, late, "source-not-ready", []string{"proxy or mirror", "flux reconcile"}},
		{"it is not known when the first push was", missing, nil, one, 0, soon, "source-not-ready", []string{"flux reconcile"}},
		{"something matches now", missing, []change{noMatch}, one, -soon, late, "(source-not-ready)", []string{"within 15 minutes"}},
		{"something has matched for long", missing, []change{noMatch}, one, time.Hour, late, "source-not-ready", []string{`has "0.0.1-rc.1" for it`, "every 15 minutes at least", "flux reconcile"}},
		{"an outage that began just now", unreachable, nil, one, time.Hour, soon, "(source-not-ready)", []string{"connection refused", "within 15 minutes"}},
		{"an outage", unreachable, nil, one, time.Hour, late, "source-not-ready", []string{"can the cluster reach", "once it can, source-controller asks within 15 minutes"}},
		{"an outage that looks new each time", unreachable, nil, one, 3 * time.Hour, soon, "source-not-ready", []string{"can the cluster reach"}},
		{"an outage that keeps nothing back", unreachable, nil, []string{"0.0.11"}, 3 * time.Hour, soon, "(source-not-ready)", []string{"within 15 minutes"}},
		{"an outage before the first push", unreachable, nil, nil, 0, soon, "source-not-ready", []string{"can the cluster reach"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := recordedRegistry(t, Integration)
			r.Name = map[string]string{missing: "127.0.0.1:15000/acme/flet", unreachable: "127.0.0.1:15999/acme/fleet"}[test.state]
			r.Tags, r.Candidate, r.Stable = test.tags, "0.0.1-rc.1", ""
			r.Ready = func(string) time.Time {
				if test.since == 0 {
					return time.Time{}
				}
				return recordedAt.Add(-test.since)
			}
			s := state(t, Integration, altered(t, recording(t, test.state, Integration), test.changes...))
			wantFaults(t, s.Faults(Integration, r, recordedGate, recordedAt.Add(test.after), maxAge), test.want, test.words...)
		})
	}
}
