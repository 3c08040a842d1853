package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/github"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/trigger"
	"github.com/oci-promote/oci-promote/internal/verify"
)

var (
	digestA = digest.Digest("sha256:" + strings.Repeat("a", 64))
	digestB = digest.Digest("sha256:" + strings.Repeat("b", 64))
)

// statusJSON are the statuses of a commit as GitHub has them; a line is MINUTE STATE CONTEXT DESCRIPTION.
func statusJSON(lines ...string) string {
	var all []string
	for i, line := range lines {
		minute, rest, _ := strings.Cut(line, " ")
		state, rest, _ := strings.Cut(rest, " ")
		context, description, _ := strings.Cut(rest, " ")
		all = append(all, fmt.Sprintf(`{"id":%d,"state":%q,"context":%q,"description":%q,"updated_at":"2026-11-25T08:%s:00Z"}`, i+1, state, context, description, minute))
	}
	return fmt.Sprintf(`{"state":"success","sha":%q,"total_count":%d,"statuses":[%s]}`, shaA, len(all), strings.Join(all, ","))
}

// One request tells both clusters' words on an artifact; neither's is taken for the other's.
func TestWordsOfBothClusters(t *testing.T) {
	platform, live := trigger.Gate{Name: "platform"}, trigger.Gate{Context: []string{"kustomization", "platform-live"}}
	const ok = " " + trigger.Succeeded
	a, b := string(digestA), string(digestB)
	for _, test := range []struct {
		name     string
		live     trigger.Gate
		statuses []string
		want     string // integration's newest / proven / live's
		err      string
	}{
		{"none", live, nil, " / / ", ""},
		{"both", live, []string{"10 success kustomization/platform/0.0.1-rc.1@" + a + ok, "14 success kustomization/platform-live/0.0.1@" + a + ok}, "10 success / 10 / 0.0.1@a 14 healthy", ""},
		{"the report of the promotion", live, []string{"10 success kustomization/platform/0.0.1-rc.1@" + a + ok, "12 success kustomization/platform/0.0.1@" + a + ok}, "12 success / 10 / ", ""},
		{"no health", live, []string{"10 success kustomization/platform/0.0.1-rc.1@" + a + " dependency not ready", "14 success kustomization/platform-live/0.0.1@" + a + " dependency not ready"}, "10 success / / 0.0.1@a 14", ""},
		{"failed since", live, []string{"10 success kustomization/platform/0.0.1-rc.1@" + a + ok, "12 failure kustomization/platform/0.0.1@" + a + " health check failed"}, "12 failure / 10 / ", ""},
		{"of another artifact of the commit", live, []string{"10 success kustomization/platform/0.0.2-rc.1@" + b + ok, "14 failure kustomization/platform-live/0.0.2@" + b + " health check failed"}, " / / 0.0.2@b 14", ""},
		{"of the commit alone", live, []string{"10 success kustomization/platform/be63676c" + ok, "14 success kustomization/platform-live/0a1b2c3d" + ok}, "10 success / 10 / @ 14 healthy", ""},
		{"live has no context", trigger.Gate{}, []string{"14 success kustomization/platform-live/0.0.1@" + a + ok}, " / / ", ""},
		{"live's is cut short", live, []string{"14 success kustomization/platform-live/0.0.1@sha256:aaaa" + ok}, "", "does not end in"},
	} {
		t.Run(test.name, func(t *testing.T) {
			asked := 0
			hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked++
				_, _ = io.WriteString(w, statusJSON(test.statuses...))
			}))
			defer hub.Close()
			api, err := github.Open(github.Options{Repository: "acme/fleet", APIURL: hub.URL, Token: "ghs_x"})
			if err != nil {
				t.Fatal(err)
			}
			got, err := host{api, platform, test.live, "77"}.Words(t.Context(), shaA, digestA)
			if err != nil || test.err != "" {
				if test.err == "" || err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("%v, want %q", err, test.err)
				}
				return
			}
			if text := wordsText(got); text != test.want || asked != 1 {
				t.Errorf("got %q by %d requests, want %q", text, asked, test.want)
			}
		})
	}
}

func wordsText(w verify.Words) string {
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format("04 ")
	}
	text := at(w.Integration.At) + w.Integration.State + " / " + at(w.Proven) + "/ "
	for _, said := range w.Live {
		letter := strings.TrimPrefix(string(said.Digest), "sha256:")
		text += fmt.Sprintf("%s@%.1s %s", said.Tag, letter, said.At.Format("04"))
		if said.Healthy {
			text += " healthy"
		}
	}
	return text
}

// Nobody can tell who reports under a context that both clusters may have; no other is refused.
func TestLiveStatusContextIsOfLiveAlone(t *testing.T) {
	for _, test := range []struct {
		live, kustomization, context string
		want                         string // part of the error; empty for none
	}{
		{"", "platform", "", ""},
		{"", "", "", ""},
		{"kustomization/platform-live", "platform", "", ""},
		{"kustomization/platform-live/", "flux-system/platform", "", ""},
		{"live/platform", "platform", "", ""},
		{"live/platform", "", "", ""},
		{"kustomization/platform/0a1b2c3d", "platform", "kustomization/platform/be63676c", ""},
		{"kustomization/platform", "platform", "", `"kustomization/platform" cannot be told from integration's commit statuses, which begin with "kustomization/platform"`},
		{"Kustomization/Platform", "platform", "", "cannot be told"},
		{"kustomization", "platform", "", "cannot be told"},
		{"kustomization/platform/live", "platform", "", "cannot be told"},
		{"live", "platform", "live/platform", `which begin with "live/platform"`},
		{"kustomization/platform-live", "", "", `which begin with "kustomization"`}, // any of Flux's would be integration's
		{"kustomization//live", "platform", "", "empty segment"},
	} {
		r := action.Read(action.Values{"live-status-context": test.live, "kustomization": test.kustomization, "status-context": test.context})
		gate := readLiveGate(r, readGate(r))
		switch err := r.Err(); {
		case test.want == "" && err != nil, test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), "live-status-context: ") || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%+v: %v", test, err)
		case err == nil && (gate.Context == nil) != (test.live == ""):
			t.Errorf("%+v: %+v", test, gate)
		}
	}
}

