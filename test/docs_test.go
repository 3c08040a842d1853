package test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	fluxoci "github.com/fluxcd/pkg/oci"
	"github.com/google/go-containerregistry/pkg/crane"
	"go.yaml.in/yaml/v3"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// The guides are held to reality. In each file of docs
//
//   - the ```sh blocks are run, in order, as one script, in a clone of a git repository with a directory "platform"
//     (an empty directory, if they make a "platform" themselves), and with a real registry in place of ghcr.io;
//   - a ```text block right after one is what that block prints, on stdout and stderr. A line "…" stands for any
//     lines. `go test -run TestDocsRun -update .` writes what was printed in place of all blocks if one differs;
//   - a ```console block cannot be run here, and the paragraph before it says what it needs.

// needs are the reasons not to run a block.
var needs = []string{"needs a cluster", "needs GitHub", "needs the vendor's account", "needs Docker"}

// stands are the hosts in the guides that a registry on loopback stands in for. To all but localhost the program on PATH
// speaks plain HTTP unasked; there the guide itself must ask for it.
var stands = map[string]registrytest.Options{
	"ghcr.io":              {},
	"registry.example.com": {Token: true}, // user robot, password s3cret
	"localhost:5000":       {},
}

// hosts are the registries of one guide, by the name that they have in it.
type hosts map[string]*registrytest.Server

func startHosts(t *testing.T, p page) hosts {
	t.Helper()
	all := hosts{}
	for name, options := range stands {
		if slices.ContainsFunc(p.blocks, func(b block) bool { return b.lang == "sh" && strings.Contains(b.body, name+"/") }) {
			all[name] = registrytest.Start(t, options)
		}
	}
	return all
}

// real is a text of a guide with the registries' real addresses; told is the other way round.
func (h hosts) real(text string) string {
	for name, s := range h {
		text = strings.ReplaceAll(text, name+"/", s.Host+"/")
	}
	return text
}

func (h hosts) told(text string) string {
	for name, s := range h {
		text = strings.ReplaceAll(text, s.Host, name)
	}
	return text
}

// seeds are what a guide's reader has in the registry before the first command.
var seeds = map[string]func(t *testing.T, s *registrytest.Server, clone string){"migrating.md": oldScripts}

