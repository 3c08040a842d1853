package hostile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/test/programtest"
)

const delimiter = "_GitHubActionsFileCommandDelimeter_"

// payloads are texts that would like to be more. FORGED at the beginning of a line, or of a command, is a success.
var payloads = map[string]string{
	"newline":   "x\nFORGED\n::error::FORGED\n  \t ::set-output name=outcome::FORGED\n##[add-path]FORGED",
	"return":    "x\rFORGED\r::error::FORGED\r\n\u00a0::notice::FORGED",
	"command":   "::add-mask::FORGED",
	"spaces":    " \u3000 ::warning file=FORGED::FORGED",
	"stop":      "::stop-commands::FORGED",
	"old":       "x ##[error]FORGED ####[group]FORGED",
	"property":  "x,file=FORGED::y %0A::error::FORGED%0D%250A##%5Bx",
	"heredoc":   "x\n" + delimiter + "\nforged<<" + delimiter + "\nFORGED\n" + delimiter + "\noutcome=FORGED",
	"delimiter": delimiter,
	"joined":    delimiter + delimiter[1:] + "=" + delimiter,
	"ansi":      "x\x1b[2J\x1b[1A\r\x1b[31mFORGED\x1b]8;;https://evil.example\x07y\x1b]8;;\x07\u009b0m\b\b\b\x7f\x00",
	"markdown":  "[FORGED](https://evil.example) ![x](https://evil.example/x.png) <https://evil.example> www.evil.example ftp://evil.example octo@evil.example @octocat #1 acme/fleet#2 GH-3 | a | b |\n\n# FORGED\n\n- [ ] x\n\n[x]: https://evil.example\n[x] [^1]\n\n[^1]: x",
	"fences":    "`FORGED` ``x`` ```\n~~~\n```\n<b>FORGED</b> $x$ $$y$$ ` | `",
	"html":      "<script>FORGED</script><img src=//evil.example onerror=x><a href='https://evil.example'>FORGED</a></summary></details></sub><!-- -->&lt;b&gt;&#64;octocat",
	"ends HTML": "--> <b>FORGED</b> <!--",
	"bidi":      "x\u202eFORGED\u2066\u200f\u2028FORGED\u2028::error::FORGED\u2029::error::FORGED\u0085::warning::FORGED\u2069",
	"invisible": ":\u200b:error::FORGED #\u2060#[error]FORGED \ufeff::error::FORGED #\u00ad#\u202e[error]FORGED",
	"invalid":   "\xff\xfe::error::FORGED\n\xc3::error::FORGED #\xff#[error]x \xed\xa0\x80",
	"big":       strings.Repeat("a", 1<<20),
	"long line": strings.Repeat("##[error]", 1000) + strings.Repeat("\u202e", 5000) + "::error::FORGED",
}

// mixed is what the short form sends through each carrier: the text that differs by its beginning, all others at once.
func mixed() map[string]string {
	var b strings.Builder
	b.WriteString("x")
	for _, name := range slices.Sorted(maps.Keys(payloads)) {
		if name != "big" && name != "long line" {
			b.WriteString("\n" + payloads[name])
		}
	}
	return map[string]string{
		"all": b.String(), "big": payloads["big"],
		"command": payloads["stop"] + " ##[error]" + delimiter + payloads["html"] + payloads["markdown"],
	}
}

// carrier is a way by which a text comes in: a name in the world, and the modes that meet it.
type carrier struct {
	name  string
	modes string
	setup func(t *testing.T, w *world, dir, text string) []string
	most  int // bytes that the way takes; 0 is any number
}

