package pipeline

import (
	"errors"
	"fmt"
)

// Refusal is an input that the state of the repository does not allow. Nothing was
// written.
type Refusal struct {
	text string
	hint string
}

// Refuse makes a refusal: what is wrong, and what to do about it.
func Refuse(hint, format string, args ...any) error {
	return &Refusal{fmt.Sprintf(format, args...), hint}
}

func (r *Refusal) Error() string { return r.text }

// Hint is what to do about it.
func (r *Refusal) Hint() string { return r.hint }

// WithHint is an error with what to do about it, on one line.
func WithHint(err error) string {
	if hint := HintOf(err); hint != "" {
		return err.Error() + "; " + hint
	}
	return err.Error()
}

// HintOf is what to do about err; may be empty.
func HintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

// TagImmutable reports whether a registry refused to move a tag (docs/facts.md 17).
func TagImmutable(err error) bool {
	var refused interface{ TagImmutable() bool }
	return errors.As(err, &refused) && refused.TagImmutable()
}

// kept is the error of a registry that keeps a tag where it is.
type kept struct{ error }

func (kept) TagImmutable() bool { return true }
func (k kept) Unwrap() error    { return k.error }
