package registries

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
	"golang.org/x/sys/unix"

	"github.com/oci-promote/oci-promote/test/programtest"
)

const (
	manyArtifacts = 5000
	pruneMemory   = 100 << 10 // KiB
)

// TestPrunePlansMany: of 5,000 artifacts, each with three tags or five, a plan costs one list and one request an artifact, less
// than 100 MB, and on a terminal there is a line that tells how far it is.
func TestPrunePlansMany(t *testing.T) {
	w := cuelabs("cuelabs", ocimem.Config{}, ociserver.Options{DisableReferrersAPI: true}).start(t)
	tags := w.seedMany(t)
	w.Reset()
	began := time.Now()
	report, shown, peak := onTerminal(t, "prune", "--json", "--plain-http", "--repository", w.Host+"/"+programtest.Fleet)
	took := time.Since(began).Round(time.Millisecond)
	var told struct {
		Outcome   string
		Retention struct {
			Kept   int
			Delete []struct{}
		}
	}
	if err := json.Unmarshal([]byte(report), &told); err != nil {
		t.Fatal(err)
	}
	if r := told.Retention; told.Outcome != "planned" || r.Kept+len(r.Delete) != manyArtifacts || len(r.Delete) != 100 {
		t.Errorf("%s: %d kept, %d to go", told.Outcome, r.Kept, len(r.Delete))
	}
	asked := w.planRequests(t, tags)
	if peak == 0 || peak > pruneMemory {
		t.Errorf("it has had %d KiB, want at most %d", peak, pruneMemory)
	}
	lines := regexp.MustCompile(`\x1b\[Kreading: [0-9,]+ of 5,000 manifests`).FindAllString(shown, -1)
	if len(lines) < 2 {
		t.Fatalf("the terminal shows %q", shown)
	}
	t.Logf("%d tags: %s, %d KiB, %s, %d lines such as %q", tags, took, peak, asked, len(lines), lines[len(lines)/2:][:1])
}

// planRequests holds what a plan asked, and gives it in words. Of the registry that has no referrers API it asks for those of as
// many artifacts as it asks at once.
func (w world) planRequests(t *testing.T, tags int) string {
	t.Helper()
	const atOnce = 16
	lists, others, manifests := 0, 0, map[string]int{}
	for _, r := range w.Requests() {
		_, reference, isManifest := strings.Cut(r.Path, "/manifests/")
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			t.Errorf("a plan asks %s", r)
		case strings.Contains(r.Path, "/tags/list"):
			lists++
		case isManifest:
			manifests[reference]++
		default:
			others++
		}
	}
	pages := tags/1000 + 2 // the last may be full, and lead to an empty one
	if lists > pages || len(manifests) > manyArtifacts || others > atOnce {
		t.Errorf("%d pages of tags, %d manifests, %d other requests; want at most %d, %d and %d", lists, len(manifests), others, pages, manyArtifacts, atOnce)
	}
	for reference, n := range manifests {
		if n > 1 {
			t.Fatalf("%s was read %d times", reference, n)
		}
	}
	return fmt.Sprintf("%d pages of tags, %d manifests, %d other requests", lists, len(manifests), others)
}

// onTerminal runs the program with its errors on a terminal. It gives what it said, what the terminal shows, and the most memory
// that it has had, in KiB.
func onTerminal(t *testing.T, args ...string) (said, shown string, peak int) {
	t.Helper()
	screen, line := terminal(t)
	cmd := programtest.Command(t, nil, args...)
	var stdout, all bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, line
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = line.Close()
	read, ended := make(chan struct{}), make(chan struct{})
	go func() { _, _ = all.ReadFrom(screen); close(read) }() // ends with an error, once nobody has the line
	go func() { _ = cmd.Wait(); close(ended) }()             // the exit status tells
	for {
		peak = max(peak, programtest.Peak(cmd.Process.Pid))
		select {
		case <-ended:
			<-read
			if code := cmd.ProcessState.ExitCode(); code != 0 {
				t.Fatalf("exit status %d\n%s", code, all.String())
			}
			return stdout.String(), all.String(), peak
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// terminal opens a pseudo-terminal.
func terminal(t *testing.T) (screen, line *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = screen.Close() })
	fd := int(screen.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		line, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	return screen, line
}

// seedMany gives the repository a history in which nine of ten artifacts were passed, and one was promoted. It gives the number
// of tags.
func (w world) seedMany(t *testing.T) (tags int) {
	t.Helper()
	model := w.build(t, a, 0)
	stable := 1
	for i, d := range programtest.Descendants(t, model, w.manifest(model.Tag), manyArtifacts-1) {
		n := i + 2
		named := []string{fmt.Sprintf("0.0.%d-rc.%d", stable, n), "sha-" + d.Commit[:7], "integration-" + d.Commit[:7]}
		if n%10 == 0 {
			named = append(named, fmt.Sprintf("0.0.%d", stable), "validated-"+d.Commit[:7])
			stable++
		}
		tags += len(named)
		w.put(d.Manifest, named...)
	}
	return tags + 3 // the model's
}
