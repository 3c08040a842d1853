package promote

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
)

// noon is minute 0 of the words below.
var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func minute(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

// said are the words on an artifact from the oldest on: "+10" is a proof of its digest at minute 10, "+10@0.0.1-rc.1" tells
// the tag too, "c10" is a proof of its commit alone, "-10" another word.
func said(t *testing.T, text string) (words []pipeline.Word) {
	t.Helper()
	for word := range strings.FieldsSeq(text) {
		at, tag, _ := strings.Cut(word[1:], "@")
		w := pipeline.Word{
			At: minute(pipelinetest.Must(strconv.Atoi(at))), Healthy: word[0] != '-', Named: word[0] == '+', Tag: tag,
			Text: "status at " + at + " is success",
		}
		if !w.Healthy {
			w.Text = "status at " + at + " is failure"
		}
		words = append([]pipeline.Word{w}, words...)
	}
	return words
}

// integration answers for Words, by letter: words as above; "flood " before them says that there are more than are read,
// "error" is no answer. Asked collects whose words it was asked for.
func integration(t *testing.T, s *pipelinetest.Shelf, says map[string]string, asked *string) Words {
	return func(_ context.Context, commit string, d digest.Digest, enough func([]pipeline.Word) bool) ([]pipeline.Word, bool, error) {
		letter := s.Letter(d.String())
		*asked += letter
		if commit != pipelinetest.CommitOf(letter) {
			return nil, false, errors.New("asked of commit " + commit)
		}
		text, flood := strings.CutPrefix(says[letter], "flood ")
		if text == "error" {
			return nil, false, errors.New("reading all statuses: 403")
		}
		words := said(t, text)
		enough(words) // which must take any
		return words, !flood, nil
	}
}

// saysOf reads "LETTER: words; LETTER: words".
func saysOf(text string) map[string]string {
	says := map[string]string{}
	for part := range strings.SplitSeq(text, "; ") {
		letter, words, _ := strings.Cut(part, ": ")
		says[letter] = words
	}
	return says
}
