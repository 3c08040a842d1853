package pipeline

import (
	"strings"
	"time"
)

// Span is a duration without its zeros: 2h, not 2h0m0s.
func Span(d time.Duration) string {
	s := d.String()
	for _, zeros := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zeros) {
			s = s[:len(s)-2]
		}
	}
	return s
}
