package pipeline_test

import (
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// Words are written as the newest first: + is a proof of the digest, c one of the commit alone, - any other word.
func TestUnbroken(t *testing.T) {
	for _, row := range []struct{ words, named, byCommit string }{
		{"", "", ""},
		{"+", "+", "+"},
		{"-", "", ""},
		{"-+", "", ""},
		{"+-", "+", "+"},
		{"++-+", "++", "++"},
		{"c", "", "c"},
		{"c+", "+", "c+"},
		{"+c+", "++", "+c+"},
		{"c-+", "", "c"},
		{"+c-+", "+", "+c"},
	} {
		var words []pipeline.Word
		for _, c := range row.words {
			words = append(words, pipeline.Word{Healthy: c != '-', Named: c == '+', Text: string(c)})
		}
		for byCommit, want := range map[bool]string{false: row.named, true: row.byCommit} {
			var got strings.Builder
			for _, w := range pipeline.Unbroken(words, byCommit) {
				got.WriteString(w.Text)
			}
			if got.String() != want {
				t.Errorf("of %q with byCommit %v: got %q, want %q", row.words, byCommit, got.String(), want)
			}
		}
	}
}
