package github

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

var ill = Tracking{Artifact: "ghcr.io/acme/fleet", Title: "It needs a hand", Body: "stuck\nsince noon", Comment: "healthy again"}

func well() Tracking { t := ill; t.Healthy = true; return t }

func tracked(t *testing.T, r *Repository, tr Tracking, wantPage, wantDid string) {
	t.Helper()
	page, did, err := r.Track(t.Context(), tr)
	if err != nil || !strings.HasSuffix(page, wantPage) || (page == "") != (wantPage == "") || did != wantDid {
		t.Errorf("got %q, %q, %v; want %q, %q", page, did, err, wantPage, wantDid)
	}
}

// The life of one issue: opened once, brought up to date, closed with a comment, and another one at the next time.
func TestTrack(t *testing.T) {
	tr := startTracker(t)
	r := tr.open(t)
	tracked(t, r, well(), "", "")
	tracked(t, r, ill, "/1", Opened)
	first := tr.issues[0]
	if head, _, _ := strings.Cut(first.Body, "\r\n"); head != "<!-- oci-promote: ghcr.io%2Facme%2Ffleet -->" || first.Title != ill.Title || !slices.Contains(first.Labels, label{"oci-promote"}) {
		t.Errorf("the issue is %+v", first)
	}
	tracked(t, r, ill, "/1", Unchanged)
	worse := ill
	worse.Body = "very stuck"
	tracked(t, r, worse, "/1", Updated)
	if !strings.HasSuffix(first.Body, "very stuck") || len(first.comments) != 0 {
		t.Errorf("the issue is %+v", first)
	}
	if page, err := r.Tracked(t.Context(), ill.Artifact); err != nil || !strings.HasSuffix(page, "/1") {
		t.Errorf("it is %q, %v", page, err)
	}
	tracked(t, r, well(), "/1", Closed)
	if first.State != "closed" || first.Reason != "completed" || !slices.Equal(first.comments, []string{"healthy again"}) {
		t.Errorf("the issue is %+v", first)
	}
	tracked(t, r, well(), "", "")
	tracked(t, r, ill, "/2", Opened)
}

// What is not ours is neither found nor touched.
func TestTrackLeavesOthersAlone(t *testing.T) {
	tr := startTracker(t)
	mark := marker(ill.Artifact)
	tr.add("a stranger's, without the label", mark+"\nx", "open")
	tr.add("marked further down", "see\n"+mark, "open", trackingLabel)
	tr.add("another artifact", marker("ghcr.io/acme/fleet-2")+"\nx", "open", trackingLabel)
	tr.add("closed", mark+"\nx", "closed", trackingLabel)
	tr.add("a pull request", mark+"\nx", "open", trackingLabel).PullRequest = &struct{}{}
	r := tr.open(t)
	tracked(t, r, well(), "", "")
	tracked(t, r, ill, "/6", Opened)
	tracked(t, r, well(), "/6", Closed)
	if got := tr.openNow(); !slices.Equal(got, []int{1, 2, 3, 5}) {
		t.Errorf("open are %v", got)
	}
	for _, i := range tr.issues[:5] {
		if len(i.comments) > 0 || i.Reason != "" {
			t.Errorf("%q was touched: %+v", i.Title, i)
		}
	}
}

// Of several, the oldest stays, on whatever page and however GitHub names the pages.
func TestTrackClosesDuplicates(t *testing.T) {
	for n := range 4 {
		tr := startTracker(t)
		tr.old, tr.cursor = n&1 > 0, n&2 > 0
		for n := range 250 { // with those of others between
			artifact := fmt.Sprint("other", n)
			if n == 57 || n == 157 {
				artifact = ill.Artifact
			}
			tr.add("x", marker(artifact)+"\nx", "open", trackingLabel)
		}
		tracked(t, tr.open(t), ill, "/58", Updated)
		reason := map[bool]string{false: "duplicate", true: "not_planned"}[tr.old]
		if i := tr.issues[157]; i.State != "closed" || i.Reason != reason || !slices.Equal(i.comments, []string{"Duplicate of #58"}) {
			t.Errorf("issue 158 is %+v", i)
		}
		if n := len(tr.openNow()); n != 249 {
			t.Errorf("%d are open", n)
		}
		tr.add("x", marker("last")+"\nx", "open", trackingLabel)
		if page, err := tr.open(t).Tracked(t.Context(), "last"); err != nil || !strings.HasSuffix(page, "/251") {
			t.Errorf("on the last page is %q, %v", page, err)
		}
	}
}

// A list that cannot be read to its end is not believed.
func TestTrackTooMany(t *testing.T) {
	tr := startTracker(t)
	for n := range 1001 {
		tr.add("x", marker(fmt.Sprint("other", n))+"\nx", "open", trackingLabel)
	}
	page, did, err := tr.open(t).Track(t.Context(), ill)
	explained(t, err, "", "listing tracking issues", "more than 1000 open issues have the label oci-promote")
	if page != "" || did != "" || len(tr.requests) != 10 {
		t.Errorf("%q, %q after %d requests", page, did, len(tr.requests))
	}
}

// Runs that start at once, each before any has opened one, end with one issue; where lists
// lag, the next run does it.
func TestTrackAtOnce(t *testing.T) {
	const runs = 4
	for _, lag := range []int{0, 2, runs} {
		tr := startMeeting(t, runs)
		tr.lag = lag
		var wg sync.WaitGroup
		for range runs {
			wg.Go(func() {
				if _, _, err := tr.open(t).Track(t.Context(), ill); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := tr.openNow(); len(tr.issues) != runs || lag == 0 && !slices.Equal(got, []int{1}) || len(got) == 0 || got[0] != 1 {
			t.Errorf("lag %d: of %d open are %v\n%s", lag, len(tr.issues), got, strings.Join(tr.requests, "\n"))
		}
		tr.lag = 0
		tracked(t, tr.open(t), ill, "/1", Unchanged)
		if got := tr.openNow(); !slices.Equal(got, []int{1}) {
			t.Errorf("lag %d: in the end open are %v", lag, got)
		}
	}
}

// What people write stays: comments, and the labels they add.
func TestTrackLeavesComments(t *testing.T) {
	tr := startTracker(t)
	tr.add("old", marker(ill.Artifact)+"\nold", "open", "urgent", "OCI-Promote").comments = []string{"on it"}
	tracked(t, tr.open(t), ill, "/1", Updated)
	tracked(t, tr.open(t), well(), "/1", Closed)
	i := tr.issues[0]
	if !slices.Equal(i.comments, []string{"on it", ill.Comment}) || !slices.Equal(i.Labels, []label{{"urgent"}, {"OCI-Promote"}}) {
		t.Errorf("the issue is %+v", i)
	}
}

// An issue that no run could find again would be opened by each.
func TestTrackWithoutTheRightToLabel(t *testing.T) {
	tr := startTracker(t)
	tr.unlabel = true
	_, _, err := tr.open(t).Track(t.Context(), ill)
	explained(t, err, "issues: write", "labelling issue #1", "closed again")
	if len(tr.openNow()) > 0 {
		t.Error("it is left open")
	}
}

// Where only the creation drops the label, it is set afterwards. Whoever takes the label
// away takes the issue: the next run opens another.
func TestTrackLabelsLater(t *testing.T) {
	tr := startTracker(t)
	tr.unlabel, tr.relabel = true, true
	tracked(t, tr.open(t), ill, "/1", Opened)
	tracked(t, tr.open(t), ill, "/1", Unchanged)
	tr.issues[0].Labels = nil
	tracked(t, tr.open(t), ill, "/2", Opened)
}
