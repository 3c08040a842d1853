package promote

import (
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

// What a person promotes, and mode build did not pack, must be what Flux unpacks: a layer that is no gzip is refused before
// anything is written, also as a plan. A cluster's word is of what it has unpacked.
func TestPromotesWhatFluxUnpacks(t *testing.T) {
	for name, row := range map[string]struct {
		tags, subject, manual string
		lost                  bool
		refused               string
	}{
		"no gzip":              {"0.0.1-rc.1=0", "by hand 0", "", false, `its layer, "application/octet-stream", is no gzip-compressed tar`},
		"no gzip, as next":     {"0.0.1-rc.1=0", "by hand 0", "!next", false, "is no gzip-compressed tar"},
		"gzip":                 {"0.0.1-rc.1=9", "by hand 9", "", false, ""},
		"its layer is gone":    {"0.0.1-rc.1=9", "by hand 9", "", true, "does not have its layer sha256:"},
		"of mode build":        {"0.0.1-rc.1=a", "by hand a", "", true, ""},
		"of flux":              {"0.0.1-rc.1=a~", "by hand a~", "", false, ""},
		"on a cluster's word":  {"0.0.1-rc.1=0", "0", "", false, ""},
		"no gzip, and is live": {"0.0.1-rc.1=0 0.0.1=0", "by hand 0", "", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := pipelinetest.NewShelf(t, row.tags)
			run := promotion(s, subject(s, row.subject), manual(row.manual))
			if row.subject == "0" {
				run.Subject.Commit = ""
			}
			if row.lost {
				a := pipelinetest.Must((&pipeline.Store{Repo: s, Name: "test"}).Read(t.Context(), run.Subject.Digest.String()))
				s.Lose(t, a.Layer)
			}
			before := pipelinetest.Tags(t, s)
			for _, dry := range []bool{true, false} {
				run.DryRun = dry
				_, err := run.Run(t.Context())
				if (err == nil) != (row.refused == "") || err != nil && (!strings.Contains(err.Error(), row.refused) || !strings.Contains(pipeline.HintOf(err), "`flux push artifact`")) {
					t.Errorf("dry %t: %v, want %q", dry, err, row.refused)
				}
			}
			if wrote := s.Added(t, before); row.refused != "" && wrote != "" {
				t.Errorf("it wrote %s", wrote)
			}
		})
	}
}
