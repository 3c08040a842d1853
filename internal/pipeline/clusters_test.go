package pipeline_test

import (
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
	"github.com/oci-promote/oci-promote/internal/version"
)

// A version that was just written, and what its cluster makes of it.
func TestMissed(t *testing.T) {
	for title, c := range map[string]struct{ tags, constraint, says string }{
		"a candidate":                      {"0.0.1 0.0.2-rc.2", ">= 0.0.0-0", ""},
		"below another":                    {"0.1.0-rc.3 0.0.2-rc.2", ">= 0.0.0-0", ""},
		"below a stable":                   {"0.1.0 0.0.2-rc.2", ">= 0.0.0-0", ""},
		"below a foreign one":              {"v2.0.0 0.0.2-rc.2", ">= 0.0.0-0", `integration selects "v2.0.0", not 0.0.2-rc.2: for the constraint ">= 0.0.0-0" that tag, which is none of this pipeline's, is the higher version; delete it, or narrow the constraint on the cluster and in integration-semver`},
		"an excluded candidate":            {"0.0.1 0.0.2-rc.2", ">= 0.0.0", `integration selects "0.0.1" and can never select 0.0.2-rc.2: its constraint ">= 0.0.0" excludes it; a constraint needs "-0"`},
		"nothing but that":                 {"0.0.2-rc.2", ">= 0.0.0", `integration selects nothing: its constraint ">= 0.0.0" matches no tag, not even 0.0.2-rc.2; a constraint needs "-0"`},
		"a stable":                         {"0.0.2-rc.2 0.0.2", ">= 0.0.0", ""},
		"below another stable":             {"0.1.0 0.0.2", ">= 0.0.0", ""},
		"below a candidate":                {"0.1.0-rc.2 0.0.2", ">= 0.0.0-0", `live selects "0.1.0-rc.2", not 0.0.2: for the constraint ">= 0.0.0-0" that tag, which is no stable, is the higher version; delete it, or narrow the constraint on the cluster and in live-semver`},
		"a stable below v2":                {"v2.0.0 0.0.2", ">= 0.0.0", `live selects "v2.0.0", not 0.0.2: for the constraint ">= 0.0.0" that tag, which is none of this pipeline's`},
		"an excluded stable below another": {"1.0.0 0.0.2", ">= 1.0.0", `live selects "1.0.0" and can never select 0.0.2: its constraint ">= 1.0.0" excludes it`},
		"an excluded stable":               {"0.0.2", ">= 1.0.0", `live selects nothing: its constraint ">= 1.0.0" matches no tag, not even 0.0.2`},
	} {
		t.Run(title, func(t *testing.T) {
			tags := strings.Fields(c.tags)
			written, constraint := tags[len(tags)-1], pipelinetest.Must(version.ParseConstraint(c.constraint))
			clusters := pipeline.Clusters{Integration: constraint, Live: constraint}
			got := clusters.MissedByLive(written, constraint.Select(tags))
			if pipeline.IsCandidate(written) {
				got = clusters.MissedByIntegration(written, constraint.Select(tags))
			}
			if (got == "") != (c.says == "") || !strings.HasPrefix(got, c.says) || strings.Contains(got, "%!") {
				t.Errorf("got  %s\nwant %s", got, c.says)
			}
		})
	}
}
