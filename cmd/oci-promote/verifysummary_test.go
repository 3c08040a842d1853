package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

var update = flag.Bool("update", false, "write the golden summaries anew")

var (
	shaA = strings.Repeat("a", 40)
	shaB = strings.Repeat("b", 40)
	// The commits of the situations are built at the start of this day.
	day = time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)
)

// situation is a repository with a story, and what GitHub has to say of it.
type situation struct {
	*testing.T
	dir string
	api map[string]string // path, with a part of the query: body

	statuses map[string][]string // by commit
}

// run is the program by hand, at an hour of the day.
func (s *situation) run(hours int, args ...string) {
	s.Helper()
	var said bytes.Buffer
	c := &command{stdout: &said, stderr: &said, now: func() time.Time { return day }, getenv: func(name string) string {
		return map[string]string{"SOURCE_DATE_EPOCH": strconv.FormatInt(day.Add(time.Duration(hours)*time.Hour).Unix(), 10)}[name]
	}}
	if code := c.run(s.Context(), append(args, "--repository", "oci-layout:registry")); code != exitOK {
		s.Fatalf("%s\n%s", args, said.String())
	}
}

func (s *situation) build(hours int, sha string) {
	if err := os.WriteFile("tree/app.yaml", []byte("commit: "+sha+"\n"), 0o600); err != nil {
		s.Fatal(err)
	}
	s.run(hours, "build", "--path", "tree", "--revision", "main@sha1:"+sha, "--height", map[string]string{shaA: "1", shaB: "2"}[sha])
}

// second is a first commit that is live, and a second that is built.
func (s *situation) second() {
	s.build(0, shaA)
	s.run(0, "tag", "--artifact-sha", shaA)
	s.build(1, shaB)
	s.head(shaB, "09:00")
	s.workflow("head_sha="+shaB, "Build platform artifact", "push", "success", "09:01")
}

// status lets GitHub have a commit status of integration's.
func (s *situation) status(sha, state, description, at string) {
	s.post(sha, state, "kustomization/platform/be63676c", description, at)
}

// post lets GitHub have one more status on a commit.
func (s *situation) post(sha, state, context, description, at string) {
	s.statuses[sha] = append(s.statuses[sha], fmt.Sprintf(`{"id":1,"state":%q,"context":%q,"description":%q,"updated_at":"2026-11-25T%s:00Z"}`, state, context, description, at))
	s.api["/commits/"+sha+"/status"] = fmt.Sprintf(`{"state":%q,"sha":%q,"total_count":%d,"statuses":[%s]}`, state, sha, len(s.statuses[sha]), strings.Join(s.statuses[sha], ",\n"))
}

// bothLive are two commits that went live, of which live reported the first.
func (s *situation) bothLive() {
	s.second()
	s.run(1, "tag", "--artifact-sha", shaB)
	s.status(shaB, "success", "reconciliation succeeded", "09:07")
	s.workflow("event=status", "Tag validated artifact", "status", "success", "09:08")
	s.post(shaA, "success", "kustomization/platform-live/0.0.1@"+s.digestOf("0.0.1"), "reconciliation succeeded", "08:20")
}

// digestOf is what a tag of the layout names.
func (s *situation) digestOf(tag string) string {
	s.Helper()
	blob, err := os.ReadFile("registry/index.json")
	if err != nil {
		s.Fatal(err)
	}
	var index ocispec.Index
	if err := json.Unmarshal(blob, &index); err != nil {
		s.Fatal(err)
	}
	for _, m := range index.Manifests {
		if m.Annotations[ocispec.AnnotationRefName] == tag {
			return m.Digest.String()
		}
	}
	s.Fatalf("no tag %s", tag)
	return ""
}

func (s *situation) head(sha, at string) {
	s.api["/commits?"] = fmt.Sprintf(`[{"sha":%q,"commit":{"message":"fix","committer":{"date":"2026-11-25T%s:00Z"}}}]`, sha, at)
}

// workflow lets GitHub have one run for what a query says.
func (s *situation) workflow(query, name, event, conclusion, at string) {
	s.api["/actions/runs?*"+query] = fmt.Sprintf(`{"total_count":1,"workflow_runs":[{"id":9,"name":%q,"path":".github/workflows/w.yaml","event":%q,"status":"completed",
		"conclusion":%q,"html_url":"https://github.com/acme/fleet/actions/runs/9","run_attempt":1,"run_started_at":"2026-11-25T%s:00Z","created_at":"2026-11-25T%s:00Z","updated_at":"2026-11-25T%s:40Z"}]}`,
		name, event, conclusion, at, at, at)
}

