package main

import (
	"strings"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/internal/action"
)

// The command line, read as the program reads it, up to what would be sent. A flag means what the input of the same
// name means; what is wrong is told by its name, without the password.
func FuzzFlags(f *testing.F) {
	for _, args := range []string{
		"--repository=ghcr.io/acme/fleet\n--path=.", "--repository\noci-layout:x\n--dry-run\n--json", "--dry-run=maybe", "--nonsense", "-h", "--", "-", "=", "--=x", "--version=1.0.0\n--artifact-sha=latest",
		"--username=u\n--password=hunter2\n--retry-for=1h", "--password=hunter2", "--repository=https://u:hunter2@ghcr.io/acme/fleet", "--sha-length=41\n--wait=-1s\n--digest=sha256:x", "extra", "--annotations=a=b\nc",
		"--kustomization=a/b/c\n--status-context=//", "--integration-semver=>>1", "--path=../..", "--path=/etc\n--cluster-state=/dev/fd/0", "--fail-on=\x00", "--release-prefix=../v", "--initial-version=v1", "--height=1534", "--height=0", "--height=9007199254740993\n--height=+1", "--keep-stables=0\n--keep-for=-1s\n--max-deletes=1001\n--apply=maybe", "--digest=\x1b[31m",
	} {
		for mode := range action.Modes {
			f.Add(uint8(mode), args)
		}
	}
	workspace := f.TempDir()
	f.Fuzz(func(t *testing.T, n uint8, lines string) {
		mode := action.Modes[int(n)%len(action.Modes)]
		c := &command{getenv: func(string) string { return "" }, now: time.Now}
		sub, err := subcommandOf(mode)
		if err != nil {
			t.Fatal(err)
		}
		given, err := c.parse(sub, strings.Split(lines, "\n"))
		if err != nil {
			return
		}
		v := given.values
		c.fromEnvironment(v)
		inputs := map[string]action.Input{}
		for _, i := range action.InputsOf(mode) {
			inputs[i.Name] = i
		}
		if name, value, ok := strings.Cut(strings.TrimPrefix(lines, "--"), "="); ok && !strings.Contains(lines, "\n") && inputs[name].Name != "" && v[name] != value {
			t.Errorf("%q sets %s to %q", lines, name, v[name])
		}
		variables, shown := map[string]string{}, false
		for name, value := range v {
			if _, known := inputs[name]; !known {
				t.Errorf("%q sets %q", lines, name)
			}
			if name == "password" && value != "" {
				v[name] = "hunter2"
			} else if strings.Contains(value, "hunter2") { // it says so itself
				shown = true
			}
			variables["INPUT_"+strings.ReplaceAll(strings.ToUpper(name), " ", "_")] = v[name]
		}
		byHand := readAll(c, mode, v, workspace)
		run := action.New(func(name string) string { return variables[name] }, nil)
		asAction := readAll(c, mode, run.Values(), workspace)
		if byHand != asAction {
			t.Errorf("%q: by hand %q, as an action %q", lines, byHand, asAction)
		}
		for line := range strings.SplitSeq(byHand, "\n") {
			name, _, named := strings.Cut(line, ": ")
			if _, known := inputs[name]; line != "" && (!known && name != "revision" || !named) || !shown && strings.Contains(line, "hunter2") || strings.ContainsAny(line, "\r\x00\x1b\u2028") {
				t.Errorf("%q: the error is %q", lines, line)
			}
		}
	})
}

// readAll reads every input of a mode that needs no file, and gives what is wrong with them, an error a line.
func readAll(c *command, mode string, v action.Values, workspace string) string {
	r := action.Read(v)
	c.common(r)
	switch mode {
	case action.Build:
		_, _ = readBump(r)
		readHeight(r)
		r.Bool("first-build")
		r.Lines("ignore")
		_ = c.metadata(r)
	case action.Tag:
		readGate(r)
		readAsked(r)
		readManual(r)
		readRelease(r)
		r.Duration("wait")
	case action.Verify:
		readGate(r)
		readAsked(r)
		action.Get(r, "path", func(name string) (string, error) { return inRepository(workspace, name) })
		action.Get(r, "fail-on", parseFailOn)
	case action.Prune:
		readRetention(r)
	}
	if err := r.Err(); err != nil {
		return strings.Join(parts(err), "\n")
	}
	return ""
}

// SOURCE_DATE_EPOCH and the pushed commit are a time that an annotation can hold, or an error.
func FuzzEpoch(f *testing.F) {
	for _, s := range []string{"0", "1795680000", "8589934591", "8589934592", "999999999999", "-1", "+1", "1e9", "0x10", " 1", "٣", "1_000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, epoch string) {
		c := &command{getenv: func(name string) string { return map[string]string{"SOURCE_DATE_EPOCH": epoch}[name] }}
		at, err := c.told("")
		if epoch == "" {
			return
		}
		if err != nil {
			if !strings.HasPrefix(err.Error(), "SOURCE_DATE_EPOCH: ") || strings.ContainsAny(err.Error(), "\r\n") || strings.Trim(epoch, "0123456789") == "" && len(epoch) < 10 {
				t.Errorf("%q: %v", epoch, err)
			}
			return
		}
		again, err := time.Parse(time.RFC3339, at.Format(time.RFC3339))
		if err != nil || !again.Equal(at) || at.Year() > 9999 {
			t.Errorf("%q is %s, %v", epoch, at, err)
		}
	})
}

// Markdown that leads to a run or a release has a link to nowhere else.
func FuzzLinks(f *testing.F) {
	for _, s := range []string{"https://github.com/acme/fleet/actions/runs/1", "https://github.com/acme/fleet/actions/runs/1)[x](https://evil.test", "javascript:x", "http://github.com/x", "https://a b/x", "https://u:p@x/y", "https://x/\n", "<x>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, url string) {
		link := pages{repository: "https://github.com/acme/fleet"}.runLink(url)
		inner, isLink := strings.CutPrefix(link, "[run](")
		switch {
		case strings.ContainsAny(link, "\r\n<>"):
			t.Errorf("%q becomes %q", url, link)
		case isLink && (inner != url+")" || !strings.HasPrefix(url, "https://github.com/") || strings.ContainsAny(url, "()[] @?#\"'")):
			t.Errorf("%q becomes %q", url, link)
		case !isLink && strings.Contains(link, "]("):
			t.Errorf("%q becomes %q", url, link)
		}
	})
}