func carriers() (all []carrier) {
	add := func(modes string, names ...string) {
		for _, name := range names {
			all = append(all, carrier{name: name, modes: modes})
		}
	}
	add("build tag catch-up verify prune", "registry.tags", "manifest.config", "manifest.layer", "manifest.created", "manifest.revision", "manifest.source",
		"manifest.title", "manifest.key", "manifest.content", "manifest.height", "manifest")
	for _, place := range strings.Fields("code message detail plain html status") {
		add("build verify prune", "registry.GET /tags/list 403 "+place)
	}
	for _, rule := range []string{
		"GET /tags/list 404 message", "GET /tags/list 500 plain", "GET /tags/list 401 challenge", "GET /tags/list 307 location", "GET /tags/list 200 link",
		"GET /tags/list 200 plain", "GET /manifests/ 403 message", "GET /manifests/ 200 plain", "HEAD /manifests/ 200 digest",
	} {
		add("build tag verify prune", "registry."+rule)
	}
	for _, rule := range []string{"DELETE /manifests/ 403 message", "DELETE /manifests/ 405 plain", "GET /referrers/ 403 message", "GET /referrers/ 500 plain"} {
		add("prune", "registry."+rule)
	}
	for _, rule := range []string{"POST /blobs/uploads/ 403 message", "POST /blobs/uploads/ 202 location", "PUT /manifests/ 400 message", "PUT /manifests/ 500 status", "PUT /manifests/ 403 plain"} {
		add("build tag", "registry."+rule)
	}
	for _, part := range strings.Fields("compare commits") {
		add("build", "github.error "+part)
	}
	for _, c := range [][2]string{ // what is asked of where the height is known, or of an older commit
		{"github.error git", "3"}, {"commit.date", "3"}, {"github.error compare", "1"}, {"compare.status", "1"},
	} {
		all = append(all, carrier{name: c[0] + " at height " + c[1], modes: "build", setup: func(_ *testing.T, w *world, _, text string) []string {
			w.said = map[string]string{c[0]: text}
			return []string{"INPUT_HEIGHT=" + c[1]}
		}})
	}
	for _, part := range strings.Fields("statu actions commits issues") {
		add("verify", "github.error "+part)
	}
	add("tag", "github.error releases", "release.url", "release.notes")
	add("catch-up", "github.error statu")
	add("catch-up verify", "status.state", "status.context", "status.description", "status.url", "status.login")
	add("build", "compare.status", "commit.message", "commit.author", "commit.sha", "commit.date", "commit.link", "commit.pages", "commit.parent")
	add("verify", "run.name", "run.path", "run.conclusion", "run.url", "job.name", "step.name", "issue.url", "commit.sha", "commit.message")
	all = append(all, carrier{name: "release.made", modes: "tag"},
		carrier{name: "status of a context of ours", modes: "catch-up verify", setup: func(_ *testing.T, w *world, _, text string) []string {
			w.said = map[string]string{"status.context": "kustomization/platform/" + text, "status.state": "failure", "status.description": text}
			return nil
		}})
	return slices.Concat(all, eventCarriers(), inputCarriers(), fileCarriers())
}

// leaf replaces a text in a JSON object, by its path.
func leaf(event map[string]any, path, text string) {
	parts := strings.Split(path, ".")
	for _, part := range parts[:len(parts)-1] {
		below, ok := event[part].(map[string]any)
		if !ok {
			below = map[string]any{}
			event[part] = below
		}
		event = below
	}
	event[parts[len(parts)-1]] = text
}

