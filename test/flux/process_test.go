package flux

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/test/flux/bins"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// process is a program that runs until it is stopped or the test ends. It has a log; a test that fails shows a controller's.
type process struct {
	name    string
	log     string
	command *exec.Cmd
	ended   chan struct{}
}

// startProcess runs one of the programs, with a home of its own and nothing of the test's environment.
func startProcess(t *testing.T, name, program string, env []string, args ...string) *process {
	t.Helper()
	home := t.TempDir()
	log, err := os.Create(filepath.Join(home, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }() // the process has it
	b := bins.Named(program)
	dir, err := b.Dir("modules")
	if err != nil {
		t.Fatal(err)
	}
	p := &process{name: name, log: log.Name(), command: exec.Command(b.Program(dir), args...), ended: make(chan struct{})}
	p.command.Dir = home
	p.command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + home}, env...)
	p.command.Stdout, p.command.Stderr = log, log
	registrytest.EndWithUs(p.command)
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // who ends with us ends with the thread that started it
		defer runtime.UnlockOSThread()
		err := p.command.Start()
		started <- err
		if err == nil {
			_ = p.command.Wait() // it was killed, or its log says why it ended
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		t.Fatalf("starting %s: %v (make flux builds it)", name, err)
	}
	t.Cleanup(func() {
		p.stop(t)
		if t.Failed() && strings.Contains(program, "-controller") {
			t.Logf("%s said at last:\n%s", name, p.tail(20))
		}
	})
	return p
}

// stop kills the process, which has nothing to save, and waits for its end. One that has ended by itself fails the test.
func (p *process) stop(t *testing.T) {
	t.Helper()
	select {
	case <-p.ended:
		t.Errorf("%s ended by itself: %s", p.name, p.command.ProcessState)
	default:
		if err := p.command.Process.Kill(); err != nil {
			t.Errorf("ending %s: %v", p.name, err)
		}
		<-p.ended
	}
}

// tail is the last lines of the log.
func (p *process) tail(lines int) string {
	data, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// freeAddress is one on loopback that nobody listens on. It lies below the ports that the kernel gives to those who ask for
// any, so that nobody gets it before the program that it is for.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 15000+rand.IntN(15000))
		if l, err := net.Listen("tcp", address); err == nil {
			_ = l.Close()
			return address
		}
	}
	t.Fatal("no free port on loopback")
	return ""
}
