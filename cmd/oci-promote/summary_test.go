package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestSummaries are what a build and a promotion show, and a run that is refused. The files are what GitHub gets.
func TestSummaries(t *testing.T) {
	for name, test := range map[string]struct {
		tell   func(s *situation)
		inputs func(s *situation) map[string]string
		code   int
	}{
		"build-created": {func(s *situation) { s.build(0, shaA) }, func(*situation) map[string]string {
			return map[string]string{"INPUT_MODE": "build", "INPUT_PATH": "tree", "INPUT_REVISION": "main@sha1:" + shaB, "INPUT_HEIGHT": "2"}
		}, exitOK},
		"tag-promoted": {(*situation).second, func(*situation) map[string]string {
			return map[string]string{"INPUT_ARTIFACT-SHA": shaB}
		}, exitOK},
		"tag-rollback": {func(s *situation) {
			s.second()
			s.run(1, "tag", "--artifact-sha", shaB)
		}, func(s *situation) map[string]string {
			return map[string]string{"INPUT_VERSION": "next", "INPUT_DIGEST": s.digestOf("0.0.1")}
		}, exitOK},
		"tag-failed": {(*situation).second, func(*situation) map[string]string {
			return map[string]string{"INPUT_VERSION": "0.0.1", "INPUT_ARTIFACT-SHA": shaB}
		}, exitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			golden, err := filepath.Abs(filepath.Join("testdata", name+".md"))
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
			env := map[string]string{
				"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/fleet", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_RUN_ID": "77",
				"GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_ACTOR": "ada", "GITHUB_TRIGGERING_ACTOR": "ada", "GITHUB_STEP_SUMMARY": "summary",
				"GITHUB_WORKSPACE": dir, "SOURCE_DATE_EPOCH": strconv.FormatInt(day.Add(time.Hour).Unix(), 10), "INPUT_MODE": "tag", "INPUT_REPOSITORY": "oci-layout:registry",
			}
			maps.Copy(env, test.inputs(s))
			if err := os.WriteFile("summary", nil, 0o600); err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			c := &command{stdout: &log, stderr: &log, now: func() time.Time { return day.Add(90 * time.Minute) }, getenv: func(name string) string { return env[name] }}
			if code := c.run(t.Context(), nil); code != test.code {
				t.Errorf("exit status %d", code)
			}
			t.Log(log.String())
			same(t, golden, "summary")
		})
	}
}

// An address of GitHub's page is linked up to its longest, and never one that could end the link.
func TestPagesThere(t *testing.T) {
	p := pages{repository: "https://github.com/acme/fleet"}
	long := "https://" + strings.Repeat("h", 200)
	for address, want := range map[string]bool{
		"https://github.com/acme/fleet/issues/1":                true,
		"https://github.com/" + strings.Repeat("p", 400):        true,
		"https://github.com/" + strings.Repeat("p", 401):        false,
		"https://github.com/acme)":                              false,
		"https://github.com":                                    false,
		"http://github.com/acme/fleet":                          false,
		"https://github.example/acme/fleet":                     false,
		"https://github.com/acme/fleet/issues/1\nhttps://evil/": false,
	} {
		if got := p.there(address); got != want {
			t.Errorf("%.60q of %d bytes: %v", address, len(address), got)
		}
	}
	for host, want := range map[string]bool{long: true, long + "h": false} {
		if got := (pages{repository: host + "/acme/fleet"}).there(host + "/acme"); got != want {
			t.Errorf("a host of %d bytes: %v", len(host)-len("https://"), got)
		}
	}
}
