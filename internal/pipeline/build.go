package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/version"
)

// Build packs a directory, numbers it and pushes it as a candidate.
//
// Building the same commit twice changes nothing the second time. A build that was
// killed anywhere is completed by the next run of the same commit.
type Build struct {
	Repo          Repository
	Name          string  // of the repository, for messages and the reference
	History       History // nil: commits are ordered by their time alone
	Source        fs.FS
	Pack          bundle.Options
	Meta          bundle.Metadata
	Bump          version.Bump
	AutoBump      bool                    // read Bump from the commits since the stable
	Path          string                  // of Source in the git repository, for AutoBump
	Initial       version.Stable          // the first base
	SHALength     int                     // digits of the commit in its tags
	SkipUnchanged bool                    // no push when integration already selects the same content
	Overwrite     bool                    // let this commit's tags move to other content
	DryRun        bool                    // read and plan, write nothing
	Clusters      Clusters                // for the warning when integration would not select the candidate
	Log           func(step string)       // a step that takes time begins; may be nil
	Upload        func(sent, total int64) // progress of the layer, in bytes; may be nil
}

// Run builds. What it reports is true when it returns. It writes the tags that the report
// names, in the order of promise 5: sha-, the candidate, integration-. Beside other builds
// it may have tried other numbers, and given one to a neighbour that lost its own or is newer.
func (b Build) Run(ctx context.Context) (_ Report, err error) {
	packed, before, err := b.packAndList(ctx)
	if err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, packed.Close()) }()
	r := &buildRun{
		Build:  b,
		store:  store{b.Repo, b.Name},
		packed: packed,
		before: before,
		mine: &artifact{
			Info:     bundle.Info{Created: b.Meta.Created, Revision: b.Meta.Revision, Content: packed.Contents.Digest},
			desc:     packed.Descriptor,
			manifest: packed.Manifest,
		},
	}
	r.start()
	facts, err := r.look(ctx)
	if err != nil {
		return Report{}, err
	}
	plan, err := decideBuild(facts)
	if err != nil {
		return Report{}, err
	}
	if b.DryRun {
		return r.planned(plan, facts), nil
	}
	return r.apply(ctx, plan, facts)
}

// packAndList does the two long things at once: the digest is known before anything
// is sent, and the tag list is there when it is.
func (b Build) packAndList(ctx context.Context) (*bundle.Artifact, snapshot, error) {
	var (
		packed *bundle.Artifact
		before snapshot
	)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		before, err = store{b.Repo, b.Name}.list(ctx)
		return err
	})
	g.Go(func() (err error) {
		packed, err = bundle.Pack(ctx, b.Source, b.Pack)
		if err == nil {
			err = packed.Seal(b.Meta)
		}
		if err != nil {
			return fmt.Errorf("packing %q: %w", b.Path, err)
		}
		return nil
	})
	err := g.Wait()
	if err != nil && packed != nil {
		err = errors.Join(err, packed.Close())
	}
	return packed, before, err
}

// buildRun is one build under way.
type buildRun struct {
	Build
	store
	packed *bundle.Artifact
	before snapshot
	mine   *artifact // what this run packed
	report Report
}

func (r *buildRun) start() {
	c := r.packed.Contents
	r.report = Report{
		Mode: "build", Repository: r.name, SHA: r.Meta.Revision.Commit, Tags: []string{},
		Artifact: &Artifact{
			Revision: r.Meta.Revision.String(), Created: r.Meta.Created.UTC(), Content: c.Digest,
			Files: c.Files, Bytes: c.Bytes, Size: r.packed.Layer.Size, LeftOut: c.LeftOut,
		},
	}
	if c.LeftOut > 0 {
		r.notice("left out, since an artifact holds regular files and directories only: %d (symlinks, pipes, devices)", c.LeftOut)
	}
}

func (r *buildRun) notice(format string, args ...any) {
	r.report.Notices = append(r.report.Notices, fmt.Sprintf(format, args...))
}

func (r *buildRun) warn(format string, args ...any) {
	r.report.Warnings = append(r.report.Warnings, fmt.Sprintf(format, args...))
}

func (r *buildRun) log(format string, args ...any) {
	if r.Log != nil {
		r.Log(fmt.Sprintf(format, args...))
	}
}

// The tags of a commit that a build writes.
const (
	shaPrefix         = "sha-"
	integrationPrefix = "integration-"
)

// integrationOf is the tag that says that the build which announced itself with shaTag
// is done.
func integrationOf(shaTag string) string {
	return integrationPrefix + strings.TrimPrefix(shaTag, shaPrefix)
}
