// Package action is the GitHub Actions edge: inputs in; outputs, summary and
// annotations out. Its table of inputs serves the command line too.
package action

import (
	"fmt"
	"slices"
	"strings"
)

// The modes of the action, which are the commands of the CLI.
const (
	Build  = "build"
	Tag    = "tag"
	Verify = "verify"
	Prune  = "prune"
)

// Modes in the order in which an artifact meets them.
var Modes = []string{Build, Tag, Verify, Prune}

// Input is one row of the table that action.yml, the CLI's flags and docs/reference.md share;
// a test holds the four together.
type Input struct {
	Name    string
	Modes   []string // that use it; nil for all
	Default string   // of the program; action.yml may have an expression instead
	Expr    string   // action.yml's default, where the runner fills it in
	Help    string   // one line, without a full stop
	IsBool  bool     // a flag that needs no value
	Value   string   // what a value is, in capitals, for the help: DURATION, HOST/PATH
	Values  []string // all values that there are; nil where there are more, and for IsBool
	IsList  bool     // a value a line; a flag that is given again adds one
	Env     []string // by hand: the variables that give the value where the flag does not
	Needed  []string // modes that do not run by hand without it
}

// Choices are all values of an input that has few; else none.
func (i Input) Choices() []string {
	if i.IsBool {
		return []string{"true", "false"}
	}
	return i.Values
}

func (i Input) usedBy(mode string) bool { return i.Modes == nil || slices.Contains(i.Modes, mode) }

var (
	build       = []string{Build}
	tag         = []string{Tag}
	verify      = []string{Verify}
	prune       = []string{Prune}
	buildVerify = []string{Build, Verify}
	tagVerify   = []string{Tag, Verify}
	verifyPrune = []string{Verify, Prune}
)

