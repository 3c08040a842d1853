package programtest

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/internal/bundle"
)

// Descendant is an artifact of a history, with its manifest.
type Descendant struct {
	Commit   string
	Manifest []byte
}

// Descendants are n artifacts after model, which BuildFor built of the first commit on the first day: the i-th has height
// i+2, is an hour younger than the one before, and has the model's blobs. Manifest is the model's.
func Descendants(t testing.TB, model Artifact, manifest []byte, n int) []Descendant {
	t.Helper()
	hour := func(n int) []byte {
		return []byte(time.Unix(1767225600+3600*int64(n), 0).UTC().Format(time.RFC3339))
	}
	if bytes.Count(manifest, height(1)) != 1 {
		t.Fatalf("the manifest does not tell its height: %s", manifest)
	}
	all := make([]Descendant, n)
	for i := range all {
		sum := sha1.Sum([]byte(strconv.Itoa(i)))
		commit := hex.EncodeToString(sum[:])
		body := bytes.ReplaceAll(bytes.ReplaceAll(manifest, []byte(model.Commit), []byte(commit)), hour(0), hour(i+1))
		all[i] = Descendant{commit, bytes.ReplaceAll(body, height(1), height(i+2))}
	}
	return all
}

// height is how a manifest tells the height of its commit.
func height(n int) []byte { return fmt.Appendf(nil, `%q:"%d"`, bundle.HeightAnnotation, n) }
