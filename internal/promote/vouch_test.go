package promote

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

// TestVouch has a row for what may be known of an artifact that a person promotes. Each runs dry first, which must say the same.
func TestVouch(t *testing.T) {
	twin := pipelinetest.Tag(pipeline.ValidatedPrefix, "a") + "=a' "
	for _, row := range []struct {
		name, tags, subject, manual string
		says                        string // see saysOf; "nobody" where nobody can be asked
		asked                       string
		never, unknown              string // part of why; empty for neither
	}{
		{"a proof of the digest", "0.0.1-rc.1=a", "by hand a", "", "a: +0", "a", "", ""},
		{"an old one", "0.0.1-rc.1=a", "by hand a", "", "a: +0 -10", "a", "", ""},
		{"an old one, of more words than are read", "0.0.1-rc.1=a", "by hand a", "", "a: flood +0 -10", "a", "", ""},
		{"none, of more words than are read", "0.0.1-rc.1=a", "by hand a", "", "a: flood -10", "a", "", "more commit statuses than are read"},
		{"a failure", "0.0.1-rc.1=a", "by hand a", "", "a: -0 -10", "a", "integration's last word on it: status at 10 is failure", ""},
		{"nothing", "0.0.1-rc.1=a", "by hand a", "", "", "a", "integration said nothing of it", ""},
		{"no answer", "0.0.1-rc.1=a", "by hand a", "", "a: error", "a", "", "reading all statuses: 403"},
		{"nobody can be asked", "0.0.1-rc.1=a", "by hand a", "", "nobody", "", "", "there is no token to ask GitHub with"},
		{"it tells no commit", "0.0.1-rc.1=9", "by hand 9", "", "", "", "", "does not tell its commit"},
		{"the newest", two, "latest", "", "a: +0", "b", "integration said nothing of it", ""},

		{"of the commit alone, by commit", "@a 0.0.1-rc.1=a", "by hand commit a", "", "a: c0", "a", "", ""},
		{"of the commit alone, by digest", "@a 0.0.1-rc.1=a", "by hand a", "", "a: c0", "a", "", ""},
		{"of the commit alone, and a failure since", "@a 0.0.1-rc.1=a", "by hand a", "", "a: c0 -10", "a", "", ""},
		{"of the commit alone, whose build is not complete", sha("a") + "=a 0.0.1-rc.1=a", "by hand a", "", "a: c0", "a", "status at 0 is success; that is of the commit alone", ""},
		{"of the commit alone, which has another artifact", "@a 0.0.1-rc.1=a 0.0.2-rc.1=a'", "by hand a", "", "a: c0", "a", "of the commit alone", ""},
		{"of the commit alone, whose tags name another one", "@a' 0.0.1-rc.1=a", "by hand a", "", "a: c0", "a", "of the commit alone", ""},
		{"of the commit alone, which has another artifact, of more words than are read", "@a 0.0.1-rc.1=a 0.0.2-rc.1=a'", "by hand a", "", "a: flood c0", "a", "", "more commit statuses than are read"},
		{"of the commit alone, and no more words than are read", "@a 0.0.1-rc.1=a", "by hand a", "", "a: flood c0", "a", "", ""},
		{"of the commit alone, which has another artifact, and of the digest", "@a 0.0.1-rc.1=a 0.0.2-rc.1=a'", "by hand a", "", "a: +0 c10", "a", "", ""},

		{"validated-, and no word", "0.0.1-rc.1=a +a", "by hand a", "", "", "a", "", ""},
		{"validated-, and a failure", "0.0.1-rc.1=a +a", "by hand a", "", "a: -0", "a", "is failure", ""},
		{"validated-, and no answer", "0.0.1-rc.1=a +a", "by hand a", "", "a: error", "a", "", "reading all statuses: 403"},
		{"validated-, and nobody can be asked", "0.0.1-rc.1=a +a", "by hand a", "", "nobody", "", "", ""},
		{"validated- of the commit's other artifact", twin + "0.0.1-rc.1=a", "by hand a", "", "", "a", "said nothing", ""},

		{"a version of what is validated", "0.0.1-rc.1=a +a", "by hand a", "1.0.0", "", "a", "", ""},
		{"a version of what is validated, and failed", "0.0.1-rc.1=a +a", "by hand a", "1.0.0", "a: -0", "a", "is failure", ""},
		{"a version of what is not", "0.0.1-rc.1=a", "by hand a", "!1.0.0", "", "a", "said nothing", ""},
		{"a version of what was proven", "0.0.1-rc.1=a", "by hand a", "!1.0.0", "a: +0", "a", "", ""},
		{"validated- of the commit's other artifact, for a version", twin + "0.0.1-rc.1=a", "by hand a", "!1.0.0", "nobody", "", "", "there is no token"},
		{"a rollback to what was live", twice, "by hand a", "next", "a: -0", "", "", ""},
		{"a rollback to what was never live", two + " 0.0.1=b +b", "by hand a", "!next", "a: -0", "a", "is failure", ""},

		{"a cluster's word needs no other", "0.0.1-rc.1=a", "a", "", "a: error", "", "", ""},
		{"nor does one with a version", "0.0.1-rc.1=a", "a", "1.0.0", "a: error", "", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := pipelinetest.NewShelf(t, row.tags)
				asked := ""
				run := promotion(s, subject(s, row.subject), manual(row.manual))
				run.NoWords = "there is no token to ask GitHub with"
				if row.says != "nobody" {
					run.Words = integration(t, s, saysOf(row.says), &asked)
				}
				dry := run
				dry.DryRun = true
				foreseen := mustRun(t, dry, pipeline.Planned, "")
				asked = ""
				r := mustRun(t, run, pipeline.Promoted, "")
				if asked != row.asked {
					t.Errorf("asked for %q, want %q", asked, row.asked)
				}
				for _, r := range []pipeline.Report{foreseen, r} {
					checkVouched(t, r, row.never, row.unknown)
				}
			})
		})
	}
}