func (s *situation) serve(w http.ResponseWriter, r *http.Request) {
	asked := strings.TrimPrefix(r.URL.RequestURI(), "/repos/acme/fleet")
	for path, body := range s.api {
		start, query, _ := strings.Cut(path, "*")
		if strings.HasPrefix(asked, start) && strings.Contains(asked, query) {
			_, _ = io.WriteString(w, body)
			return
		}
	}
	switch {
	case strings.HasPrefix(asked, "/actions/runs?"):
		_, _ = io.WriteString(w, `{"total_count":0,"workflow_runs":[]}`)
	case strings.HasSuffix(strings.Split(asked, "?")[0], "/status"):
		_, _ = fmt.Fprintf(w, `{"state":"pending","sha":%q,"total_count":0,"statuses":[]}`, strings.Split(asked, "/")[2])
	default:
		s.Errorf("GitHub is asked for %s", asked)
		http.NotFound(w, r)
	}
}

// Seven situations, as the summary shows them. The files are what GitHub gets.
func TestVerifySummaries(t *testing.T) {
	for name, test := range map[string]struct {
		tell   func(s *situation)
		inputs map[string]string
		code   int
	}{
		"live": {func(s *situation) {
			s.build(0, shaA)
			s.run(0, "tag", "--artifact-sha", shaA)
			s.status(shaA, "success", "reconciliation succeeded", "08:10")
			s.head(shaA, "08:00")
			s.workflow("head_sha="+shaA, "Build platform artifact", "push", "success", "08:01")
		}, nil, exitOK},
		"on-its-way": {(*situation).second, nil, exitOK},
		"validation-failed": {func(s *situation) {
			s.second()
			s.status(shaB, "failure", "health check failed after 2m0s: timeout waiting for: [Canary/canaries/api <script> status: 'Failed']", "09:14")
		}, nil, exitFailed},
		"not-promoted": {func(s *situation) {
			s.second()
			s.status(shaB, "success", "reconciliation succeeded", "09:05")
			s.workflow("event=status", "Tag validated artifact", "status", "failure", "09:06")
		}, nil, exitFailed},
		"running": {func(s *situation) {
			s.bothLive()
			s.post(shaB, "success", "kustomization/platform-live/0.0.2@"+s.digestOf("0.0.2"), "reconciliation succeeded", "09:12")
		}, map[string]string{"INPUT_LIVE-STATUS-CONTEXT": "kustomization/platform-live"}, exitOK},
		"live-failed": {func(s *situation) {
			s.bothLive()
			s.post(shaB, "failure", "kustomization/platform-live/0.0.2@"+s.digestOf("0.0.2"), "health check failed after 2m0s: timeout waiting for: [Canary/canaries/api <script> status: 'Failed']", "09:12")
		}, map[string]string{"INPUT_LIVE-STATUS-CONTEXT": "kustomization/platform-live"}, exitFailed},
		"stuck": {func(s *situation) {
			s.build(-72, shaA)
			s.build(1, shaB)
		}, map[string]string{"INPUT_LIVE-SEMVER": ">= 0.0.0-0", "INPUT_TOKEN": ""}, exitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			golden, err := filepath.Abs(filepath.Join("testdata", "verify-"+name+".md"))
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			t.Chdir(dir)
			if err := os.Mkdir("tree", 0o700); err != nil {
				t.Fatal(err)
			}
			s := &situation{t, dir, map[string]string{}, map[string][]string{}}
			test.tell(s)
			hub := httptest.NewServer(http.HandlerFunc(s.serve))
			defer hub.Close()
			if err := os.WriteFile("summary", nil, 0o600); err != nil {
				t.Fatal(err)
			}
			env := map[string]string{
				"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/fleet", "GITHUB_API_URL": hub.URL, "GITHUB_SERVER_URL": "https://github.com",
				"GITHUB_RUN_ID": "77", "GITHUB_STEP_SUMMARY": "summary", "INPUT_MODE": "verify", "INPUT_TOKEN": "ghs_x", "INPUT_RETRY-FOR": "0s",
				"INPUT_REPOSITORY": "oci-layout:registry", "INPUT_KUSTOMIZATION": "platform", "INPUT_PATH": "platform",
			}
			maps.Copy(env, test.inputs)
			var log bytes.Buffer
			c := &command{stdout: &log, stderr: &log, now: func() time.Time { return day.Add(90 * time.Minute) }, getenv: func(name string) string { return env[name] }}
			if code := c.run(t.Context(), nil); code != test.code {
				t.Errorf("exit status %d\n%s", code, log.String())
			}
			t.Log(log.String())
			same(t, golden, "summary")
			if name == "live" && strings.Count(log.String(), "\n") > 12 {
				t.Errorf("a healthy run is not short:\n%s", log.String())
			}
		})
	}
}
