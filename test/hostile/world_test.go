package hostile

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	ggcr "github.com/google/go-containerregistry/pkg/registry"
	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/test/internet"
	"github.com/oci-promote/oci-promote/test/programtest"
)

const (
	registryHost = "registry.example"
	apiHost      = "api.github.com"
	apiToken     = "ghs_0123456789abcdefghijklmnopqrstuvwxyz"
)

// world is a registry and a GitHub with a short history: A is live, B waits for its promotion, C is to be built. Said
// replaces any text of theirs by its name.
type world struct {
	*internet.Internet
	said      map[string]string
	registry  http.Handler
	intercept func(w http.ResponseWriter, r *http.Request) bool // true: it has answered
	digestB   string
}

func newWorld(t *testing.T, said map[string]string) *world {
	t.Helper()
	w := &world{Internet: internet.New(t), said: said, registry: ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0)))}
	w.Play(registryHost, http.HandlerFunc(w.serveRegistry))
	w.Play(apiHost, http.HandlerFunc(w.serveGitHub))
	w.put(t, programtest.CommitA, 1, "sha-aaaaaaa", "0.0.1-rc.1", "integration-aaaaaaa", "validated-aaaaaaa", "0.0.1")
	w.digestB = w.put(t, programtest.CommitB, 2, "sha-bbbbbbb", "0.0.2-rc.2", "integration-bbbbbbb")
	return w
}

