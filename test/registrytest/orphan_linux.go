package registrytest

import (
	"os/exec"
	"syscall"
)

// EndWithUs has the kernel end a process when the thread that started it does, and so with a test that was killed.
func EndWithUs(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
