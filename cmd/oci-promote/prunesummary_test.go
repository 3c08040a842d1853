package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	semver "github.com/oci-promote/oci-promote/internal/version"
)

// life is a layout with the artifacts of some commits, a day apart: the n-th has height n. Each but the last two goes live.
func life(s *situation, n int) {
	for i := 1; i <= n; i++ {
		hours := strings.Repeat(fmt.Sprint(i%10), 40)
		if err := os.WriteFile("tree/app.yaml", []byte("commit: "+hours+"\n"), 0o600); err != nil {
			s.Fatal(err)
		}
		s.run(24*i, "build", "--path", "tree", "--revision", "main@sha1:"+hours, "--height", fmt.Sprint(i))
		if i <= n-2 && i != 3 {
			s.run(24*i, "tag", "--artifact-sha", hours)
		}
	}
}

// TestPruneSummaries are what a job's summary shows. The files are what GitHub gets.
func TestPruneSummaries(t *testing.T) {
	for name, inputs := range map[string]map[string]string{
		"planned":   {"INPUT_MAX-DELETES": "3"},
		"pruned":    {"INPUT_APPLY": "true"},
		"unchanged": {"INPUT_KEEP-STABLES": "10", "INPUT_KEEP-FOR": "720h"},
	} {
		t.Run(name, func(t *testing.T) {
			golden, err := filepath.Abs(filepath.Join("testdata", "prune-"+name+".md"))
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir(t.TempDir())
			if err := os.Mkdir("tree", 0o700); err != nil {
				t.Fatal(err)
			}
			life(&situation{T: t}, 9)
			if err := os.WriteFile("summary", nil, 0o600); err != nil {
				t.Fatal(err)
			}
			env := map[string]string{
				"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/fleet", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_RUN_ID": "77",
				"GITHUB_STEP_SUMMARY": "summary", "INPUT_MODE": "prune", "INPUT_REPOSITORY": "oci-layout:registry",
				"INPUT_KEEP-STABLES": "2", "INPUT_KEEP-FOR": "72h",
			}
			maps.Copy(env, inputs)
			var log bytes.Buffer
			c := &command{stdout: &log, stderr: &log, now: func() time.Time { return day.Add(10 * 24 * time.Hour) }, getenv: func(name string) string { return env[name] }}
			if code := c.run(t.Context(), nil); code != exitOK {
				t.Errorf("exit status %d", code)
			}
			t.Log(log.String())
			same(t, golden, "summary")
		})
	}
}

// same holds a file to what it was.
func same(t *testing.T, golden, file string) {
	t.Helper()
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the summary is\n%s\nwant %s:\n%s\n\n-update writes it anew", got, golden, want)
	}
}

// TestLadderPicture: however many rungs there are, the picture is bounded, tells of each artifact, and of each fate in words.
func TestLadderPicture(t *testing.T) {
	for _, n := range []int{0, 1, maxRungs, maxRungs + 1, 1000} {
		r := &pipeline.Retention{}
		for i := n; i > 0; i-- {
			at := semver.Stable{Patch: uint64(i)}.String()
			r.Rungs = append(r.Rungs, pipeline.Rung{From: at, To: at, Artifacts: 1, Goes: i%2 == 0, Rule: map[bool]pipeline.KeepRule{false: pipeline.KeptYoung}[i%2 == 0]})
		}
		text := ladderPicture(r)
		if got := strings.Count(text, "[\""); got != min(n, maxRungs) {
			t.Errorf("%d rungs: %d nodes\n%s", n, got, text)
		}
		if n == 0 {
			continue
		}
		kept, goes := 0, 0
		for _, node := range ladderNodes(r) {
			var k, g int
			_, told, _ := strings.Cut(node.text, "<br>")
			switch {
			case strings.HasPrefix(node.text, "…"):
				_, _ = fmt.Sscanf(told, "%d kept, %d would go", &k, &g)
			case strings.HasPrefix(node.text, "✗"):
				_, _ = fmt.Sscanf(told, "%d would go", &g)
			default:
				_, _ = fmt.Sscanf(told, "%d kept", &k)
			}
			kept, goes = kept+k, goes+g
		}
		if kept != (n+1)/2 || goes != n/2 {
			t.Errorf("%d rungs: %d kept and %d go\n%s", n, kept, goes, text)
		}
		if !strings.Contains(text, fmt.Sprintf("0.0.%d<br>", n)) || !strings.Contains(text, "0.0.1<br>") {
			t.Errorf("%d rungs: an end is missing\n%s", n, text)
		}
	}
}

