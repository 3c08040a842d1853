package main

import (
	"context"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/github"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/promote"
	"github.com/oci-promote/oci-promote/internal/trigger"
)

// isNamed reports whether the inputs tell whose commit statuses count.
func isNamed(gate trigger.Gate) bool { return gate.Name != "" || gate.Context != nil }

// words asks GitHub for all statuses that a commit ever got.
func words(gate trigger.Gate, api *github.Repository) promote.Words {
	return func(ctx context.Context, commit string, d digest.Digest, enough func([]pipeline.Word) bool) ([]pipeline.Word, bool, error) {
		found, whole, err := api.StatusHistory(ctx, commit, func(found []github.Status) bool {
			words, err := wordsIn(gate, commit, found, d)
			return err != nil || enough(words)
		})
		if err != nil {
			return nil, false, err
		}
		words, err := wordsIn(gate, commit, found, d)
		return words, whole, err
	}
}

func wordsIn(gate trigger.Gate, commit string, found []github.Status, d digest.Digest) ([]pipeline.Word, error) {
	all, err := gate.Words(statusesOf(commit, found), d)
	words := make([]pipeline.Word, len(all))
	for i, w := range all {
		words[i] = pipeline.Word{At: w.At, Healthy: w.Proven, Named: w.Digest != "", Tag: w.Tag, Text: clip(w.Because)}
	}
	return words, err
}