func eventCarriers() (all []carrier) {
	add := func(modes, name, file string, paths ...string) {
		for _, path := range paths {
			all = append(all, carrier{name: name + " " + path, modes: modes, setup: func(t *testing.T, w *world, _, text string) []string {
				return programtest.Event(t, name, file, func(e map[string]any) {
					switch name {
					case "status":
						e["sha"], e["context"] = programtest.CommitB, "kustomization/platform/0.0.2-rc.2@"+w.digestB
					case "push":
						leaf(e, "head_commit.id", programtest.CommitC)
					case "repository_dispatch":
						leaf(e, "client_payload.metadata.revision", "0.0.2-rc.2@"+w.digestB)
						leaf(e, "client_payload.metadata.originRevision", "main@sha1:"+programtest.CommitB)
					}
					if path == "failure" { // of our Kustomization, with a text
						e["state"], e["description"], e["context"] = "failure", text, "kustomization/platform/"+text
						return
					}
					leaf(e, path, text)
				})
			}})
		}
	}
	add("tag", "status", "status.success.json", "sha", "state", "context", "description", "target_url", "name", "sender.login", "commit.commit.message", "failure")
	add("tag", "repository_dispatch", "repository_dispatch.kustomization-health-check-passed.json", "action", "client_payload",
		"client_payload.involvedObject.kind", "client_payload.involvedObject.name", "client_payload.involvedObject.namespace", "client_payload.involvedObject.apiVersion",
		"client_payload.severity", "client_payload.message", "client_payload.reason", "client_payload.metadata.revision", "client_payload.metadata.originRevision", "client_payload.metadata.x")
	add("build", "push", "push.json", "head_commit.id", "head_commit.message", "head_commit.timestamp", "head_commit.author.name", "ref")
	all = append(all, carrier{name: "event that is no JSON", modes: "tag", setup: func(t *testing.T, _ *world, dir, text string) []string {
		file := filepath.Join(dir, "event.json")
		programtest.Write(t, file, text)
		return []string{"GITHUB_EVENT_NAME=status", "GITHUB_EVENT_PATH=" + file}
	}})
	return all
}

// mostEnv is what Linux takes for one variable.
const mostEnv = 120_000

func inputCarriers() (all []carrier) {
	variable := func(modes, name string, more ...string) {
		all = append(all, carrier{name: name, modes: modes, most: mostEnv, setup: func(_ *testing.T, _ *world, _, text string) []string {
			return append(more, name+"="+strings.ReplaceAll(text, "\x00", ""))
		}})
	}
	for _, i := range action.Inputs {
		modes := strings.Join(i.Modes, " ")
		if i.Modes == nil {
			modes = strings.Join(action.Modes, " ")
		}
		if i.Name == "token" || i.Name == "password" || i.Name == "mode" {
			modes = "build" // a header cannot hold most; what can be a secret is not shown at all
		}
		variable(modes, "INPUT_"+strings.ToUpper(i.Name))
	}
	variable("tag", "INPUT_VERSION", "INPUT_DIGEST=sha256:"+strings.Repeat("0", 64))
	for _, name := range []string{"GITHUB_REF_NAME", "GITHUB_ACTOR", "GITHUB_REPOSITORY", "GITHUB_SERVER_URL", "GITHUB_API_URL", "GITHUB_SHA", "GITHUB_RUN_ID", "GITHUB_EVENT_NAME", "GITHUB_EVENT_PATH", "SOURCE_DATE_EPOCH", "DOCKER_CONFIG"} {
		variable(strings.Join(action.Modes, " "), name)
	}
	variable("tag", "GITHUB_TRIGGERING_ACTOR", "INPUT_ARTIFACT-SHA=latest")
	variable("build", "INPUT_REVISION", "INPUT_DRY-RUN=true")
	all = append(all, carrier{name: "branch", modes: "build", most: mostEnv, setup: func(_ *testing.T, _ *world, _, text string) []string {
		return []string{"INPUT_REVISION=" + regexp.MustCompile(`[\x00-\x20\x7f]`).ReplaceAllString(text, "") + "@sha1:" + programtest.CommitC}
	}})
	return all
}

