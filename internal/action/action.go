package action

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/sethvargo/go-githubactions"
)

// Run is one run of the action: the runner's variables and files.
type Run struct {
	Secrets *Secrets // in nothing that the run says; may be nil
	gha     *githubactions.Action
	getenv  func(string) string
	out     io.Writer
}

// New begins a run. Nothing is read from the process but through getenv.
func New(getenv func(string) string, out io.Writer) *Run {
	return &Run{nil, githubactions.New(githubactions.WithGetenv(getenv), githubactions.WithWriter(out)), getenv, out}
}

func (r *Run) clean(s string) string { return r.Secrets.Clean(s) }

// IsAction reports whether the program was started as an action rather than by hand:
// the runner sets an INPUT_ variable for each input.
func IsAction(getenv func(string) string) bool {
	return getenv("GITHUB_ACTIONS") == "true" || getenv("INPUT_MODE") != ""
}

// Values are the run's inputs.
func (r *Run) Values() Values {
	v := Values{}
	for _, i := range Inputs {
		v[i.Name] = r.gha.GetInput(i.Name)
	}
	return v
}

// Println writes one line to the log. It may hold text from outside.
func (r *Run) Println(line string) { fmt.Fprintln(r.out, r.clean(line)) }

// Notice annotates the run with something good to know.
func (r *Run) Notice(text string) { r.gha.Noticef("%s", r.clean(text)) }

// Warning annotates the run with something that may need a hand.
func (r *Run) Warning(text string) { r.gha.Warningf("%s", r.clean(text)) }

// Error annotates the run with an error of one line or more, the last of which may
// say what to do. Empty lines are left out.
func (r *Run) Error(lines ...string) {
	var clean []string
	for _, line := range lines {
		if line = r.clean(line); line != "" {
			clean = append(clean, line)
		}
	}
	r.gha.Errorf("%s", strings.Join(clean, "\n"))
}

// delimiter is what go-githubactions ends each output with. It is fixed, so that a
// value that holds it, or a line break, could forge another output (docs/facts.md 19).
const delimiter = "_GitHubActionsFileCommandDelimeter_"

// SetOutput sets an output. A value that could forge another one is refused.
func (r *Run) SetOutput(name, value string) (err error) {
	if r.getenv("GITHUB_OUTPUT") == "" {
		return nil
	}
	if strings.ContainsAny(value, "\r\n") || strings.Contains(value, delimiter) {
		return fmt.Errorf("setting output %s: %q could forge another output", name, Clean(value))
	}
	defer caught("setting output "+name, &err)
	r.gha.SetOutput(name, r.Secrets.Hide(value))
	return nil
}

// JSON is v on one line, fit for an output and for a log: the delimiter and "##[", which can only be inside a string,
// are spelled with escapes. Both ends of the delimiter are, since two may share an underscore.
func JSON(v any) (string, error) {
	blob, err := json.Marshal(v)
	return jsonEscapes.Replace(string(blob)), err
}

var jsonEscapes = strings.NewReplacer(delimiter, `\u005f`+strings.Trim(delimiter, "_")+`\u005f`, "##[", `\u0023#[`)

// Text makes text from outside fit for an output: one line, in which the delimiter's word is
// broken in its middle.
func Text(s string) string {
	word := strings.Trim(delimiter, "_")
	return strings.ReplaceAll(Clean(s), word, word[:len(word)/2]+"\u200a"+word[len(word)/2:])
}

// maxSummary is the runner's limit for one step (docs/facts.md 21).
const maxSummary = 1 << 20

// AddSummary adds Markdown to the job's summary. What is too long is cut between two lines.
func (r *Run) AddSummary(markdown string) (err error) {
	if r.getenv("GITHUB_STEP_SUMMARY") == "" {
		return nil
	}
	markdown = r.Secrets.Hide(markdown)
	if len(markdown) > maxSummary-1 {
		const more = "\n\n(cut here: GitHub takes no more)\n"
		markdown = markdown[:maxSummary-1-len(more)]
		markdown = markdown[:strings.LastIndex(markdown, "\n")+1] + more
	}
	defer caught("writing the summary", &err)
	r.gha.AddStepSummary(markdown)
	return nil
}

// AddArtifact names an artifact to actions/attest, where the runner has the file for
// it (docs/facts.md 22). The line must hold no "=".
func (r *Run) AddArtifact(reference string) error {
	name := r.getenv("GITHUB_ARTIFACTS")
	if name == "" || strings.ContainsAny(reference, "=\r\n") {
		return nil
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0) //nolint:gosec // the runner names it
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		_, err = fmt.Fprintln(f, "oci://"+reference)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return fmt.Errorf("naming the artifact in GITHUB_ARTIFACTS: %w", err)
	}
	return nil
}

// caught turns the panic by which go-githubactions says that it cannot write a file
// into an error.
func caught(doing string, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%s: %v", doing, p)
	}
}
