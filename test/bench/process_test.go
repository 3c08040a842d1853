package bench

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/test/registrytest"
)

// A job is one run of a contender's script.
type job struct {
	script string   // testdata/WORK/CONTENDER.sh
	env    []string // what it finds in its environment
}

// cost is what a job took.
type cost struct {
	wall   time.Duration
	peak   int64 // bytes, of the largest of its processes
	stdout string
}

func (j job) run(t testing.TB) cost {
	t.Helper()
	c, err := j.try(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// try runs the script in bash, with the functions of next.sh, and nothing of the caller's environment.
func (j job) try(ctx context.Context) (cost, error) {
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", `source testdata/next.sh; source "$0"`, j.script)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + place, "LC_ALL=C"}, j.env...)
	stderr, err := os.CreateTemp(place, "stderr")
	if err != nil {
		return cost{}, err
	}
	defer func() { _ = os.Remove(stderr.Name()); _ = stderr.Close() }()
	cmd.Stderr = stderr
	begin := time.Now()
	stdout, err := cmd.Output()
	wall := time.Since(begin)
	if err != nil {
		said, _ := os.ReadFile(stderr.Name())
		return cost{}, fmt.Errorf("%s: %w\n%s%s", j.script, err, stdout, said)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return cost{wall, usage.Maxrss << 10, string(stdout)}, nil
}

// home gives a home directory in which each tool finds the password for the host, a door of s, and that it speaks plain HTTP.
func home(t testing.TB, s *registrytest.Server, host string) []string {
	t.Helper()
	dir := t.TempDir()
	auth := base64.StdEncoding.EncodeToString([]byte(s.Username + ":" + s.Password))
	for name, content := range map[string]any{
		"config.json":         map[string]any{"auths": map[string]any{host: map[string]string{"auth": auth}}},
		".regctl/config.json": map[string]any{"hosts": map[string]any{host: map[string]string{"tls": "disabled", "hostname": host}}},
	} {
		data, err := json.Marshal(content)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return []string{"HOME=" + dir, "DOCKER_CONFIG=" + dir}
}