func fileCarriers() (all []carrier) {
	const mostName = 200
	sane := strings.NewReplacer("/", "_", "\x00", "")
	docker := func(name, content string) carrier {
		return carrier{name: "DOCKER_CONFIG " + name, modes: "verify", setup: func(t *testing.T, w *world, dir, text string) []string {
			w.intercept = challenge("Basic realm=\"x\"")
			programtest.Write(t, filepath.Join(dir, "config.json"), strings.ReplaceAll(content, "TEXT", (&world{said: map[string]string{"x": text}}).say("x", "")))
			return []string{"DOCKER_CONFIG=" + dir}
		}}
	}
	all = append(all,
		docker("auth", `{"auths":{"registry.example":{"auth":TEXT}}}`), docker("helper", `{"credHelpers":{"registry.example":TEXT}}`),
		docker("store", `{"credsStore":TEXT}`), docker("text", `TEXT`), docker("key", `{"auths":{TEXT:{}}}`),
		carrier{name: "file name", modes: "build", most: mostName, setup: func(t *testing.T, _ *world, dir, text string) []string {
			programtest.Write(t, filepath.Join(dir, "tree", sane.Replace(text)), "a: 1\n")
			return nil
		}},
		carrier{name: "file that cannot be read", modes: "build", most: mostName, setup: func(t *testing.T, _ *world, dir, text string) []string {
			if err := os.Symlink("/nowhere", filepath.Join(dir, "tree", sane.Replace(text))); err != nil {
				t.Fatal(err)
			}
			return []string{"INPUT_PATH=tree/" + sane.Replace(text)}
		}},
		carrier{name: "directory name", modes: "build", most: mostName, setup: func(t *testing.T, _ *world, dir, text string) []string {
			if err := os.Mkdir(filepath.Join(dir, sane.Replace(text)), 0o700); err != nil {
				t.Fatal(err)
			}
			return []string{"INPUT_PATH=" + sane.Replace(text)}
		}},
		carrier{name: ".sourceignore", modes: "build", setup: func(t *testing.T, _ *world, dir, text string) []string {
			programtest.Write(t, filepath.Join(dir, "tree", ".sourceignore"), text)
			return nil
		}},
	)
	for _, place := range []string{"NAME", "NAMESPACE", "MESSAGE", "REASON", "URL", "CONSTRAINT", "REVISION", "KIND", "STATUS", "CONTEXT"} {
		all = append(all, carrier{name: "cluster-state " + place, modes: "verify", setup: func(t *testing.T, _ *world, dir, text string) []string {
			programtest.Write(t, filepath.Join(dir, "state.json"), clusterState(place, text))
			return []string{"INPUT_CLUSTER-STATE=integration=state.json"}
		}})
	}
	return append(all, carrier{name: "cluster-state text", modes: "verify", setup: func(t *testing.T, _ *world, dir, text string) []string {
		programtest.Write(t, filepath.Join(dir, "state.json"), text)
		return []string{"INPUT_CLUSTER-STATE=integration=state.json"}
	}})
}

// clusterState is what kubectl shows of a cluster where nothing works, with the text in one place.
func clusterState(place, text string) string {
	w := &world{said: map[string]string{place: text}}
	metadata := fmt.Sprintf(`"metadata":{"name":%s,"namespace":%s,"generation":1}`, w.say("NAME", "platform"), w.say("NAMESPACE", "flux-system"))
	condition := fmt.Sprintf(`"conditions":[{"type":"Ready","status":%s,"reason":%s,"message":%s,"lastTransitionTime":"2026-11-05T00:00:00Z"}]`,
		w.say("STATUS", "False"), w.say("REASON", "x"), w.say("MESSAGE", "x"))
	return fmt.Sprintf(`{"apiVersion":"v1","kind":"List","items":[
{"apiVersion":"source.toolkit.fluxcd.io/v1","kind":"OCIRepository",%s,"spec":{"url":%s,"ref":{"semver":%s}},"status":{%s,"artifact":{"revision":%s}}},
{"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization",%[1]s,"spec":{"sourceRef":{"kind":%[6]s,"name":"platform"}},"status":{%[4]s,"lastAttemptedRevision":%[5]s}},
{"apiVersion":"notification.toolkit.fluxcd.io/v1beta3","kind":"Provider",%[1]s,"spec":{"type":%[6]s,"address":%[2]s,"commitStatusExpr":%[7]s},"status":{%[4]s}},
{"apiVersion":"notification.toolkit.fluxcd.io/v1beta3","kind":"Alert",%[1]s,"spec":{"providerRef":{"name":"platform"},"eventSources":[{"kind":%[6]s,"name":%[7]s}]},"status":{%[4]s}}]}`,
		metadata, w.say("URL", "oci://"+registryHost+"/acme/fleet"), w.say("CONSTRAINT", ">= 0.0.0-0"), condition, w.say("REVISION", "0.0.1@sha256:00"),
		w.say("KIND", "OCIRepository"), w.say("CONTEXT", "x"))
}

