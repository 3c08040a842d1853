// Command oci-promote carries an OCI artifact of Kubernetes manifests from merge to
// live. Started by GitHub it is an action, by hand a command line; both do the same.
package main

import (
	"context"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/oci-promote/oci-promote/internal/action"
)

// version is set by the linker for a release; "go install …@v1.2.3" has it from the
// module instead.
var version = "dev"

func init() {
	if info, ok := debug.ReadBuildInfo(); ok && version == "dev" && info.Main.Version != "" && info.Main.Version != "(devel)" {
		version = info.Main.Version
	}
}

// Exit codes. A signal's is 128 and its number.
const (
	exitOK     = 0
	exitFailed = 1 // a refusal or an error, or unhealthy by fail-on; what to do is in the message
	exitUsage  = 2 // no command was given
)

func main() {
	collectLate()
	ctx, stop := untilSignal()
	c := &command{stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, now: time.Now, terminal: isTerminal(os.Stderr)}
	code := c.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// collectLate has the first collection of garbage wait for a heap of 16 MB, which most runs never have: that saves a small
// build a quarter of its time. From the first one on Go collects as ever.
func collectLate() {
	ever := debug.SetGCPercent(400) // of the 4 MB at which it begins
	runtime.AddCleanup(new([64]byte), func(percent int) { debug.SetGCPercent(percent) }, ever)
}

// command is one run of the program. It knows the process only through its fields.
type command struct {
	stdout, stderr io.Writer
	getenv         func(string) string
	now            func() time.Time
	secrets        *action.Secrets
	terminal       bool // stderr is one, so that progress may overwrite itself
}

func (c *command) run(ctx context.Context, args []string) int {
	c.secrets = &action.Secrets{}
	if len(args) == 0 && action.IsAction(c.getenv) {
		return c.runAction(ctx)
	}
	return c.runCLI(ctx, args)
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
