package action

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// env is an environment.
type env map[string]string

func (e env) get(name string) string { return e[name] }

// start begins a run whose log and files can be read.
func start(e env) (*Run, *strings.Builder) {
	var log strings.Builder
	return New(e.get, &log), &log
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// outputs reads a file of outputs as the runner does (actions/runner
// FileCommandManager.cs): name=value, or name<<END, lines, END.
func outputs(t *testing.T, text string) map[string]string {
	t.Helper()
	found := map[string]string{}
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		equals, heredoc := strings.Index(lines[i], "="), strings.Index(lines[i], "<<")
		switch {
		case lines[i] == "":
		case heredoc >= 0 && (equals < 0 || heredoc < equals):
			name, end := lines[i][:heredoc], lines[i][heredoc+2:]
			var value []string
			for i++; lines[i] != end; i++ {
				value = append(value, lines[i])
			}
			found[name] = strings.Join(value, "\n")
		case equals >= 0:
			found[lines[i][:equals]] = lines[i][equals+1:]
		default:
			t.Fatalf("the runner refuses the line %q", lines[i])
		}
	}
	return found
}

func TestSetOutput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "output")
	run, log := start(env{"GITHUB_OUTPUT": file})
	want := map[string]string{"outcome": "created", "empty": "", "tags": `["a","b"]`, "equals": "a=b", "heredoc": "x<<EOF", "command": "::error::x", "percent": "%0A%25", "spaces": "  a  "}
	for name, value := range want {
		if err := run.SetOutput(name, value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, value := range map[string]string{
		"line break":         "a\nforged=1",
		"carriage return":    "a\rforged=1",
		"the delimiter":      "a" + delimiter + "b",
		"only the delimiter": delimiter,
		"all of it":          "a\n" + delimiter + "\nforged<<" + delimiter + "\n1",
	} {
		err := run.SetOutput("refused", value)
		if err == nil || !strings.Contains(err.Error(), "refused") || strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if got := outputs(t, read(t, file)); !reflect.DeepEqual(got, want) {
		t.Errorf("the runner reads %q, want %q", got, want)
	}
	if log.Len() > 0 {
		t.Errorf("the log has %q", log)
	}
}

func TestFilesOfTheRunner(t *testing.T) {
	t.Run("unset", func(t *testing.T) {
		run, log := start(env{})
		if err := run.SetOutput("a", "b"); err != nil {
			t.Error(err)
		}
		if err := run.AddSummary("# a"); err != nil {
			t.Error(err)
		}
		if err := run.AddArtifact("ghcr.io/acme/fleet@sha256:00"); err != nil {
			t.Error(err)
		}
		if log.Len() > 0 {
			t.Errorf("the log has %q", log)
		}
	})
	t.Run("unwritable", func(t *testing.T) {
		dir := t.TempDir() // a directory cannot be written, not even by root
		run, _ := start(env{"GITHUB_OUTPUT": dir, "GITHUB_STEP_SUMMARY": filepath.Join(dir, "no", "such"), "GITHUB_ARTIFACTS": dir})
		for doing, err := range map[string]error{"setting output a": run.SetOutput("a", "b"), "writing the summary": run.AddSummary("# a"), "GITHUB_ARTIFACTS": run.AddArtifact("a@b")} {
			if err == nil || !strings.Contains(err.Error(), doing) || !strings.Contains(err.Error(), "directory") {
				t.Errorf("%s: got %v", doing, err)
			}
		}
	})
}

func TestAddSummary(t *testing.T) {
	file := filepath.Join(t.TempDir(), "summary")
	run, _ := start(env{"GITHUB_STEP_SUMMARY": file})
	for _, text := range []string{"# one", "two"} {
		if err := run.AddSummary(text); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, file); got != "# one\ntwo\n" {
		t.Errorf("the summary is %q", got)
	}
	file = filepath.Join(t.TempDir(), "summary")
	run, _ = start(env{"GITHUB_STEP_SUMMARY": file})
	if err := run.AddSummary("# first\n" + strings.Repeat("é 123456789\n", 1<<17)); err != nil {
		t.Errorf("more than the limit: got %v", err)
	}
	if got := read(t, file); len(got) > 1<<20 || len(got) < 1<<20-100 || !strings.HasPrefix(got, "# first\n") || !strings.HasSuffix(strings.TrimSpace(got), "é 123456789\n\n\n(cut here: GitHub takes no more)") {
		t.Errorf("more than the limit: %d bytes, …%q", len(got), got[len(got)-80:])
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run.AddSummary(strings.Repeat("a", 1<<20-1)); err != nil || len(read(t, file)) != 1<<20 {
		t.Errorf("exactly the limit: got %v", err)
	}
}

func TestAddArtifact(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "artifacts")
	run, _ := start(env{"GITHUB_ARTIFACTS": file})
	const ref = "ghcr.io/acme/fleet@sha256:00"
	if err := run.AddArtifact(ref); err != nil {
		t.Errorf("no file: %v", err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the file was made, though this runner has none")
	}
	if err := os.WriteFile(file, []byte("oci://other@sha256:11\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, reference := range []string{ref, "a=b@sha256:00", "a@b\noci://forged", "a@b\roci://forged"} {
		if err := run.AddArtifact(reference); err != nil {
			t.Errorf("%q: %v", reference, err)
		}
	}
	if got := read(t, file); got != "oci://other@sha256:11\noci://"+ref+"\n" {
		t.Errorf("the file holds %q", got)
	}
}

func TestJSON(t *testing.T) {
	for name, text := range map[string]string{
		"plain":                       "a",
		"line break":                  "a\r\nb\u2028c",
		"delimiter":                   delimiter,
		"delimiter inside":            "a" + delimiter + "b",
		"twice":                       delimiter + delimiter,
		"two that share an underline": delimiter + delimiter[1:],
		"three that share":            delimiter + delimiter[1:] + delimiter[1:],
		"after a backslash":           `\` + delimiter + `\\` + delimiter,
		"after a quote":               `"` + delimiter + `"`,
		"spelled with an escape":      `\u005f` + delimiter[1:],
		"more underlines":             "___" + delimiter + "___",
	} {
		t.Run(name, func(t *testing.T) {
			value := map[string]any{"text": text, text: []any{text}}
			got, err := JSON(value)
			if err != nil || strings.Contains(got, delimiter) || strings.ContainsAny(got, "\r\n") {
				t.Fatalf("got %q, %v", got, err)
			}
			var again map[string]any
			if err := json.Unmarshal([]byte(got), &again); err != nil || !reflect.DeepEqual(again, value) {
				t.Errorf("%s reads as %q, %v", got, again, err)
			}
			run, _ := start(env{"GITHUB_OUTPUT": filepath.Join(t.TempDir(), "output")})
			if err := errors.Join(run.SetOutput("report", got), run.SetOutput("reason", Text(text))); err != nil {
				t.Error(err)
			}
		})
	}
	if _, err := JSON(func() {}); err == nil {
		t.Error("a function has a JSON form")
	}
}

func TestLog(t *testing.T) {
	const hostile = "a\n::error::forged\r##[error]%0Aforged\x1b[31m"
	const clean = "a ::error::forged #\u200a#[error]%0Aforged[31m"
	tests := []struct {
		name string
		say  func(*Run)
		want string
	}{
		{"line", func(r *Run) { r.Println("said: " + hostile) }, "said: " + clean},
		{"line that begins with a command", func(r *Run) { r.Println("::add-mask::a") }, ":\u200a:add-mask::a"},
		{"notice", func(r *Run) { r.Notice(hostile) }, "::notice::" + strings.ReplaceAll(clean, "%", "%25")},
		{"warning", func(r *Run) { r.Warning("100% " + hostile) }, "::warning::" + strings.ReplaceAll("100% "+clean, "%", "%25")},
		{"error", func(r *Run) { r.Error("%s "+hostile, "") }, "::error::" + strings.ReplaceAll("%s "+clean, "%", "%25")},
		{"error with a hint", func(r *Run) { r.Error("a", "b\nc") }, "::error::a%0Ab c"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			run, log := start(env{})
			test.say(run)
			if got := log.String(); got != test.want+"\n" {
				t.Errorf("got  %q\nwant %q", got, test.want+"\n")
			}
		})
	}
}

func TestIsAction(t *testing.T) {
	for name, c := range map[string]struct {
		env  env
		want bool
	}{
		"by hand":                     {env{}, false},
		"on a runner":                 {env{"GITHUB_ACTIONS": "true"}, true},
		"with inputs only, as in act": {env{"INPUT_MODE": "build"}, true},
		"CI elsewhere":                {env{"CI": "true", "GITHUB_ACTIONS": "false"}, false},
	} {
		if got := IsAction(c.env.get); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestValues(t *testing.T) {
	run, _ := start(env{"INPUT_MODE": " build\n", "INPUT_DRY-RUN": "true", "INPUT_DRY_RUN": "false", "INPUT_IGNORE": "a\n b\n", "INPUT_UNKNOWN": "x"})
	got := run.Values()
	if got["mode"] != "build" || got["dry-run"] != "true" || got["ignore"] != "a\n b" || got["path"] != "" || len(got) != len(Inputs) {
		t.Errorf("got %q", got)
	}
}