func TestLeadText(t *testing.T) {
	part := func(seconds int64, of ...string) pipeline.LeadPart {
		return pipeline.LeadPart{Of: of, Seconds: seconds}
	}
	for want, l := range map[string]*pipeline.Lead{
		"": nil,
		"live 14m after the commit: build 3m, integration 6m, promotion 1m, live 4m": {
			Live: true, Seconds: 840, Parts: []pipeline.LeadPart{part(180, "build"), part(360, "integration"), part(60, "promotion"), part(240, "live")},
		},
		"live 1h5m after the commit: build and integration 45s, promotion and live 1h4m": {
			Live: true, Seconds: 3900, Parts: []pipeline.LeadPart{part(45, "build", "integration"), part(3855, "promotion", "live")},
		},
		"validated 2d after the commit": {Seconds: 2*86400 + 59, Parts: []pipeline.LeadPart{part(2*86400+59, "build", "integration")}},
		"promoted 1d1h after the commit: build 0s, integration 1d1h, promotion 59s": {
			Seconds: 90059, Parts: []pipeline.LeadPart{part(0, "build"), part(90000, "integration"), part(59, "promotion")},
		},
	} {
		if got := leadText(l); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := medianText(&pipeline.Median{Seconds: 840, Of: 17}); got != "14m from the commit to live, of the last 17 promotions that are known" {
		t.Errorf("got %q", got)
	}
}

// A run of verify is no promotion, whoever started it: ours starts on live's status, and is skipped on integration's. Where a
// status started nothing else, a repository_dispatch may have.
func TestRunsOfVerifyAreNoPromotions(t *testing.T) {
	run := func(id int, name, file string) string {
		return fmt.Sprintf(`{"id":%d,"name":%q,"path":".github/workflows/%s","status":"completed","conclusion":"success","run_started_at":"2026-11-25T08:0%d:00Z"}`, id, name, file, id)
	}
	tag, verifies := run(1, "Tag validated artifact", "tag.yaml"), run(2, "Verify promotion", "x.yaml")
	byFile, own, dispatched := run(3, "Look", "verify-promotion.yaml@main"), run(4, "All in one", "all.yaml"), run(5, "Promote and verify", "p.yaml")
	for _, test := range []struct {
		name, status, dispatch string
		want                   string // the ids of what may be a promotion
		asked                  int
	}{
		{"a promotion", tag + "," + verifies + "," + byFile + "," + own, dispatched, "1", 1},
		{"verify alone", verifies + "," + byFile + "," + own, dispatched, "5", 2},
		{"nothing", "", "", "", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			asked := 0
			hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked++
				_, _ = fmt.Fprintf(w, `{"total_count":9,"workflow_runs":[%s]}`, map[string]string{"status": test.status, "repository_dispatch": test.dispatch}[r.FormValue("event")])
			}))
			defer hub.Close()
			api, err := github.Open(github.Options{Repository: "acme/fleet", APIURL: hub.URL, Token: "ghs_x"})
			if err != nil {
				t.Fatal(err)
			}
			found, err := host{Repository: api, own: "4"}.Promotions(t.Context(), day)
			if err != nil {
				t.Fatal(err)
			}
			var promote []string
			for _, run := range found {
				if !run.Own && !run.Watches {
					promote = append(promote, fmt.Sprint(run.ID))
				}
			}
			if got := strings.Join(promote, " "); got != test.want || asked != test.asked {
				t.Errorf("got %q by %d requests, want %q by %d", got, asked, test.want, test.asked)
			}
		})
	}
}

// The headline says that live has a version only where live itself says so.
func TestVerifyHeadline(t *testing.T) {
	old, fails, next := runs("live", "0.1.5", 5, pipeline.Runs, ""), runs("live", "0.1.6", 6, pipeline.Fails, ""), runs("live", "0.1.6", 6, pipeline.Applying, "")
	for _, test := range []struct {
		selected string
		running  []pipeline.Running
		want     string
	}{
		{"", nil, "live selects nothing yet"},
		{"0.1.6", nil, "live selects 0.1.6"},
		{"0.1.6", []pipeline.Running{old}, "live selects 0.1.6"},
		{"0.1.6", []pipeline.Running{runs("integration", "0.1.6", 6, pipeline.Applying, ""), runs("live", "0.1.6", 6, pipeline.Runs, "")}, "live has 0.1.6"},
		{"0.1.6", []pipeline.Running{fails}, "live has 0.1.6"},
		{"0.1.6", []pipeline.Running{next}, "live selects 0.1.6"},
		{"0.1.6", []pipeline.Running{old, next}, "live selects 0.1.6"},
	} {
		if got := verifyHeadline(running(test.selected, test.running...)); got != "verify: healthy, "+test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}
