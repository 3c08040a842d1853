package action

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Values are inputs as text, by name. Empty is the same as unset, as in Actions.
type Values map[string]string

// Reader turns values into what they mean and remembers each that means nothing, so
// that one run names all that is wrong, before anything is sent.
type Reader struct {
	values Values
	errs   []error
	wrong  map[string]bool // the inputs that mean nothing
}

// Read begins reading v.
func Read(v Values) *Reader { return &Reader{values: v} }

// Err is all that was wrong so far.
func (r *Reader) Err() error { return errors.Join(r.errs...) }

// Fail adds an error about an input.
func (r *Reader) Fail(name string, err error) {
	if r.wrong == nil {
		r.wrong = map[string]bool{}
	}
	r.wrong[name] = true
	r.errs = append(r.errs, fmt.Errorf("%s: %w", name, err))
}

// Clash adds an error about an input that does not go with others. Where one of them is wrong by itself, that is the one
// mistake, which is told already.
func (r *Reader) Clash(name string, err error, with ...string) {
	if !slices.ContainsFunc(append(with, name), func(of string) bool { return r.wrong[of] }) {
		r.Fail(name, err)
	}
}

// Text is the input or its default, trimmed.
func (r *Reader) Text(name string) string {
	if s := strings.TrimSpace(r.values[name]); s != "" {
		return s
	}
	for _, i := range Inputs {
		if i.Name == name {
			return i.Default
		}
	}
	panic("no input " + name)
}

// Get is an input that parse understands. Where parse fails the result is zero.
func Get[T any](r *Reader, name string, parse func(string) (T, error)) T {
	v, err := parse(r.Text(name))
	if err != nil {
		r.Fail(name, err)
		return *new(T)
	}
	return v
}

// Bool is ParseBool of an input.
func (r *Reader) Bool(name string) bool { return Get(r, name, ParseBool) }

// ParseBool accepts what a YAML 1.2 core boolean is.
func ParseBool(s string) (bool, error) {
	switch s {
	case "true", "True", "TRUE":
		return true, nil
	case "false", "False", "FALSE":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", s)
}

// Int accepts a whole number from low to high.
func (r *Reader) Int(name string, low, high int) int {
	return Get(r, name, func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil || n < low || n > high {
			return 0, fmt.Errorf("%q is not a whole number from %d to %d", s, low, high)
		}
		return n, nil
	})
}

// Duration accepts a duration that is not negative.
func (r *Reader) Duration(name string) time.Duration {
	return Get(r, name, func(s string) (time.Duration, error) {
		d, err := time.ParseDuration(s)
		if err != nil || d < 0 {
			return 0, fmt.Errorf("%q is not a duration such as 90s, 1h30m, or 720h for 30 days", s)
		}
		return d, nil
	})
}

// Lines are the lines of an input that are not blank.
func (r *Reader) Lines(name string) []string {
	var lines []string
	for line := range strings.Lines(r.Text(name)) {
		if line = strings.TrimRight(line, "\r\n"); strings.TrimSpace(line) != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// Pairs are key=value lines. Keys are unique.
func (r *Reader) Pairs(name string) map[string]string {
	pairs := map[string]string{}
	for _, line := range r.Lines(name) {
		key, value, ok := strings.Cut(line, "=")
		key = strings.TrimSpace(key)
		if _, twice := pairs[key]; twice {
			r.Fail(name, fmt.Errorf("key %q is given twice", key))
			continue
		}
		if !ok || key == "" {
			r.Fail(name, fmt.Errorf("line %q is not key=value", line))
			continue
		}
		pairs[key] = strings.TrimSpace(value)
	}
	return pairs
}