// TestKeepWords: there is a word for each rule, and none that could end a cell of a table or a label of the picture.
func TestKeepWords(t *testing.T) {
	for _, rule := range pipeline.KeepRules {
		if words := keepWords[rule]; words == "" || strings.ContainsAny(words, "|\"[]`<>") {
			t.Errorf("%s is %q", rule, words)
		}
	}
	if len(keepWords) != len(pipeline.KeepRules) {
		t.Errorf("%d rules, %d words", len(pipeline.KeepRules), len(keepWords))
	}
}

// TestPruneLines: the report and the summary are short, and say how much they leave out.
func TestPruneLines(t *testing.T) {
	r := pipeline.Report{Mode: "prune", Outcome: pipeline.PrunedOutcome, Selected: &pipeline.Selected{}, Retention: &pipeline.Retention{Applied: true, Deleted: 1, Left: 1234}}
	for i := range 1000 {
		x := pipeline.Pruned{Version: fmt.Sprintf("0.0.%d", i), State: pipeline.PrunedPlanned, Reason: "old"}
		switch i {
		case 0:
			x.State = pipeline.PrunedDeleted
		case 1:
			x.State, x.Reason = pipeline.PrunedKept, "it has other tags by now"
		case 2:
			x.State = pipeline.PrunedGone
		}
		for n := range 12 {
			x.Tags = append(x.Tags, fmt.Sprintf("0.0.%d-rc.%d", i, n))
		}
		r.Retention.Delete = append(r.Retention.Delete, x)
	}
	text := strings.Join(pruneLines(r), "\n")
	for _, part := range []string{"and 980 more", "1,234 artifacts for the next run to look at", " deleted ", " kept: it has other tags by now ", " gone already ", " not reached ", "and 4 more", "at most "} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in\n%s", part, text)
		}
	}
	if n := strings.Count(text, "\n"); n > 32 {
		t.Errorf("%d lines", n)
	}
	summary := pruneSummary(r, pages{repository: "https://github.com/acme/fleet"})
	if !strings.Contains(summary, "\nand 900 more, which the output `report` has\n") || len(summary) > 128<<10 {
		t.Errorf("%d bytes\n%.3000s", len(summary), summary)
	}
}

// TestPruneProgress: on a terminal a line tells how far the reading is, and leaves nothing behind.
func TestPruneProgress(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("tree", 0o700); err != nil {
		t.Fatal(err)
	}
	life(&situation{T: t}, 3)
	var out, said bytes.Buffer
	c := &command{stdout: &out, stderr: &said, terminal: true, now: func() time.Time { return day.AddDate(0, 0, 10) }, getenv: func(string) string { return "" }}
	if code := c.run(t.Context(), []string{"prune", "--repository", "oci-layout:registry"}); code != exitOK {
		t.Fatalf("exit status %d\n%s", code, said.String())
	}
	if got := said.String(); !strings.Contains(got, "reading: 1 of 1 manifests") || !strings.HasSuffix(got, "\r\x1b[K") {
		t.Errorf("%q", got)
	}
}

// TestPruneNoLayout: a layout that is not there is told of, and not made.
func TestPruneNoLayout(t *testing.T) {
	t.Chdir(t.TempDir())
	var out, said bytes.Buffer
	c := &command{stdout: &out, stderr: &said, now: func() time.Time { return day }, getenv: func(string) string { return "" }}
	if code := c.run(t.Context(), []string{"prune", "--repository", "oci-layout:registyr", "--apply"}); code != exitOK || !strings.Contains(said.String(), "registyr has no tags: is the name right?") {
		t.Errorf("exit status %d\n%s%s", code, out.String(), said.String())
	}
	if _, err := os.Stat("registyr"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is there: %v", err)
	}
}

func TestCounted(t *testing.T) {
	for want, got := range map[string]string{
		"reading: 1,234 of 5,000 manifests": counted("reading", 1234, 5000),
		"deleting: 3 of 100":                counted("deleting", 3, 100),
		"reading: 0 of 1,000,000 manifests": counted("reading", 0, 1000000),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