// say is a text of the world as JSON, with bytes that are no UTF-8 as they are.
func (w *world) say(name, text string) string {
	if hostile, ok := w.said[name]; ok {
		text = hostile
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			b.WriteString(`\` + string(c))
		case c < ' ':
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// put gives the registry an artifact with its tags.
func (w *world) put(t testing.TB, commit string, day int, tags ...string) string {
	t.Helper()
	const config, layer = `{}`, `layer`
	for _, blob := range []string{config, layer} {
		w.send(t, "POST", "/v2/acme/fleet/blobs/uploads/?digest="+digest.FromString(blob).String(), "application/octet-stream", blob)
	}
	manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
"config":{"mediaType":%s,"digest":%q,"size":%d},"layers":[{"mediaType":%s,"digest":%q,"size":%d}],
"annotations":{"org.opencontainers.image.created":%s,"org.opencontainers.image.revision":%s,"org.opencontainers.image.source":%s,
"org.opencontainers.image.title":%s,%s:"x","io.github.oci-promote.content":%s,"io.github.oci-promote.height":%s}}`,
		w.say("manifest.config", "application/vnd.cncf.flux.config.v1+json"), digest.FromString(config), len(config),
		w.say("manifest.layer", "application/vnd.cncf.flux.content.v1.tar+gzip"), digest.FromString(layer), len(layer),
		w.say("manifest.created", fmt.Sprintf("2026-11-0%dT00:00:00Z", day)), w.say("manifest.revision", "main@sha1:"+commit),
		w.say("manifest.source", "https://github.com/acme/fleet"), w.say("manifest.title", "x"), w.say("manifest.key", "x"),
		w.say("manifest.content", digest.FromString(commit).String()), w.say("manifest.height", strconv.Itoa(day)))
	if whole, ok := w.said["manifest"]; ok {
		manifest = whole
	}
	for _, tag := range tags {
		w.send(t, "PUT", "/v2/acme/fleet/manifests/"+tag, "application/vnd.oci.image.manifest.v1+json", manifest)
	}
	return digest.FromString(manifest).String()
}

func (w *world) send(t testing.TB, method, path, mediaType, body string) {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", mediaType)
	answer := httptest.NewRecorder()
	w.registry.ServeHTTP(answer, r)
	if answer.Code >= 300 {
		t.Fatalf("%s %s: %d %s", method, path, answer.Code, answer.Body)
	}
}

// serveRegistry lies where the world is told to.
func (w *world) serveRegistry(out http.ResponseWriter, r *http.Request) {
	if w.intercept != nil && w.intercept(out, r) {
		return
	}
	for name := range w.said { // "registry.GET /tags/list 403 message" and the like
		rule, ok := strings.CutPrefix(name, "registry.")
		words := strings.Fields(rule)
		if !ok || len(words) != 4 || words[0] != r.Method || !strings.Contains(r.URL.Path, words[1]) {
			continue
		}
		w.lie(out, name, words[2], words[3])
		return
	}
	if _, ok := w.said["registry.tags"]; ok && strings.HasSuffix(r.URL.Path, "/tags/list") {
		out.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(out, `{"name":%s,"tags":["0.0.1","0.0.1-rc.1","0.0.2-rc.2","sha-bbbbbbb","integration-bbbbbbb","sha-aaaaaaa",%s,%s,%s,%s,%s]}`, w.say("registry.tags", ""),
			w.say("registry.tags", ""), `"9.9.9-`+w.say("registry.tags", "")[1:], `"9.9.9-rc.`+w.say("registry.tags", "")[1:], `"sha-`+w.say("registry.tags", "")[1:], `"v9.9.9+`+w.say("registry.tags", "")[1:])
		return
	}
	w.registry.ServeHTTP(out, r)
}

// lie is an error of the registry with the text in one of its places.
func (w *world) lie(out http.ResponseWriter, name, status, place string) {
	text := w.said[name]
	code := 0
	_, _ = fmt.Sscan(status, &code)
	body, mediaType := "", "application/json"
	switch place {
	case "code":
		body = fmt.Sprintf(`{"errors":[{"code":%s,"message":"x"}]}`, w.say(name, ""))
	case "message":
		body = fmt.Sprintf(`{"errors":[{"code":"DENIED","message":%s}]}`, w.say(name, ""))
	case "detail":
		body = fmt.Sprintf(`{"errors":[{"code":"DENIED","message":"x","detail":{%s:%[1]s}}]}`, w.say(name, ""))
	case "plain":
		body, mediaType = text, "text/plain"
	case "html":
		body, mediaType = "<html>"+text, "text/html"
	case "status":
		line := strings.NewReplacer("\r", "", "\n", " ").Replace(text)
		internet.Raw(out, "HTTP/1.1 "+status+" "+line[:min(len(line), 4000)]+"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		return
	case "challenge", "location", "link", "digest":
		line := strings.NewReplacer("\r", "", "\n", " ", "\x00", "").Replace(text)
		line = line[:min(len(line), 100_000)]
		header := map[string]string{
			"challenge": "Www-Authenticate: Bearer realm=\"https://" + registryHost + "/token\",service=\"" + line + "\",scope=\"" + line + "\"",
			"location":  "Location: " + line, "link": "Link: <" + line + ">; rel=\"next\"", "digest": "Docker-Content-Digest: " + line,
		}[place]
		internet.Raw(out, "HTTP/1.1 "+status+" x\r\n"+header+"\r\nContent-Type: application/json\r\nContent-Length: 11\r\nConnection: close\r\n\r\n{\"tags\":[]}")
		return
	}
	out.Header().Set("Content-Type", mediaType)
	out.WriteHeader(code)
	_, _ = io.WriteString(out, body)
}

// serveGitHub answers as much of the API as the program asks.
func (w *world) serveGitHub(out http.ResponseWriter, r *http.Request) {
	out.Header().Set("Content-Type", "application/json")
	path := strings.TrimPrefix(r.URL.Path, "/repos/acme/fleet/")
	for name := range w.said { // "github.error releases" and the like
		if part, ok := strings.CutPrefix(name, "github.error "); ok && strings.Contains(path, part) {
			out.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = fmt.Fprintf(out, `{"message":%s,"documentation_url":%[1]s,"errors":[{"resource":%[1]s,"field":%[1]s,"code":%[1]s,"message":%[1]s}]}`, w.say(name, ""))
			return
		}
	}
	page := "https://github.com/acme/fleet/"
	switch first, _, _ := strings.Cut(path, "/"); {
	case strings.HasSuffix(path, "/statuses"), strings.HasSuffix(path, "/status"):
		status := fmt.Sprintf(`{"state":%s,"context":%s,"description":%s,"target_url":%s,"updated_at":"2026-11-05T00:00:00Z","created_at":"2026-11-05T00:00:00Z","creator":{"login":%s}}`,
			w.say("status.state", "success"), w.say("status.context", "kustomization/platform/x"), w.say("status.description", "x"), w.say("status.url", page), w.say("status.login", "flux"))
		if strings.HasSuffix(path, "/status") {
			status = `{"state":"success","sha":"` + strings.Split(path, "/")[1] + `","statuses":[` + status + `]}`
		} else {
			status = "[" + status + "]"
		}
		_, _ = io.WriteString(out, status)
	case first == "compare":
		_, _ = fmt.Fprintf(out, `{"status":%s,"commits":[{"sha":%q,"commit":{"message":%s,"author":{"name":%s},"committer":{"date":"2026-11-03T00:00:00Z"}}}]}`,
			w.say("compare.status", "ahead"), programtest.CommitC, w.say("commit.message", "feat: x"), w.say("commit.author", "x"))
	case first == "commits" && strings.Contains(path, "/"):
		if strings.Contains(r.Header.Get("Accept"), "sha") {
			_, _ = io.WriteString(out, programtest.CommitB)
			return
		}
		fallthrough
	case first == "commits": // the first of three pages, of one commit each
		if r.FormValue("sha") != "" {
			last := "3"
			if text, ok := w.said["commit.pages"]; ok {
				last = text
			}
			link := fmt.Sprintf(`<https://%s/x?page=2>; rel="next", <https://%[1]s/x?page=%s>; rel="last"`, apiHost, last)
			if text, ok := w.said["commit.link"]; ok {
				link = text
			}
			out.Header().Set("Link", link[:min(len(link), 100_000)])
		}
		_, _ = fmt.Fprintf(out, `[{"sha":%s,"commit":{"message":%s,"committer":{"date":%s}},"parents":[{"sha":%s}]}]`, w.say("commit.sha", programtest.CommitC),
			w.say("commit.message", "x"), w.say("commit.date", "2026-11-03T00:00:00Z"), w.say("commit.parent", programtest.CommitB))
	case first == "git":
		_, _ = fmt.Fprintf(out, `{"sha":%q,"committer":{"date":%s}}`, programtest.CommitC, w.say("commit.date", "2026-11-03T00:00:00Z"))
	case strings.HasSuffix(path, "/jobs"):
		_, _ = fmt.Fprintf(out, `{"total_count":1,"jobs":[{"name":%s,"status":"completed","conclusion":"failure","steps":[{"name":%s,"status":"completed","conclusion":"failure","number":1}]}]}`,
			w.say("job.name", "job"), w.say("step.name", "step"))
	case first == "actions":
		event := r.FormValue("event")
		if event == "" {
			event = "push"
		}
		_, _ = fmt.Fprintf(out, `{"total_count":1,"workflow_runs":[{"id":7,"name":%s,"path":%s,"event":%q,"status":"completed","conclusion":%s,"html_url":%s,"run_attempt":1,"created_at":"2026-11-05T00:00:00Z","run_started_at":"2026-11-05T00:00:00Z","updated_at":"2026-11-05T00:00:00Z"}]}`,
			w.say("run.name", "build"), w.say("run.path", ".github/workflows/build.yaml"), event, w.say("run.conclusion", "failure"), w.say("run.url", page+"actions/runs/7"))
	case first == "releases" && r.Method == http.MethodGet && w.said["release.made"] == "":
		_, _ = fmt.Fprintf(out, `{"html_url":%s,"tag_name":"v0.0.2"}`, w.say("release.url", page+"releases/tag/v0.0.2"))
	case strings.HasSuffix(path, "generate-notes"):
		_, _ = fmt.Fprintf(out, `{"name":"x","body":%s}`, w.say("release.notes", "x"))
	case first == "releases" && r.Method == http.MethodPost:
		out.WriteHeader(http.StatusCreated)
		_, _ = fmt.Fprintf(out, `{"html_url":%s}`, w.say("release.made", page+"releases/tag/v0.0.2"))
	case first == "issues" && r.Method == http.MethodGet:
		_, _ = io.WriteString(out, `[]`)
	case first == "issues":
		_, _ = fmt.Fprintf(out, `{"number":7,"html_url":%s,"labels":[{"name":"oci-promote"}]}`, w.say("issue.url", page+"issues/7"))
	default:
		http.Error(out, `{"message":"Not Found"}`, http.StatusNotFound)
	}
}

// step is a run of the program as a step of a job.
type step struct {
	programtest.Result
	dir   string
	asked []internet.Heard
}

// files of the runner that a step may write.
var runnerFiles = []string{"OUTPUT", "ENV", "STATE", "PATH", "STEP_SUMMARY", "ARTIFACTS"}

// run is one step in the workspace, which has the directory "tree". More environment comes after, and so wins.
func (w *world) run(t testing.TB, workspace, mode string, more ...string) step {
	t.Helper()
	dir := t.TempDir()
	env := append(w.Env(), "GITHUB_ACTIONS=true", "GITHUB_REPOSITORY=acme/fleet", "GITHUB_SERVER_URL=https://github.com", "GITHUB_API_URL=https://"+apiHost,
		"GITHUB_REF_NAME=main", "GITHUB_SHA="+programtest.CommitC, "GITHUB_ACTOR=octocat", "GITHUB_WORKSPACE="+workspace, "GITHUB_RUN_ID=77",
		"INPUT_MODE="+mode, "INPUT_TOKEN="+apiToken, "INPUT_REPOSITORY="+registryHost+"/acme/fleet", "INPUT_RETRY-FOR=0s")
	switch mode {
	case "build":
		env = append(env, "INPUT_PATH=tree")
	case "tag":
		env = append(env, "INPUT_WAIT=0s", "INPUT_KUSTOMIZATION=platform", "INPUT_RELEASE=true")
	case "verify":
		env = append(env, "INPUT_KUSTOMIZATION=platform", "INPUT_ISSUE=true")
	case "prune": // A goes, once C is live too
		w.put(t, programtest.CommitC, 3, "sha-ccccccc", "0.0.3-rc.3", "integration-ccccccc", "validated-ccccccc", "0.0.3")
		env = append(env, "INPUT_KEEP-STABLES=1", "INPUT_KEEP-FOR=0s", "INPUT_APPLY=true")
	}
	for _, name := range runnerFiles {
		file := filepath.Join(dir, name)
		programtest.Write(t, file, "")
		env = append(env, "GITHUB_"+name+"="+file)
	}
	before := len(w.Requests())
	r := programtest.Run(t, append(env, more...))
	return step{r, dir, w.Requests()[before:]}
}

func (s step) file(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// issues are the texts that GitHub was given to show.
func (s step) issues() (texts []string) {
	for _, r := range s.asked {
		if r.Host == apiHost && !strings.HasPrefix(r.Text, "GET ") {
			_, body, _ := strings.Cut(r.Text, "\r\n{")
			texts = append(texts, "{"+body)
		}
	}
	return texts
}

func workspace(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "tree"), 0o700); err != nil {
		t.Fatal(err)
	}
	programtest.Write(t, filepath.Join(dir, "tree", "a.yaml"), "a: 1\n")
	return dir
}
