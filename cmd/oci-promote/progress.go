package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress is one line on a terminal that overwrites itself. Packing and the log of
// retries come from different goroutines.
type progress struct {
	out   io.Writer
	on    bool
	mu    sync.Mutex
	drawn time.Time
}

func (p *progress) show(line func() string) {
	const every = 100 * time.Millisecond
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.on && time.Since(p.drawn) > every {
		p.drawn = time.Now()
		_, _ = fmt.Fprintf(p.out, "\r\x1b[K%s", line())
	}
}

func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.on && !p.drawn.IsZero() {
		p.drawn = time.Time{}
		_, _ = fmt.Fprint(p.out, "\r\x1b[K")
	}
}
