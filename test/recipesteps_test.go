package test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// recipe is a workflow of examples/recipes, which has one job.
type recipe struct {
	name string
	Jobs map[string]recipeJob
}

type recipeJob struct {
	If          string
	Permissions map[string]string
	Strategy    struct{ Matrix struct{ Artifact []string } }
	Steps       []recipeStep
}

type recipeStep struct {
	ID, If, Uses, Run, Shell string
	With, Env                map[string]string
}

func readRecipe(t *testing.T, name string) (string, recipeJob) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../examples/recipes", name))
	if err != nil {
		t.Fatal(err)
	}
	r := recipe{name: name}
	if err := yaml.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Jobs) != 1 {
		t.Fatalf("%s has %d jobs", name, len(r.Jobs))
	}
	for _, job := range r.Jobs {
		return string(text), job
	}
	return "", recipeJob{}
}

// jobRun runs the steps of a recipe as the runner does: the action is the program, a registry stands in for ghcr.io, and scripts
// find the commands of bin first. Other actions are not run.
type jobRun struct {
	t        *testing.T
	registry *registrytest.Server // nil where no step uses the action
	bin      string
	env      []string
	contexts map[string]any // github, matrix, inputs, vars
	steps    map[string]any // by id; what has run so far
	log      string
}

// run runs all steps up to the first that fails, and reports whether none did.
func (j *jobRun) run(job recipeJob) bool {
	j.t.Helper()
	j.steps = map[string]any{}
	j.contexts["steps"] = j.steps
	for _, step := range job.Steps {
		if step.If != "" && !truthy(j.value(step.If)) {
			j.log += "skipped: " + step.If + "\n"
			continue
		}
		outputs, ok := j.step(step)
		if step.ID != "" {
			j.steps[step.ID] = map[string]any{"outputs": outputs}
		}
		if !ok {
			return false
		}
	}
	return true
}

func (j *jobRun) step(s recipeStep) (outputs map[string]any, ok bool) {
	j.t.Helper()
	output := filepath.Join(j.t.TempDir(), "output")
	programtest.Write(j.t, output, "")
	env := append(slices.Clone(j.env), "GITHUB_OUTPUT="+output)
	var cmd *exec.Cmd
	switch {
	case strings.HasPrefix(s.Uses, "oci-promote/oci-promote@"):
		cmd = programtest.Command(j.t, append(env, j.inputs(s.With)...))
	case s.Uses != "":
		j.log += "uses " + s.Uses + ": " + j.text(s.With["subject-name"]+"@"+s.With["subject-digest"]) + "\n"
		return map[string]any{}, true
	default:
		args := []string{"-e", "-c", j.text(s.Run)}
		if s.Shell == "bash" {
			args = []string{"-eo", "pipefail", "-c", j.text(s.Run)}
		}
		cmd = exec.CommandContext(j.t.Context(), "bash", args...)
		env = append(env, "PATH="+j.bin+string(os.PathListSeparator)+os.Getenv("PATH"))
		for name, value := range s.Env {
			env = append(env, name+"="+j.text(value))
		}
		cmd.Env = env
	}
	r := programtest.RunCommand(j.t, cmd)
	j.log += r.Stdout + r.Stderr
	text, err := os.ReadFile(output)
	if err != nil {
		j.t.Fatal(err)
	}
	lines, err := parseOutputs(string(text))
	if err != nil {
		j.t.Fatal(err)
	}
	outputs = map[string]any{}
	for _, line := range lines {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		outputs[name] = value
	}
	return outputs, r.Code == 0
}

// inputs is the action's environment; it neither waits nor retries.
func (j *jobRun) inputs(with map[string]string) []string {
	all := []string{
		"INPUT_TOKEN=" + apiToken, "INPUT_WAIT=0s", "INPUT_RETRY-FOR=0s", "INPUT_PLAIN-HTTP=true",
		"INPUT_USERNAME=" + j.registry.Username, "INPUT_PASSWORD=" + j.registry.Password,
	}
	for name, value := range with {
		value = strings.Replace(j.text(value), "ghcr.io/", j.registry.Host+"/", 1)
		all = append(all, "INPUT_"+strings.ToUpper(name)+"="+value)
	}
	return all
}

