package trigger

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// said is a status of commit, updated at that minute.
func said(minute int, state, context string) Status {
	return Status{Commit: commit, Context: context, State: state, Description: Succeeded, Updated: time.Date(2026, 11, 23, 9, minute, 0, 0, time.UTC)}
}

// The newest word on an artifact counts, in whatever order GitHub lists them. Words on other
// artifacts, and of others, do not; where two are equally new, doubt decides.
func TestLatest(t *testing.T) {
	const (
		plain   = "kustomization/platform/be63676c"
		boundA  = "kustomization/platform/0.0.1-rc.1@" + digestA
		stableA = "kustomization/platform/0.0.1@" + digestA
		boundB  = "kustomization/platform/0.0.2-rc.4@sha256:45048b96a3974c7bc9340f337321ce5af91c745f7b83f2cc4431a4bd0e38f459"
		other   = "kustomization/platform-dev/0.0.1-rc.1@" + digestA
	)
	proofA, byCommit := Proof{commit, digestA, "0.0.1-rc.1"}, Proof{Commit: commit}
	tests := []struct {
		name     string
		statuses []Status
		want     Proof
		because  string // empty where there is no word
	}{
		{"none", nil, Proof{}, ""},
		{"one", []Status{said(1, "success", boundA)}, proofA, boundA + `" is success`},
		{"one that failed", []Status{said(1, "failure", boundA)}, Proof{}, boundA + `" is failure`},
		{"one about the commit", []Status{said(1, "success", plain)}, byCommit, plain + `" is success`},
		{"in other case", []Status{said(1, "success", strings.ToUpper(plain))}, byCommit, " is success"},
		{"another Kustomization's", []Status{said(1, "success", other)}, Proof{}, ""},
		{"another program's", []Status{said(1, "success", "ci/test")}, Proof{}, ""},
		{"about another artifact", []Status{said(1, "success", boundB)}, Proof{}, ""},
		{"a failure of another artifact", []Status{said(1, "success", boundA), said(2, "failure", boundB)}, proofA, boundA},
		{"a success of another artifact", []Status{said(1, "failure", boundA), said(2, "success", boundB)}, Proof{}, boundA + `" is failure`},
		{"a failure of others", []Status{said(1, "success", boundA), said(2, "failure", other), said(3, "failure", "ci/test")}, proofA, boundA},
		{"a success of others", []Status{said(1, "pending", boundA), said(2, "success", other)}, Proof{}, " is pending"},
		{"a failure after the promotion", []Status{said(1, "success", boundA), said(2, "failure", stableA)}, Proof{}, stableA + `" is failure`},
		{"mended after the promotion", []Status{said(1, "failure", boundA), said(2, "success", stableA)}, Proof{commit, digestA, "0.0.1"}, stableA},
		{"a commit's after a bound one", []Status{said(1, "failure", boundA), said(2, "success", plain)}, byCommit, plain},
		{"a commit's failure after a bound one", []Status{said(1, "success", boundA), said(2, "failure", plain)}, Proof{}, plain + `" is failure`},
		{"a bound one after a commit's", []Status{said(1, "failure", plain), said(2, "success", boundA)}, proofA, boundA},
		{"a bound failure after a commit's", []Status{said(1, "success", plain), said(2, "failure", boundA)}, Proof{}, boundA + `" is failure`},
		{"the newest of three", []Status{said(1, "failure", plain), said(3, "success", boundA), said(2, "failure", stableA)}, proofA, boundA},
		{"success and failure of one second", []Status{said(1, "success", plain), said(1, "failure", boundA)}, Proof{}, " is failure"},
		{"success and error of one second", []Status{said(1, "success", boundA), said(1, "error", plain)}, Proof{}, " is error"},
		{"success and pending of one second", []Status{said(1, "success", boundA), said(1, "pending", stableA)}, Proof{}, " is pending"},
		{"doubt of one second that is over", []Status{said(1, "failure", plain), said(1, "success", boundA), said(2, "success", stableA)}, Proof{commit, digestA, "0.0.1"}, stableA},
		{"two successes of one second", []Status{said(1, "success", boundA), said(1, "success", boundA)}, proofA, boundA},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for range 2 {
				got, found, err := platform.Latest(test.statuses, digestA)
				if found != (test.because != "") {
					t.Errorf("found is %v", found)
				}
				if found {
					wantVerdict(t, got, err, test.want, test.because)
				} else if err != nil || got != (Verdict{}) {
					t.Errorf("got %+v, %v; want none", got, err)
				}
				slices.Reverse(test.statuses)
			}
		})
	}
}

// Times compare as instants, and to the second's fraction where there is one.
func TestLatestTime(t *testing.T) {
	early, late := said(0, "success", "kustomization/platform/a"), said(0, "success", "kustomization/platform/b")
	late.State = "failure"
	early.Updated = early.Updated.In(time.FixedZone("", 3600))
	late.Updated = late.Updated.Add(time.Nanosecond)
	got, found, err := platform.Latest([]Status{early, late}, digestA)
	if !found {
		t.Fatal("there is a newest")
	}
	wantVerdict(t, got, err, Proof{}, `/b" is failure`)
	early.State, late.State = "failure", "success"
	got, _, err = platform.Latest([]Status{late, early}, digestA)
	wantVerdict(t, got, err, Proof{Commit: commit}, `/b" is success`)
}

// The commit of a proof is that of its status, the description that of the newest, and
// status-context chooses here too.
func TestLatestStatus(t *testing.T) {
	gate := Gate{Name: "platform", Context: []string{"flux", "staging"}}
	of := said(1, "success", "flux/staging/platform")
	of.Commit = id
	got, found, err := gate.Latest([]Status{of, said(2, "failure", "kustomization/platform/be63676c")}, digestA)
	if !found {
		t.Error("the status was not found")
	}
	wantVerdict(t, got, err, Proof{Commit: id}, `"flux/staging/platform" is success`)

	of.State, of.Description = "error", "health check failed:\ntimeout"
	got, _, err = gate.Latest([]Status{of}, digestA)
	wantVerdict(t, got, err, Proof{}, "is error: health check failed: timeout")
}

// A context of the Kustomization that cannot be read could be about any artifact, so that
// there is no newest word; another's does not matter.
func TestLatestMalformed(t *testing.T) {
	const cut = "0.0.1-rc.1@sha256:8ef039"
	fine := said(2, "success", "kustomization/platform/be63676c")
	for _, state := range []string{"success", "failure"} {
		for _, statuses := range [][]Status{{said(1, state, "kustomization/platform/"+cut), fine}, {fine, said(3, state, "kustomization/platform/"+cut)}} {
			got, found, err := platform.Latest(statuses, digestA)
			wantError(t, got, err, `context "kustomization/platform/`+cut+`" does not end in <tag>@sha256:`)
			if found {
				t.Error("found, with an error")
			}
		}
	}
	got, found, err := platform.Latest([]Status{said(1, "failure", "kustomization/other/"+cut), fine}, digestA)
	if !found {
		t.Error("the Kustomization's own was not found")
	}
	wantVerdict(t, got, err, Proof{Commit: commit}, "is success")
}
