package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/oci"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// demo runs the pipeline on a copy of a directory, against an OCI layout in a
// temporary directory. It goes the way of the CLI: the same inputs, the same code.
func (c *command) demo(ctx context.Context, args []string) (err error) {
	fs := flag.NewFlagSet("demo", flag.ContinueOnError)
	fs.SetOutput(c.stderr)
	path := fs.String("path", "testdata/platform", "directory of manifests to build")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if _, err := os.Stat(*path); err != nil {
		return &hinted{fmt.Errorf("demo: %w", err), "run it in a clone of oci-promote, or give --path DIR with manifests of yours"}
	}
	dir, err := os.MkdirTemp("", "oci-promote-demo-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	tree := filepath.Join(dir, "tree")
	if err := os.CopyFS(tree, os.DirFS(*path)); err != nil {
		return err
	}
	return c.demoStory(ctx, *path, tree, filepath.Join(dir, "registry"))
}

func (c *command) demoStory(ctx context.Context, path, tree, layout string) error {
	c.println(c.stdout, fmt.Sprintf("An OCI layout in a temporary directory stands in for the registry; %s is what gets built.", path))
	commits := []string{strings.Repeat("1a2b3c4d", 5), strings.Repeat("5e6f7a8b", 5)}
	for i, commit := range commits {
		if i > 0 {
			c.println(c.stdout, "")
			c.println(c.stdout, "A second commit adds one file.")
			note := filepath.Join(tree, "second-commit.yaml")
			manifest := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: second-commit}\n"
			if err := os.WriteFile(note, []byte(manifest), 0o600); err != nil {
				return err
			}
		}
		c.println(c.stdout, "")
		c.println(c.stdout, fmt.Sprintf("$ oci-promote build --repository oci-layout:DIR --path %s --revision main@sha1:%.7s…", path, commit))
		report, err := c.demoBuild(ctx, tree, layout, commit, i)
		if err != nil {
			return err
		}
		for _, line := range reportLines(report) {
			c.println(c.stdout, strings.ReplaceAll(line, layout, "DIR"))
		}
	}
	c.println(c.stdout, "")
	c.println(c.stdout, "All tags, by digest:")
	return c.tagTable(ctx, layout)
}

// demoBuild is "oci-promote build" with nothing of the surrounding environment.
func (c *command) demoBuild(ctx context.Context, tree, layout, commit string, n int) (pipeline.Report, error) {
	const firstOfAll = 1767225600 // 2026-01-01T00:00:00Z
	own := *c
	own.getenv = func(name string) string {
		if name == "SOURCE_DATE_EPOCH" {
			return strconv.Itoa(firstOfAll + n*3600)
		}
		return ""
	}
	return own.mode(ctx, action.Build, action.Values{
		"repository": "oci-layout:" + layout, "path": tree, "revision": "main@sha1:" + commit,
	}, session{log: func(string) {}})
}

// tagTable prints each artifact of a layout with its tags.
func (c *command) tagTable(ctx context.Context, layout string) (err error) {
	repo, err := oci.OpenLayout(ctx, layout, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, repo.Close()) }()
	byDigest := map[string][]string{}
	var order []string
	err = repo.Tags(ctx, "", func(tags []string) error {
		for _, tag := range tags {
			desc, err := repo.Resolve(ctx, tag)
			if err != nil {
				return err
			}
			d := desc.Digest.String()
			if !slices.Contains(order, d) {
				order = append(order, d)
			}
			byDigest[d] = append(byDigest[d], tag)
		}
		return nil
	})
	for _, d := range order {
		c.println(c.stdout, fmt.Sprintf("  %.19s…  %s", d, strings.Join(byDigest[d], "  ")))
	}
	return err
}