var interpolation = regexp.MustCompile(`\$\{\{\s*(.*?)\s*\}\}`)

// text is a string of a workflow with its expressions evaluated.
func (j *jobRun) text(s string) string {
	j.t.Helper()
	return interpolation.ReplaceAllStringFunc(s, func(m string) string {
		v := j.value(interpolation.FindStringSubmatch(m)[1])
		if v == nil {
			return ""
		}
		return fmt.Sprint(v)
	})
}

// value evaluates as much of GitHub's expressions as the recipes use: ||, &&, ==, literals, contexts, fromJSON. What it does not
// know fails the test. (actionlint checks their types.)
func (j *jobRun) value(expression string) any {
	j.t.Helper()
	expression = strings.TrimSpace(expression)
	for _, operator := range []string{"||", "&&"} {
		if left, right, ok := strings.Cut(expression, operator); ok {
			v := j.value(left)
			if truthy(v) == (operator == "||") {
				return v
			}
			return j.value(right)
		}
	}
	if left, right, ok := strings.Cut(expression, "=="); ok {
		return j.value(left) == j.value(right)
	}
	if literal, ok := strings.CutPrefix(expression, "'"); ok {
		return strings.TrimSuffix(literal, "'")
	}
	if inner, rest, ok := strings.Cut(strings.TrimPrefix(expression, "fromJSON("), ")"); ok {
		var v any
		text, _ := j.value(inner).(string)
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			j.t.Fatalf("%s: %v in %q", expression, err, text)
		}
		return walked(v, strings.TrimPrefix(rest, "."))
	}
	name, rest, _ := strings.Cut(expression, ".")
	context, ok := j.contexts[name]
	if !ok {
		j.t.Fatalf("no context %q in %q", name, expression)
	}
	return walked(context, rest)
}

// walked follows a path such as plan[0] or event.state; nil where it leads nowhere, as GitHub has it.
func walked(v any, path string) any {
	for part := range strings.SplitSeq(strings.NewReplacer("[", ".", "]", "").Replace(path), ".") {
		switch node := v.(type) {
		case map[string]any:
			v = node[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(node) {
				return nil
			}
			v = node[i]
		default:
			return nil
		}
	}
	return v
}

func truthy(v any) bool { return v != nil && v != "" && v != false && v != 0.0 }

// TestRecipeExpressions: what the tests of the recipes rely on.
func TestRecipeExpressions(t *testing.T) {
	j := &jobRun{t: t, contexts: map[string]any{
		"github": map[string]any{"repository": "acme/fleet"},
		"steps": map[string]any{"plan": map[string]any{"outputs": map[string]any{
			"outcome": "planned", "empty": `{"outcome":"planned"}`, "report": `{"plan":["validated-1a2b3c4","0.0.1"]}`,
		}}},
	}}
	for expression, want := range map[string]any{
		`steps.plan.outputs.outcome == 'planned'`:                                    true,
		`steps.plan.outputs.outcome == 'created' || steps.none.outputs.x`:            nil,
		`fromJSON(steps.plan.outputs.report).plan[0]`:                                "validated-1a2b3c4",
		`fromJSON(steps.plan.outputs.empty).plan[0]`:                                 nil,
		`fromJSON(steps.plan.outputs.report).plan[2]`:                                nil,
		`fromJSON(steps.plan.outputs.report).plan[0] && steps.plan.outputs.no == ''`: false,
		`github.repository == 'acme/fleet' && 'a' || 'b'`:                            "a",
		`github.repository == 'acme/none' && 'a' || 'b'`:                             "b",
	} {
		if got := j.value(expression); got != want {
			t.Errorf("%s is %v, want %v", expression, got, want)
		}
	}
}
