package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// signaled is why a context ended: a person or a runner wants the run to end.
type signaled struct{ signal syscall.Signal }

func (s signaled) Error() string {
	if s.signal == syscall.SIGTERM {
		return "interrupted (SIGTERM)"
	}
	return "interrupted (SIGINT)"
}

// untilSignal is a context that ends with the first SIGINT or SIGTERM. A second one ends the process at once, as if nobody
// listened.
func untilSignal() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case s := <-signals:
			number, _ := s.(syscall.Signal)
			cancel(signaled{number})
		case <-ctx.Done():
		}
		signal.Stop(signals)
	}()
	return ctx, func() { cancel(nil) }
}

// interrupted is the error of a run that a signal ended, with what was left.
type interrupted struct {
	signaled

	while string // what the run was doing; may be empty
	hint  string
}

func (i *interrupted) Error() string { return i.signaled.Error() + i.while }
func (i *interrupted) Hint() string  { return i.hint }

// afterSignal is err in the words of the signal that ended the run; else err. With a report in hand and no error, what the
// run had to do is done.
func afterSignal(ctx context.Context, r pipeline.Report, err error) error {
	var by signaled
	if !errors.As(context.Cause(ctx), &by) {
		return err
	}
	stopped := &interrupted{signaled: by, hint: leftBy(r)}
	switch canceled := context.Canceled.Error(); {
	case err == nil:
		stopped.while, stopped.hint = " at the end", "the report holds; what it warns of is left to the next run"
	case errors.As(err, &stopped): // of a run within this one
	case errors.Is(err, context.Canceled) && parts(err)[0] != canceled:
		stopped.while = " while " + strings.TrimSuffix(parts(err)[0], ": "+canceled)
	case !errors.Is(err, context.Canceled):
		stopped.while = ": " + strings.Join(parts(err), "; ")
	}
	return stopped
}

// leftBy is what a run that was interrupted has left, and how it goes on. Every mode goes on from wherever an earlier run
// ended.
func leftBy(r pipeline.Report) string {
	switch {
	case r.Retention != nil && r.Retention.Deleted > 0:
		return "the next run completes it"
	case len(r.InPlace) > 0:
		return fmt.Sprintf("in place by then: %s; run it again, the next run completes it", strings.Join(r.InPlace, ", "))
	}
	return "no tag was written or deleted by then; run it again, the next run completes it"
}

// statusOf is the exit status for an error.
func statusOf(err error) int {
	var stopped *interrupted
	if errors.As(err, &stopped) {
		return 128 + int(stopped.signal)
	}
	return exitFailed
}
