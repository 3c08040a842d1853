package cluster

import (
	"strings"
	"testing"
)

// A source that fails for good says which version or which setting it is, and not to ask again.
func TestSourceThatAskingAgainDoesNotMend(t *testing.T) {
	for name, row := range map[string]struct{ file, reason, says, message, hint string }{
		"no gzip": {"integration.json", "OCIArtifactLayerOperationFailed", "failed to extract layer contents from artifact: requires gzip-compressed body: gzip: invalid header",
			`cannot unpack "0.0.2-rc.1": OCIArtifactLayerOperationFailed: failed to extract`, `delete "0.0.2-rc.1" in the registry and build its commit again; asking again changes nothing`},
		"plain HTTP": {"live.json", "ReadOperationFailed", `failed to determine the artifact tag for 'oci://ghcr.io/acme/fleet': Get "https://ghcr.io/v2/": http: server gave HTTP response to HTTPS client`,
			"is not ready: ReadOperationFailed: failed", "set spec.insecure: true on OCIRepository flux-system/platform"},
	} {
		t.Run(name, func(t *testing.T) {
			role, _ := RoleOf(row.file)
			s := state(t, role, recorded(t, row.file, change{"OCIRepository platform", "status.conditions", notReady(row.reason, row.says)}))
			found := s.Faults(role, registry(t, role), gate, now, maxAge)
			if len(found) != 1 || found[0].Code != "source-not-ready" || found[0].Severity != failed || !strings.Contains(found[0].Message, row.message) || !strings.Contains(found[0].Hint, row.hint) {
				t.Errorf("%+v", found)
			}
		})
	}
}
