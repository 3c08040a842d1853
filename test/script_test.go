package test

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

const scripts = "../testdata/script"

var update = flag.Bool("update", false, "write what a script's cmp got into the script")

// TestScript runs each script in a directory of its own, $WORK, with an environment of its own: no variable of the
// caller's but PATH (and GOCOVERDIR, GORACE) reaches the program. HOME is $WORK, and there is no Docker
// configuration unless the script has .docker/config.json. A, B and C are commits, PLATFORM is testdata/platform.
func TestScript(t *testing.T) {
	if found, err := filepath.Glob(scripts + "/*.txtar"); err != nil || len(found) == 0 {
		t.Skipf("no scripts in %s (%v)", scripts, err)
	}
	testscript.Run(t, params(scripts))
}

// TestScriptCommands runs scripts that test the commands below.
func TestScriptCommands(t *testing.T) {
	p := params("testdata/script")
	p.Cmds = maps.Clone(p.Cmds)
	p.Cmds["get"] = get
	testscript.Run(t, p)
}

func params(dir string) testscript.Params {
	return testscript.Params{
		Dir:                dir,
		Setup:              setup,
		Cmds:               commands,
		UpdateScripts:      *update,
		RequireUniqueNames: true,
	}
}

func setup(env *testscript.Env) error {
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("DOCKER_CONFIG", filepath.Join(env.WorkDir, ".docker"))
	env.Setenv("TMPDIR", filepath.Join(env.WorkDir, ".tmp"))
	tree, err := filepath.Abs(platform)
	if err != nil {
		return err
	}
	env.Setenv("PLATFORM", tree)
	env.Setenv("A", commitA)
	env.Setenv("B", commitB)
	env.Setenv("C", commitC)
	env.Values[stateKey{}] = new(state)
	return os.MkdirAll(filepath.Join(env.WorkDir, ".tmp"), 0o755)
}

// get is
//
//	get http://[USER:PASSWORD@]HOST/PATH
//
// It prints status and body. It fails, and may be negated, if there is no answer.
func get(ts *testscript.TestScript, neg bool, args []string) {
	transport := &http.Transport{DisableKeepAlives: true} // with them, Go repeats a GET whose connection breaks
	response, err := (&http.Client{Transport: transport}).Get(args[0])
	if neg && err != nil {
		return
	}
	ts.Check(err)
	if neg {
		ts.Fatalf("unexpected answer: %s", response.Status)
	}
	body, err := io.ReadAll(response.Body)
	ts.Check(errors.Join(err, response.Body.Close()))
	fmt.Fprintf(ts.Stdout(), "%d %s", response.StatusCode, body)
}
