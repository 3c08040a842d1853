package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/oci"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/trigger"
)

// demo runs the pipeline on a copy of a directory, against an OCI layout in a
// temporary directory. It goes the way of the CLI and of a job: the same inputs, the same
// events, the same code.
func (c *command) demo(ctx context.Context, path string) (err error) {
	path = orElse(path, "testdata/platform")
	if _, err := os.Stat(path); err != nil {
		return &hinted{fmt.Errorf("demo: %w", err), "run it in a clone of oci-promote, or give --path DIR with manifests of yours"}
	}
	dir, err := os.MkdirTemp("", "oci-promote-demo-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	d := &demo{command: c, path: path, dir: dir}
	if err := os.CopyFS(d.tree(), os.DirFS(path)); err != nil {
		return err
	}
	return d.tell(ctx)
}

// demo is one telling of the story.
type demo struct {
	*command
	path, dir string
	builds    int
}

func (d *demo) tree() string   { return filepath.Join(d.dir, "tree") }
func (d *demo) layout() string { return filepath.Join(d.dir, "registry") }

func (d *demo) say(format string, args ...any) { d.println(d.stdout, fmt.Sprintf(format, args...)) }

// step begins a new part of the story.
func (d *demo) step(format string, args ...any) {
	d.say("")
	d.say(format, args...)
}

func (d *demo) tell(ctx context.Context) error {
	d.say("An OCI layout in a temporary directory stands in for the registry; %s is what gets built.", d.path)
	first, err := d.build(ctx, strings.Repeat("1a2b3c4d", 5))
	if err != nil {
		return err
	}
	d.step("A second commit adds one file, before integration has looked at the first.")
	note := filepath.Join(d.tree(), "second-commit.yaml")
	if err := os.WriteFile(note, []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: second-commit}\n"), 0o600); err != nil {
		return err
	}
	second, err := d.build(ctx, strings.Repeat("5e6f7a8b", 5))
	if err != nil {
		return err
	}
	for _, step := range []struct {
		told string
		run  func() error
	}{
		{"Integration reports that the first is healthy. It goes live, and the second, which no cluster would select any more, is rescued.",
			func() error { return d.status(ctx, first, first.Candidate) }},
		{"Integration takes the second by its new number, and reports that it is healthy.",
			func() error { return d.status(ctx, second, "0.0.2-rc.2") }},
		{"Verify follows the newest candidate along its path.",
			func() error { return d.verify(ctx) }},
		{"The second turns out to be bad. A rollback is a new, higher version of the first.",
			func() error { return d.rollback(ctx, first) }},
		{"A late report of the second does not undo that.",
			func() error { return d.status(ctx, second, "0.0.2") }},
	} {
		d.step("%s", step.told)
		if err := step.run(); err != nil {
			return err
		}
	}
	d.step("All tags, by digest:")
	return d.tagTable(ctx)
}

func (d *demo) build(ctx context.Context, commit string) (pipeline.Report, error) {
	const firstOfAll = 1767225600 // 2026-01-01T00:00:00Z
	env := map[string]string{"SOURCE_DATE_EPOCH": strconv.Itoa(firstOfAll + d.builds*3600)}
	d.builds++
	height := strconv.Itoa(d.builds)
	d.step("$ oci-promote build --repository oci-layout:DIR --path %s --revision main@sha1:%.7s… --height %s", d.path, commit, height)
	return d.run(ctx, action.Build, action.Values{"path": d.tree(), "revision": "main@sha1:" + commit, "height": height}, env)
}

// status promotes as a job does that a commit status started.
func (d *demo) status(ctx context.Context, of pipeline.Report, tag string) error {
	event := map[string]string{
		"sha": of.SHA, "state": "success", "context": fmt.Sprintf("kustomization/platform/%s@%s", tag, of.Digest), "description": "reconciliation succeeded",
	}
	blob, err := json.Marshal(event)
	if err != nil {
		return err
	}
	name := filepath.Join(d.dir, "event.json")
	if err := os.WriteFile(name, blob, 0o600); err != nil {
		return err
	}
	d.step("$ oci-promote tag --repository oci-layout:DIR --kustomization platform   # commit status %.7s: success, kustomization/platform/%s@%.14s…", of.SHA, tag, of.Digest)
	_, err = d.run(ctx, action.Tag, action.Values{"kustomization": "platform"},
		map[string]string{"GITHUB_EVENT_NAME": trigger.StatusEvent, "GITHUB_EVENT_PATH": name})
	return err
}

func (d *demo) verify(ctx context.Context) error {
	d.step("$ oci-promote verify --repository oci-layout:DIR")
	_, err := d.run(ctx, action.Verify, action.Values{}, nil)
	return err
}

func (d *demo) rollback(ctx context.Context, to pipeline.Report) error {
	d.step("$ oci-promote tag --repository oci-layout:DIR --version next --digest %.14s…", to.Digest)
	_, err := d.run(ctx, action.Tag, action.Values{"version": "next", "digest": to.Digest.String()}, nil)
	return err
}

// run is one command with nothing of the surrounding environment.
func (d *demo) run(ctx context.Context, mode string, v action.Values, env map[string]string) (pipeline.Report, error) {
	own := *d.command
	own.getenv = func(name string) string { return env[name] }
	v["repository"] = "oci-layout:" + d.layout()
	report, err := own.mode(ctx, mode, v, session{log: func(string) {}})
	if err == nil {
		for _, line := range reportLines(report) {
			if inShort(line) {
				d.say("%s", line)
			}
		}
	}
	return report, err
}

// inShort reports whether a line of a report is told in the demo.
func inShort(line string) bool {
	return !strings.HasPrefix(line, " ") || slices.ContainsFunc([]string{"because", "tags", "rescued", "integration", "live", "path"}, func(name string) bool {
		return strings.HasPrefix(line, "  "+name+" ")
	})
}

// tagTable prints each artifact of a layout with its tags.
func (d *demo) tagTable(ctx context.Context) (err error) {
	repo, err := oci.OpenLayout(ctx, d.layout(), true)
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
			name := desc.Digest.String()
			if !slices.Contains(order, name) {
				order = append(order, name)
			}
			byDigest[name] = append(byDigest[name], tag)
		}
		return nil
	})
	for _, name := range order {
		d.say("  %.19s…  %s", name, strings.Join(byDigest[name], "  "))
	}
	return err
}