// Inputs are all inputs, in the order of the documentation.
var Inputs = []Input{
	{Name: "mode", Values: Modes, Help: "what to do: build, tag, verify or prune"},
	{Name: "repository", Expr: "ghcr.io/${{ github.repository }}", Value: "HOST/PATH", Env: []string{"GITHUB_REPOSITORY"}, Needed: Modes, Help: "OCI repository (lower-cased; oci:// accepted), or oci-layout:DIR"},
	{Name: "username", Value: "USER", Help: "registry user; unset: for ghcr.io the actor, elsewhere DOCKER_CONFIG, else anonymous"},
	{Name: "password", Value: "PASSWORD", Env: []string{"OCI_PROMOTE_PASSWORD"}, Help: "registry password; unset: for ghcr.io the token, elsewhere DOCKER_CONFIG, else anonymous"},
	{Name: "token", Expr: "${{ github.token }}", Value: "TOKEN", Env: []string{"GITHUB_TOKEN", "GH_TOKEN"}, Help: "for the GitHub API, and for ghcr.io where no username is given; never sent elsewhere"},
	{Name: "plain-http", Default: "false", IsBool: true, Help: "speak HTTP instead of HTTPS, for local registries; Flux then needs spec.insecure: true"},
	{Name: "dry-run", Default: "false", IsBool: true, Help: "plan and report, send nothing but reads"},
	{Name: "retry-for", Default: "2m", Value: "DURATION", Help: "time that all retries of a run may take, such as 90s; 0s is none"},
	{Name: "sha-length", Default: "7", Value: "N", Help: "digits of the commit in sha-, integration- and validated- tags, 7 to 40"},
	{Name: "integration-semver", Default: ">= 0.0.0-0", Value: "CONSTRAINT", Help: "constraint by which the integration cluster selects"},
	{Name: "live-semver", Default: ">= 0.0.0", Value: "CONSTRAINT", Help: "constraint by which the live cluster selects"},
	{Name: "path", Modes: buildVerify, Default: ".", Value: "DIR", Help: "directory to pack; in verify: whose newest commit must be built, . for any"},
	{Name: "ignore", Modes: build, Value: "PATTERN", IsList: true, Help: "gitignore lines, after Flux's defaults and .sourceignore files; !pattern takes back in"},
	{Name: "revision", Modes: build, Value: "BRANCH@sha1:COMMIT", Env: []string{"GITHUB_SHA"}, Needed: build, Help: "<branch>@sha1:<commit>; unset: from the run"},
	{Name: "source", Modes: build, Value: "URL", Help: "URL of the git repository; unset: from the run"},
	{Name: "annotations", Modes: build, Value: "KEY=VALUE", IsList: true, Help: "further annotations, a key=value a line"},
	{Name: "bump", Modes: build, Default: "patch", Value: "BUMP", Values: []string{"patch", "minor", "major", "auto"}, Help: "patch, minor, major, or auto: by the Conventional Commits since the stable that touch path"},
	{Name: "initial-version", Modes: build, Default: "0.0.1", Value: "X.Y.Z", Help: "the first base"},
	{Name: "height", Modes: build, Value: "N", Help: "N of rc.N: how many commits lead to this one; unset: asked of GitHub, by hand of git"},
	{Name: "first-build", Modes: build, Default: "false", IsBool: true, Help: "believe a 403, a 404 in any words, or a 401 with a good token on the tag list: some registries answer so for what was never pushed"},
	{Name: "skip-unchanged", Modes: build, Default: "false", IsBool: true, Help: "no push when what integration selects now holds the same content"},
	{Name: "overwrite", Modes: build, Default: "false", IsBool: true, Help: "let this commit's tags move to other content; and upload what the registry lost of the same"},
	{Name: "kustomization", Modes: tagVerify, Value: "NAME", Help: "name or namespace/name of the Flux Kustomization whose health counts"},
	{Name: "status-context", Modes: tagVerify, Value: "CONTEXT", Help: "prefix of the commit status context; unset: kustomization/<name>/"},
	{Name: "artifact-sha", Modes: tagVerify, Value: "COMMIT", Help: "commit, 7 to 40 hex digits, or latest; unset: in tag from the event, in verify latest"},
	{Name: "digest", Modes: tag, Value: "DIGEST", Help: "exact artifact, sha256:<hex>; unset: from the event"},
	{Name: "version", Modes: tag, Value: "X.Y.Z", Help: "X.Y.Z or next: manual promotion and rollback; unset: derived"},
	{Name: "allow-unvalidated", Modes: tag, Default: "false", IsBool: true, Help: "with version: promote what was never validated"},
	{Name: "wait", Modes: tag, Default: "2m", Value: "DURATION", Help: "time to wait for a proven build whose tags are not all there yet"},
	{Name: "soak", Modes: tagVerify, Default: "0s", Value: "DURATION", Help: "how long integration must have been healthy with exactly this artifact"},
	{Name: "release", Modes: tag, Default: "false", IsBool: true, Help: "create the GitHub release with generated notes"},
	{Name: "release-prefix", Modes: tag, Default: "v", Value: "PREFIX", Help: "what comes before X.Y.Z in the release's git tag"},
	{Name: "max-age", Modes: verify, Default: "2h", Value: "DURATION", Help: "older than this and not promoted is stuck"},
	{Name: "live-status-context", Modes: verify, Value: "CONTEXT", Help: "prefix of the commit status context by which live reports; unset: it reports none"},
	{Name: "cluster-state", Modes: verifyPrune, Value: "FILE", IsList: true, Help: "files with kubectl get -o json output, one a line, several a cluster: FILE, integration=FILE or live=FILE"},
	{Name: "fail-on", Modes: verify, Default: "error", Value: "SEVERITY", Values: []string{"error", "warning", "never"}, Help: "error, warning or never"},
	{Name: "issue", Modes: verify, Default: "false", IsBool: true, Help: "keep one tracking issue open while unhealthy, close it after"},
	{Name: "deployments", Modes: verify, Default: "false", IsBool: true, Help: "let GitHub's Deployments show what runs on integration and live"},
	{Name: "integration-environment", Modes: verify, Default: "integration", Value: "NAME", Help: "name of integration's environment in GitHub's Deployments"},
	{Name: "live-environment", Modes: verify, Default: "live", Value: "NAME", Help: "name of live's environment in GitHub's Deployments"},
	{Name: "comment", Modes: verify, Default: "false", IsBool: true, Help: "tell each pull request once when live runs it, or went back from it"},
	{Name: "keep-stables", Modes: prune, Default: "10", Value: "N", Help: "how many stables to keep whatever their age, from the highest down, 1 to 1000"},
	{Name: "keep-for", Modes: prune, Default: "720h", Value: "DURATION", Help: "what is younger is kept, such as 720h for 30 days"},
	{Name: "max-deletes", Modes: prune, Default: "100", Value: "N", Help: "how many artifacts one run deletes at most, 1 to 1000"},
	{Name: "apply", Modes: prune, Default: "false", IsBool: true, Help: "delete what the plan says; without it nothing is deleted"},
}

// Output is one row of the table of outputs.
type Output struct{ Name, Help string }

// Outputs are all outputs, in the order of the documentation.
var Outputs = []Output{
	{"outcome", "what the run did: created, unchanged, promoted, pending, superseded, ignored, planned, healthy, unhealthy or pruned"},
	{"version", "the candidate built, or the stable promoted"},
	{"candidate", "the artifact's candidate tag"},
	{"digest", "the artifact's digest"},
	{"reference", "repository@digest"},
	{"sha", "the artifact's commit"},
	{"tags", "the pipeline tags that this run wrote or checked, one line of JSON"},
	{"reason", "one line: why this outcome"},
	{"deleted", "in mode prune: how many artifacts are gone since the plan"},
	{"kept", "in mode prune: how many artifacts are there after the run"},
	{"report", "the whole result, one line of JSON"},
}

// InputsOf are the inputs of a mode, without mode itself.
func InputsOf(mode string) []Input {
	return slices.DeleteFunc(slices.Clone(Inputs), func(i Input) bool { return i.Name == "mode" || !i.usedBy(mode) })
}

// CheckMode accepts the modes.
func CheckMode(s string) error {
	if slices.Contains(Modes, s) {
		return nil
	}
	if s == "" {
		return fmt.Errorf("mode: not set; expected %s", list(Modes))
	}
	return fmt.Errorf("mode: %q is not a mode; expected %s", s, list(Modes))
}

// Misplaced are inputs that were set to something and that mode does not use.
func Misplaced(mode string, v Values) []string {
	var names []string
	for _, i := range Inputs {
		if set := v[i.Name]; set != "" && set != i.Default && !i.usedBy(mode) {
			names = append(names, i.Name)
		}
	}
	return names
}

func list(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