// oldScripts leaves what scripts with flux push artifact and flux tag artifact leave, by the library that flux pushes
// with: two releases, the newest commit of the clone, and tags of several habits.
func oldScripts(t *testing.T, s *registrytest.Server, clone string) {
	t.Helper()
	head := git(t, clone, guideGit(clone), "rev-parse", "HEAD")
	client := fluxoci.NewClient([]crane.Option{crane.Insecure})
	for _, old := range []struct {
		commit string
		tags   []string
	}{
		{commitA, []string{commitA[:7], "1.4.1", "v1.3.0", "1.0", "2025.11.03"}},
		{commitB, []string{commitB[:7], "1.4.2", "validated-" + commitB[:7]}},
		{head, []string{"sha-" + head[:7], "latest"}},
	} {
		reference := s.Host + "/" + fleet + ":" + old.tags[0]
		meta := fluxoci.Metadata{Created: "2026-01-01T00:00:00Z", Source: "https://github.com/acme/fleet", Revision: "main@sha1:" + old.commit}
		if _, err := client.Push(t.Context(), reference, filepath.Join(clone, "platform"), fluxoci.WithPushMetadata(meta)); err != nil {
			t.Fatal(err)
		}
		for _, tag := range old.tags[1:] {
			if _, err := client.Tag(t.Context(), reference, tag); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestDocsRun(t *testing.T) {
	for _, name := range guides(t) {
		p := readPage(t, name)
		if !slices.ContainsFunc(p.blocks, func(b block) bool { return b.lang == "sh" || b.lang == "text" }) {
			continue
		}
		t.Run(path.Base(name), func(t *testing.T) {
			t.Parallel()
			runGuide(t, p)
		})
	}
}

func runGuide(t *testing.T, p page) {
	h := startHosts(t, p)
	work := t.TempDir()
	clone := filepath.Join(work, "fleet")
	if slices.ContainsFunc(p.blocks, func(b block) bool { return b.lang == "sh" && strings.Contains(b.body, "mkdir platform") }) {
		if err := os.Mkdir(clone, 0o755); err != nil {
			t.Fatal(err)
		}
	} else {
		makeClone(t, clone, path.Base(p.name), h)
	}
	if seed := seeds[path.Base(p.name)]; seed != nil {
		seed(t, h["ghcr.io"], clone)
	}
	printed := runBlocks(t, p, work, clone, h)
	want, got := newNames(), newNames()
	text, differs := p.text, false // text has every block as it was printed, so that one artifact has one digest in all
	for i, b := range p.blocks {
		if b.lang != "text" {
			continue
		}
		if i == 0 || p.blocks[i-1].lang != "sh" || !adjacent(p, p.blocks[i-1], b) {
			t.Errorf("%s:%d: a text block is the output of the sh block right before it, and there is none", p.name, b.line)
			continue
		}
		output := printed[i-1]
		text = strings.Replace(text, "```text\n"+b.body+"```\n", "```text\n"+output+"```\n", 1)
		if matches(want.replace(b.body), got.replace(output)) {
			continue
		}
		differs = true
		if *update {
			continue
		}
		t.Errorf("%s:%d: this is not what the commands print, which is\n%s", p.name, b.line, output)
	}
	if differs && *update {
		if err := os.WriteFile("../"+p.name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// adjacent reports whether nothing but blank lines stands between two blocks.
func adjacent(p page, a, b block) bool {
	lines := strings.Split(p.text, "\n")
	end := a.line + strings.Count(a.body, "\n") + 1 // the closing fence
	return strings.TrimSpace(strings.Join(lines[end:b.line-1], "")) == ""
}

// runBlocks runs all sh blocks of a guide and gives what each printed, by its place among the blocks.
func runBlocks(t *testing.T, p page, work, clone string, h hosts) map[int]string {
	t.Helper()
	const mark = "\x01block "
	var script strings.Builder
	script.WriteString("set -euo pipefail\nexec 2>&1\n" + prelude(t, path.Base(p.name)) + "\n")
	for i, b := range p.blocks {
		if b.lang == "sh" {
			fmt.Fprintf(&script, "printf '%s%%d\\n' %d\n%s\n", mark, i, b.body)
		}
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", h.real(script.String()))
	cmd.Dir = clone
	cmd.Env = guideEnv(t, work, h)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	output := h.told(out.String())
	printed := map[int]string{}
	for _, part := range strings.Split(output, mark)[1:] {
		head, body, _ := strings.Cut(part, "\n")
		var i int
		if _, err := fmt.Sscan(head, &i); err != nil {
			t.Fatal(err)
		}
		printed[i] = body
	}
	if err != nil {
		last := slices.Max(slices.Collect(maps.Keys(printed)))
		t.Fatalf("%s:%d: this block fails: %v\n%s\nall before:\n%s", p.name, p.blocks[last].line, err, printed[last], output)
	}
	return printed
}

// prelude is the script testdata/docs/GUIDE.sh, if there is one: it makes what the reader has before the first command.
func prelude(t *testing.T, guide string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "docs", strings.TrimSuffix(guide, ".md")+".sh"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(text)
}

// makeClone is what the reader of a guide begins with: a clone with one commit, and the files of testdata/docs/GUIDE.
func makeClone(t *testing.T, clone, guide string, h hosts) {
	t.Helper()
	if err := os.CopyFS(filepath.Join(clone, "platform"), os.DirFS(platform)); err != nil {
		t.Fatal(err)
	}
	given := filepath.Join("testdata", "docs", strings.TrimSuffix(guide, ".md"))
	entries, err := os.ReadDir(given)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(given, entry.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(clone, entry.Name()), []byte(h.real(string(text))), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"},
		{"add", "platform"},
		{"commit", "-q", "-m", "The platform"},
		{"remote", "add", "origin", "https://github.com/acme/fleet"},
	} {
		git(t, clone, guideGit(clone), args...)
	}
}

// guideGit is the environment of the reader's git.
func guideGit(home string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com",
	}
}

// guideEnv has nothing of the caller's but PATH, and there first an oci-promote that speaks plain HTTP where stands says so.
func guideEnv(t *testing.T, work string, h hosts) []string {
	t.Helper()
	home := filepath.Join(work, "home")
	program, err := exec.LookPath("oci-promote")
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(work, "bin")
	for _, dir := range []string{bin, home, filepath.Join(work, "tmp")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	wrapper := "#!/usr/bin/env bash\n"
	for name, s := range h {
		if !strings.HasPrefix(name, "localhost") {
			wrapper += fmt.Sprintf("case \" $* \" in *' %s/'*) set -- \"$1\" --plain-http \"${@:2}\" ;; esac\n", s.Host)
		}
	}
	wrapper += fmt.Sprintf("exec %q \"$@\"\n", program)
	if err := os.WriteFile(filepath.Join(bin, "oci-promote"), []byte(wrapper), 0o755); err != nil {
		t.Fatal(err)
	}
	return append(guideGit(home),
		"PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "TMPDIR="+filepath.Join(work, "tmp"), "LC_ALL=C.UTF-8",
		"GOCOVERDIR="+os.Getenv("GOCOVERDIR"), "GORACE="+os.Getenv("GORACE"))
}

var (
	digestInText = regexp.MustCompile(`sha256:([0-9a-f]{7,64})(?:…|\.\.\.)?`)
	commitInText = regexp.MustCompile(`\b([0-9a-f]{7})(?:[0-9a-f]{33}|…|\.\.\.)?\b…?`)
	ageInText    = regexp.MustCompile(`(<commit \d+>) +(?:now|\d+[mhd]) `) // of verify's table of versions
	timeInText   = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z| UTC)`)
	spacesInText = regexp.MustCompile(`  +`)
)

// names gives each digest and commit of a guide a name by the order in which it appears, so that two texts are the
// same if they tell the same story of different artifacts.
type names struct{ digests, commits map[string]string }

func newNames() names { return names{map[string]string{}, map[string]string{}} }

func (n names) replace(text string) string {
	text = digestInText.ReplaceAllStringFunc(text, func(s string) string {
		return "<digest " + naming(n.digests, digestInText.FindStringSubmatch(s)[1]) + ">"
	})
	text = commitInText.ReplaceAllStringFunc(text, func(s string) string {
		return "<commit " + naming(n.commits, commitInText.FindStringSubmatch(s)[1]) + ">"
	})
	text = ageInText.ReplaceAllString(text, "$1 <age> ")
	text = timeInText.ReplaceAllString(text, "<time>")
	return spacesInText.ReplaceAllString(text, "  ")
}

func naming(known map[string]string, hex string) string {
	key := hex[:7]
	if known[key] == "" {
		known[key] = fmt.Sprint(len(known) + 1)
	}
	return known[key]
}

// matches compares line by line; a line "…" of want stands for any number of lines.
func matches(want, got string) bool {
	var pattern strings.Builder
	pattern.WriteString(`\A`)
	for line := range strings.Lines(want) {
		if strings.TrimSpace(line) == "…" {
			pattern.WriteString(`(?:.*\n)*?`)
			continue
		}
		pattern.WriteString(regexp.QuoteMeta(strings.TrimRight(line, " \n")) + " *\n")
	}
	pattern.WriteString(`\z`)
	return regexp.MustCompile(pattern.String()).MatchString(got)
}

// TestMatches: what may differ does not matter, and which artifact is meant does.
func TestMatches(t *testing.T) {
	a, b := strings.Repeat("a1b2c3d", 9)+"a", strings.Repeat("b1b2c3d", 9)+"b"
	for _, c := range []struct {
		want, got string
		match     bool
	}{
		{"tag: promoted 0.0.1\n", "tag: promoted 0.0.1\n", true},
		{"tag: promoted 0.0.1\n", "tag: promoted 0.0.2\n", false},
		{"tag: promoted 0.0.1\n", "tag: promoted 0.0.1\n  because  x\n", false},
		{"tag: promoted 0.0.1\n…\n", "tag: promoted 0.0.1\n  because  x\n", true},
		{"a\n…\nb\n", "a\n1\n2\nb\n", true},
		{"a\n…\nb\n", "a\n1\n2\nc\n", false},
		{"x@sha256:" + a + " sha256:a1b2c3d…\n", "x@sha256:" + b + " sha256:" + b + "\n", true},
		{"sha256:" + a + "\nsha256:" + a + "\n", "sha256:" + a + "\nsha256:" + b + "\n", false},
		{"sha-1a2b3c4  of 5e6f7a8\n", "sha-aaaaaaa  of bbbbbbb\n", true},
		{"sha-1a2b3c4  of 5e6f7a8\n", "sha-aaaaaaa  of aaaaaaa\n", false},
		{"since 2026-01-01 00:00 UTC, 2026-01-01T00:00:00Z\n", "since 2027-02-03 04:05 UTC, 2027-02-03T04:05:06Z\n", true},
		{"0.0.1  1a2b3c4  now  live\n", "0.0.1      1a2b3c4  12m   live\n", true},
		{"0.0.1  1a2b3c4  now  live\n", "0.0.1  1a2b3c4  now  \n", false},
	} {
		if got := matches(newNames().replace(c.want), newNames().replace(c.got)); got != c.match {
			t.Errorf("%q and %q: %v, want %v", c.want, c.got, got, c.match)
		}
	}
}

// TestDocsBlocks holds what is not run to what exists: the word that says why, and each flag and input.
func TestDocsBlocks(t *testing.T) {
	inputs := actionInputs(t)
	flags := map[string]map[string]bool{}
	for _, mode := range action.Modes {
		flags[mode] = flagsOf(t, mode)
	}
	for _, name := range guides(t) {
		p := readPage(t, name)
		checkFlags(t, name, p.text, flags)
		for _, b := range p.blocks {
			where := fmt.Sprintf("%s:%d", name, b.line)
			switch b.lang {
			case "sh", "text", "json", "mermaid":
			case "console":
				if !slices.ContainsFunc(needs, func(need string) bool { return strings.Contains(strings.Join(strings.Fields(b.before), " "), need) }) {
					t.Errorf("%s: this block is not run, and the paragraph before it has none of %q", where, needs)
				}
			case "yaml":
				for _, problem := range yamlProblems(b.body, inputs, flags) {
					t.Errorf("%s: %s", where, problem)
				}
			default:
				t.Errorf("%s: a block of %q; expected sh, text, console, yaml, json or mermaid", where, b.lang)
			}
		}
	}
}

var (
	flagInHelp = regexp.MustCompile(`(?m)^  --([a-z-]+)`)
	call       = regexp.MustCompile(`oci-promote (build|tag|verify)\b([^\n|;&` + "`" + `]*)`)
	flagInCall = regexp.MustCompile(`(?:^|\s)--([a-z][a-z-]*)`)
)

func flagsOf(t *testing.T, mode string) map[string]bool {
	t.Helper()
	all := map[string]bool{"help": true}
	for _, m := range flagInHelp.FindAllStringSubmatch(programtest.Run(t, nil, mode, "--help").Stdout, -1) {
		all[m[1]] = true
	}
	if len(all) < 10 {
		t.Fatalf("%s --help lists %d flags", mode, len(all))
	}
	return all
}

// checkFlags looks at each call of the program, in blocks and in sentences.
func checkFlags(t *testing.T, name, text string, flags map[string]map[string]bool) {
	t.Helper()
	for _, c := range call.FindAllStringSubmatch(strings.ReplaceAll(text, "\\\n", " "), -1) {
		for _, m := range flagInCall.FindAllStringSubmatch(c[2], -1) {
			if !flags[c[1]][m[1]] {
				t.Errorf("%s: --%s is no flag of %s: %s", name, m[1], c[1], c[0])
			}
		}
	}
}

func actionInputs(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var action struct {
		Inputs map[string]any `yaml:"inputs"`
	}
	if err := yaml.Unmarshal(text, &action); err != nil || len(action.Inputs) == 0 {
		t.Fatal("action.yml has no inputs", err)
	}
	all := map[string]bool{}
	for name := range action.Inputs {
		all[name] = true
	}
	return all
}

// yamlProblems parses each document of a block and looks at each step that uses the action.
func yamlProblems(text string, inputs map[string]bool, flags map[string]map[string]bool) (all []string) {
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var document any
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			return append(all, err.Error())
		}
		all = append(all, stepProblems(document, inputs, flags)...)
	}
}

func stepProblems(node any, inputs map[string]bool, flags map[string]map[string]bool) (all []string) {
	switch node := node.(type) {
	case []any:
		for _, item := range node {
			all = append(all, stepProblems(item, inputs, flags)...)
		}
	case map[string]any:
		uses, _ := node["uses"].(string)
		with, _ := node["with"].(map[string]any)
		mode, _ := with["mode"].(string)
		for name := range with {
			switch {
			case !strings.HasPrefix(uses, "oci-promote/oci-promote@"):
			case !inputs[name]:
				all = append(all, fmt.Sprintf("%q is no input of the action", name))
			case mode != "" && name != "mode" && !flags[mode][name]:
				all = append(all, fmt.Sprintf("%q is no input of mode %s", name, mode))
			}
		}
		for _, item := range node {
			all = append(all, stepProblems(item, inputs, flags)...)
		}
	}
	return all
}
