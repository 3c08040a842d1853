// Package programtest runs the real program, as a process, and sees what it writes to a registry of registrytest.
package programtest

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const command = "cmd/oci-promote" // under the root of the repository

// Long is whether a test runs in its long form, as in make chaos. Only tests of packages that import this one know
// the flag.
var Long = flag.Bool("long", false, "run the long form of each test")

// Main builds the program that the tests are about, puts it first in PATH, runs the tests, and ends the process.
// It is all that a package's TestMain does.
func Main(m *testing.M) {
	flag.Parse()
	status, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(status)
}

func run(m *testing.M) (status int, err error) {
	bin, err := os.MkdirTemp("", "oci-promote-bin")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(bin)) }()
	var flags []string
	if os.Getenv("GOCOVERDIR") != "" { // then each run of the program leaves there what it covered
		flags = []string{"-cover", "-coverpkg=./..."}
	}
	if err := Build(bin, flags...); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// Build builds the program into the directory bin, with flags of go build, and puts bin first in PATH.
func Build(bin string, flags ...string) error {
	root, err := Root()
	if err != nil {
		return err
	}
	args := slices.Concat([]string{"build", "-C", root, "-o", filepath.Join(bin, "oci-promote")}, flags, []string{"./" + command})
	if output, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", command, err, output)
	}
	return os.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// Root is the root of the repository: the directory above that of the nested module in which the test runs.
func Root() (string, error) {
	output, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("looking for go.mod: %w", err)
	}
	return filepath.Dir(filepath.Dir(strings.TrimSpace(string(output)))), nil
}

// Result is what one run of a command said and how it ended.
type Result struct {
	Stdout, Stderr string
	Code           int
}

// Command is the program with nothing of the caller's environment but what coverage and the race detector need, and
// no Docker configuration. It ends with the test. Of a flag that is given twice, which the program refuses, the last counts:
// a test may want another value than its helper gives.
func Command(t testing.TB, env []string, args ...string) *exec.Cmd {
	t.Helper()
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "oci-promote", lastOf(args)...)
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "DOCKER_CONFIG=" + filepath.Join(home, ".docker"), "TMPDIR=" + t.TempDir(),
		"GOCOVERDIR=" + os.Getenv("GOCOVERDIR"), "GORACE=" + os.Getenv("GORACE"),
	}, env...)
	return cmd
}

// lastOf is args with each flag once, as it is given last. Lists add up.
func lastOf(args []string) []string {
	lists := []string{"--annotations", "--ignore", "--cluster-state"}
	var given [][]string // each flag with its value, and whatever else there is
	for i := 0; i < len(args); {
		end := i + 1
		name, _, joined := strings.Cut(args[i], "=")
		if strings.HasPrefix(name, "--") && !joined && end < len(args) && !strings.HasPrefix(args[end], "--") {
			end++
		}
		given = slices.DeleteFunc(given, func(before []string) bool {
			known, _, _ := strings.Cut(before[0], "=")
			return known == name && strings.HasPrefix(name, "--") && !slices.Contains(lists, name)
		})
		given = append(given, args[i:end])
		i = end
	}
	return slices.Concat(given...)
}

// Run runs the program as Command gives it.
func Run(t testing.TB, env []string, args ...string) Result {
	t.Helper()
	return RunCommand(t, Command(t, env, args...))
}

// RunCommand runs a command to its end, whatever its exit status.
func RunCommand(t testing.TB, cmd *exec.Cmd) Result {
	t.Helper()
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return Result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// Peak is the most memory that a running program has had, in KiB; 0 where that is not known, as of one that is not the program
// yet. It needs Linux.
func Peak(pid int) int {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	m := highWater.FindSubmatch(status)
	if err != nil || m == nil || !bytes.Contains(status, []byte("Name:\toci-promote")) {
		return 0
	}
	peak, _ := strconv.Atoi(string(m[1]))
	return peak
}

// Write writes a file.
func Write(t testing.TB, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