// run sends one text through one carrier in one mode.
func (c carrier) run(t *testing.T, mode, text string) step {
	t.Helper()
	if c.most > 0 && len(text) > c.most {
		text = text[:c.most]
	}
	said := map[string]string{}
	if c.setup == nil {
		said[c.name] = text
	}
	w, dir := newWorld(t, said), workspace(t)
	var env []string
	switch mode {
	case "tag":
		env = programtest.StatusOf(t, programtest.CommitB, "kustomization/platform/0.0.2-rc.2@"+w.digestB, "success")
	case "catch-up":
		mode = "tag"
	}
	if mode == "build" && !strings.Contains(c.name, "date") {
		env = append(env, "INPUT_BUMP=auto")
	}
	if strings.HasSuffix(c.name, " status") {
		env = append(env, "INPUT_RETRY-FOR=300ms")
	}
	if c.setup != nil {
		env = append(env, c.setup(t, w, dir, text)...)
	}
	return w.run(t, dir, mode, env...)
}

// TestText: no text forges anything, whatever way it takes.
func TestText(t *testing.T) {
	texts := mixed()
	if *programtest.Long {
		maps.Copy(texts, payloads)
	}
	few := []map[string]string{{"all": texts["all"], "big": texts["big"]}, {"all": texts["all"], "command": texts["command"]}, {"all": texts["all"]}}
	var heardOf sync.Map
	var ways atomic.Int64
	t.Cleanup(func() { // of those that are left, the program says nothing at all
		n := 0
		heardOf.Range(func(any, any) bool { n++; return true })
		t.Logf("%d ways, of which %d come to light", ways.Load(), n)
		if all := int(ways.Load()); all > 100 && n < all/3 { // not only some of them
			t.Error("too few: the world of these tests is not the program's any more")
		}
	})
	for i, c := range carriers() {
		for j, mode := range strings.Fields(c.modes) {
			texts := texts
			if !*programtest.Long { // the first two modes of a carrier share what only begins in another way
				texts = few[min(i%2+j, 2)]
			}
			t.Run(mode+" "+c.name, func(t *testing.T) {
				t.Parallel()
				ways.Add(1)
				for name, text := range texts {
					s := c.run(t, mode, text)
					if strings.Contains(s.shown(t), "FORGED") {
						heardOf.Store(mode+" "+c.name, true)
					}
					if !s.check(t) {
						t.Errorf("payload %q, exit status %d\n%.3000s\n%.2000s", name, s.Code, s.Stdout, s.file(t, "STEP_SUMMARY"))
					}
				}
			})
		}
	}
}

var (
	forgedLine = regexp.MustCompile(`^[\s\x{85}\x{a0}\x{2028}\x{2029}]*(?:FORGED|forged|outcome[=<]|::|##\[)`)
	unseen     = regexp.MustCompile(`[\x00-\x09\x0b-\x1f\x7f\x{80}-\x{9f}\x{ad}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{feff}]`)
)

const (
	mostLog     = 64 << 10
	mostOutput  = 64 << 10
	mostSummary = 128 << 10 // older runners take no more
)