func checkVouched(t *testing.T, r pipeline.Report, never, unknown string) {
	t.Helper()
	warnings := strings.Join(r.Warnings, "\n")
	if never+unknown == "" {
		if r.Unproven != nil || strings.Contains(warnings, "healthy") || strings.Contains(warnings, "validated:") {
			t.Errorf("%s: unvalidated %+v, warnings %q", r.Outcome, r.Unproven, warnings)
		}
		return
	}
	u := r.Unproven
	if u == nil || u.Never != (never != "") || !strings.Contains(u.Reason, never+unknown) {
		t.Errorf("%s: unvalidated %+v, want never %q, unknown %q", r.Outcome, u, never, unknown)
		return
	}
	begins := map[bool]string{true: "never validated: ", false: "whether integration ever reported it healthy is not known: "}[u.Never]
	if !strings.Contains(warnings, begins+u.Reason) {
		t.Errorf("%s: warnings %q do not say %q", r.Outcome, warnings, u.Reason)
	}
}

// TestVouchOfWhatWasBegun: catching up completes a promotion that was killed, of which nobody knows whether it had a proof or an
// approval: both write the same tag.
func TestVouchOfWhatWasBegun(t *testing.T) {
	for says, never := range map[string]string{"a: -0": "is failure", "a: +0 -10": "", "": ""} {
		s := pipelinetest.NewShelf(t, "0.0.1-rc.1=a +a")
		asked := ""
		run := promotion(s, nil, nil)
		run.Words = integration(t, s, saysOf(says), &asked)
		r := mustRun(t, run, pipeline.Promoted, "0.0.1")
		checkVouched(t, r, never, "")
		if asked != "a" || !strings.Contains(r.Proof, "its proof or its approval") {
			t.Errorf("asked for %q; on the word of %s", asked, r.Proof)
		}
	}
}

// TestVouchStopsNothing: what is asked of GitHub comes behind the stable, and an approval that lost the first version to
// another promotion is not taken for a proof by its own validated- tag.
func TestVouchStopsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := pipelinetest.NewShelf(t, two+" 0.0.1-rc.3=c")
		asked, taken := "", false
		run := promotion(s, subject(s, "by hand c"), nil)
		says := integration(t, s, nil, &asked)
		run.Words = says
		s.Before = func(tag string) error {
			if asked != "" {
				t.Errorf("asked GitHub before writing %q", tag)
			}
			if tag == pipelinetest.Tag(pipeline.ValidatedPrefix, "c") && !taken {
				taken = true
				s.Put(t, "b", "0.0.1")
			}
			return nil
		}
		r := mustRun(t, run, pipeline.Promoted, "0.0.2")
		if !taken || asked != "c" || r.Unproven == nil || !r.Unproven.Never {
			t.Errorf("taken %v, asked for %q, unvalidated %+v", taken, asked, r.Unproven)
		}
	})
}

// TestVouchIsOfPromotionsOnly: where a person's word promotes nothing, nobody is asked what integration said.
func TestVouchIsOfPromotionsOnly(t *testing.T) {
	for name, row := range map[string][2]string{
		"unchanged":  {"0.0.1-rc.1=a 0.0.1=a", "by hand a"},
		"superseded": {two + " 0.0.1=b", "by hand a"},
		"pending":    {"@a 0.0.1-rc.2=b", "by hand a"},
	} {
		s := pipelinetest.NewShelf(t, row[0])
		asked := ""
		run := promotion(s, subject(s, row[1]), nil)
		run.Words = integration(t, s, nil, &asked)
		r := mustRun(t, run, pipeline.Outcome(name), "")
		if asked != "" || r.Unproven != nil {
			t.Errorf("%s: asked for %q, unvalidated %+v", name, asked, r.Unproven)
		}
	}
}
