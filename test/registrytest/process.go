package registrytest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// startTimeout is long because a machine may be busy with compilers; a registry needs some 50 ms.
const startTimeout = 30 * time.Second

// process is a running registry. It listens on a Unix socket: no port to race for, and no way around the proxy.
type process struct {
	command *exec.Cmd
	stdin   io.Closer // ours ends when this does, also if the test is killed
	sockets string    // a directory with a short name: the name of a socket has at most some 100 bytes
	output  *syncBuffer
	ended   chan struct{}
}

func startProcess(dir, binary string, config func(socket string) any) (*process, error) {
	sockets, err := os.MkdirTemp("", "registry")
	if err != nil {
		return nil, err
	}
	p := &process{sockets: sockets, output: new(syncBuffer), ended: make(chan struct{})}
	if err := p.run(binary, filepath.Join(dir, "config.yml"), config(p.socket())); err != nil {
		return nil, errors.Join(err, os.RemoveAll(sockets))
	}
	if err := p.waitReady(); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

func (p *process) run(binary, configFile string, config any) error {
	data, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(configFile, data, 0o600); err != nil {
		return err
	}
	p.command = exec.Command(binary, "serve", configFile)
	p.command.Env = []string{"EXIT_WITH_STDIN=1", "OTEL_TRACES_EXPORTER=none", "TMPDIR=" + os.TempDir()}
	p.command.Stdout, p.command.Stderr = p.output, p.output
	if p.stdin, err = p.command.StdinPipe(); err != nil {
		return err
	}
	EndWithUs(p.command)
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // who ends with us ends with the thread that started it
		defer runtime.UnlockOSThread()
		err := p.command.Start()
		started <- err
		if err == nil {
			_ = p.command.Wait() // it was killed, or says why it ended
			close(p.ended)
		}
	}()
	return <-started
}

func (p *process) socket() string { return filepath.Join(p.sockets, "s") }

func (p *process) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "unix", p.socket())
}

// waitReady returns once the registry accepts connections: it opens its storage before it listens.
func (p *process) waitReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		if conn, err := p.dial(ctx); err == nil {
			return conn.Close()
		}
		select {
		case <-p.ended:
			return errors.New("the registry did not start")
		case <-ctx.Done():
			return fmt.Errorf("the registry did not listen within %s", startTimeout)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// stop kills the registry, which has nothing to save, and waits for its end. It is an error if the registry has
// ended by itself.
func (p *process) stop() error {
	var err error
	select {
	case <-p.ended:
		err = fmt.Errorf("the registry ended by itself: %s; its output:\n%s", p.command.ProcessState, p.output)
	default:
		err = p.command.Process.Kill()
	}
	<-p.ended
	_ = p.stdin.Close() // most likely closed by Wait
	return errors.Join(err, os.RemoveAll(p.sockets))
}

// syncBuffer is a buffer that can be read while a process writes to it.
type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