// check holds a step to the promise.
func (s step) check(t *testing.T) bool {
	t.Helper()
	var wrong []string
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	log := s.Stdout + s.Stderr
	if s.Code != 0 && s.Code != 1 {
		bad("exit status %d", s.Code)
	}
	if s.Stderr != "" {
		bad("stderr has %.300q", s.Stderr)
	}
	if len(log) > mostLog {
		bad("the log has %d bytes", len(log))
	}
	for _, line := range logLines(log) {
		shown := []string{line}
		if c, ok := obeys(line); ok {
			if !slices.Contains([]string{"error", "warning", "notice"}, c.name) || c.properties != "" || strings.Contains(line, "##[") {
				bad("the runner obeys %.200q", line)
			}
			shown = strings.Split(c.data, "\n")
		}
		for _, part := range shown {
			if forgedLine.MatchString(part) || strings.Contains(part, "##[") {
				bad("the line %.200q is not ours", part)
			}
			if unseen.MatchString(part) || !utf8.ValidString(part) {
				bad("the line %.200q has what nobody sees", part)
			}
		}
	}
	s.checkFiles(t, bad)
	for _, text := range wrong {
		t.Error(text)
	}
	return len(wrong) == 0
}

func (s step) checkFiles(t *testing.T, bad func(string, ...any)) {
	for _, name := range []string{"ENV", "STATE", "PATH"} {
		if text := s.file(t, name); text != "" {
			bad("the file %s has %.200q", name, text)
		}
	}
	for _, line := range strings.Split(strings.TrimSuffix(s.file(t, "ARTIFACTS"), "\n"), "\n") {
		if line != "" && !regexp.MustCompile(`^oci://(?:registry\.example|ghcr\.io)/acme/fleet@sha256:[0-9a-f]{64}$`).MatchString(line) {
			bad("the artifact %.200q", line)
		}
	}
	s.checkOutputs(t, bad)
	summary := s.file(t, "STEP_SUMMARY")
	if len(summary) > mostSummary {
		bad("the summary has %d bytes", len(summary))
	}
	for _, text := range append(s.issues(), summary) {
		var issue struct{ Title, Body string }
		if strings.HasPrefix(text, "{") && json.Unmarshal([]byte(text), &issue) == nil {
			if len(issue.Body) > 65536 || len(issue.Title) > 4*256 {
				bad("the issue has %d bytes", len(issue.Body))
			}
			if !strings.HasPrefix(issue.Body, "<!-- oci-promote: ") {
				continue // a release's notes are GitHub's own
			}
			_, text, _ = strings.Cut(issue.Body, "\n")
		}
		for _, forgery := range forgeriesIn(text) {
			bad("the summary or issue has %s", forgery)
		}
		for _, line := range strings.Split(text, "\n") {
			if unseen.MatchString(line) || !utf8.ValidString(line) || forgedLine.MatchString(line) {
				bad("the summary or issue has the line %.200q", line)
			}
		}
	}
}

func (s step) checkOutputs(t *testing.T, bad func(string, ...any)) {
	file := s.file(t, "OUTPUT")
	names, values, err := keyValues(file)
	if err != nil {
		bad("the outputs: %v", err)
		return
	}
	if file == "" {
		return
	}
	var want []string
	for _, o := range action.Outputs {
		want = append(want, o.Name)
	}
	if !slices.Equal(names, want) {
		bad("the outputs are %.300q", names)
	}
	for name, value := range values {
		if len(value) > mostOutput {
			bad("the output %s has %d bytes", name, len(value))
		}
		if strings.Contains(value, "##[") || strings.ContainsAny(value, "\r\n\x1b") {
			bad("the output %s is %.300q", name, value)
		}
	}
	var report struct {
		Outcome, Version, Candidate, Digest, Reference, SHA string
		Tags                                                []string
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(values["report"])))
	if err := decoder.Decode(&report); err != nil || decoder.More() {
		bad("the report %.300q: %v", values["report"], err)
		return
	}
	tags, _ := json.Marshal(report.Tags)
	for name, value := range map[string]string{
		"outcome": report.Outcome, "version": report.Version, "candidate": report.Candidate, "digest": report.Digest,
		"reference": report.Reference, "sha": report.SHA, "tags": string(tags),
	} {
		if values[name] != value {
			bad("the output %s is %.200q, and in the report %.200q", name, values[name], value)
		}
	}
}
