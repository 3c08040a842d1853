package cluster

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestWrongSemverNamesWhatExists: where nothing is there yet that live should not take, no version is made up.
func TestWrongSemverNamesWhatExists(t *testing.T) {
	versions := regexp.MustCompile(`\d+\.\d+\.\d+(-rc\.\d+)?`)
	for _, tags := range [][]string{nil, {"0.0.1"}, {"0.0.1", "0.0.1-rc.1"}, {"0.4.0"}, {"latest"}} {
		for _, semver := range []string{">= 0.0.0-0", "> 0.0.1-0", "~0.4.0-0", "*-0"} {
			r := registry(t, Live)
			r.Tags, r.Candidate, r.Stable = tags, "", ""
			if len(tags) > 0 && tags[0] != "latest" {
				r.Stable = tags[0]
			}
			s := state(t, Live, recorded(t, "live.json", change{"OCIRepository platform", "spec.ref.semver", semver}))
			for _, f := range s.Faults(Live, r, gate, now, maxAge) {
				if f.Code != "wrong-semver" {
					continue
				}
				for _, named := range versions.FindAllString(strings.ReplaceAll(f.Message, quote(semver), ""), -1) {
					if !slices.Contains(tags, named) {
						t.Errorf("of %q with %q it names %s: %s", tags, semver, named, f.Message)
					}
				}
			}
		}
	}
	r := registry(t, Live)
	r.Tags, r.Candidate = []string{"0.0.1"}, ""
	s := state(t, Live, recorded(t, "live.json", change{"OCIRepository platform", "spec.ref.semver", ">= 0.0.0-0"}))
	wantFaults(t, s.Faults(Live, r, gate, now, maxAge), "wrong-semver", "lets candidates in: the next one goes live")
}
